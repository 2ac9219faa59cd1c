// All runs that a repository has had, as their journals tell. Only reads.

import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { JournalError, readJournal } from '../adapters/journal.ts';
import { stateOf } from '../adapters/journal-state.ts';
import { journalPath, listRuns, runFolder } from '../adapters/runs.ts';
import { isOpen } from '../core/open.ts';
import type { State, UnitState } from '../core/state.ts';
import { unitBranch } from '../worker/workplace.ts';

/** One run whose journal can be read and has begun. */
export interface OldRun {
  readonly run: number;
  readonly state: State;
  readonly open: boolean;
  /** Units that a person gave up. */
  readonly discarded: ReadonlySet<string>;
  readonly journal: string;
  /** Its folder below the repository's common git folder. */
  readonly folder: string;
  /** Folders that held its worktrees; only such that its journal or this repository's settings name. */
  readonly places: readonly string[];
}

/** A run that tells nothing. */
export interface UnreadableRun {
  readonly run: number;
  readonly journal: string;
  readonly problem: string;
}

/** Reads every run, oldest first. `worktrees` is the repository's present folder for worktrees. Throws on errors of the disk. */
export async function readRuns(commonDir: string, worktrees: string): Promise<{ readonly runs: readonly OldRun[]; readonly unreadable: readonly UnreadableRun[] }> {
  const runs: OldRun[] = [];
  const unreadable: UnreadableRun[] = [];
  for (const run of await listRuns(commonDir)) {
    const journal = journalPath(commonDir, run);
    try {
      const { events } = await readJournal(journal);
      if (events.length === 0) continue;
      const state = stateOf(journal, events);
      const discarded = new Set(events.flatMap((e) => (e.type === 'unit.discarded' ? [e.unit] : [])));
      runs.push({ run, state, open: isOpen(state), discarded, journal, folder: runFolder(commonDir, run), places: placesOf(state, worktrees) });
    } catch (error) {
      if (!(error instanceof JournalError)) throw error;
      // A run that was refused before it began has none.
      if (error.reason !== 'missing') unreadable.push({ run, journal, problem: error.message });
    }
  }
  return { runs, unreadable };
}

/** The branch of a unit in that run, whether or not it was ever made. */
export function branchOf(run: OldRun, u: UnitState): string {
  return u.branch ?? unitBranch({ prefix: run.state.pinned.branchPrefix, unit: u.unit.id, run: run.run });
}

/** Where the unit's worktree is or would be, as git registers it. */
export function worktreeOf(run: OldRun, u: UnitState): string {
  const path = u.worktree ?? join(run.places[0] ?? '', 'units', u.unit.id);
  return existsSync(dirname(path)) ? join(realpathSync(dirname(path)), path.slice(dirname(path).length + 1)) : path;
}

function placesOf(state: State, worktrees: string): readonly string[] {
  const named = state.units.flatMap((u) => (u.worktree?.endsWith(`/${state.run}/units/${u.unit.id}`) === true ? [dirname(dirname(u.worktree))] : []));
  return [...new Set([join(worktrees, String(state.run)), ...named])];
}
