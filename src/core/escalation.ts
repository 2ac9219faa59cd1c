// Which events a person is told about at once, and in which words; and who has not been told yet. How they are told is an Escalator's.

import { adviceFor, describeAdvice } from './advice.ts';
import { diffCommand } from './approval.ts';
import type { Event, EventOf, Result } from './event.ts';
import { joinLines, shellWord } from './clean.ts';
import { BY_HAND, describeFailure, FORGE_TROUBLE, mergeByHand, outputOf, severityOf, TROUBLE } from './failure.ts';
import type { Failure } from './failure.ts';
import type { State } from './state.ts';
import { noteOver, noteTrouble, overWords } from './pull-told.ts';
import { placesOf } from './told.ts';
import type { Escalation } from './told.ts';
import { describeAmount } from './usage.ts';
import { viewOf } from './view.ts';

/** Lines of a failed command's output that are shown. */
const SHOWN_LINES = 12;

/** Without what every one has. */
type Words = Omit<Escalation, 'run' | 'seq' | 'pull'>;

/** What to tell about an event that has just been folded into the state, or undefined. */
export function escalationOf(state: State, event: Event): Escalation | undefined {
  const words = wordsOf(state, event);
  if (words === undefined) return undefined;
  const pull = words.unit === undefined ? undefined : state.units[state.graph.index.get(words.unit) ?? -1]?.pull?.number;
  // Names and commands may have line breaks; what is told has none, whoever tells it.
  return { ...words, title: joinLines(words.title), detail: words.detail.map(joinLines), run: event.run, seq: event.seq, ...(pull === undefined ? {} : { pull }) };
}

function wordsOf(state: State, event: Event): Words | undefined {
  const over = overWords(state, event);
  if (over !== undefined) return over;
  if (event.type === 'unit.failed') return aboutUnit(state, event);
  if (event.type === 'agent.held') return aboutAgent(event);
  if (event.type === 'unit.waiting') return aboutApproval(event);
  if (event.type === 'run.push.refused') return aboutPush(state, event);
  if (event.type === 'forge.held') return aboutForge(state, event);
  if ('unit' in event && event.type.startsWith('pr.')) return aboutPull(state, event);
  if (event.type === 'run.save.refused') return aboutSave(state, event);
  if (event.type === 'orch.paused') {
    const cause = state.trialFailure === undefined ? [] : failureLines(state.trialFailure);
    return {
      severity: 'critical', title: `dispatch is paused: ${event.text}`,
      detail: [...cause, 'what is running goes on; nothing new is started', 'mend the cause, then: choo resume'],
    };
  }
  if (event.type === 'orch.completed' || event.type === 'orch.failed' || event.type === 'orch.stopped') return aboutEnd(state, event);
  return undefined;
}

/** One message for all of it. */
function aboutEnd(state: State, { type, result, run }: EventOf<'orch.completed' | 'orch.failed' | 'orch.stopped'>): Words {
  const named = (phase: State['units'][number]['phase'], word: string): string[] => {
    const ids = state.units.filter((u) => u.phase === phase).map((u) => u.unit.id);
    return ids.length === 0 ? [] : [`${word}: ${ids.slice(0, SHOWN_LINES).join(', ')}${ids.length > SHOWN_LINES ? ` and ${ids.length - SHOWN_LINES} more` : ''}`];
  };
  const { usd, tokens } = state.spent;
  return {
    severity: type === 'orch.completed' && state.outside.size === 0 ? 'info' : 'warning', end: true,
    title: `run ${run}: ${result.completedUnits} of ${result.totalUnits} units landed${result.error === undefined ? '' : ` (${result.error})`}`,
    detail: [
      ...named('landed', 'landed'), ...named('failed', 'failed'), ...named('blocked', 'blocked'), ...named('waiting', 'waiting'),
      ...(usd > 0 || tokens > 0 ? [`used ${[...(usd > 0 ? [describeAmount(usd, 'usd')] : []), ...(tokens > 0 ? [describeAmount(tokens, 'tokens')] : [])].join(', ')}`] : []),
      ...[...state.outside.keys()].slice(0, SHOWN_LINES).map((change) => `outside the fence: ${change}`), ...(state.outside.size > SHOWN_LINES ? [`and ${state.outside.size - SHOWN_LINES} more outside the fence`] : []),
      ...nextCommands(state, result, type),
    ],
  };
}

function nextCommands(state: State, result: Result, type: 'orch.completed' | 'orch.failed' | 'orch.stopped'): string[] {
  if (type === 'orch.completed') return [];
  return ['look: choo status', ...(result.failedUnits > 0 ? ['again: choo retry --failed && choo resume'] : adviceFor(viewOf(state)).map(describeAdvice))];
}

/** Only a person can let it go on. */
function aboutApproval({ unit, change }: EventOf<'unit.waiting'>): Words | undefined {
  if (change === undefined) return undefined;
  const { paths } = change;
  return {
    severity: 'blocking', unit, title: `unit ${unit} waits for approval: it changes protected paths`,
    detail: [...paths.slice(0, SHOWN_LINES), ...(paths.length > SHOWN_LINES ? [`and ${paths.length - SHOWN_LINES} more`] : []), `look: ${diffCommand(change)}`, `allow it: choo approve ${shellWord(unit)}`],
  };
}

/** What only people can move about a pull request. */
function aboutPull(state: State, event: Extract<Event, { unit: string }>): Words | undefined {
  const { unit } = event;
  const { url = '', refused } = state.units[state.graph.index.get(unit) ?? -1]?.pull ?? {};
  switch (event.type) {
    case 'pr.late': return { severity: 'warning', unit, title: `unit ${unit} waits for a review longer than review.timeout: ${url}`, detail: ['it waits on; nothing else waits for it but what depends on it', `review it: ${url}`] };
    case 'pr.seen': return event.facts.state !== 'closed' ? undefined
      : { severity: 'warning', unit, title: `the pull request of unit ${unit} was closed without being merged: ${event.facts.url}`, detail: ['the unit is cancelled; its branch and worktree are kept', 'what depends on it is blocked'] };
    case 'pr.refused': return refused !== undefined && refused.times > 1 ? undefined
      : { severity: 'warning', unit, title: `the forge does not merge the pull request of unit ${unit}: ${event.text}`, detail: ['it is tried again when something about it changes, and now and then', `look: ${url}`] };
    case 'pr.merged': return event.red === undefined ? undefined
      : { severity: 'critical', unit, title: `unit ${unit} was merged by the forge as ${event.commit.slice(0, 10)}, and its proof fails there: ${describeFailure(event.red)}`, detail: [...failureLines(event.red), 'something else was merged between its proof and its merge', `look: ${url}`] };
    default: return undefined;
  }
}

/** A forge that comes back by itself is told of once. */
function aboutForge({ pinned }: State, event: EventOf<'forge.held'>): Words | undefined {
  const title = `${pinned.forge?.repository ?? 'the forge'} ${FORGE_TROUBLE[event.reason]}: ${event.text}`;
  if (event.reason === 'login') return { severity: 'critical', title, detail: ['finished units wait for it; work on others goes on', 'give choo a token that may read and write code and pull requests there, then: choo resume'] };
  if (event.tries > 1) return undefined;
  return { severity: 'warning', title, detail: [`finished units wait for it; it is tried again${event.until === undefined ? '' : ` at ${event.until}`}`] };
}

/** Told when this session will not try any more. */
function aboutPush(state: State, event: EventOf<'run.push.refused'>): Words | undefined {
  if (state.push.state !== 'stopped' || event.reason === 'cut') return undefined;
  const { remote } = state.settings;
  const branch = shellWord(state.pinned.targetRef.replace('refs/heads/', ''));
  const from = remote === undefined ? '' : `${shellWord(remote.name)} ${shellWord(remote.ref.replace('refs/heads/', ''))}`;
  const merge = event.reason === 'conflict' || event.reason === 'proof';
  return {
    severity: 'blocking', title: `what lands is not pushed: ${event.text}`,
    detail: ['landing goes on here; nothing more is pushed in this session', merge ? `on ${branch}: git pull --no-rebase ${from}, mend it, commit, then: choo resume` : 'mend the cause, then: choo resume'],
  };
}

/** Told once, until a save goes through again. */
function aboutSave(state: State, event: EventOf<'run.save.refused'>): Words | undefined {
  if (event.reason === 'cut' || state.save.failures > 1) return undefined;
  if (event.reason === 'taken') return { severity: 'blocking', title: `this session ends: ${event.text}`, detail: ['nothing more of it is saved or pushed; what it has done since is in this clone', 'to go on with it when that one has ended, in a fresh clone: choo resume --from-remote'] };
  const ref = `refs/choo/${state.run}/*`;
  return { severity: 'warning', title: `the run is not saved: ${event.text}`, detail: ['it goes on, and is saved again with what is done next', `what this clone alone has is lost with it; the remote must take pushes to ${ref}`] };
}

/** One that comes back by itself is told once, not at each of its tries. */
function aboutAgent(event: EventOf<'agent.held'>): Words | undefined {
  const { agent, reason } = event;
  const title = `the agent ${agent} ${TROUBLE[reason]}: ${event.text}`;
  if (reason === 'login' || reason === 'setup') {
    const mend = reason === 'login' ? `log in with ${agent}'s own program` : 'mend what it complains about';
    return { severity: 'critical', title, detail: ['its units wait and no attempt is counted; units of other agents go on', `${mend}, then: choo resume`] };
  }
  if (event.tries > 1) return undefined;
  return { severity: 'warning', title, detail: [`its units wait and no attempt is counted; it is tried again${event.until === undefined ? '' : ` at ${event.until}`}`] };
}

function aboutUnit(state: State, event: Extract<Event, { type: 'unit.failed' }>): Words | undefined {
  const { failure } = event;
  if (failure.kind === 'environment' && state.environment.get(failure.command) !== event.seq) return undefined;
  const index = state.graph.index.get(event.unit);
  const waiting = index === undefined ? 0 : (state.graph.dependants[index]?.length ?? 0);
  return {
    severity: severityOf(failure), unit: event.unit,
    title: `unit ${event.unit} failed: ${describeFailure(failure)}`,
    detail: [
      ...failureLines(failure),
      ...(event.worktree === undefined ? [] : [`its work is kept in ${event.worktree}`]),
      ...(waiting === 0 ? [] : [`${waiting} ${waiting === 1 ? 'unit depends' : 'units depend'} on it and will wait`]),
      ...whatNext(event),
    ],
  };
}

/** The end of the output; what happened itself is in the title. */
function failureLines(failure: Failure): string[] {
  const output = outputOf(failure);
  if (output === undefined) return [];
  const lines = output.tail.trimEnd().split('\n').slice(-SHOWN_LINES).filter((l) => l !== '');
  const last = output.activity === undefined || output.activity === lines.at(-1) ? [] : [`last seen: ${output.activity}`];
  return [...lines.map((l) => `| ${l}`), ...last, `log: ${output.log}`];
}

function whatNext(event: Extract<Event, { type: 'unit.failed' }>): string[] {
  const byHand = mergeByHand(event.failure, event.worktree);
  if (byHand !== undefined) {
    return [
      'to resolve it by hand:',
      `  ${byHand}`,
      `  (${BY_HAND})`,
      `then: choo retry ${shellWord(event.unit)} && choo resume`,
    ];
  }
  const { failure } = event;
  if (failure.kind === 'feedback' || failure.kind === 'yielded' || failure.kind === 'not-merged') {
    const taking = failure.kind === 'yielded' ? 'to go on with the branch as it is now' : 'to have its agent try again';
    return [`look: ${failure.url}`, `${taking}: choo retry ${shellWord(event.unit)} && choo resume`, `to leave it to people: choo cleanup --discard ${shellWord(event.unit)}`];
  }
  return [`look: choo logs ${shellWord(event.unit)}`, `again: choo retry ${shellWord(event.unit)} && choo resume`];
}

// ---------------------------------------------------------------- who has not been told

/** The event was folded: what it is worth telling, and where, is remembered until it is delivered. */
export function noteUntold(s: State, event: Event): void {
  const { tell } = s.settings;
  if (tell === undefined) return;
  noteOver(s, event);
  const escalation = escalationOf(s, event);
  if (escalation === undefined) return;
  const to = new Set(placesOf(tell, escalation));
  noteTrouble(s, escalation, to);
  if (to.size > 0) s.untold.set(event.seq, { escalation, to });
}

/** Delivered, it is over; refused, the next session tries again. */
export function noteDelivery(s: State, e: EventOf<'escalation.delivered' | 'escalation.failed'>): void {
  if (e.type === 'escalation.failed') return;
  const untold = s.untold.get(e.of);
  untold?.to.delete(e.to);
  if (untold?.to.size === 0) s.untold.delete(e.of);
}

/** A new session: what is still so is told again, where nobody was told; the rest has been seen to. */
export function forgetStale(s: State): void {
  for (const [seq, { escalation: { unit, end, over } }] of s.untold) {
    const index = unit === undefined ? undefined : s.graph.index.get(unit);
    const open = index !== undefined && (s.units[index]?.phase === 'failed' || s.awaiting.has(index));
    if (end !== true && over !== true && !open) s.untold.delete(seq);
  }
}
