// `choo resume --from-remote`: what is saved of a run becomes a run of this clone, from which a session goes on as after a crash.
// Everything is looked at first, then the saved run is claimed, and only then anything here is changed. Nothing is forced.

import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { openJournal } from '../adapters/journal.ts';
import { journalPath, listRuns, makeChooFolder, runFolder } from '../adapters/runs.ts';
import { shellWord } from '../core/clean.ts';
import type { EventBody } from '../core/event.ts';
import { BOUNDS } from '../core/limits.ts';
import type { ForgeTarget } from '../core/pull-rules.ts';
import { isOpen } from '../core/open.ts';
import { savedTip } from '../core/save.ts';
import type { Flags } from '../discovery/settings.ts';
import { resolveSettings } from '../discovery/settings.ts';
import { failpoint } from '../failpoint.ts';
import { savedRef } from '../worker/save.ts';
import { GitError } from '../world.ts';
import type { Clock } from '../world.ts';
import { lookForSaving, readSavedRun, savedRuns } from './ci.ts';
import type { SavedRun } from './ci.ts';
import { worktreesFolder } from './place.ts';
import { refuse, Refusal } from './refusal.ts';
import type { Repository } from './repository.ts';
import { commitSource } from './sources.ts';
import { readConfig } from './specs.ts';

/** What a run is restored for. */
interface Asked {
  /** Its number, or the newest. */
  readonly restore: number | 'newest';
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
  readonly flags: Flags;
  readonly worktreeBase?: string;
  readonly say: (line: string) => void;
  /** Throws when the repository is no longer ours. */
  readonly check: () => void;
}

/** Restores a saved run. The repository is held, its fence taken. Throws a Refusal when that cannot be. */
export async function restoreRun(repo: Repository, o: Asked): Promise<void> {
  const { ci, diagnostics } = await lookForSaving(repo, { wanted: true, ref: repo.facts.branch ?? 'refs/heads/HEAD' });
  const remote = ci.ci?.remote;
  if (remote === undefined) throw new Refusal(diagnostics);
  const newest = [...(await savedRuns(repo, remote)).keys()].at(-1);
  if (newest === undefined) throw refuse('nothing-saved', `no run is saved at ${remote}`, 'begin one: choo run --ci');
  const run = o.restore === 'newest' ? newest : o.restore;
  await noneHere(repo, run);
  const saved = await readSavedRun(repo, { remote, run });
  if (!isOpen(saved.state)) throw refuse('no-run', `the saved run ${run} is finished; there is nothing to resume`, 'start one: choo run --ci');
  const target = await whereTargetIs(repo, { saved, remote });
  const branches = await branchesOf(repo, saved);
  const { config } = await readConfig(commitSource(repo.git, target.to));
  const { settings: resolved } = resolveSettings({ config, env: o.env, flags: o.flags });
  const { commonDir } = repo.facts;
  const worktrees = await worktreesFolder({ commonDir, root: repo.root ?? commonDir, configured: o.worktreeBase ?? resolved.worktreeBase, env: o.env, clock: o.clock });
  const session = randomUUID();
  const commit = await claim(repo, { saved, remote, session });
  failpoint('run-claimed');
  await moveTarget(repo, { saved, remote, ...target });
  for (const [ref, to] of branches) if (!(await repo.git.moveRef({ ref, to, from: undefined, reason: 'choo: restored' }))) throw inTheWay(ref);
  failpoint('run-half-restored');
  await writeRun(repo, { ...o, saved, event: { type: 'run.restored', commit, upTo: saved.state.seq, session, worktrees: join(worktrees, String(run)) } });
  o.say(`run ${run} is restored from ${remote}, as it was at event ${saved.state.seq}; what was not saved is done again`);
}

/** A run of this clone that has a journal, and so has its number. */
async function noneHere(repo: Repository, run: number): Promise<void> {
  const here = (await listRuns(repo.facts.commonDir)).filter((n) => existsSync(journalPath(repo.facts.commonDir, n)));
  if (here.includes(run)) throw refuse('run-here', `run ${run} is in this clone already`, 'go on with it: choo resume · another run that is saved under the same number can be restored in a fresh clone');
  const newer = here.find((n) => n > run);
  if (newer !== undefined) throw refuse('run-here', `this clone has had run ${newer} since, and the newest run is the one that is gone on with`, `restore run ${run} in a fresh clone`);
}

interface Target { readonly ref: string; readonly from: string | undefined; readonly to: string }

/** Where the target is, and where what has landed wants it to be. */
async function whereTargetIs(repo: Repository, { saved, remote }: { readonly saved: SavedRun; readonly remote: string }): Promise<Target> {
  const { git } = repo;
  const { landed, landing, pinned: { targetRef: ref, forge } } = saved.state;
  if (forge !== undefined) return remoteTarget(repo, { ref, at: forge });
  const short = ref.replace('refs/heads/', '');
  const from = await git.resolve(ref);
  if (from === undefined) throw refuse('unknown-target', `run ${saved.run} lands on \`${short}\`, and this clone has no branch of that name`, `git branch ${shellWord(short)} ${shellWord(`${remote}/${short}`)}`);
  // What landed beside the target stays beside it.
  if (landed === undefined || landing.diverted !== undefined || (await git.isAncestor(landed, from))) return { ref, from, to: from };
  if (await git.isAncestor(from, landed)) return { ref, from, to: landed };
  throw refuse('target-diverged', `\`${short}\` has commits that what run ${saved.run} landed (${landed.slice(0, 10)}) lacks, and lacks that`, mergeHint({ saved, remote, how: 'git merge' }));
}

/** Pull requests are merged at the remote, so that is where the target is. */
async function remoteTarget(repo: Repository, o: { readonly ref: string; readonly at: ForgeTarget }): Promise<Target> {
  try {
    const to = await repo.git.remoteTip({ name: o.at.remote, ref: o.at.ref, limitMs: BOUNDS.remote });
    if (to !== undefined) return { ref: o.ref, from: await repo.git.resolve(o.ref), to };
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    throw refuse('remote-unreachable', `${o.at.remote} cannot be reached: ${error.detail}`, `see: git ls-remote ${shellWord(o.at.remote)}`);
  }
  throw refuse('unknown-target', `${o.at.remote} has no branch ${o.at.ref.replace('refs/heads/', '')}, into which the pull requests of the saved run are to be merged`, `see: git ls-remote ${shellWord(o.at.remote)}`);
}

function mergeHint({ saved, remote, how }: { readonly saved: SavedRun; readonly remote: string; readonly how: string }): string {
  const short = saved.state.pinned.targetRef.replace('refs/heads/', '');
  return `git switch ${shellWord(short)} && git fetch ${shellWord(remote)} ${savedRef(saved.run, 'target')} && ${how} FETCH_HEAD, then again: choo resume --from-remote`;
}

async function moveTarget(repo: Repository, o: Target & { readonly saved: SavedRun; readonly remote: string }): Promise<void> {
  if (o.from === o.to) return;
  // Of a run that lands through a forge: choo's own ref of where the remote target is.
  if (o.saved.state.pinned.forge !== undefined) {
    if (!(await repo.git.moveRef({ ref: o.ref, to: o.to, from: o.from, reason: 'choo: the remote target' }))) throw inTheWay(o.ref);
    return;
  }
  const outcome = await repo.git.advance({ ref: o.ref, from: o.from ?? o.to, to: o.to });
  if (outcome.kind === 'advanced') return;
  const why = outcome.kind === 'moved' ? 'it was moved meanwhile' : `the checkout ${outcome.worktree} refuses: ${outcome.detail}`;
  throw refuse('target-stays', `\`${o.ref.replace('refs/heads/', '')}\` cannot be brought to what run ${o.saved.run} landed (${o.to.slice(0, 10)}): ${why}`, mergeHint({ ...o, how: 'git merge --ff-only' }));
}

/** The branches that are to be made. One that is where it shall be was made by a restoring that was cut. */
async function branchesOf(repo: Repository, { state }: SavedRun): Promise<ReadonlyMap<string, string>> {
  const all = new Map<string, string>();
  for (const u of state.units) {
    const to = savedTip(u);
    if (u.branch === undefined || to === undefined) continue;
    const at = await repo.git.resolve(u.branch);
    if (at === undefined) all.set(u.branch, to);
    else if (at !== to) throw inTheWay(u.branch);
  }
  return all;
}

function inTheWay(ref: string): Refusal {
  const short = ref.replace('refs/heads/', '');
  return refuse('branch-in-the-way', `the branch \`${short}\` is here already, and is not where the saved run has it`, `keep it under another name: git branch -m ${shellWord(short)} ${shellWord(`${short}-before`)}`);
}

/** Makes the saved run this session's: of all that try only one can move it on. Gives back what it is then. */
async function claim(repo: Repository, { saved, remote, session }: { readonly saved: SavedRun; readonly remote: string; readonly session: string }): Promise<string> {
  const { git } = repo;
  const ref = savedRef(saved.run, 'journal');
  const call = { name: remote, limitMs: BOUNDS.remote };
  const commit = await git.makeSave({ parent: saved.commit, first: 0, text: '', keeps: [], message: `choo: run ${saved.run} goes on in session ${session}\n` });
  try {
    const outcome = await git.pushAll({ ...call, refs: new Map([[ref, commit]]) });
    const at = outcome.kind === 'pushed' ? commit : await git.remoteTip({ ...call, ref });
    if (at === commit) return commit;
    if (at !== saved.commit) throw refuse('saved-taken', `another session has just gone on from what is saved of run ${saved.run} at ${remote}`, 'let that one end; its run is saved as well');
    throw refuse('not-claimed', `${remote} does not let this session go on with run ${saved.run}: ${outcome.kind === 'refused' ? outcome.detail : ''}`, `it must take pushes to refs/choo/${saved.run}/*`);
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    throw refuse('remote-unreachable', `${remote} cannot be reached: ${error.detail}`, `see: git ls-remote ${shellWord(remote)}`);
  }
}

/** How the folder of a run begins that is not whole yet; no number, so nobody takes it for one. */
const HALF = 'restoring-';

/** The run's folder with its journal, in one move: there is no run before all of it is there. */
async function writeRun(repo: Repository, o: Asked & { readonly saved: SavedRun; readonly event: EventBody }): Promise<void> {
  const { commonDir } = repo.facts;
  const folder = runFolder(commonDir, o.saved.run);
  const runs = dirname(folder);
  const half = join(runs, `${HALF}${randomUUID()}`);
  await makeChooFolder(commonDir);
  await mkdir(half, { recursive: true, mode: 0o700 });
  // Left by one who was killed right here.
  for (const name of await readdir(runs)) if (name.startsWith(HALF) && name !== basename(half)) await rm(join(runs, name), { recursive: true, force: true });
  try {
    const path = join(half, 'journal.jsonl');
    await writeFile(path, o.saved.text, { mode: 0o600, flush: true });
    const { journal } = await openJournal(path, { check: o.check });
    await journal.append([o.event], o.clock.now());
    await journal.close();
    await rename(half, folder);
  } finally {
    await rm(half, { recursive: true, force: true });
  }
}
