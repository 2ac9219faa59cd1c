// What a pull request is at one moment, as a forge tells it: the shape that forges fill, the journal holds and decisions read.

/** Something said about a pull request that a unit's agent has to act on. All texts are foreign. */
export interface Feedback {
  /** Unique within the pull request; another one when something is added to it. */
  readonly id: string;
  /** `thread`: a conversation about lines; `review`: the text of a review; `comment`: below the pull request; `check`: a check that failed. */
  readonly kind: 'thread' | 'review' | 'comment' | 'check';
  /** Login of who said it, or the check's name. */
  readonly who: string;
  /** Repository path and line, where it is about one. */
  readonly path?: string;
  readonly line?: number;
  /** What was said, or the last lines of the check's log; no secrets, at most `BOUNDS.feedback` characters. */
  readonly text: string;
  readonly url?: string;
}

/** Something said by somebody who may not steer an agent. */
export interface Ignored {
  readonly id: string;
  readonly who: string;
  readonly what: 'thread' | 'review' | 'comment' | 'reaction';
  readonly url?: string;
}

/** A check of the forge that failed on the pull request's head. */
export interface FailedCheck { readonly name: string; readonly url?: string }

/** A pull request at one moment. Lists are sorted, so that two readings of the same state are equal. */
export interface PullFacts {
  readonly number: number;
  readonly url: string;
  readonly state: 'open' | 'closed' | 'merged';
  readonly draft: boolean;
  /** The commit that its branch is at, as the forge knows. */
  readonly head: string;
  /** Name of the branch that it is to be merged into. */
  readonly base: string;
  /** The commit by which it was merged. */
  readonly merge?: string;
  /** It waits in the forge's own merge queue. */
  readonly queued: boolean;
  /** The forge cannot merge it: it conflicts with its base. */
  readonly conflict: boolean;
  /** What the forge says of the reviews that it demands itself; `none`: it demands none. */
  readonly decision: 'approved' | 'changes-requested' | 'required' | 'none';
  /** Logins of those who may and whose last word is yes, or no. */
  readonly approvedBy: readonly string[];
  readonly refusedBy: readonly string[];
  /** Logins of those who are looking at it. */
  readonly looking: readonly string[];
  readonly checks: 'none' | 'pending' | 'passed' | 'failed';
  readonly failed: readonly FailedCheck[];
  /** Said by those who may steer an agent and not answered by choo, oldest first. */
  readonly feedback: readonly Feedback[];
  readonly ignored: readonly Ignored[];
}

/** True when two readings say the same. */
export function sameFacts(a: PullFacts, b: PullFacts): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
