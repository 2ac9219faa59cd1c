// What differs between two trees, as `git diff-tree -r --no-renames` tells it, from the trees themselves. Changes nothing.

import { pathText } from './names.ts';
import { FOLDER, itemsOf } from './tree-items.ts';
import type { Items, TreeItem } from './tree-memory.ts';
import type { Repository } from './repository.ts';

/** A path that differs. A rename is two of them. */
export interface TreeChange {
  readonly path: string;
  /** Absent: added. */
  readonly was?: TreeItem;
  /** Absent: deleted. */
  readonly is?: TreeItem;
}

/** More than this and git is asked. */
const MOST_CHANGES = 20_000;
const DEEPEST = 200;

const NOTHING: Items = new Map();

/** The paths below two trees (by full id) that differ, in git's order; undefined when git has to be asked. */
export async function diffTrees(repo: Repository, o: { readonly from: string; readonly to: string }): Promise<readonly TreeChange[] | undefined> {
  const found: Found[] = [];
  const whole = await compare(repo, { ...o, folder: '', depth: 0 }, found);
  if (!whole) return undefined;
  // A folder's line stands where its files do: the order of whole names is the order git walks in.
  return found.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(({ name, ...change }) => ({ path: pathOf(name), ...change }));
}

interface Found { readonly name: string; readonly was?: TreeItem; readonly is?: TreeItem }

interface Pair { readonly from: string | undefined; readonly to: string | undefined; /** With a slash at its end; the top is ''. */ readonly folder: string; readonly depth: number }

/** Collects what differs; false when that is too much or a tree cannot be read. */
async function compare(repo: Repository, o: Pair, found: Found[]): Promise<boolean> {
  if (o.from === o.to) return true;
  if (o.depth > DEEPEST) return false;
  const from = o.from === undefined ? NOTHING : repo.trees.get(o.from) ?? await itemsOf(repo, o.from);
  const to = o.to === undefined ? NOTHING : repo.trees.get(o.to) ?? await itemsOf(repo, o.to);
  if (from === undefined || to === undefined) return false;
  for (const [was, is] of differing(from, to)) {
    const name = `${o.folder}${(is ?? was)?.name ?? ''}`;
    const [old, now] = [fileOf(was), fileOf(is)];
    if (old !== undefined || now !== undefined) found.push({ name, ...(old === undefined ? {} : { was: old }), ...(now === undefined ? {} : { is: now }) });
    if (found.length > MOST_CHANGES) return false;
    const below = { from: folderOf(was), to: folderOf(is), folder: `${name}/`, depth: o.depth + 1 };
    if ((below.from !== undefined || below.to !== undefined) && !(await compare(repo, below, found))) return false;
  }
  return true;
}

/** The lines that are not the same in both. */
function differing(from: Items, to: Items): (readonly [TreeItem | undefined, TreeItem | undefined])[] {
  const pairs: (readonly [TreeItem | undefined, TreeItem | undefined])[] = [];
  for (const [name, is] of to) {
    const was = from.get(name);
    if (was !== is && (was?.id !== is.id || was.mode !== is.mode)) pairs.push([was, is]);
  }
  for (const [name, was] of from) if (!to.has(name)) pairs.push([was, undefined]);
  return pairs;
}

function folderOf(item: TreeItem | undefined): string | undefined {
  return item?.mode === FOLDER ? item.id : undefined;
}

function fileOf(item: TreeItem | undefined): TreeItem | undefined {
  return item?.mode === FOLDER ? undefined : item;
}

function pathOf(name: string): string {
  return /^[\x20-\x7e]*$/.test(name) ? name : pathText(Buffer.from(name, 'latin1'));
}
