// Choo's own worktree, in which no agent ever works: the trial before the first attempt, and the proof of commits that are about to land.

import type { EventBody, Note, TrialCheck } from '../core/event.ts';
import type { Failure } from '../core/failure.ts';
import type { Check } from '../core/plan.ts';
import type { Control } from '../world.ts';
import { setUp, spaceFor } from './prepare.ts';
import { checkFailure, endingOf, landingWorktree, shell } from './workplace.ts';
import type { Workplace } from './workplace.ts';

/** Puts the landing worktree at a commit with nothing else in it, and sets it up. Gives the paths that are dirty even then. */
async function atCommit(place: Workplace, o: { readonly commit: string; readonly logs: string; readonly control: Control }): Promise<{ readonly failure: Failure } | { readonly dirty: ReadonlySet<string> }> {
  const { git, files } = place.world;
  const path = landingWorktree(place);
  if (await files.exists(`${path}/.git`)) {
    await git.resetWorktree(path, { branch: undefined, commit: o.commit });
    await git.cleanWorktree(path);
  } else {
    const failure = await spaceFor(place, path);
    if (failure !== undefined) return { failure };
    await git.removeWorktree(path);
    await git.addWorktree({ path, commit: o.commit });
  }
  if (place.copy.length > 0 && place.mainRoot !== undefined) await files.copyIgnored({ globs: place.copy, from: place.mainRoot, to: path });
  const failure = await setUp(place, { worktree: path, log: `${o.logs}/landing-setup.log`, control: o.control });
  if (failure !== undefined) return { failure };
  if (place.setup.length === 0) return { dirty: new Set() };
  // The proof is of the commit, not of what setup makes of it.
  const changed = (await git.status(path)).entries.filter((e) => e.kind !== 'untracked').map((e) => e.path);
  if (changed.length > 0) await git.restorePaths(path, { commit: o.commit, paths: changed });
  const status = changed.length > 0 ? await git.status(path) : undefined;
  return { dirty: new Set(status?.entries.map((e) => e.path)) };
}

/** Proves a commit: every check passes on it, in a fresh worktree, and changes no tracked file. Gives the first failure. */
export async function proveAt(place: Workplace, o: { readonly commit: string; readonly checks: readonly Check[]; readonly logs: string; readonly unit?: string; readonly control: Control }): Promise<Failure | undefined> {
  const ready = await atCommit(place, o);
  if ('failure' in ready) return ready.failure;
  const cwd = landingWorktree(place);
  for (const [i, check] of o.checks.entries()) {
    const log = `${o.logs}/proof-${i + 1}.log`;
    const result = await shell(place, { command: check.command, cwd, log, limitMs: place.state.settings.limits.check, control: o.control, ...(o.unit === undefined ? {} : { unit: o.unit }) });
    const failure = await checkFailure(place, { check, cwd, log, result });
    if (failure !== undefined) return failure;
  }
  const status = await place.world.git.status(cwd);
  const changed = status.entries.filter((e) => e.kind !== 'untracked' && !ready.dirty.has(e.path)).map((e) => e.path);
  if (changed.length === 0 && status.head === o.commit) return undefined;
  if (await dirtyWhenFresh(place, { commit: o.commit, paths: changed })) return undefined;
  const names = o.checks.map((c) => c.name).join(', ');
  return { kind: 'unstable-check', check: names, command: o.checks.map((c) => c.command).join(' && '), paths: changed };
}

/** Whether the paths are dirty although nothing has run: some filters make a checkout differ from its commit. */
async function dirtyWhenFresh(place: Workplace, o: { readonly commit: string; readonly paths: readonly string[] }): Promise<boolean> {
  const path = landingWorktree(place);
  await place.world.git.resetWorktree(path, { branch: undefined, commit: o.commit });
  const fresh = new Set((await place.world.git.status(path)).entries.map((e) => e.path));
  return o.paths.every((p) => fresh.has(p));
}

/** Sets up the landing worktree at the pinned commit and runs each baseline check once. Answers `trial.ok` or `trial.failed`. */
export async function trial(place: Workplace, control: Control): Promise<EventBody> {
  const { state } = place;
  const logs = `${place.runDir}/logs/trial`;
  const ready = await atCommit(place, { commit: state.pinned.base, logs, control });
  if ('failure' in ready) return { type: 'trial.failed', failure: ready.failure };
  const checks: TrialCheck[] = [];
  const notes: Note[] = [];
  const cwd = landingWorktree(place);
  for (const [i, check] of distinctChecks(place).entries()) {
    const log = `${logs}/baseline-${i + 1}.log`;
    const result = await shell(place, { command: check.command, cwd, log, limitMs: state.settings.limits.check, control });
    const failure = await checkFailure(place, { check, cwd, log, result });
    if (failure?.kind === 'cut' || failure?.kind === 'environment') return { type: 'trial.failed', failure };
    checks.push({ name: check.name, command: check.command, ending: endingOf(result) });
    if (failure !== undefined) notes.push({ kind: 'baseline-red', text: `the baseline check \`${check.command}\` fails already before any work (log: ${log})` });
  }
  return { type: 'trial.ok', checks, notes };
}

/** Every baseline check of the configuration and of the units still to do, each command once. */
function distinctChecks(place: Workplace): readonly Check[] {
  const all = [...place.state.pinned.checks, ...place.state.units.flatMap((u) => (u.phase === 'landed' ? [] : u.unit.checks))];
  return [...new Map(all.map((c) => [c.command, c])).values()];
}
