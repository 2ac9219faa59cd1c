// What the checks of a pull request's head come to. Pure; what a failed one printed is job-log.ts.

import { plain } from './text.ts';
import type { RawCheck, RawCheckRun } from './queries.ts';

const GOOD: ReadonlySet<string> = new Set(['SUCCESS', 'NEUTRAL', 'SKIPPED']);

/** The name that people know a check by. */
export function checkName(check: RawCheck): string {
  return plain(check.__typename === 'CheckRun' ? check.name : check.context).replaceAll('\n', ' ');
}

/** Where a person can look at it. */
export function checkUrl(check: RawCheck): string | null {
  return check.__typename === 'CheckRun' ? check.detailsUrl : check.targetUrl;
}

/** True for a check that has ended in another way than well. */
export function hasFailed(check: RawCheck): boolean {
  if (check.__typename === 'StatusContext') return check.state === 'FAILURE' || check.state === 'ERROR';
  return check.status === 'COMPLETED' && !GOOD.has(check.conclusion ?? '');
}

/** What all checks come to; `rollup` is GitHub's own word for it, which knows of checks that must come and have not yet. */
export function verdict(checks: readonly RawCheck[], rollup: string | undefined): 'none' | 'pending' | 'passed' | 'failed' {
  if (checks.some(hasFailed) || rollup === 'FAILURE' || rollup === 'ERROR') return 'failed';
  if (checks.some(isPending) || rollup === 'PENDING' || rollup === 'EXPECTED') return 'pending';
  return rollup === undefined ? 'none' : 'passed';
}

/** The number of the job of GitHub Actions that a check stands for, if it is one. */
export function jobOf(check: RawCheckRun): number | undefined {
  const [, id] = /\/actions\/runs\/\d+\/job\/(\d+)/.exec(check.detailsUrl ?? '') ?? [];
  if (check.checkSuite?.app?.slug !== 'github-actions') return undefined;
  return id === undefined ? check.databaseId ?? undefined : Number(id);
}

function isPending(check: RawCheck): boolean {
  return check.__typename === 'StatusContext' ? check.state === 'PENDING' || check.state === 'EXPECTED' : check.status !== 'COMPLETED';
}
