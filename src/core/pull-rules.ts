// How units land as pull requests: where, and by which rules. Plain data of the journal.

/** The branch of a forge's repository that pull requests are merged into. */
export interface ForgeTarget {
  /** For people, like `acme/shop on github.com`. */
  readonly repository: string;
  /** The git remote, by its name. */
  readonly remote: string;
  /** Full ref there, `refs/heads/…`. */
  readonly ref: string;
  /** Makes branch names of this run unlike those of any other clone's runs. */
  readonly mark: string;
}

/** How pull requests are made, followed and merged; read again by every session. */
export interface PullRules {
  /** Templates; `{unit}`, `{title}`, `{plan}` stand for what they say. */
  readonly title: string;
  readonly body: string;
  readonly labels: readonly string[];
  /** Logins, or `org/team`. */
  readonly reviewers: readonly string[];
  /** True: merged when the forge's checks pass, without anybody's approval. */
  readonly skipReview: boolean;
  /** A unit that waits longer for a review is told of, ms; 0: never. */
  readonly timeout: number;
  /** How often the forge is asked about one pull request, ms. */
  readonly poll: number;
  /** How often feedback goes back to the agent. */
  readonly rounds: number;
  /** Whether a unit may begin on top of the open pull request of one that it depends on. */
  readonly stack: boolean;
  /** Whether the forge's branch is removed after the merge. */
  readonly deleteBranch: boolean;
}

/** What holds where nothing is said. */
export const DEFAULT_PULL: PullRules = {
  title: '{title}', body: '{plan}', labels: [], reviewers: [], skipReview: false, timeout: 24 * 3_600_000, poll: 30_000, rounds: 5, stack: false, deleteBranch: true,
};

/** A unit's branch on the forge, by name: no other clone's run has one of that name. */
export function pullBranchName(o: { readonly prefix: string; readonly unit: string; readonly run: number; readonly mark: string }): string {
  return `${o.prefix}unit/${o.unit}/${o.run}-${o.mark}`;
}

/** The ref in which choo keeps where the remote target was seen last; units of a run with a forge begin from it. */
export function mirrorRef(run: number): string {
  return `refs/choo/target/${run}`;
}
