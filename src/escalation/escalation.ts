// Which events a person is told about at once, and in which words. Pure; how they are told is an Escalator's.

import type { Event, EventOf } from '../core/event.ts';
import { shellWord } from '../core/clean.ts';
import { describeFailure, outputOf, severityOf, TROUBLE } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import type { State } from '../core/state.ts';
import type { Escalation } from '../world.ts';

/** Lines of a failed command's output that are shown. */
const SHOWN_LINES = 12;

/** What to tell about an event that has just been folded into the state, or undefined. */
export function escalationOf(state: State, event: Event): Escalation | undefined {
  if (event.type === 'unit.failed') return aboutUnit(state, event);
  if (event.type === 'agent.held') return aboutAgent(event);
  if (event.type === 'orch.paused') {
    const cause = state.trialFailure === undefined ? [] : failureLines(state.trialFailure);
    return {
      severity: 'critical', run: event.run, title: `dispatch is paused: ${event.text}`,
      detail: [...cause, 'what is running goes on; nothing new is started', 'mend the cause, then: choo resume'],
    };
  }
  return undefined;
}

/** One that comes back by itself is told once, not at each of its tries. */
function aboutAgent(event: EventOf<'agent.held'>): Escalation | undefined {
  const { agent, reason, run } = event;
  const title = `the agent ${agent} ${TROUBLE[reason]}: ${event.text}`;
  if (reason === 'login' || reason === 'setup') {
    const mend = reason === 'login' ? `log in with ${agent}'s own program` : 'mend what it complains about';
    return { severity: 'critical', run, title, detail: ['its units wait and no attempt is counted; units of other agents go on', `${mend}, then: choo resume`] };
  }
  if (event.tries > 1) return undefined;
  return { severity: 'warning', run, title, detail: [`its units wait and no attempt is counted; it is tried again${event.until === undefined ? '' : ` at ${event.until}`}`] };
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
  const last = output.activity === undefined ? [] : [`last seen: ${output.activity}`];
  return [...lines.map((l) => `| ${l}`), ...last, `log: ${output.log}`];
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
