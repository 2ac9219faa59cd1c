// The state that a journal from the disk comes to. Whole lines that cannot follow each other were not written by this choo: the file is
// refused like any other damage, and nothing of it is guessed.

import { cleanLine } from '../core/clean.ts';
import type { Event } from '../core/event.ts';
import { evolve } from '../core/evolve.ts';
import type { State } from '../core/state.ts';
import { JournalError } from './journal-reader.ts';

/** Folds the events of the journal at `path`. Throws JournalError, with the line, where one cannot be understood after those before it, and for none. */
export function stateOf(path: string, events: readonly Event[]): State {
  let state: State | undefined;
  for (const [n, event] of events.entries()) {
    try {
      state = evolve(state, event);
    } catch (error) {
      const why = cleanLine(error instanceof Error ? error.message : String(error));
      throw new JournalError(path, { reason: 'damaged', detail: `event ${event.seq} (${cleanLine(event.type)}) cannot be understood here: damaged, or written by another choo (${why})`, line: n + 2 });
    }
  }
  if (state === undefined) throw new JournalError(path, { reason: 'damaged', detail: 'it has no event' });
  return state;
}
