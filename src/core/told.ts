// The shape of what a person is told, and where by the routes. What is told is escalation.ts.

import type { Severity } from './failure.ts';

/** Something a person should know now. */
export interface Escalation {
  readonly severity: Severity;
  readonly run: number;
  /** The event it is about; with the run it names this one for ever. */
  readonly seq: number;
  readonly unit?: string;
  /** One sentence, on one line. */
  readonly title: string;
  /** Lines with what to look at and the command to try next; none has a line break. */
  readonly detail: readonly string[];
  /** How a session ended: also good news, and told in the terminal by its summary. */
  readonly end?: true;
  /** The number of the unit's pull request. */
  readonly pull?: number;
  /** What the comment on that pull request said last is over; told there only. */
  readonly over?: true;
}

/** The channel that is a comment on a unit's pull request. */
export const PULL_REQUEST = 'pull-request';

/** Where something is told, of the channels for its severity: on a pull request only what is about a unit that has one. */
export function placesOf(routes: Readonly<Record<Severity, readonly string[]>>, e: Escalation): readonly string[] {
  if (e.over === true) return [PULL_REQUEST];
  return routes[e.severity].filter((name) => name !== PULL_REQUEST || e.pull !== undefined);
}

/** What somebody elsewhere has not been told yet, and where. */
export interface Untold {
  readonly escalation: Escalation;
  readonly to: Set<string>;
}
