// Which events begin and answer a step, and what each step is called. One lane holds one step at a time: a unit, a batch,
// the run itself, its pushes, its saves.

import { isBegun } from '../core/event.ts';
import type { Begun, Event, EventType } from '../core/event.ts';
import type { SpanKind } from './span.ts';

/** How the step that an event begins is shown. */
export interface Step {
  readonly kind: Extract<SpanKind, 'agent' | 'check' | 'step'>;
  readonly name: string;
}

const AGENT: Step = { kind: 'agent', name: 'invoke_agent' };

/** Every step there is, by the event that begins it. */
export const STEPS: { readonly [T in Begun['type']]: Step } = {
  'run.recovering': { kind: 'step', name: 'recover' },
  'trial.started': { kind: 'check', name: 'trial' },
  'run.advancing': { kind: 'step', name: 'advance target' },
  'run.pushing': { kind: 'step', name: 'push' },
  'run.catching-up': { kind: 'step', name: 'catch up' },
  'run.saving': { kind: 'step', name: 'save' },
  'unit.started': { kind: 'step', name: 'prepare worktree' },
  'task.started': AGENT,
  'task.retry': AGENT,
  'task.backpressure': { kind: 'check', name: 'check task' },
  'task.committing': { kind: 'step', name: 'commit' },
  'rework.started': AGENT,
  'review.started': AGENT,
  'unit.verifying': { kind: 'check', name: 'check unit' },
  'unit.refreshing': { kind: 'step', name: 'merge target' },
  'unit.committing': { kind: 'step', name: 'commit' },
  'unit.finishing': { kind: 'step', name: 'remove worktree' },
  'batch.merging': { kind: 'step', name: 'merge batch' },
  'batch.proving': { kind: 'check', name: 'prove batch' },
  'batch.landing': { kind: 'step', name: 'move target' },
  'pr.publishing': { kind: 'step', name: 'publish pull request' },
  'pr.proving': { kind: 'check', name: 'prove pull request' },
  'pr.following': { kind: 'step', name: 'follow pull request' },
  'pr.taking': { kind: 'step', name: 'take pushed commits' },
  'pr.merging': { kind: 'step', name: 'merge pull request' },
};

/** Events of a unit or a batch that say something without answering the step in flight. */
const TOLD: ReadonlySet<EventType> = new Set<EventType>([
  'unit.queued', 'unit.blocked', 'unit.unblocked', 'unit.failed', 'unit.retried', 'unit.discarded', 'unit.waiting', 'unit.approved', 'unit.merged',
  'pr.late', 'pr.waking', 'task.failed', 'task.completed', 'batch.dropped',
]);

const OF_RUN: ReadonlySet<EventType> = new Set<EventType>(['run.recovering', 'run.recovered', 'run.recover.failed', 'trial.started', 'trial.ok', 'trial.failed', 'run.advancing', 'run.joined', 'run.advanced', 'run.not-advanced']);
const OF_PUSH: ReadonlySet<EventType> = new Set<EventType>(['run.pushing', 'run.pushed', 'run.push.behind', 'run.push.refused', 'run.catching-up', 'run.remote-joined', 'run.caught-up']);
const OF_SAVE: ReadonlySet<EventType> = new Set<EventType>(['run.saving', 'run.saved', 'run.save.refused']);

/** Where the step that an event begins or answers runs; undefined: the event does neither. */
export function laneOf(e: Event): string | undefined {
  if (TOLD.has(e.type)) return undefined;
  if ('unit' in e) return `unit:${e.unit}`;
  if ('batch' in e) return `batch:${e.batch}`;
  return OF_RUN.has(e.type) ? 'run' : OF_PUSH.has(e.type) ? 'push' : OF_SAVE.has(e.type) ? 'save' : undefined;
}

/** True when the event answers the step in flight of its lane. */
export function isAnswer(e: Event): boolean {
  return !isBegun(e) && laneOf(e) !== undefined;
}
