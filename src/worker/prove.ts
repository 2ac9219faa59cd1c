// Choo's own worktree, in which no agent ever works: the trial before the first attempt, and the proof of commits that are about to land.

import type { EventBody, Note, TrialCheck } from '../core/event.ts';
import type { Failure } from '../core/failure.ts';
import type { Check } from '../core/plan.ts';
import { programsOf } from '../core/programs-of.ts';
import { redOf } from '../core/red.ts';
import { landRules } from '../core/state.ts';
import type { Control } from '../world.ts';
import { isUntouched } from './commit.ts';
import { spaceFor } from './prepare.ts';
import { setUp } from './setup.ts';
import { runCheck } from './run-check.ts';
import { landingWorktree } from './workplace.ts';
import type { Workplace } from './workplace.ts';

/** A check of a proof; `unit`: it is that unit's, and is told so. */
export interface ProofCheck extends Check { readonly unit?: string }

/** A commit in a landing worktree (by its number), and where logs go. */
interface At { readonly commit: string; readonly logs: string; readonly place: number; readonly control: Control; /** It is a commit of the target. */ readonly ofTarget?: true }

/** The paths that are dirty although nothing has run yet, the ignored files that were copied, absolute, and what setup had to tell. */
interface Ready { readonly dirty: ReadonlySet<string>; readonly copied: readonly string[]; readonly notes: readonly Note[] }

/** What came of a proof: the first failure, or the keys of the checks that passed. */
export interface Proof {
  readonly failure?: Failure;
  /** Only of checks that ran now, in a worktree that no agent ever saw. */
  readonly passed: readonly string[];
  /** Checks that were not run, because they had passed on the same inputs. */
  readonly reused: number;
  readonly notes: readonly Note[];
}

/** Puts the landing worktree at a commit with nothing else in it, and sets it up. Gives the paths that are dirty even then. */
async function atCommit(place: Workplace, o: At): Promise<{ readonly failure: Failure } | Ready> {
  const { git, files } = place.world;
  const path = landingWorktree(place, o.place);
  const notes: Note[] = [];
  const stands = await git.whatStands(path);
  // Whatever it leads to is nothing of ours; followed, it would be reset and cleaned.
  if (stands === 'other') notes.push({ kind: 'kept', text: `what stood in the place of choo's own landing worktree ${path} was not that worktree (a link, or a folder that git does not know); it was not touched and is at ${await git.setAside(path)}` });
  if (stands === 'worktree' && (await files.exists(`${path}/.git`))) {
    await git.resetWorktree(path, { branch: undefined, commit: o.commit });
    await git.cleanWorktree(path);
  } else {
    const failure = await spaceFor(place, path);
    if (failure !== undefined) return { failure };
    await git.removeWorktree(path);
    await git.addWorktree({ path, commit: o.commit });
  }
  const copies = place.copy.length > 0 && place.mainRoot !== undefined ? await files.copyIgnored({ globs: place.copy, from: place.mainRoot, to: path }) : [];
  const copied = copies.map((file) => `${path}/${file}`);
  const failure = await setUp(place, { worktree: path, log: `${o.logs}/landing-setup.log`, control: o.control, notes, ofTarget: o.ofTarget === true });
  if (failure !== undefined) return { failure };
  if (place.setup.length === 0) return { dirty: new Set(), copied, notes };
  // The proof is of the commit, not of what setup makes of it.
  const changed = (await git.status(path)).entries.filter((e) => e.kind !== 'untracked').map((e) => e.path);
  if (changed.length > 0) await git.restorePaths(path, { commit: o.commit, paths: changed });
  const status = changed.length > 0 ? await git.status(path) : undefined;
  return { dirty: new Set(status?.entries.map((e) => e.path)), copied, notes };
}

/** Proves a commit: every check passes on it or fails as it is known to, in a fresh worktree, and changes no tracked file. With `reuse`, one that passed on the same inputs before is not run again. */
export async function proveAt(place: Workplace, o: At & { readonly checks: readonly ProofCheck[]; readonly reuse: boolean }): Promise<Proof> {
  const tree = await place.world.git.treeOf(o.commit);
  // What is copied in is known only when it has been.
  const known = place.copy.length > 0 ? undefined : await keysOf(place, { tree, checks: o.checks, copied: [] });
  const isOld = (key: string | undefined, check: Check | undefined): boolean => o.reuse && place.state.passed.has(key ?? '') && !place.state.red.landing.has(check?.command ?? '');
  if (known !== undefined && known.length > 0 && known.every((key, i) => isOld(key, o.checks[i]))) return { passed: [], reused: known.length, notes: [] };
  const ready = await atCommit(place, o);
  if ('failure' in ready) return { failure: ready.failure, passed: [], reused: 0, notes: [] };
  const keys = known ?? await keysOf(place, { tree, checks: o.checks, copied: ready.copied });
  const left = o.checks.flatMap((check, i) => (isOld(keys[i], check) ? [] : [{ check, key: keys[i] ?? '' }]));
  const ran = await runChecks(place, { ...o, ...ready }, left);
  const failure = ran.failure ?? await steady(place, o, { checks: left.map(({ check }) => check), dirty: ready.dirty });
  return failure === undefined ? { ...ran, reused: o.checks.length - left.length } : { failure, passed: [], reused: 0, notes: ran.notes };
}

/** One check after the other, until one fails. What only passed when it was run again, or is known to fail, is not among the keys: it has to be run each time. */
async function runChecks(place: Workplace, o: At & Ready, checks: readonly { readonly check: ProofCheck; readonly key: string }[]): Promise<Omit<Proof, 'reused'>> {
  const cwd = landingWorktree(place, o.place);
  const passed: string[] = [];
  // What setup has to tell, the trial has told.
  const notes = o.notes.filter((note) => note.kind === 'kept');
  for (const [i, { check, key }] of checks.entries()) {
    const log = `${o.logs}/proof-${i + 1}.log`;
    const { flaky, known, ...ran } = await runCheck(place, { check, cwd, log, control: o.control, ...(check.unit === undefined ? {} : { unit: check.unit }), against: 'landing', untouched: () => isUntouched(changedIn(place, o)), notes });
    const failure = await ofTheMerge(place, { check, cwd, failure: ran.failure });
    if (failure !== undefined) return { failure: failure.kind === 'check-failed' && check.unit !== undefined ? { ...failure, of: check.unit } : failure, passed: [], notes };
    if (!flaky && !known) passed.push(key);
  }
  return { passed, notes };
}

/** Tracked paths that programs changed in the landing worktree, and whether they moved its HEAD. */
async function changedIn(place: Workplace, o: Pick<At, 'commit' | 'place'> & { readonly dirty: ReadonlySet<string> }): Promise<{ readonly changed: readonly string[]; readonly moved: boolean }> {
  const status = await place.world.git.status(landingWorktree(place, o.place));
  return { changed: status.entries.filter((e) => e.kind !== 'untracked' && !o.dirty.has(e.path)).map((e) => e.path), moved: status.head !== o.commit };
}

/**
 * A check has found its programs before it comes to a proof. If it misses one only on the merged commit, and none that it names itself
 * is gone from this machine, that is the merge's doing: a function that was renamed, a script that was moved.
 */
async function ofTheMerge(place: Workplace, o: { readonly check: ProofCheck; readonly cwd: string; readonly failure: Failure | undefined }): Promise<Failure | undefined> {
  const { failure, check } = o;
  if (failure?.kind !== 'environment') return failure;
  for (const program of programsOf(check.command)) {
    if (!program.includes('/') && !(await place.world.files.canExecute(program, o.cwd)) && !BUILT_IN.has(program)) return failure;
  }
  return { kind: 'check-failed', check: check.name, command: check.command, ending: { code: failure.code }, output: failure.output };
}

/** Words of the shell itself that are no file anywhere. */
const BUILT_IN: ReadonlySet<string> = new Set(['.', ':', '!', '{', 'cd', 'set', 'exec', 'eval', 'export', 'unset', 'trap', 'if', 'then', 'else', 'elif', 'fi', 'for', 'do', 'done', 'while', 'until', 'case', 'esac', 'exit', 'command', 'umask', 'wait']);

/** A proof is of the commit, so no check may change its files. */
async function steady(place: Workplace, o: At, ran: { readonly checks: readonly ProofCheck[]; readonly dirty: ReadonlySet<string> }): Promise<Failure | undefined> {
  const { changed, moved } = await changedIn(place, { ...o, dirty: ran.dirty });
  if (changed.length === 0 && !moved) return undefined;
  if (await dirtyWhenFresh(place, { ...o, paths: changed })) return undefined;
  return { kind: 'unstable-check', check: ran.checks.map((c) => c.name).join(', '), command: ran.checks.map((c) => c.command).join(' && '), paths: changed };
}

/** What each check's result depends on, as one key: the tree, the command, for whom it runs, and all that is not in the tree. */
async function keysOf(place: Workplace, o: { readonly tree: string; readonly checks: readonly ProofCheck[]; readonly copied: readonly string[] }): Promise<readonly string[]> {
  const { world, setup, state } = place;
  const outside = await world.fingerprint({ commands: [...setup.map((s) => `${s.if ?? ''}\0${s.command}`), ...o.checks.map((c) => c.command)], env: landRules(state).env, files: o.copied });
  return o.checks.map((c) => world.digest(JSON.stringify([outside, o.tree, c.command, c.unit ?? ''])));
}

/** Whether the paths are dirty although nothing has run: some filters make a checkout differ from its commit. */
async function dirtyWhenFresh(place: Workplace, o: At & { readonly paths: readonly string[] }): Promise<boolean> {
  const path = landingWorktree(place, o.place);
  await place.world.git.resetWorktree(path, { branch: undefined, commit: o.commit });
  const fresh = new Set((await place.world.git.status(path)).entries.map((e) => e.path));
  return o.paths.every((p) => fresh.has(p));
}

/** Sets up the landing worktree at the pinned commit and runs each baseline check there, to learn which fail before any work. Answers `trial.ok` or `trial.failed`. */
export async function trial(place: Workplace, control: Control): Promise<EventBody> {
  const { state } = place;
  const logs = `${place.runDir}/logs/trial`;
  const ready = await atCommit(place, { commit: state.pinned.base, logs, place: 0, control, ofTarget: true });
  if ('failure' in ready) return { type: 'trial.failed', failure: ready.failure };
  const checks: TrialCheck[] = [];
  const notes: Note[] = [...ready.notes];
  const cwd = landingWorktree(place, 0);
  const record = state.pinned.guard?.base === 'record';
  for (const [i, check] of distinctChecks(place).entries()) {
    const log = `${logs}/baseline-${i + 1}.log`;
    const untouched = (): Promise<boolean> => isUntouched(changedIn(place, { ...ready, commit: state.pinned.base, place: 0 }));
    const { failure, run } = await runCheck(place, { check, cwd, log, control, ...(record ? { record } : {}), untouched, notes });
    if (failure?.kind === 'cut' || failure?.kind === 'environment') return { type: 'trial.failed', failure };
    const red = failure === undefined || !record ? {} : redOf(check, run);
    checks.push({ name: check.name, command: check.command, ending: run.ending, ...red });
    if (failure !== undefined) notes.push({ kind: 'baseline-red', text: `the baseline check \`${check.command}\` fails already before any work${becomes(record, red.unclear)} (log: ${log})`, command: check.command });
  }
  return { type: 'trial.ok', checks, notes };
}

/** What becomes of a check that fails before any work. */
function becomes(record: boolean, unclear: string | undefined): string {
  if (!record) return '; `land.base: record` would judge it by difference';
  return unclear === undefined ? '; it is judged by difference' : `, and counts as red: which failures are new cannot be told (${unclear})`;
}

/** Every baseline check of the configuration and of the units still to do, each command once. */
function distinctChecks(place: Workplace): readonly Check[] {
  const all = [...place.state.pinned.checks, ...place.state.units.flatMap((u) => (u.phase === 'landed' ? [] : u.unit.checks))];
  return [...new Map(all.map((c) => [c.command, c])).values()];
}
