// A plan for people (text), programs (json) and drawing tools (mermaid, dot). Gives text; prints and starts nothing.

import { unreachable } from '../core/bug.ts';
import { cleanLine } from '../core/clean.ts';
import type { Graph } from '../core/graph.ts';
import { describeOverlap } from '../core/overlap.ts';
import type { Overlap, OverlapMode } from '../core/overlap.ts';
import type { Check, Unit } from '../core/plan.ts';

/** Forms of a plan. */
export const PLAN_FORMATS = ['text', 'json', 'mermaid', 'dot'] as const;

/** One of the forms of a plan. */
export type PlanFormat = (typeof PLAN_FORMATS)[number];

/** What is shown of a plan. Its graph has only the units still to execute. */
export interface PlanView {
  readonly graph: Graph;
  readonly parallelism: number;
  /** Configured baseline checks, for every unit. */
  readonly checks: readonly Check[];
  /** Ids of units that are complete already; only `json` has them. */
  readonly complete: readonly string[];
  /** Units that may change the same files, what is done about them, and why some may be missing; absent: nobody looked. */
  readonly overlap?: { readonly mode: OverlapMode; readonly overlaps: readonly Overlap[]; readonly incomplete?: string };
  /** What a person should know before the run; each may have several lines. */
  readonly warnings: readonly string[];
}

/** The plan in the given form, ending in a line break. */
export function renderPlan(view: PlanView, format: PlanFormat): string {
  switch (format) {
    case 'text': return text(view);
    case 'json': return `${JSON.stringify(data(view), null, 2)}\n`;
    case 'mermaid': return mermaid(view);
    case 'dot': return dot(view);
    default: return unreachable(format);
  }
}

function text(view: PlanView): string {
  const { graph } = view;
  const lines = [
    'Execution Plan',
    '==============',
    '',
    `Units to execute: ${graph.units.length}`,
    `Max parallelism: ${view.parallelism}`,
    `Execution levels: ${graph.levels.length}`,
    '',
  ];
  graph.levels.forEach((level, i) => {
    lines.push(`Level ${i + 1} (parallel):`);
    for (const unit of unitsAt(graph, level)) lines.push(`  - ${unit.id} (${unit.tasks.length} tasks)`);
    lines.push('');
  });
  lines.push('Topological order:');
  unitsAt(graph, graph.order).forEach((unit, i) => lines.push(`  ${i + 1}. ${unit.id}`));
  const critical = unitsAt(graph, graph.critical).map((unit) => unit.id);
  if (critical.length > 0) lines.push('', `Critical path (${counted(criticalTasks(graph), 'task')} to do): ${critical.join(' → ')}`);
  lines.push(...section('Baseline checks', checks(view).map(checkLine)), ...overlapLines(view), ...section('Warnings', view.warnings));
  return `${lines.join('\n')}\n`;
}

function section(title: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  return ['', `${title}:`, ...items.flatMap((item) => item.split('\n').map((line, i) => `${i === 0 ? '  - ' : '    '}${cleanLine(line)}`))];
}

/** Overlaps that the text lists. */
const LISTED = 20;
/** Overlaps that are drawn; more would hide the graph. */
const DRAWN = 100;

const MEANING: Readonly<Record<OverlapMode, string>> = { ignore: 'taken as they come', order: 'others are begun first', wait: 'one waits until the other has landed' };

function overlapLines({ overlap }: PlanView): string[] {
  if (overlap === undefined) return [];
  const { overlaps, incomplete } = overlap;
  const listed = overlaps.slice(0, LISTED).map(({ units: [a, b], reason }) => cleanLine(`${a} and ${b}${reason.by === 'history' ? ':' : ''} ${describeOverlap(reason)}`));
  const more = overlaps.length > LISTED ? [`and ${overlaps.length - LISTED} more, see --format json`] : [];
  return section(`Overlaps (${MEANING[overlap.mode]})`, [...listed, ...more, ...(incomplete === undefined ? [] : [`there may be others: ${incomplete}`])]);
}

/** The overlaps that are drawn, by their units' places in the graph, and how many are not. */
function drawnOverlaps({ graph, overlap }: PlanView): { readonly lines: readonly (readonly [number, number])[]; readonly left: number } {
  const all = overlap?.overlaps ?? [];
  const lines = all.slice(0, DRAWN).map(({ units: [a, b] }) => [graph.index.get(a) ?? -1, graph.index.get(b) ?? -1] as const);
  return { lines, left: all.length - lines.length };
}

interface OwnedCheck extends Check {
  /** Absent: for every unit. */
  readonly unit?: string;
}

function checks(view: PlanView): OwnedCheck[] {
  const own = unitsAt(view.graph, view.graph.order).flatMap((unit) => unit.checks.map((check) => ({ unit: unit.id, ...check })));
  return [...view.checks, ...own];
}

function checkLine(check: OwnedCheck): string {
  const owner = check.unit === undefined ? '' : `${check.unit}: `;
  const when = check.pattern === undefined ? '' : ` (when ${cleanLine(check.pattern)} changed)`;
  const name = cleanLine(check.name);
  const command = check.command.split('\n').map((line) => line.trim()).filter((line) => line !== '').join('; ');
  return name === command ? `${owner}${name}${when}` : `${owner}${name}: ${command}${when}`;
}

function data(view: PlanView): unknown {
  const { graph } = view;
  const ids = (indices: readonly number[]): string[] => unitsAt(graph, indices).map((unit) => unit.id);
  return {
    version: 1,
    parallelism: view.parallelism,
    units: graph.order.map((i) => unitData(graph, i)),
    levels: graph.levels.map(ids),
    order: ids(graph.order),
    criticalPath: { units: ids(graph.critical), tasks: criticalTasks(graph) },
    checks: checks(view),
    complete: view.complete,
    ...(view.overlap === undefined ? {} : { overlap: overlapData(view.overlap) }),
    warnings: view.warnings,
  };
}

function overlapData({ mode, overlaps, incomplete }: NonNullable<PlanView['overlap']>): unknown {
  return { mode, pairs: overlaps.map(({ units, reason }) => ({ units, ...reason, text: describeOverlap(reason) })), ...(incomplete === undefined ? {} : { incomplete }) };
}

function unitData(graph: Graph, i: number): unknown {
  const unit = graph.units[i];
  if (unit === undefined) return undefined;
  return {
    id: unit.id,
    path: unit.planPath,
    dependsOn: unitsAt(graph, graph.deps[i] ?? []).map((dep) => dep.id),
    level: (graph.level[i] ?? 0) + 1,
    ...(unit.provider === undefined ? {} : { provider: unit.provider }),
    tasks: unit.tasks.map(({ number, title, complete }) => ({ number, title, complete })),
  };
}

function mermaid(view: PlanView): string {
  const { graph } = view;
  const lines = ['graph LR'];
  const names = new Map(graph.order.map((i, position) => [i, `u${position + 1}`]));
  const name = (i: number): string => names.get(i) ?? '';
  for (const i of graph.order) {
    const unit = graph.units[i];
    if (unit !== undefined) lines.push(`  ${name(i)}["${mermaidText(unit.id)}<br/>${counted(unit.tasks.length, 'task')}"]`);
  }
  for (const [from, to] of edges(graph)) lines.push(`  ${name(from)} --> ${name(to)}`);
  const { lines: overlaps, left } = drawnOverlaps(view);
  for (const [a, b] of overlaps) lines.push(`  ${name(a)} -.- ${name(b)}`);
  if (left > 0) lines.push(`  %% ${counted(left, 'overlap')} more`);
  if (graph.critical.length > 0) lines.push('  classDef critical stroke-width:3px', `  class ${graph.critical.map(name).join(',')} critical`);
  return `${lines.join('\n')}\n`;
}

/** Mermaid has no backslash escapes; entities stand for what would end a label or be markup. */
function mermaidText(id: string): string {
  return cleanLine(id).replace(/[^\p{L}\p{N} ._/-]/gu, (char) => `#${char.codePointAt(0) ?? 0};`);
}

function dot(view: PlanView): string {
  const { graph } = view;
  const critical = new Set(graph.critical);
  const lines = ['digraph choo {', '  rankdir=LR;', '  node [shape=box];'];
  for (const i of graph.order) {
    const unit = graph.units[i];
    if (unit === undefined) continue;
    const style = critical.has(i) ? ', penwidth=3' : '';
    lines.push(`  ${dotText(unit.id)} [label=${dotText(`${unit.id} (${counted(unit.tasks.length, 'task')})`)}${style}];`);
  }
  for (const [from, to] of edges(graph)) lines.push(`  ${dotText(graph.units[from]?.id ?? '')} -> ${dotText(graph.units[to]?.id ?? '')};`);
  const { lines: overlaps, left } = drawnOverlaps(view);
  for (const [a, b] of overlaps) lines.push(`  ${dotText(graph.units[a]?.id ?? '')} -> ${dotText(graph.units[b]?.id ?? '')} [dir=none, style=dashed, constraint=false];`);
  if (left > 0) lines.push(`  // ${counted(left, 'overlap')} more`);
  lines.push('}');
  return `${lines.join('\n')}\n`;
}

function dotText(text: string): string {
  return `"${cleanLine(text).replace(/[\\"]/g, '\\$&')}"`;
}

function* edges(graph: Graph): Generator<readonly [from: number, to: number]> {
  for (const to of graph.order) {
    for (const from of graph.deps[to] ?? []) yield [from, to];
  }
}

function unitsAt(graph: Graph, indices: readonly number[]): Unit[] {
  return indices.map((i) => graph.units[i]).filter((unit) => unit !== undefined);
}

function criticalTasks(graph: Graph): number {
  return graph.chain[graph.critical[0] ?? -1] ?? 0;
}

function counted(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}
