// Progress as lines of text, for terminals and logs: which events are worth a line, at which level, in which words.

import { cleanLine } from '../core/clean.ts';
import type { Event, EventOf, Note, TrialCheck } from '../core/event.ts';
import { describeFailure, describeEnding, outputOf, TROUBLE } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import type { State } from '../core/state.ts';
import type { Activity } from '../core/activity.ts';
import { renderActivity } from './activity.ts';
import { branchName, counted, duration, oneLine, painter, short, when } from './paint.ts';
import type { Style } from './paint.ts';

/** How much a line matters; those below the level asked for are left out. */
export const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** One of them. */
export type Level = (typeof LEVELS)[number];

/** One line of progress, before layout. */
export interface PlainLine {
  readonly level: Level;
  readonly text: string;
  readonly style?: Style;
}

const debug = (text: string): PlainLine => ({ level: 'debug', text, style: 'dim' });
const info = (text: string, style?: Style): PlainLine => ({ level: 'info', text, ...(style === undefined ? {} : { style }) });
const warn = (text: string): PlainLine => ({ level: 'warn', text, style: 'yellow' });
const error = (text: string): PlainLine => ({ level: 'error', text, style: 'red' });

/** The lines an event is worth: what happened, then its notes. Most events are worth one, some none. */
function plainLines(event: Event, state: State): readonly PlainLine[] {
  const line = 'unit' in event ? aboutUnit(event, state) : aboutRun(event, state);
  const notes = 'notes' in event ? event.notes.map(noteLine) : [];
  return [...(line === undefined ? [] : [line]), ...notes];
}

/** Notes that are the ordinary course of things; the others are worth a look. */
const ORDINARY: ReadonlySet<Note['kind']> = new Set(['copied', 'dirty-when-fresh', 'setup-left', 'check-left', 'agent-exit']);

function noteLine(note: Note): PlainLine {
  const text = note.paths === undefined || note.paths.length === 0 ? note.text : `${note.text} (${paths(note.paths)})`;
  return ORDINARY.has(note.kind) ? debug(`note: ${text}`) : warn(`note: ${text}`);
}

function paths(list: readonly string[]): string {
  return list.length > 4 ? `${list.slice(0, 4).join(', ')} and ${list.length - 4} more` : list.join(', ');
}

type RunEvent = Exclude<Event, { readonly unit: string }>;
type UnitEvent = Extract<Event, { readonly unit: string }>;

function aboutRun(e: RunEvent, state: State): PlainLine | undefined {
  switch (e.type) {
    case 'orch.started': return started(e);
    case 'orch.resumed': return info(`run ${e.run} goes on: ${state.count.landed} of ${counted(state.units.length, 'unit')} landed, ${e.settings.parallelism} at a time`, 'bold');
    case 'orch.stopping': return warn(e.now ? `stopping now (${e.by}): everything is killed` : `stopping (${e.by}): agents get ${duration(state.settings.limits.shutdown)}; once more kills at once`);
    case 'orch.killing': return warn('what has not ended is killed');
    case 'orch.paused': return error(`paused: ${e.text}`);
    case 'agent.held': return held(e);
    case 'agent.released': return info(`the agent ${e.agent} is tried again`);
    case 'run.recovering': return debug('looking at what the session before left');
    case 'run.recover.failed': return error(`what the session before left could not be mended: ${describeFailure(e.failure)}`);
    case 'trial.started': return info('trial worktree: setup and baseline checks');
    case 'trial.ok': return trialOk(e.checks);
    case 'trial.failed': return error(`trial worktree: ${describeFailure(e.failure)}`);
    case 'run.advanced': return info(`${branchName(state.pinned.targetRef)} now has everything that landed (${short(e.commit)})`, 'green');
    case 'run.not-advanced': return warn(`the target was not advanced: ${e.text}`);
    default: return undefined;
  }
}

function started(e: EventOf<'orch.started'>): PlainLine {
  const open = e.graph.reduce((n, u) => n + u.tasks.filter((t) => !t.complete).length, 0);
  return info(`run ${e.run}: ${counted(e.graph.length, 'unit')}, ${counted(open, 'task')} to do, onto ${branchName(e.target)} (${short(e.base)}), ${e.parallelism} at a time`, 'bold');
}

function held(e: EventOf<'agent.held'>): PlainLine {
  const line = e.reason === 'login' || e.reason === 'setup' ? error : warn;
  return line(`the agent ${e.agent} ${TROUBLE[e.reason]}: ${e.text}; ${e.until === undefined ? 'nothing of it is begun until it is mended' : `next try ${when(e.until, e.time)}`}`);
}

function trialOk(checks: readonly TrialCheck[]): PlainLine {
  const failing = checks.filter((c) => c.ending.code !== 0);
  if (failing.length === 0) return info(`trial worktree: ready${checks.length === 0 ? '' : `, ${counted(checks.length, 'baseline check')} passed`}`);
  return warn(`trial worktree: ready, but on the target as it is ${failing.map((c) => `\`${c.name}\` ${describeEnding(c.ending)}`).join(', ')}`);
}

function aboutUnit(e: UnitEvent, state: State): PlainLine | undefined {
  if ('task' in e) return aboutTask(e, state);
  switch (e.type) {
    case 'unit.queued': return debug('queued');
    case 'unit.started': return debug('preparing its worktree');
    case 'unit.prepared': return debug(`worktree ${e.worktree}`);
    case 'unit.failed': return error(e.failure.kind === 'environment' ? `failed: ${describeFailure(e.failure)}` : 'failed');
    case 'unit.blocked': return warn(`blocked by ${e.by}`);
    case 'unit.retried': return info('attempts given back');
    case 'unit.discarded': return warn(e.backups.length === 0 ? 'discarded' : `discarded; what it had is kept at ${paths(e.backups)}`);
    case 'unit.waiting': return waits(e, state);
    case 'unit.unblocked': return info('no longer blocked');
    case 'rework.started': return warn(`back to the agent (attempt ${e.attempt}): ${describeFailure(e.because)}`);
    case 'rework.attempt.failed': return warn(`attempt ${e.attempt}: ${withActivity(e.failure)}`);
    case 'unit.verifying': return debug(e.scope === 'merge' ? 'checking the merge' : 'baseline checks');
    case 'unit.verify.failed': return warn(describeFailure(e.failure));
    case 'unit.refreshing': return debug('merging the newest target into its branch');
    case 'unit.refreshed': return debug(e.conflicts.length === 0 ? 'merged the newest target' : `conflicts in ${paths(e.conflicts)}`);
    case 'unit.merge.failed': case 'unit.land.failed': return warn(describeFailure(e.failure));
    case 'unit.proving': return info(`proving the merge ${short(e.commit)}`);
    case 'unit.proof.failed': return warn(`the merge does not pass: ${describeFailure(e.failure)}`);
    case 'unit.merged': return merged(e);
    default: return undefined;
  }
}

function waits(e: EventOf<'unit.waiting'>, state: State): PlainLine {
  const until = e.agent === undefined ? undefined : state.held.get(e.agent)?.until;
  const what = e.agent === undefined ? `the budget: ${e.text}` : `the agent ${e.agent}`;
  return warn(`waits for ${what}${until === undefined ? '' : `, next try ${when(new Date(until).toISOString(), e.time)}`}`);
}

function merged(e: EventOf<'unit.merged'>): PlainLine {
  const where = `landed on ${branchName(e.ref)} (${short(e.commit)})`;
  return e.diverted === undefined ? info(where, 'green') : warn(`${where}, because the target cannot move: ${e.diverted}`);
}

function aboutTask(e: Extract<UnitEvent, { readonly task: number }>, state: State): PlainLine | undefined {
  switch (e.type) {
    case 'task.started': return info(e.attempt === 1 ? titleOf(state, e) : `attempt ${e.attempt}`);
    case 'task.retry': return info(`attempt ${e.attempt}`);
    case 'task.backpressure': return debug(`checking: ${e.command}`);
    case 'task.validation.fail': case 'task.attempt.failed': return warn(`attempt ${e.attempt}: ${withActivity(e.failure)}`);
    case 'task.committed': return debug(`committed ${short(e.commit)}`);
    case 'task.completed': return info(e.unchanged ? 'done, but nothing changed' : e.attempts > 1 ? `done, in ${e.attempts} attempts` : 'done');
    default: return undefined;
  }
}

function withActivity(failure: Failure): string {
  const activity = outputOf(failure)?.activity;
  return `${describeFailure(failure)}${activity === undefined ? '' : ` (last seen: ${activity})`}`;
}

function titleOf(state: State, e: { readonly unit: string; readonly task: number }): string {
  const index = state.graph.index.get(e.unit);
  const unit = index === undefined ? undefined : state.graph.units[index];
  return unit?.tasks[e.task - 1]?.title ?? '';
}

/** Widest unit name that the others are lined up with, columns. */
const WIDEST = 24;

/** An observer that writes a line (with its end) for what is worth one: time of day, unit, task, text. */
export function plainObserver(o: { readonly write: (line: string) => void; readonly color: boolean; readonly level: Level }): (event: Event, state: State) => void {
  const paint = painter(o.color);
  const least = LEVELS.indexOf(o.level);
  let width: number | undefined;
  return (event, state) => {
    for (const line of plainLines(event, state)) {
      if (LEVELS.indexOf(line.level) < least) continue;
      width ??= Math.min(WIDEST, state.units.reduce((w, u) => Math.max(w, u.unit.id.length + 2), 0));
      const text = oneLine(line.text);
      const who = subject(event).padEnd(width);
      o.write(`${paint('dim', timeOfDay(event.time))}  ${paint('cyan', who)}  ${line.style === undefined ? text : paint(line.style, text)}\n`);
    }
  };
}

/** A printer of what agents are seen doing, a line each, at the level `debug` only. `now`: the time, ms since 1970. */
export function plainActivity(o: { readonly write: (line: string) => void; readonly color: boolean; readonly level: Level; readonly now: () => number }): (seen: { readonly unit: string; readonly subject: string; readonly activity: Activity }) => void {
  const paint = painter(o.color);
  return ({ unit, subject: of, activity }) => {
    if (o.level !== 'debug') return;
    o.write(`${paint('dim', timeOfDay(new Date(o.now()).toISOString()))}  ${paint('cyan', cleanLine(`${unit}/${of}`))}  ${renderActivity(activity, o)}\n`);
  };
}

function subject(event: Event): string {
  if (!('unit' in event)) return '';
  return cleanLine('task' in event ? `${event.unit}/${event.task}` : event.unit);
}

/** Time of day where the program runs, from an ISO time. */
function timeOfDay(iso: string): string {
  const d = new Date(iso);
  return [d.getHours(), d.getMinutes(), d.getSeconds()].map((n) => String(n).padStart(2, '0')).join(':');
}
