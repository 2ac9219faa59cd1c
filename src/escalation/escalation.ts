// Which events a person is told about at once, and in which words. Pure; how they are told is an Escalator's.

import type { Event } from '../core/event.ts';
import { shellWord } from '../core/clean.ts';
import { describeFailure, outputOf, severityOf } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import type { State } from '../core/state.ts';
import type { Escalation } from '../world.ts';

/** Lines of a failed command's output that are shown. */
const SHOWN_LINES = 12;

/** What to tell about an event that has just been folded into the state, or undefined. */
export function escalationOf(state: State, event: Event): Escalation | undefined {
  if (event.type === 'unit.failed') return aboutUnit(state, event);
  if (event.type === 'orch.paused') {
    const cause = state.trialFailure === undefined ? [] : failureLines(state.trialFailure);
    return {
      severity: 'critical', run: event.run, title: `dispatch is paused: ${event.text}`,
      detail: [...cause, 'what is running goes on; nothing new is started', 'mend the cause, then: choo resume'],
    };
  }
  return undefined;
}

function aboutUnit(state: State, event: Extract<Event, { type: 'unit.failed' }>): Escalation | undefined {
  const { failure } = event;
  if (failure.kind === 'environment' && state.environment.get(failure.command) !== event.seq) return undefined;
  const index = state.graph.index.get(event.unit);
  const waiting = index === undefined ? 0 : (state.graph.dependants[index]?.length ?? 0);
  return {
    severity: severityOf(failure), run: event.run, unit: event.unit,
    title: `unit ${event.unit} failed: ${describeFailure(failure)}`,
    detail: [
      ...failureLines(failure),
      ...(event.worktree === undefined ? [] : [`its work is kept in ${event.worktree}`]),
      ...(waiting === 0 ? [] : [`${waiting} ${waiting === 1 ? 'unit depends' : 'units depend'} on it and will wait`]),
      ...whatNext(event),
    ],
  };
}

function failureLines(failure: Failure): string[] {
  const output = outputOf(failure);
  if (output === undefined) return failure.kind === 'environment' ? [] : [describeFailure(failure)];
  const lines = output.tail.trimEnd().split('\n').slice(-SHOWN_LINES).filter((l) => l !== '');
  return [...lines.map((l) => `| ${l}`), `log: ${output.log}`];
}

function whatNext(event: Extract<Event, { type: 'unit.failed' }>): string[] {
  if (event.failure.kind === 'conflict' && event.worktree !== undefined) {
    return [
      'to resolve it by hand:',
      `  cd ${shellWord(event.worktree)} && git merge ${event.failure.onto}`,
      '  (where git says that a merge is in progress already, go on with that one; edit, git add, git commit)',
      `then: choo retry ${shellWord(event.unit)} && choo resume`,
    ];
  }
  return [`look: choo logs ${shellWord(event.unit)}`, `again: choo retry ${shellWord(event.unit)} && choo resume`];
}
