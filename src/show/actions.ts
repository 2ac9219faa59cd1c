// For GitHub Actions: annotations, groups, and lines of which no foreign text can make a command. Only forms texts; who prints them is commands/.

import { cleanLine } from '../core/clean.ts';
import type { Event } from '../core/event.ts';
import { escalationOf } from '../core/escalation.ts';
import { describeFailure, outputOf } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import type { State, UnitState } from '../core/state.ts';
import { counted, oneLine, restWord, short } from './paint.ts';

/** Where an annotation is shown: a repository path, and a line from 1. */
interface Spot {
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly col?: number | undefined;
  readonly title?: string;
}

/** What a diagnostic has that is worth an annotation. */
interface Told {
  readonly severity: 'error' | 'warning';
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly place?: { readonly path: string; readonly line: number; readonly col: number; readonly length: number };
}

/** A workflow command as a line without its end. Whatever the texts are, it is one command and says what they say. */
export function workflowCommand(name: 'error' | 'warning' | 'group' | 'endgroup', message: string, spot: Spot = {}): string {
  const { file, line, col, title } = spot;
  const properties = Object.entries({ file, line, col, title }).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${escapeProperty(String(value))}`]));
  return `::${name}${properties.length === 0 ? '' : ` ${properties.join(',')}`}::${escapeData(message)}`;
}

function escapeData(text: string): string {
  return text.split('\n').map(cleanLine).join('\n').replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/** The annotation of a diagnostic, at its place. */
export function diagnosticAnnotation(d: Told): string {
  const at = d.place === undefined ? {} : { file: d.place.path, line: d.place.line, ...(d.place.length === 0 ? {} : { col: d.place.col }) };
  return workflowCommand(d.severity, d.hint === undefined ? d.message : `${d.message}\nhint: ${d.hint}`, { ...at, title: `choo: ${d.code}` });
}

/** An observer that writes an annotation for each failure, at the line of the spec it is about, and for what a person should know now. */
export function annotator(command: (line: string) => void): (event: Event, state: State) => void {
  /** Units whose failure was told at the task's line. */
  const told = new Set<string>();
  return (event, state) => {
    if (event.type === 'unit.retried') told.delete(event.unit);
    if (event.type === 'task.failed') {
      told.add(event.unit);
      const unit = unitOf(state, event.unit);
      const task = unit?.unit.tasks[event.task - 1];
      command(workflowCommand('error', failureText(event.failure, event.unit), { file: task?.path, line: task?.line ?? 1, title: `choo: ${event.unit}, task ${event.task}` }));
    }
    if (event.type === 'unit.failed') {
      if (!told.has(event.unit)) command(workflowCommand('error', failureText(event.failure, event.unit), { file: unitOf(state, event.unit)?.unit.planPath, line: 1, title: `choo: ${event.unit}` }));
      return;
    }
    const escalation = escalationOf(state, event);
    if (escalation === undefined || escalation.end === true || escalation.severity === 'info') return;
    const at = escalation.unit === undefined ? {} : { file: unitOf(state, escalation.unit)?.unit.planPath, line: 1 };
    command(workflowCommand(escalation.severity === 'warning' ? 'warning' : 'error', [escalation.title, ...escalation.detail].join('\n'), { ...at, title: 'choo' }));
  };
}

function unitOf(state: State, id: string): UnitState | undefined {
  const index = state.graph.index.get(id);
  return index === undefined ? undefined : state.units[index];
}

/** Lines of a failed command's output that an annotation shows. */
const SHOWN_LINES = 12;

function failureText(failure: Failure, unit: string): string {
  const tail = outputOf(failure)?.tail.trimEnd().split('\n').slice(-SHOWN_LINES).filter((line) => line !== '') ?? [];
  return [`${unit}: ${describeFailure(failure)}`, ...tail.map((line) => `| ${line}`)].join('\n');
}

/** Each unit as a group of lines (with their ends): what became of it, its tasks, and of a failed one the end of the output. */
export function unitGroups(state: State, o: { readonly write: (text: string) => void; readonly command: (line: string) => void }): void {
  for (const u of state.units) {
    o.command(workflowCommand('group', `${u.unit.id}: ${outcome(u)}`));
    for (const line of unitLines(u)) o.write(`${line}\n`);
    o.command(workflowCommand('endgroup', ''));
  }
}

function outcome(u: UnitState): string {
  const attempts = u.tasks.reduce((n, t) => n + t.used, u.rework.used);
  return `${restWord(u.phase)}${u.landed === undefined ? '' : ` (${short(u.landed)})`}, ${counted(attempts, 'attempt')}`;
}

function unitLines(u: UnitState): readonly string[] {
  const tasks = u.unit.tasks.map((t, i) => {
    const state = u.tasks[i];
    const how = state?.done === true ? `done${state.commit === undefined ? '' : ` ${short(state.commit)}`}` : state !== undefined && state.used > 0 ? 'not done' : 'not begun';
    return `task ${t.number}: ${how}, ${counted(state?.used ?? 0, 'attempt')}  ${cleanLine(t.title)}`;
  });
  if (u.failure === undefined || u.phase !== 'failed') return tasks;
  const output = outputOf(u.failure);
  const tail = output?.tail.trimEnd().split('\n').filter((line) => line !== '') ?? [];
  return [...tasks, `failed: ${oneLine(describeFailure(u.failure))}`, ...tail.map((line) => `| ${cleanLine(line)}`), ...(output === undefined ? [] : [`log: ${cleanLine(output.log)}`])];
}

const COLON = ':';

/**
 * Makes text that is printed piece by piece harmless to GitHub Actions: `::` at the beginning of a line and `##[` anywhere are what it takes
 * for commands. JSON stays the same data.
 */
export function defuser(): (text: string) => string {
  /** Nothing but space has come on this line; or one colon after it. */
  let begin: 'space' | 'colon' | 'over' = 'space';
  let last = '';
  const next = (char: string): string => {
    if (char === '\n' || char === '\r') {
      begin = 'space';
      last = '';
      return char;
    }
    const wasLast = last;
    last = (last + char).slice(-2);
    if (begin === 'colon' && char === COLON) {
      begin = 'over';
      return ` ${COLON}`;
    }
    if (begin !== 'over') begin = begin === 'space' && char === COLON ? 'colon' : begin === 'space' && /[\s\u0085]/.test(char) ? 'space' : 'over';
    return char === '[' && wasLast === '##' ? '\\u005b' : char;
  };
  return (text) => Array.from(text, next).join('');
}
