// The commits at which a shallow clone ends: git passes over the parents that they name (gitrepository-layout(5), `shallow`). Changes nothing.

import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { smallFile } from '../small-file.ts';
import type { CutMemory } from './memory.ts';
import { YOUNG_MS } from './young.ts';

/** True for a commit whose parents are not for choo to tell. */
export type CutCommits = (commit: string) => boolean;

/** A longer list is left to git, bytes. */
const LARGEST = 4 * 1024 * 1024;

const NONE: CutCommits = () => false;
const ALL: CutCommits = () => true;

/** As it is now: `git fetch` makes it deeper and shallower. All commits when the list cannot be read. */
export function cutCommits({ commonDir, cuts }: { readonly commonDir: string; readonly cuts: CutMemory }): CutCommits {
  const path = join(commonDir, 'shallow');
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return NONE;
  const stamp = `${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}`;
  const ids = cuts.list?.stamp === stamp ? cuts.list.ids : idsIn(path);
  if (ids === undefined) return ALL;
  // A link has not the times of what it leads to.
  cuts.list = stat.isFile() && Date.now() - stat.ctimeMs > YOUNG_MS ? { stamp, ids } : undefined;
  return (commit) => ids.has(commit);
}

function idsIn(path: string): ReadonlySet<string> | undefined {
  const file = smallFile(path, { most: LARGEST });
  if (file === 'odd') return undefined;
  return new Set(file === 'missing' ? [] : file.content.toString('latin1').split('\n').map((line) => line.trim()));
}
