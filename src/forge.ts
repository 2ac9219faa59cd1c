// What the engine may ask of a forge: interfaces only. The real one is in `adapters/github/`, a simulated one in tests.
// Every method may be called again after a crash at any moment, and does nothing then that was done before.

import type { PullFacts } from './core/pull-facts.ts';

/** Why a forge cannot do what it is asked: nobody reaches it; it refuses the login or its rights; it wants to be left alone; it says no to this. */
export type ForgeReason = 'unreachable' | 'login' | 'rate' | 'refused';

/** A forge that did not do what it was asked. A failure of the work, not a defect; no secret is in its words. */
export class ForgeError extends Error {
  override name = 'ForgeError';
  readonly reason: ForgeReason;
  /** When it may be asked again, ms since 1970, where it says so. */
  readonly until?: number;
  constructor(reason: ForgeReason, message: string, until?: number) {
    super(message);
    this.reason = reason;
    if (until !== undefined) this.until = until;
  }
}

/** A pull request that is to be. Branches by name, without `refs/heads/`. */
export interface PullDraft {
  readonly branch: string;
  readonly base: string;
  readonly title: string;
  readonly body: string;
  readonly draft: boolean;
  readonly labels: readonly string[];
  /** Logins, or `org/team`. */
  readonly reviewers: readonly string[];
}

/** How a pull request is merged. */
export type PullMethod = 'merge' | 'squash' | 'rebase';

/** What came of a merge. `refused`: it stays open, for a reason that is the forge's. */
export type PullMerge =
  | { readonly kind: 'merged'; /** The commit on the base branch. */ readonly commit: string }
  | { readonly kind: 'queued' }
  | { readonly kind: 'refused'; readonly reason: 'head-moved' | 'not-mergeable'; readonly detail: string };

/** How the base branch is guarded by the forge. */
export interface BranchRules {
  /** Pull requests to it go through the forge's merge queue. */
  readonly queue: boolean;
  /** The forge itself demands that a pull request contains the base's tip. */
  readonly strict: boolean;
}

/** One repository on a forge. All methods throw ForgeError, and end early (throwing what the signal holds) when `signal` aborts. */
export interface Forge {
  /** For people, like `acme/shop on github.com`. */
  readonly name: string;
  /** The address of a pull request, for people. */
  url(number: number): string;
  /** What is known of the guards of a branch. */
  rules(branch: string, signal?: AbortSignal): Promise<BranchRules>;
  /** The number of the newest pull request of a branch, in whatever state; undefined: there is none. */
  find(branch: string, signal?: AbortSignal): Promise<number | undefined>;
  /** Makes one, with labels and reviewers; those that the forge does not know are left out and given back. */
  open(draft: PullDraft, signal?: AbortSignal): Promise<{ readonly number: number; readonly left: readonly string[] }>;
  /** The text of a pull request as it is now, people's changes in it. */
  body(number: number, signal?: AbortSignal): Promise<string>;
  /** Changes what is given and differs. `ready`: it is no draft any more. */
  edit(number: number, o: { readonly body?: string; readonly base?: string; readonly ready?: true }, signal?: AbortSignal): Promise<void>;
  /** The pull request now. */
  read(number: number, signal?: AbortSignal): Promise<PullFacts>;
  /** Waits until the pull request differs from `known`, asking as seldom as it may. */
  follow(known: PullFacts, signal: AbortSignal): Promise<PullFacts>;
  /** Writes the one comment that bears `marker` (a word), or changes its text in place. */
  comment(number: number, o: { readonly marker: string; readonly body: string }, signal?: AbortSignal): Promise<void>;
  /** Answers feedback (by its id) where it was given, once; a thread is resolved with it. What cannot be answered in its place is passed over. */
  answer(number: number, o: { readonly id: string; readonly body: string }, signal?: AbortSignal): Promise<void>;
  /** Merges it as it is at `head`, or puts it into the merge queue of its base. */
  merge(number: number, o: { readonly head: string; readonly method: PullMethod; readonly title: string; readonly message: string }, signal?: AbortSignal): Promise<PullMerge>;
}
