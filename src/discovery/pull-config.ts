// The parts of `.choo.yaml` about pull requests (`github`, `forge`, `review`): their shape for people and editors, and what the code makes of them.

import * as z from 'zod';
import { DEFAULT_PULL } from '../core/pull-rules.ts';
import type { PullRules } from '../core/pull-rules.ts';
import { addressProblem } from './escalation-config.ts';
import { DURATION_PATTERN, parseDuration } from './quantity.ts';
import { key } from './schema-key.ts';

const text = z.string().min(1);
const duration = z.union([z.string().regex(new RegExp(DURATION_PATTERN)), z.literal(0)]).meta({ kind: 'duration' });

/** The keys under `github`. */
export const githubKeys = {
  owner: key(text, 'Owner of the repository; `auto`: as the remote says.', 'auto'),
  repo: key(text, 'Name of the repository; `auto`: as the remote says.', 'auto'),
  api_url: key(text, 'Address of the REST interface; default: by the remote\'s host, for GitHub Enterprise `https://HOST/api/v3`.'),
};

/** The keys under `forge`. */
export const forgeKeys = {
  title: key(text, 'Title of a unit\'s pull request; `{unit}` and `{title}` (the plan\'s heading) stand for what they say.', DEFAULT_PULL.title),
  body: key(z.string(), 'Its text, above the section that choo keeps up to date; `{plan}` is the plan\'s text.', DEFAULT_PULL.body),
  labels: key(z.array(text), 'Labels that each pull request gets.', []),
  reviewers: key(z.array(text), 'Who is asked for a review: logins, or `org/team`.', []),
  delete_branch: key(z.boolean(), 'Whether the branch on the forge is removed after the merge.', DEFAULT_PULL.deleteBranch),
};

/** The keys under `review`. */
export const pullReviewKeys = {
  timeout: key(duration, 'A pull request that waits longer for a review is told of, and waits on; `0` is never.', '24h'),
  poll_interval: key(duration, 'How often the forge is asked about one pull request; seldom-changing ones less often.', '30s'),
  max_rounds: key(z.int().min(0).max(100), 'How often what people and checks say about a pull request goes back to the agent before a person has to.', DEFAULT_PULL.rounds),
  stack: key(z.boolean(), 'Whether a unit may begin on top of the open pull request of the one that it depends on, instead of waiting until that has landed.', false),
  reactions: key(z.boolean(), 'Whether a thumbs-up on a pull request by somebody who may write is an approval, and eyes say that it is being looked at.', true),
};

const shape = z.strictObject({
  github: z.strictObject(githubKeys).optional(), forge: z.strictObject(forgeKeys).optional(), review: z.strictObject(pullReviewKeys).optional(),
});
type Written = z.infer<typeof shape>;

/** What the file says of pull requests and where they are. */
export interface PullConfig {
  readonly github: { readonly owner?: string; readonly repo?: string; readonly apiUrl?: string };
  readonly rules: Omit<PullRules, 'skipReview'>;
  readonly reactions: boolean;
}

/** Shortest time between two questions about one pull request, ms. */
const LEAST_POLL = 100;

/** Pull requests by the file; what it does not say is the default. */
export function toPull({ github, forge, review }: Written): PullConfig {
  const { skipReview: _, ...defaults } = DEFAULT_PULL;
  const time = (written: string | 0 | undefined, fallback: number): number => (written === undefined ? fallback : parseDuration(String(written)) ?? fallback);
  return {
    github: { ...named('owner', github?.owner), ...named('repo', github?.repo), ...named('apiUrl', github?.api_url) },
    rules: {
      ...defaults, title: forge?.title ?? defaults.title, body: forge?.body ?? defaults.body, labels: forge?.labels ?? [], reviewers: forge?.reviewers ?? [],
      deleteBranch: forge?.delete_branch ?? defaults.deleteBranch, rounds: review?.max_rounds ?? defaults.rounds, stack: review?.stack ?? defaults.stack,
      timeout: time(review?.timeout, defaults.timeout), poll: time(review?.poll_interval, defaults.poll),
    },
    reactions: review?.reactions ?? true,
  };
}

function named<K extends string>(name: K, value: string | undefined): { readonly [N in K]?: string } {
  return (value === undefined || value === 'auto' ? {} : { [name]: value }) as { readonly [N in K]?: string };
}

/** What a schema cannot say. */
export function pullMeanings({ github, forge, review }: Written): readonly { readonly path: readonly PropertyKey[]; readonly message: string; readonly hint?: string }[] {
  const found: { path: readonly PropertyKey[]; message: string; hint?: string }[] = [];
  const problem = github?.api_url === undefined ? undefined : addressProblem(github.api_url);
  if (problem !== undefined) found.push({ path: ['github', 'api_url'], message: `\`github.api_url\` ${problem}` });
  for (const name of ['owner', 'repo'] as const) {
    const written = github?.[name];
    if (written !== undefined && !/^[\w.-]+$/.test(written)) found.push({ path: ['github', name], message: `\`github.${name}\` is no name that GitHub has`, hint: 'give the name alone, not an address' });
  }
  for (const [i, name] of (forge?.reviewers ?? []).entries()) {
    if (!/^[\w.-]+(?:\/[\w.-]+)?$/.test(name)) found.push({ path: ['forge', 'reviewers', i], message: 'a reviewer is a login, or `org/team`' });
  }
  const timeout = review?.timeout;
  if (timeout !== undefined && parseDuration(String(timeout)) === undefined) found.push({ path: ['review', 'timeout'], message: '`review.timeout` is too long' });
  const poll = review?.poll_interval;
  const ms = poll === undefined ? undefined : parseDuration(String(poll));
  if (poll !== undefined && (ms === undefined || ms < LEAST_POLL)) found.push({ path: ['review', 'poll_interval'], message: `\`review.poll_interval\` must be between ${LEAST_POLL}ms and 20 days` });
  return found;
}
