// Progress as lines of text, for terminals and logs: which events are worth a line, at which level, in which words.

import { cleanLine, shellWord } from '../core/clean.ts';
import type { Event, EventOf, Note, TrialCheck } from '../core/event.ts';
import { describeFailure, describeEnding, outputOf, TROUBLE } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import { remoteName } from '../core/push.ts';
import { landRules } from '../core/state.ts';
import type { State } from '../core/state.ts';
import type { Activity } from '../core/activity.ts';
import { renderActivity } from './activity.ts';
import { padded, widest } from './columns.ts';
import { branchName, counted, duration, oneLine, painter, short, when } from './paint.ts';
import { LEVELS, debug, error, info, warn } from './plain-line.ts';
import type { Level, PlainLine } from './plain-line.ts';
import { aboutForge, aboutPull } from './plain-pull.ts';

/** The lines an event is worth: what happened, then its notes. Most events are worth one, some none. */
function plainLines(event: Event, state: State): readonly PlainLine[] {
  const line = 'batch' in event ? aboutBatch(event, state) : 'unit' in event ? aboutUnit(event, state) : aboutRun(event, state);
  const notes = 'notes' in event ? (event.notes ?? []).map(noteLine) : [];
  return [...(line === undefined ? [] : [line]), ...notes];
}

/** Notes that are the ordinary course of things; the others are worth a look. */
const ORDINARY: ReadonlySet<Note['kind']> = new Set(['copied', 'dirty-when-fresh', 'setup-left', 'setup-reused', 'check-left', 'agent-exit', 'known-failure']);

function noteLine(note: Note): PlainLine {
  const text = note.paths === undefined || note.paths.length === 0 ? note.text : `${note.text} (${paths(note.paths)})`;
  return ORDINARY.has(note.kind) ? debug(`note: ${text}`) : warn(`note: ${text}`);
}

function paths(list: readonly string[]): string {
  return list.length > 4 ? `${list.slice(0, 4).join(', ')} and ${list.length - 4} more` : list.join(', ');
}

type RunEvent = Exclude<Event, { readonly unit: string } | { readonly batch: number }>;
type BatchEvent = Extract<Event, { readonly batch: number }>;
type UnitEvent = Extract<Event, { readonly unit: string }>;

function aboutRun(e: RunEvent, state: State): PlainLine | undefined {
  switch (e.type) {
    case 'orch.started': return started(e);
    case 'orch.resumed': return info(`run ${e.run} goes on: ${state.count.landed} of ${counted(state.units.length, 'unit')} landed, ${e.settings.parallelism} at a time`, 'bold');
    case 'orch.stopping': return warn(e.now ? `stopping now (${e.by}): everything is killed` : `stopping (${e.by}): agents get ${duration(state.settings.limits.shutdown)}; once more kills at once`);
    case 'orch.killing': return warn('what has not ended is killed');
    case 'orch.paused': return error(`paused: ${e.text}`);
    case 'agent.held': return held(e);
    case 'forge.held': case 'forge.released': return aboutForge(e, state);
    case 'agent.released': return info(`the agent ${e.agent} is tried again`);
    case 'escalation.delivered': return debug(`told at ${e.to}: event ${e.of}`);
    case 'escalation.failed': return warn(`nobody could be told at ${e.to}: ${e.text}`);
    case 'run.recovering': return debug('looking at what the session before left');
    case 'run.recover.failed': return error(`what the session before left could not be mended: ${describeFailure(e.failure)}`);
    case 'trial.started': return info('trial worktree: setup and baseline checks');
    case 'trial.ok': return trialOk(e.checks);
    case 'trial.failed': return error(`trial worktree: ${describeFailure(e.failure)}`);
    case 'run.advanced': return info(`${branchName(state.pinned.targetRef)} now has everything that landed (${short(e.commit)})`, 'green');
    case 'run.not-advanced': return warn(`the target was not advanced: ${e.text}`);
    case 'run.pushed': return info(`pushed to ${toRemote(state)} (${short(e.commit)})`, 'green');
    case 'run.push.behind': return info(`${toRemote(state)} has new commits; they are taken in`);
    case 'run.push.refused': return e.reason === 'cut' ? undefined : warn(`not pushed: ${e.text}`);
    case 'run.caught-up': return info(`${branchName(state.pinned.targetRef)} took in what ${toRemote(state)} had (${short(e.commit)})`);
    case 'run.saved': return debug(`saved (${short(e.commit)})`);
    case 'run.save.refused': return e.reason === 'cut' ? undefined : debug(`not saved: ${e.text}`);
    case 'run.restored': return info(`restored as it was at event ${e.upTo} (${short(e.commit)})`);
    default: return undefined;
  }
}

function toRemote({ settings: { remote } }: State): string {
  return remote === undefined ? 'the remote' : remoteName(remote);
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
    case 'unit.approved': return info(`approved: ${paths(e.change.paths)}`);
    case 'unit.verified': return e.protected === undefined ? undefined : warn(`changes what is protected: ${paths(e.protected.paths)}`);
    case 'rework.started': return warn(`back to the agent (attempt ${e.attempt}): ${describeFailure(e.because)}`);
    case 'rework.attempt.failed': return warn(`attempt ${e.attempt}: ${withActivity(e.failure)}`);
    case 'review.started': return info(`is reviewed by ${e.agent}`);
    case 'review.ended': return info(reviewed(e));
    case 'review.attempt.failed': return warn(`review ${e.attempt}: ${withActivity(e.failure)}`);
    case 'unit.verifying': return debug(e.scope === 'merge' ? 'checking the merge' : 'baseline checks');
    case 'unit.verify.failed': return warn(describeFailure(e.failure));
    case 'unit.refreshing': return debug('merging the newest target into its branch');
    case 'unit.refreshed': return debug(e.conflicts.length === 0 ? 'merged the newest target' : `conflicts in ${paths(e.conflicts)}`);
    case 'unit.merged': return merged(e, state.pinned.forge?.ref ?? e.ref);
    default: return aboutPull(e, state);
  }
}

function reviewed({ findings }: Extract<UnitEvent, { type: 'review.ended' }>): string {
  const must = findings.filter((f) => f.severity === 'must').length;
  return must === 0 ? `reviewed: nothing that must be mended` : `reviewed: ${counted(must, 'finding')} to mend`;
}

function aboutBatch(e: BatchEvent, state: State): PlainLine | undefined {
  switch (e.type) {
    case 'batch.candidate': return e.failed.length === 0 ? undefined : warn(e.failed.map((f) => `${f.unit}: ${describeFailure(f.failure)}`).join('; '));
    case 'batch.merge.failed': case 'batch.land.failed': return warn(`landing: ${describeFailure(e.failure)}`);
    case 'batch.proving': return info(e.units.length === 1 ? `proving the merge of ${paths(e.units)} (${short(e.commit)})` : `proving ${paths(e.units)} together (${short(e.commit)})`);
    case 'batch.proved': return e.reused === 0 ? undefined : debug(`${counted(e.reused, 'check')} passed on the same files before`);
    case 'batch.proof.failed': return warn(`merged, it does not pass: ${describeFailure(e.failure)}${searching(e, state)}`);
    case 'batch.landing': return landRules(state).checks === 'never' ? warn(`${paths(e.units)}: UNPROVED, because \`land.checks\` is \`never\``) : undefined;
    case 'batch.moved': return debug('the target moved meanwhile; what was to land is merged and proved anew');
    default: return undefined;
  }
}

function searching(e: EventOf<'batch.proof.failed'>, state: State): string {
  const left = state.batches.find((b) => b.id === e.batch)?.red?.count ?? 1;
  return left > 1 ? `; which of ${left} units it is will be found out` : '';
}

function waits(e: EventOf<'unit.waiting'>, state: State): PlainLine {
  if (e.for === 'approval') return warn(`waits for approval of ${paths(e.change?.paths ?? [])}: choo approve ${shellWord(e.unit)}`);
  if (e.for === 'review') return info(`waits for ${e.text}`);
  if (e.other !== undefined) return info(`waits for ${e.other}: ${e.text}`);
  const until = e.agent === undefined ? undefined : state.held.get(e.agent)?.until;
  const what = e.agent === undefined ? `the budget: ${e.text}` : `the agent ${e.agent}`;
  return warn(`waits for ${what}${until === undefined ? '' : `, next try ${when(new Date(until).toISOString(), e.time)}`}`);
}

function merged(e: EventOf<'unit.merged'>, target: string): PlainLine {
  const where = `landed on ${branchName(target)} (${short(e.commit)})`;
  return e.diverted === undefined ? info(where, 'green') : warn(`${where}, because the target cannot move: ${e.diverted}`);
}

function aboutTask(e: Extract<UnitEvent, { readonly task: number }>, state: State): PlainLine | undefined {
  switch (e.type) {
    case 'task.started': return info(e.attempt === 1 ? titleOf(state, e) : `attempt ${e.attempt}`);
    case 'task.retry': return info(`attempt ${e.attempt}`);
    case 'task.backpressure': return debug(`checking: ${e.command}`);
    case 'task.validation.fail': case 'task.attempt.failed': return warn(`attempt ${e.attempt}: ${withActivity(e.failure)}`);
    case 'task.committed': return debug(`committed ${short(e.commit)}`);
    case 'task.completed': return info(e.unchanged ? `done, but nothing changed${isUncommitted(state, e) ? ' that git would commit' : ''}` : e.attempts > 1 ? `done, in ${e.attempts} attempts` : 'done');
    default: return undefined;
  }
}

function isUncommitted(state: State, e: EventOf<'task.completed'>): boolean {
  return state.units[state.graph.index.get(e.unit) ?? -1]?.tasks[e.task - 1]?.before === 'failed';
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
      width ??= widest(state.units.map((u) => `${cleanLine(u.unit.id)}/0`), { least: 0, most: WIDEST });
      const text = oneLine(line.text);
      const who = padded(subject(event), width);
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
