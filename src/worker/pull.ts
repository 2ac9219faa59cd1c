// A unit's pull request: its branch pushed, its text written, feedback answered, people's commits taken in, and the waiting for people.
// Every step asks first what is there already, so that doing it twice is the same as once. What follows is core/pull.ts.

import { must } from '../core/bug.ts';
import type { EventBody, EventOf, Note } from '../core/event.ts';
import { baseOf, pullRules } from '../core/pull.ts';
import { BOUNDS } from '../core/limits.ts';
import type { PullFacts } from '../core/pull-facts.ts';
import { failpoint } from '../failpoint.ts';
import { read } from './attempt.ts';
import { ensureWorktree } from './prepare.ts';
import { answerText, pullBody, pullSection, pullTexts, pullTitle, withSection } from './pull-text.ts';
import { forgeOf, pullBranch, reaching } from './remote-target.ts';
import { putBack, settleAgain } from './settle.ts';
import { mergeIn } from './verify.ts';
import { StepFailure } from './workplace.ts';
import type { UnitStep } from './workplace.ts';

/** Where the unit's branch is on the forge; undefined: it has none. */
function branchTip(step: UnitStep): Promise<string | undefined> {
  const { target } = forgeOf(step.place);
  return reaching(() => step.place.world.git.remoteTip({ name: target.remote, ref: `refs/heads/${pullBranch(step)}`, limitMs: BOUNDS.remote, signal: step.control.interrupt }));
}

/** Pushes the unit's branch, makes or edits its pull request, and answers what its agent has worked on. Answers `pr.published`, `pr.behind` or, when it is open no more, `pr.seen`. */
export async function publishPull(step: UnitStep, begun: EventOf<'pr.publishing'>): Promise<EventBody> {
  const { place, u, control } = step;
  const { forge } = forgeOf(place);
  const pull = must(u.pull, 'a pull request');
  const unit = u.unit.id;
  const { commit } = begun;
  if (pull.number !== undefined) {
    const facts = await forge.read(pull.number, control.interrupt);
    if (facts.state !== 'open') return { type: 'pr.seen', unit, facts };
  }
  const behind = await pushBranch(step, commit);
  if (behind !== undefined) return behind;
  failpoint('branch-pushed');
  const notes: Note[] = [];
  // What it stands on may land meanwhile: what is told is what was written.
  const base = baseOf(place.state, u);
  const { number, created } = await write(step, { base, ready: begun.ready, notes });
  failpoint('pull-written');
  const body = answerText({ commit, changed: pull.pushed !== commit });
  for (const { id } of pull.answering) await forge.answer(number, { id, body }, control.interrupt);
  return { type: 'pr.published', unit, commit, number, url: forge.url(number), ready: begun.ready, created, base, answered: pull.answering.map(({ id }) => id), notes };
}

/** Plainly: the branch only goes forward. Gives what to answer when somebody else has moved it. */
async function pushBranch(step: UnitStep, commit: string): Promise<EventBody | undefined> {
  const { place, u, control } = step;
  const { git } = place.world;
  const { target } = forgeOf(place);
  const ref = `refs/heads/${pullBranch(step)}`;
  const at = await branchTip(step);
  if (at === commit) return undefined;
  const pushed = u.pull?.pushed;
  // One that was put back to before the last push is somebody's too, although a push would only go forward.
  const moved = at === undefined ? pushed !== undefined : !(await git.isAncestor(at, commit)) || (pushed !== undefined && !(await git.isAncestor(pushed, at)));
  if (moved) return at === undefined ? gone(step) : { type: 'pr.behind', unit: u.unit.id, at };
  const outcome = await reaching(() => git.push({ name: target.remote, ref, commit, limitMs: BOUNDS.remote, signal: control.kill }));
  if (outcome.kind === 'pushed') return undefined;
  // What was printed does not decide: where the branch is now tells a lost race from a refusal.
  const now = await branchTip(step);
  if (now === commit) return undefined;
  if (now !== at && now !== undefined) return { type: 'pr.behind', unit: u.unit.id, at: now };
  throw new StepFailure({ kind: 'git', command: `git push ${target.remote} ${ref}`, detail: outcome.detail });
}

/** With the branch the pull request is closed, or it was merged before. */
async function overOrGone(step: UnitStep): Promise<EventBody> {
  const number = step.u.pull?.number;
  const facts = number === undefined ? undefined : await forgeOf(step.place).forge.read(number, step.control.interrupt);
  return facts === undefined || facts.state === 'open' ? gone(step) : { type: 'pr.seen', unit: step.u.unit.id, facts };
}

/** Somebody removed the branch. */
function gone(step: UnitStep): never {
  throw new StepFailure({ kind: 'yielded', url: step.u.pull?.url ?? '', branch: pullBranch(step) });
}

/** The pull request is there and says what is so now. */
async function write(step: UnitStep, o: { readonly base: string; readonly ready: boolean; readonly notes: Note[] }): Promise<{ readonly number: number; readonly created: boolean }> {
  const { place, u, control } = step;
  const { state, world: { redact = (text: string): string => text } } = place;
  const { forge } = forgeOf(place);
  const signal = control.interrupt;
  const known = u.pull?.number ?? await forge.find(pullBranch(step), signal);
  if (known !== undefined) {
    const body = await forge.body(known, signal);
    // Once: a draft that it is later is one because somebody wants it so.
    const open = o.ready && u.pull?.ready !== true;
    // One that somebody gave another base keeps it.
    const base = u.pull?.base === undefined || u.pull.base === o.base ? {} : { base: o.base };
    await forge.edit(known, { body: withSection(body, pullSection(state, u, redact)), ...base, ...(open ? { ready: true } : {}) }, signal);
    return { number: known, created: false };
  }
  const texts = pullTexts(u.unit.id, redact((await read(place, u.unit.planPath))?.text ?? ''));
  const { labels, reviewers } = pullRules(state);
  const { number, left } = await forge.open({
    branch: pullBranch(step), base: o.base, draft: !o.ready, labels, reviewers,
    title: redact(pullTitle(state, u, texts)), body: redact(pullBody(state, u, { ...texts, redact })),
  }, signal);
  if (left.length > 0) o.notes.push({ kind: 'forge', text: `the forge does not take these as labels or reviewers of ${forge.url(number)}: ${left.join(', ')}` });
  return { number, created: true };
}

/** Waits until something about the pull request is unlike what is known of it. Answers `pr.seen`. */
export async function followPull(step: UnitStep): Promise<EventBody> {
  const { place, u, control } = step;
  const { forge } = forgeOf(place);
  const { number, facts: known } = must(u.pull, 'a pull request');
  // Known from the first moment on: it may be woken before the forge was asked.
  const waking = new AbortController();
  place.waking.set(u.unit.id, waking);
  const facts = known === undefined ? await forge.read(must(number, 'its number'), control.interrupt) : await followUntil(step, { known, waking: waking.signal });
  return { type: 'pr.seen', unit: u.unit.id, facts };
}

/**
 * What it is when it changed, or now, when it is worth a look. One that was not merged is read again after a while: nothing need change about
 * it before it can be.
 */
async function followUntil(step: UnitStep, o: { readonly known: PullFacts; readonly waking: AbortSignal }): Promise<PullFacts> {
  const { place: { state, world }, u, control } = step;
  const { forge } = forgeOf(step.place);
  const [over, seen] = [new AbortController(), new AbortController()];
  const times = u.pull?.refused?.times;
  if (times !== undefined) void world.clock.sleep(pullRules(state).poll * Math.min(2 ** (times - 1), RAREST), seen.signal).then(() => over.abort());
  try {
    return await forge.follow(o.known, AbortSignal.any([control.interrupt, o.waking, over.signal]));
  } catch (error) {
    control.interrupt.throwIfAborted();
    if (!o.waking.aborted && !over.signal.aborted) throw error;
    return await forge.read(o.known.number, control.interrupt);
  } finally {
    seen.abort();
  }
}

/** Polls after which a merge is tried again at the latest. */
const RAREST = 32;

/** Takes in what people pushed to the unit's branch: as it is, or merged where both went on; what was rewritten only when a person said so. Answers `pr.taken`, `unit.refreshed` or, when it is open no more, `pr.seen`. */
export async function takePushed(step: UnitStep, begun: EventOf<'pr.taking'>): Promise<EventBody> {
  const { place, u } = step;
  const { git } = place.world;
  const unit = u.unit.id;
  const notes: Note[] = [];
  const at = await branchTip(step);
  if (at === undefined) return overOrGone(step);
  const head = must(u.head, 'a recorded head');
  if (at === head) return { type: 'pr.taken', unit, commit: at, notes };
  const goesOn = await git.isAncestor(head, at);
  const pushed = u.pull?.pushed;
  const onTop = pushed !== undefined && pushed !== at && (await git.isAncestor(pushed, at)) && (await git.isAncestor(pushed, head));
  if (!goesOn && !begun.any && !onTop) throw new StepFailure({ kind: 'yielded', url: u.pull?.url ?? '', branch: pullBranch(step), at });
  const worktree = await ensureWorktree(step);
  if (!goesOn && !begun.any) return mergeIn(step, { worktree, onto: at, what: 'what people pushed' });
  await settleAgain(step, worktree);
  const branch = must(u.branch, 'a branch');
  const status = await git.status(worktree);
  if (status.entries.length > 0 || !goesOn) {
    const ref = `refs/choo/kept/${place.state.run}/${unit}/before-taking-${place.state.seq}`;
    await place.fence.hold(async () => place.fence.moved(ref, await git.keep(worktree, { ref, message: `choo: the worktree of ${unit} before people's commits were taken in` })));
    if (!goesOn) notes.push({ kind: 'kept', text: `its branch was rewritten by people, and taken as they left it; what it was is kept at ${ref}` });
  }
  place.fence.moved(branch, at);
  await putBack(step, { worktree, branch, commit: at });
  place.seen.delete(worktree);
  return { type: 'pr.taken', unit, commit: at, notes };
}
