// The run before a new one: its state as far as its journal can be read, and the refusal to begin beside an open one.

import { JournalError, readJournal } from '../adapters/journal.ts';
import { stateOf } from '../adapters/journal-state.ts';
import { journalPath, newestRun } from '../adapters/runs.ts';
import { adviceFor, describeAdvice } from '../core/advice.ts';
import type { Advice } from '../core/advice.ts';
import { isUnpushed } from '../core/push.ts';
import type { State } from '../core/state.ts';
import { viewOf } from '../core/view.ts';
import { refuse, Refusal } from './refusal.ts';
import type { Repository } from './repository.ts';

/** The newest run's state, or undefined when there is none that began. */
export async function lastRun(repo: Repository): Promise<State | undefined> {
  const run = await newestRun(repo.facts.commonDir);
  if (run === undefined) return undefined;
  try {
    const path = journalPath(repo.facts.commonDir, run);
    return await journalOrRefusal(readJournal(path).then(({ events }) => (events.length === 0 ? undefined : stateOf(path, events))));
  } catch (error) {
    if (error instanceof JournalError && error.reason === 'missing') return undefined;
    throw error;
  }
}

/** For a new run at any rate: an old one whose journal cannot be read is left as it is. */
export async function lastRunIfReadable(repo: Repository, o: { readonly say: (line: string) => void }): Promise<State | undefined> {
  try {
    return await lastRun(repo);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    o.say(`the last run is left as it is, with its worktrees and branches: ${error.message}`);
    return undefined;
  }
}

/** What was read of a journal; one that cannot be used is a Refusal that names the file and the way out. */
export async function journalOrRefusal<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof JournalError && error.reason !== 'missing') throw refuse('journal', error.message, 'choo does not guess: look at the file, or close the run with: choo run --new');
    throw error;
  }
}

/** What a new run does first about an open one with which nothing is left to do but this, as a sentence. */
export function leftToDo(state: State): string {
  const { run, landing } = state;
  if (landing.diverted !== undefined) return `run ${run} landed beside its target; trying to advance the target first (then: choo run)`;
  if (isUnpushed(state)) return `what run ${run} landed is not pushed; trying that first (then: choo run)`;
  return `run ${run} ended before it had cleared up after what it landed; finishing that first (then: choo run)`;
}

/** What everybody who begins beside an open run is told at least. */
const ALWAYS: readonly Advice[] = [{ to: 'to go on with it', command: 'choo resume' }, { to: 'to give failed units their attempts back', command: 'choo retry --failed' }];
const ANEW: Advice = { to: 'to leave it and begin anew', command: 'choo run --new' };

/** Why a new run does not begin beside an open one, and what can be done. */
export function openRunRefusal(state: State): Refusal {
  const { landed, failed } = state.count;
  const advice = adviceFor(viewOf(state)).filter(({ command }) => command !== ANEW.command);
  const rest = ALWAYS.filter(({ command }) => !advice.some((a) => a.command.includes(command)));
  return refuse('open-run', `run ${state.run} is open: ${landed} of ${state.units.length} units landed, ${failed} failed`, [...advice, ...rest, ANEW].map(describeAdvice).join(' · '));
}
