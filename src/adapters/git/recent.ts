// What the newest commits changed, by one git process. Changes nothing.

import { checkId, isZero, pathText, splitNul } from './names.ts';
import type { Repository } from './repository.ts';

/** Longer than this nobody waits for a prediction, ms. */
const LIMIT_MS = 30_000;

/** Paths of the newest commits reachable from `commit`, newest first, at most `most` of them; merges are left out, a rename is two paths. Throws GitError when git refuses or takes too long. */
export async function recentChanges(repo: Repository, o: { readonly commit: string; readonly most: number }): Promise<readonly (readonly string[])[]> {
  if (isZero(checkId(o.commit))) return [];
  const { stdout } = await repo.git.run({
    at: { cwd: repo.commonDir, gitDir: repo.commonDir },
    args: ['log', '-z', '--raw', '--no-abbrev', '--no-merges', '--no-renames', '--no-ext-diff', '--ignore-submodules=none', '--no-color', `--max-count=${o.most}`, '--format=tformat:%H', '--end-of-options', o.commit, '--'],
    limitMs: LIMIT_MS,
  });
  const commits: string[][] = [];
  let isPath = false;
  // Each change is two fields, the first with a colon and the second a path, whatever that looks like; all others are ids.
  for (const field of splitNul(stdout)) {
    if (isPath) {
      commits.at(-1)?.push(pathText(field));
      isPath = false;
    } else if (/^\n?:/.test(field.toString('latin1', 0, 2))) isPath = true;
    else if (field.length >= 40) commits.push([]);
  }
  return commits;
}
