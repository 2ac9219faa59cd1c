// Reads journals without the code under test: what they say happened, folded by a few lines of its own.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BEGINS } from '../../src/core/event.ts';

/** An event as a line says it. */
export interface Line {
  readonly seq: number;
  readonly type: string;
  readonly unit?: string;
  readonly task?: number;
  readonly commit?: string;
  readonly batch?: number;
  /** Of `batch.candidate`: the landings in it, from the first to the top. */
  readonly merges?: readonly { readonly commit: string }[];
}

const BEGIN: ReadonlySet<string> = new Set(BEGINS);
/** Events about a unit that neither begin nor answer a step. */
const ASIDE = new Set(['unit.queued', 'unit.failed', 'unit.blocked', 'unit.unblocked', 'unit.retried', 'unit.merged', 'batch.dropped', 'task.failed', 'task.completed']);
/** Events about the run that begin or answer one of its steps. */
const RUN_STEP = /^(trial\.|run\.(recover|advanc|not-advanced|joined))/;

/** Events of every run of the repository, in order; a line that was never finished is left out. */
export function journals(root: string): readonly (readonly Line[])[] {
  const runs = join(root, '.git', 'choo', 'runs');
  if (!existsSync(runs)) return [];
  return readdirSync(runs).map(Number).toSorted((a, b) => a - b).map((run) => {
    const path = join(runs, String(run), 'journal.jsonl');
    if (!existsSync(path)) return [];
    return readFileSync(path, 'utf8').split('\n').slice(1, -1).map((line) => JSON.parse(line) as Line);
  });
}

/** Steps that were begun and not answered when the journal ended: their names, sorted. */
export function stepsInFlight(lines: readonly Line[]): readonly string[] {
  const open = new Map<string, string>();
  for (const line of lines) {
    if (line.type === 'orch.resumed') open.clear();
    if (line.unit === undefined && line.batch === undefined ? !RUN_STEP.test(line.type) : ASIDE.has(line.type)) continue;
    const of = line.unit ?? (line.batch === undefined ? '' : `batch ${line.batch}`);
    if (BEGIN.has(line.type)) open.set(of, line.type);
    else open.delete(of);
  }
  return [...open.values()].toSorted();
}

/** Commits that passed their whole proof. */
export function proved(lines: readonly Line[]): ReadonlySet<string> {
  return new Set(lines.flatMap((line) => (line.commit !== undefined && (line.type === 'batch.proved' || line.type === 'run.joined') ? [line.commit] : [])));
}

/** Commits that land a unit and were proved as part of their batch, whose top was checked: never a value of the target by themselves. */
export function provedTogether(lines: readonly Line[]): ReadonlySet<string> {
  const tops = proved(lines);
  return new Set(lines.flatMap(({ merges = [] }) => {
    const ids = merges.map(({ commit }) => commit);
    return ids.slice(0, ids.findLastIndex((id) => tops.has(id)) + 1);
  }));
}

/** `unit landed` or `unit not landed` and `unit/task done` or not, as the journal's last words about each. */
export function standing(lines: readonly Line[], plan: readonly { readonly id: string; readonly tasks: number }[]): readonly string[] {
  const landed = new Set(lines.filter((line) => line.type === 'unit.merged').map((line) => line.unit));
  const done = new Set(lines.filter((line) => line.type === 'task.committed').map((line) => `${line.unit}/${line.task}`));
  return plan.flatMap(({ id, tasks }) => [
    `${id} ${landed.has(id) ? 'landed' : 'not landed'}`,
    ...Array.from({ length: tasks }, (_, i) => `${id}/${i + 1} ${done.has(`${id}/${i + 1}`) ? 'done' : 'not done'}`),
  ]).toSorted();
}
