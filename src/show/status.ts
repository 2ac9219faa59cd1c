// A run's standing as text or data: every unit and task. Looks at a view; asks nobody.

import type { Activity } from '../core/activity.ts';
import { adviceFor, describeAdvice } from '../core/advice.ts';
import { diffCommand } from '../core/approval.ts';
import { cleanLine } from '../core/clean.ts';
import type { RunView, TaskView, UnitView } from '../core/view.ts';
import { padded, widest } from './columns.ts';
import { OUTSIDE, outsideLines } from './outside.ts';
import { branchName, counted, duration, oneLine, painter, restWord, short } from './paint.ts';
import type { Paint, Style } from './paint.ts';
import { describeCharged, describeHeld, describeMoney, describeProtected, describePull, describeWait, waitCommand } from './waiting.ts';

/** The last thing an agent was seen doing, and how long ago it last printed something, ms. */
export interface LastSeen extends Activity {
  readonly ageMs: number;
}

/** What is known beside the run itself. */
export interface Standing {
  readonly view: RunView;
  /** `live`: an orchestrator works on it. `elsewhere`: one may, on another machine or in another container. `rest`: none does. */
  readonly at: 'live' | 'elsewhere' | 'rest';
  /** The orchestrator's process, when there is one. */
  readonly pid?: number;
  /** Units that the specs have now and that are not complete; known when the run is over. */
  readonly todo?: number;
  /** What the agents of a live run are doing, by unit. */
  readonly seen?: ReadonlyMap<string, LastSeen>;
  /** It stays on a screen: moments instead of how long ago. */
  readonly stays?: boolean;
  /** The time, ms since 1970. */
  readonly now: number;
}

/** The standing for programs; described by schema/status.schema.json. */
export function statusData({ view, at, pid, seen }: Standing): unknown {
  const units = view.units.map((u) => {
    const command = u.waiting === undefined ? undefined : waitCommand(u.waiting, u.id);
    const last = seen?.get(u.id);
    return {
      ...u,
      ...(command === undefined ? {} : { waiting: { ...u.waiting, command } }),
      ...(u.attempt === undefined || last === undefined ? {} : { attempt: { ...u.attempt, activity: last } }),
    };
  });
  return { version: 1, at, ...(pid === undefined ? {} : { pid }), ...view, units };
}

/** The standing as text, ending in a line break. */
export function renderStatus(standing: Standing, o: { readonly color: boolean }): string {
  const paint = painter(o.color);
  const { view } = standing;
  const width = widest(view.units.map(({ id }) => cleanLine(id)), { least: 4, most: 32 });
  const now = new Date(standing.now).toISOString();
  const seen = standing.seen ?? new Map<string, LastSeen>();
  const lines = [
    paint('bold', headline(standing)),
    ...pushLine(view, paint),
    ...saveLine(view, paint),
    ...(view.outside === undefined ? [] : [paint('red', OUTSIDE), ...outsideLines(view.outside, NAMED).map((line) => `  ${line}`)]),
    ...queueLine(standing, paint),
    ...(view.held ?? []).map((h) => paint('yellow', describeHeld(h, now))),
    ...view.units.flatMap((u) => ['', ...unitLines(u, { paint, width, live: standing.at !== 'rest', now, seen: seen.get(u.id), stays: standing.stays === true })]),
  ];
  const then = [...pauseLines(standing), ...(advice(standing) ?? [])];
  return `${[...lines, ...(then.length === 0 ? [] : ['', ...then])].join('\n')}\n`;
}

function saveLine({ saved }: RunView, paint: Paint): string[] {
  return saved?.because === undefined ? [] : [paint('yellow', `not saved since event ${saved.upTo}: ${oneLine(saved.because)}`)];
}

/** Units that a line names. */
const NAMED = 30;

/** Who is on the way to the target, in its order; a queue at rest is made anew. */
function queueLine({ view: { queue }, at }: Standing, paint: Paint): string[] {
  if (at !== 'live' || queue.length === 0) return [];
  const parts: { readonly doing: string; readonly batch: number | undefined; readonly ids: string[] }[] = [];
  for (const { unit, batch, doing } of queue.slice(0, NAMED)) {
    const last = parts.at(-1);
    if (last?.doing === doing && last.batch === batch) last.ids.push(cleanLine(unit));
    else parts.push({ doing, batch, ids: [cleanLine(unit)] });
  }
  const more = queue.length > NAMED ? ` and ${queue.length - NAMED} more` : '';
  return [`landing queue: ${parts.map(({ doing, ids }) => `${paint('cyan', doing)} ${ids.join(', ')}`).join('; ')}${more}`];
}

function pushLine({ push }: RunView, paint: Paint): string[] {
  if (push === undefined || push.done) return [];
  return [paint('yellow', `not pushed yet to ${oneLine(push.to)}${push.because === undefined ? '' : `: ${oneLine(push.because)}`}`)];
}

function headline({ view, at, pid }: Standing): string {
  const { counts } = view;
  if (view.run === undefined) return `no run yet: ${counted(view.units.length - counts.complete, 'unit')} to do, ${counts.complete} complete`;
  const total = view.units.length - counts.complete;
  const where = view.target === undefined ? '' : ` onto ${cleanLine(branchName(view.target))}`;
  const money = describeMoney(view);
  return `run ${view.run}${where}: ${how({ view, at, pid })}, ${counts.landed} of ${counted(total, 'unit')} landed${money === undefined ? '' : `, ${money}`}`;
}

function how({ view, at, pid }: { readonly view: RunView; readonly at: Standing['at']; readonly pid: number | undefined }): string {
  if (at === 'live') return view.stopping === undefined ? `running (process ${pid ?? 'unknown'})` : `stopping (${view.stopping})`;
  if (at === 'elsewhere') return 'maybe running, on another machine or in another container';
  return view.closed ? 'over' : 'at rest';
}

const STATE_STYLES: Readonly<Record<UnitView['state'], Style>> = {
  pending: 'dim', running: 'cyan', proving: 'cyan', landing: 'cyan', waiting: 'yellow', landed: 'green', failed: 'red', blocked: 'yellow', cancelled: 'yellow', complete: 'dim',
};

const TASK_MARKS: Readonly<Record<TaskView['state'], { readonly mark: string; readonly style: Style }>> = {
  pending: { mark: '·', style: 'dim' }, running: { mark: '›', style: 'cyan' }, complete: { mark: '✓', style: 'green' }, failed: { mark: '✗', style: 'red' },
};

interface UnitLook { readonly paint: Paint; readonly width: number; readonly live: boolean; readonly now: string; readonly seen: LastSeen | undefined; readonly stays: boolean }

function unitLines(u: UnitView, o: UnitLook): string[] {
  const detail = u.step ?? (u.state === 'landed' && u.landed !== undefined ? short(u.landed) : waitsFor(u));
  const word = o.live ? u.state : restWord(u.state);
  const facts = [detail, o.live ? byWhom(u) : undefined, describeCharged(u)].filter((text) => text !== undefined && text !== '');
  const head = `${o.paint(STATE_STYLES[u.state], word.padEnd(9))} ${o.paint('bold', padded(cleanLine(u.id), o.width))}  ${facts.length === 0 ? '' : o.paint('dim', facts.join(' · '))}`;
  const lines = [head.trimEnd(), ...u.tasks.map((t) => taskLine(t, o.paint)), ...protectedLines(u, o.paint), ...otherTextLines(u, o.paint), ...waitLines(u, o)];
  if (o.live && u.attempt !== undefined && o.seen !== undefined) {
    lines.push(`    ${o.paint('cyan', o.seen.kind)}  ${cleanLine(o.seen.text)} ${o.paint('dim', o.stays ? `(at ${clockTime(Date.parse(o.now) - o.seen.ageMs)})` : `(${duration(o.seen.ageMs)} ago)`)}`);
  }
  if (u.failure !== undefined) lines.push(o.paint('red', `    ${oneLine(u.failure.message)}`), ...(u.failure.activity === undefined ? [] : [`    last  ${cleanLine(u.failure.activity)}`]), ...(u.failure.log === undefined ? [] : [`    log   ${cleanLine(u.failure.log)}`]));
  if (u.pull !== undefined && u.state !== 'landed') lines.push(`    pull  ${describePull(u.pull)}`);
  if (u.failure !== undefined && u.worktree !== undefined) lines.push(`    work  ${cleanLine(u.worktree)}`);
  return lines;
}

/** The time of day where the reader is. */
function clockTime(ms: number): string {
  return new Date(ms).toTimeString().slice(0, 8);
}

function byWhom({ attempt }: UnitView): string | undefined {
  if (attempt === undefined) return undefined;
  return cleanLine(attempt.model === undefined ? attempt.agent : `${attempt.agent} (${attempt.model})`);
}

function protectedLines(u: UnitView, paint: Paint): string[] {
  const text = describeProtected(u);
  if (text === undefined || u.protected === undefined) return [];
  return [`    ${paint('yellow', text)}`, `    ${diffCommand(u.protected)}`];
}

/** Tasks that have another text on the target than the one that landed. */
function otherTextLines(u: UnitView, paint: Paint): string[] {
  return u.notes.filter((note) => note.kind === 'spec-changed').map((note) => `    ${paint('yellow', oneLine(note.text))}`);
}

function waitLines(u: UnitView, o: UnitLook): string[] {
  if (u.waiting === undefined) return [];
  const { waiting } = u;
  const command = waitCommand(waiting, u.id);
  return [
    `    ${o.paint('yellow', describeWait(waiting, o.now))}${o.paint('dim', `: ${oneLine(waiting.text)}`)}`,
    ...(command === undefined ? [] : [`    ${command}`]),
  ];
}

function waitsFor(u: UnitView): string | undefined {
  if ((u.state !== 'pending' && u.state !== 'blocked') || u.dependsOn.length === 0) return undefined;
  return `after ${u.dependsOn.map(cleanLine).join(', ')}`;
}

function taskLine(t: TaskView, paint: Paint): string {
  const { mark, style } = TASK_MARKS[t.state];
  const facts = [
    ...(t.attempts > 1 ? [`${t.attempts} attempts`] : []),
    ...(t.unchanged ? [t.uncommitted === true ? 'nothing changed that git would commit' : 'nothing changed'] : []),
    ...(t.spent === undefined ? [] : [describeCharged(t)]),
  ];
  return `  ${paint(style, mark)} ${t.number} ${cleanLine(t.title)}${facts.length === 0 ? '' : paint('dim', ` (${facts.join(', ')})`)}`;
}

/** Why nothing new is begun, and where that is to be read. */
function pauseLines({ view: { paused, trialFailure }, at }: Standing): string[] {
  if (paused === undefined || at === 'live') return [];
  return [`paused: ${oneLine(paused)}`, ...(trialFailure?.log === undefined ? [] : [`log: ${cleanLine(trialFailure.log)}`])];
}

function advice({ view, at, todo }: Standing): readonly string[] | undefined {
  if (at === 'live') return ['to follow a unit: choo logs UNIT -f · to stop: choo stop'];
  if (at === 'elsewhere') return undefined;
  if (view.run === undefined) return view.units.length === view.counts.complete ? undefined : ['to see the plan: choo run -n · to start: choo run'];
  if (view.closed) return (todo ?? 0) === 0 ? undefined : [`the specs have ${counted(todo ?? 0, 'unit')} to do: choo run`];
  return adviceFor(view).map(describeAdvice);
}
