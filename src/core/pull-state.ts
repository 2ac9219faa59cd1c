// What State remembers of a unit's pull request, and of the forge as a whole.

import type { Note } from './event.ts';
import type { ForgeTrouble } from './failure.ts';
import type { Feedback, PullFacts } from './pull-facts.ts';

/** Steps about a pull request: push and write it; take in what people pushed; prove its head; wait for people and checks; merge it. */
export type PullDo = 'publish' | 'take' | 'prove' | 'follow' | 'merge';

/** What is remembered of a unit's pull request. */
export interface PullState {
  number?: number;
  url?: string;
  /** The commit that its branch was pushed to last, and when, ms since 1970. */
  pushed?: string;
  pushedAt?: number;
  /** Name of the branch that it is to be merged into, as choo wrote it last, and all that choo ever wrote. */
  base?: string;
  readonly wrote: Set<string>;
  /** It was opened for review: whoever makes it a draft afterwards means it. */
  ready: boolean;
  /** The head of which its text says that it is proved. */
  shown?: string;
  /** The head on which the proof passed last, the value of the remote target that it contains, and what the proof found worth reading. */
  proved?: { readonly commit: string; readonly onto: string; readonly notes: readonly Note[] };
  /** The head that was proved once more because the forge tells of a conflict; gone when it does not. */
  conflicted?: string;
  /** As it was seen last. */
  facts?: PullFacts;
  /** Rounds of feedback since a person had it tried again. */
  rounds: number;
  /** How often the same was said. */
  readonly findings: Map<string, number>;
  /** Feedback that its agent works on, to be answered with the next push. */
  answering: readonly Feedback[];
  /** Ids of what was answered. */
  readonly handled: Set<string>;
  /** Why the forge did not merge it as it is now, and how often it said so. */
  refused?: { readonly text: string; readonly times: number };
  /** When it was last put into the merge queue, ms since 1970, and how often it came out of that again as it is now. */
  queuedAt?: number;
  thrown?: number;
  /** It was told that it waits for people, since it was pushed last; and that they are late. */
  told: boolean;
  late: boolean;
  /** The event that choo's comment on it tells of as a trouble; and the one by which that was over. */
  trouble?: number;
  over?: number;
}

/** A forge that met trouble. */
export interface ForgeHold {
  /** Nothing is asked of it. */
  readonly active: boolean;
  readonly reason: ForgeTrouble;
  readonly text: string;
  /** ms since 1970 of the next try; undefined: only a person can tell. */
  readonly until?: number;
  /** Troubles in a row. */
  readonly tries: number;
}
