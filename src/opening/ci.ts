// With `--ci`: where a run is saved, which runs are saved there, and reading one back with everything about it proved. Changes nothing here.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JournalError, readJournal } from '../adapters/journal.ts';
import type { JournalContent } from '../adapters/journal-reader.ts';
import { stateOf } from '../adapters/journal-state.ts';
import { shellWord } from '../core/clean.ts';
import type { Settings } from '../core/event.ts';
import { BOUNDS } from '../core/limits.ts';
import { isOpen } from '../core/open.ts';
import { savedTip } from '../core/save.ts';
import type { State } from '../core/state.ts';
import { errorAt } from '../discovery/diagnostic.ts';
import type { Diagnostic } from '../discovery/diagnostic.ts';
import { savedRef } from '../worker/save.ts';
import { GitError } from '../world.ts';
import { pinnedDigest } from './digest.ts';
import { refuse } from './refusal.ts';
import type { Refusal } from './refusal.ts';
import type { Repository } from './repository.ts';

/** A run that is saved at a remote, as it can be gone on with. */
export interface SavedRun {
  readonly run: number;
  /** The commit that holds it. */
  readonly commit: string;
  /** Its journal. */
  readonly text: string;
  readonly state: State;
}

/** Where a run is to be saved: the remote that its target is pushed to. Nothing when it is not `wanted`. */
export async function lookForSaving(repo: Repository, o: { readonly wanted: boolean; readonly ref: string }): Promise<{ readonly ci: Pick<Settings, 'ci'>; readonly diagnostics: readonly Diagnostic[] }> {
  if (!o.wanted) return { ci: {}, diagnostics: [] };
  const found = await repo.git.findRemote(o.ref);
  if (found?.known === true) return { ci: { ci: { remote: found.name } }, diagnostics: [] };
  const short = o.ref.replace('refs/heads/', '');
  const what = found === undefined ? `\`${short}\` has no remote branch, and there is no remote \`origin\`` : `\`${short}\` is pushed to \`${found.name}\`, which is no remote, or an address with a password in it`;
  return { ci: {}, diagnostics: [errorAt('no-remote', `the run is to be saved at a remote, but ${what}`, { hint: 'git remote add origin URL' })] };
}

/** The runs that are saved at a remote, by number. Throws a Refusal when it cannot be reached. */
export async function savedRuns(repo: Repository, remote: string): Promise<ReadonlyMap<number, string>> {
  try {
    const refs = await repo.git.remoteRefs({ name: remote, pattern: 'refs/choo/*/journal', limitMs: BOUNDS.remote });
    return new Map([...refs].flatMap(([ref, commit]) => {
      const run = /^refs\/choo\/([1-9]\d{0,8})\/journal$/.exec(ref)?.[1];
      return run === undefined ? [] : [[Number(run), commit] as const];
    }).toSorted(([a], [b]) => a - b));
  } catch (error) {
    throw unreachable(error, remote);
  }
}

/** The newest of them, when it is open; undefined when none is. Throws a Refusal when it cannot be reached or read. */
export async function openSavedRun(repo: Repository, remote: string): Promise<SavedRun | undefined> {
  const newest = [...(await savedRuns(repo, remote)).keys()].at(-1);
  const saved = newest === undefined ? undefined : await readSavedRun(repo, { remote, run: newest });
  return saved !== undefined && isOpen(saved.state) ? saved : undefined;
}

/** Why no new run is begun where one is saved that is open. */
export function savedRunIsOpen({ run, state: { count, units } }: SavedRun): Refusal {
  return refuse('open-run', `run ${run}, which is saved at the remote, is open: ${count.landed} of ${units.length} units landed, ${count.failed} failed`,
    'go on: choo resume --from-remote · the same, or a new one where none is open: choo run --ci --continue · leave it and begin anew: choo run --ci --new');
}

/** Reads what is saved of a run, with all it needs. Throws a Refusal when something of it is damaged or missing. */
export async function readSavedRun(repo: Repository, o: { readonly remote: string; readonly run: number }): Promise<SavedRun> {
  const ref = savedRef(o.run, 'journal');
  const { commit, text } = await fetched(repo, { ...o, ref });
  const damaged = (what: string): Refusal => refuse('saved-damaged', `what is saved of run ${o.run} at ${o.remote} (${ref}) cannot be gone on with: ${what}`, hintFor(o));
  const { header, events, torn } = await parsed(text, damaged);
  const [first] = events;
  if (header.run !== o.run) throw damaged(`it is the journal of run ${header.run}`);
  if (torn > 0) throw damaged('its last line is not whole');
  if (first?.type !== 'run.pinned') throw damaged('it does not begin with a plan');
  if (header.plan !== pinnedDigest(first.pinned)) throw damaged('the plan is not the one that was pinned');
  const state = folded(events, damaged);
  const missing = await missingCommits(repo, state);
  if (missing.length > 0) throw damaged(`commits are missing there: ${missing.map((id) => id.slice(0, 10)).join(', ')}`);
  return { run: o.run, commit, text, state };
}

function hintFor({ remote, run }: { readonly remote: string; readonly run: number }): string {
  const where = shellWord(remote);
  return `choo does not guess: look at it with git fetch ${where} refs/choo/${run}/journal && git log --first-parent -p FETCH_HEAD · what its units have: git ls-remote ${where} 'refs/choo/${run}/*' · to begin anew: choo run --ci --new`;
}

async function fetched(repo: Repository, o: { readonly remote: string; readonly ref: string; readonly run: number }): Promise<{ readonly commit: string; readonly text: string }> {
  try {
    const commit = await repo.git.remoteTip({ name: o.remote, ref: o.ref, limitMs: BOUNDS.remote });
    if (commit === undefined) throw refuse('nothing-saved', `run ${o.run} is not saved at ${o.remote}`, `see: git ls-remote ${shellWord(o.remote)} 'refs/choo/*/journal'`);
    return { commit, text: await repo.git.readSave(commit) };
  } catch (error) {
    throw unreachable(error, o.remote);
  }
}

function unreachable(error: unknown, remote: string): unknown {
  if (!(error instanceof GitError)) return error;
  return refuse('remote-unreachable', `${remote}, where runs are saved, cannot be reached: ${error.detail}`, `see: git ls-remote ${shellWord(remote)}`);
}

/** The journal as its reader understands it, which takes a file. */
async function parsed(text: string, damaged: (what: string) => Refusal): Promise<JournalContent> {
  const folder = await mkdtemp(join(tmpdir(), 'choo-saved-'));
  const path = join(folder, 'journal.jsonl');
  try {
    await writeFile(path, text, { mode: 0o600 });
    return await readJournal(path);
  } catch (error) {
    throw error instanceof JournalError ? damaged(error.message.replace(path, 'journal')) : error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function folded(events: JournalContent['events'], damaged: (what: string) => Refusal): State {
  try {
    return stateOf('journal', events);
  } catch (error) {
    throw error instanceof JournalError ? damaged(error.message) : error;
  }
}

async function missingCommits(repo: Repository, state: State): Promise<readonly string[]> {
  const needed = new Set([state.pinned.base, state.landed, ...state.units.map(savedTip)].filter((id) => id !== undefined));
  const missing: string[] = [];
  for (const id of needed) if (!/^[0-9a-f]{40,64}$/.test(id) || (await repo.git.resolve(id)) !== id) missing.push(id);
  return missing;
}
