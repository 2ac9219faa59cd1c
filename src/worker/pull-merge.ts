// The head of a pull request proved, and merged by the forge: only as it was proved, and only when it contains the remote target as it
// is now. Doing it twice is the same as once: what is merged already is found to be so.

import { must } from '../core/bug.ts';
import type { EventBody, EventOf, Note } from '../core/event.ts';
import { mayMerge, pullRules } from '../core/pull.ts';
import { remoteName } from '../core/push.ts';
import type { PullFacts } from '../core/pull-facts.ts';
import { standsOn } from '../core/stack.ts';
import { landRules } from '../core/state.ts';
import { BOUNDS } from '../core/limits.ts';
import { failpoint } from '../failpoint.ts';
import type { PullMerge } from '../forge.ts';
import { landingMessage } from './landing-commit.ts';
import { proofOf } from './proof.ts';
import { proveAt } from './prove.ts';
import { bringTarget, forgeOf } from './remote-target.ts';
import { notesOf, otherTexts } from './spec-text.ts';
import { StepFailure } from './workplace.ts';
import type { UnitStep } from './workplace.ts';

/** Proves the unit's head as it would be merged. Answers `pr.proved`, `pr.proof.failed` or `pr.outdated`. */
export async function provePull(step: UnitStep, begun: EventOf<'pr.proving'>): Promise<EventBody> {
  const { place, u, control } = step;
  const unit = u.unit.id;
  const { commit } = begun;
  const onto = standsOn(place.state, u)?.head ?? await bringTarget(place, control.interrupt);
  if (!(await place.world.git.isAncestor(onto, commit))) return { type: 'pr.outdated', unit, onto };
  const rules = landRules(place.state);
  if (rules.checks === 'never') return { type: 'pr.proved', unit, commit, onto, passed: [], reused: 0, notes: [] };
  const logs = `${place.runDir}/logs/landing/${unit}-${place.state.seq}`;
  const { failure, notes, passed, reused } = await proveAt(place, { commit, checks: await proofOf(place, [u]), logs, place: begun.place, reuse: rules.reuse, control });
  if (failure !== undefined) return { type: 'pr.proof.failed', unit, commit, failure, notes };
  return { type: 'pr.proved', unit, commit, onto, passed, reused, notes };
}

/** Merges the pull request, or finds that it is merged. Answers `pr.merged`, `pr.queued`, `pr.refused`, `pr.outdated` or, when it may not be merged any more, `pr.seen`. */
export async function mergePull(step: UnitStep, begun: EventOf<'pr.merging'>): Promise<EventBody> {
  const { place, u, control } = step;
  const { state, world: { git } } = place;
  const { forge, target } = forgeOf(place);
  const unit = u.unit.id;
  const pull = must(u.pull, 'a pull request');
  const number = must(pull.number, 'its number');
  const facts = await settled(step, await forge.read(number, control.interrupt));
  if (facts.state === 'merged' && facts.base !== target.ref.replace('refs/heads/', '')) return { type: 'pr.seen', unit, facts };
  if (facts.state === 'merged') return landed(step, { commit: must(facts.merge, 'the commit of a merge'), merged: facts.head });
  const fresh = facts.feedback.some(({ id }) => !pull.handled.has(id));
  if (facts.head !== begun.commit || fresh || !mayMerge(state, facts)) return { type: 'pr.seen', unit, facts };
  const onto = await bringTarget(place, control.interrupt);
  if (!(await git.isAncestor(onto, begun.commit))) return { type: 'pr.outdated', unit, onto };
  if (pull.proved?.commit !== begun.commit) throw new Error(`${unit} is to be merged at ${begun.commit}, which was not proved`);
  const { subject, body } = landingMessage(place, u);
  const outcome = await forge.merge(number, { head: begun.commit, method: landRules(state).strategy, title: subject, message: body }, control.interrupt);
  failpoint('pull-merged');
  switch (outcome.kind) {
    case 'merged': return landed(step, { commit: outcome.commit, merged: begun.commit });
    case 'queued': return { type: 'pr.queued', unit };
    case 'refused': return refused(step, { ...outcome, commit: begun.commit });
    default: return outcome satisfies never;
  }
}

/** What a refusal comes to: another head, a target that has moved, or something that only the forge knows. */
async function refused(step: UnitStep, o: Extract<PullMerge, { kind: 'refused' }> & { readonly commit: string }): Promise<EventBody> {
  const { place, u, control } = step;
  const unit = u.unit.id;
  if (o.reason === 'head-moved') {
    const facts = await forgeOf(place).forge.read(must(u.pull?.number, 'its number'), control.interrupt);
    // It may say so long before it shows it.
    if (facts.state !== 'open' || facts.head !== o.commit) return { type: 'pr.seen', unit, facts };
  }
  const onto = await bringTarget(place, control.interrupt);
  return (await place.world.git.isAncestor(onto, o.commit)) ? { type: 'pr.refused', unit, text: o.detail } : { type: 'pr.outdated', unit, onto };
}

/** Checks may begin a while after a push: until then, that there are none says nothing. */
async function settled(step: UnitStep, facts: PullFacts): Promise<PullFacts> {
  const { place: { state, world }, u, control } = step;
  const rest = (u.pull?.pushedAt ?? 0) + CHECKS_BEGIN * pullRules(state).poll - world.clock.now();
  if (facts.state !== 'open' || facts.checks !== 'none' || rest <= 0) return facts;
  await world.clock.sleep(rest, control.interrupt);
  return forgeOf(step.place).forge.read(facts.number, control.interrupt);
}

/** Polls within which a forge's checks have begun. */
const CHECKS_BEGIN = 2;

/** The forge has merged it: the remote target contains that commit, which is proved here when it is not what was proved before. */
async function landed(step: UnitStep, { commit, merged }: { readonly commit: string; /** What people merged may not be all that the unit has. */ readonly merged: string }): Promise<EventBody> {
  const { place, u, control } = step;
  const { git, clock } = place.world;
  const { target } = forgeOf(place);
  const isThere = async (): Promise<boolean> => {
    const tip = await bringTarget(place, control.interrupt);
    return (await git.resolve(commit)) !== undefined && git.isAncestor(commit, tip);
  };
  for (let tried = 1; !(await isThere()); tried++) {
    if (tried === TRIES) throw new StepFailure({ kind: 'not-merged', url: u.pull?.url ?? '', text: `it was merged as ${commit.slice(0, 10)}, and ${remoteName({ name: target.remote, ref: target.ref })} does not have that` });
    await clock.sleep(tried * SOON, control.interrupt);
  }
  // What its agent did meanwhile, or people pushed at the last moment, is not what landed, or is not here.
  const head = (await git.resolve(merged)) === undefined ? commit : merged;
  const about = { type: 'pr.merged', unit: u.unit.id, number: must(u.pull?.number, 'its number'), commit, head } as const;
  const notes: Note[] = [...notesOf(place, await otherTexts(place, { u, at: commit }))];
  const rules = landRules(place.state);
  const proved = u.pull?.proved?.commit;
  const same = proved !== undefined && (await git.treeOf(commit)) === (await git.treeOf(proved));
  if (same || rules.checks === 'never') return { ...about, notes };
  const proof = await proveAt(place, { commit, checks: await proofOf(place, [u]), logs: `${place.runDir}/logs/landing/${u.unit.id}-landed`, place: BOUNDS.landingWorktrees, reuse: rules.reuse, control });
  notes.push(...proof.notes);
  return { ...about, ...(proof.failure === undefined ? {} : { red: proof.failure }), notes };
}

/** How often a branch is asked for what was merged into it, and how long between, ms. */
const TRIES = 5;
const SOON = 2000;
