// What the server of the dashboard and its page say to each other, as plain data. Types only; the page imports them too.

import type { RunView, UnitView } from '../core/view.ts';

export type { Outline, OutlineUnit, UnitBar, UnitOutline } from '../report/outline.ts';

/** What is known of a run besides its units. */
export interface Head extends Omit<RunView, 'units'> {
  /** Number of the run. */
  readonly run: number;
  /** Who has the repository: a choo of this machine, one elsewhere, nobody. */
  readonly at: 'live' | 'elsewhere' | 'rest';
  /** ISO 8601, of the first event and of the newest one. */
  readonly startedAt?: string;
  readonly changedAt?: string;
  /** How long it may still take, as it was expected at that moment (ISO 8601); absent: not live, or nothing is known yet. */
  readonly left?: { readonly ms: number; readonly at: string };
  /** Why the journal cannot be read further. */
  readonly trouble?: string;
  /** Number of the newest run of the repository. */
  readonly newest: number;
}

/** The whole run up to the event `seq`. */
export interface Snapshot {
  readonly run: number;
  readonly seq: number;
  readonly head: Head;
  readonly units: readonly UnitView[];
}

/** What changed up to the event `seq`: the head, and each unit that is another now. */
export interface Frame extends Snapshot {}

/** One line of the list of runs. */
export interface RunLine {
  readonly run: number;
  readonly created?: string;
}

/** One attempt of an agent as the journal tells it. */
export interface AttemptLine {
  /** Number of the event that began it; names its log. */
  readonly seq: number;
  /** `task 2`, `rework`, `review`. */
  readonly what: string;
  readonly task?: number;
  readonly attempt: number;
  readonly agent: string;
  readonly model?: string;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly state: 'running' | 'checking' | 'passed' | 'failed';
  /** Why it failed, one sentence. */
  readonly text?: string;
  readonly usd?: number;
  readonly tokens?: number;
  /** Number of the event that began its check; names the check's output. */
  readonly check?: number;
}

/** A unit's page beyond its view. */
export interface UnitDetail {
  readonly unit: string;
  readonly attempts: readonly AttemptLine[];
  /** The unit's events in order, the newest ones. */
  readonly history: readonly { readonly seq: number; readonly time: string; readonly type: string }[];
  /** There is something to compare. */
  readonly diff: boolean;
}

/** The answer to an action. */
export interface Answer {
  readonly ok?: string;
  readonly error?: string;
}
