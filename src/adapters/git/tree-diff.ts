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

/** More paths, trees to be read or levels of folders than this, and git is asked. */
const MOST_CHANGES = 20_000;
const MOST_READ = 200;
const DEEPEST = 200;

const NOTHING: Items = new Map();

/** The paths below two trees (by full id) that differ, in git's order; undefined when git has to be asked. */
export async function diffTrees(repo: Repository, o: { readonly from: string; readonly to: string }): Promise<readonly TreeChange[] | undefined> {
  const found: Found[] = [];
  let left = MOST_READ;
  let level: readonly Pair[] = o.from === o.to ? [] : [{ ...o, folder: '' }];
  for (let depth = 0; level.length > 0; depth++) {
    const unknown = level.flatMap(({ from, to }) => [from, to]).filter((id) => id !== undefined && repo.trees.get(id) === undefined);
    left -= unknown.length;
    if (depth > DEEPEST || left < 0) return undefined;
    // A level's trees are asked for together.
    const pairs = await Promise.all(level.map(async ({ from, to, folder }) => ({ from: await linesOf(repo, from), to: await linesOf(repo, to), folder })));
    const next: Pair[] = [];
    for (const { from, to, folder } of pairs) {
      if (from === undefined || to === undefined) return undefined;
      for (const pair of differing(from, to)) compare(pair, { folder, found, next });
    }
    if (found.length > MOST_CHANGES) return undefined;
    level = next;
  }
  // The order of whole names is the order in which git walks.
  return found.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(({ name, ...change }) => ({ path: pathOf(name), ...change }));
}

interface Found { readonly name: string; readonly was?: TreeItem; readonly is?: TreeItem }

interface Pair { readonly from: string | undefined; readonly to: string | undefined; /** With a slash at its end; the top is ''. */ readonly folder: string }

function linesOf(repo: Repository, tree: string | undefined): Promise<Items | undefined> {
  return tree === undefined ? Promise.resolve(NOTHING) : itemsOf(repo, tree);
}

/** A line that is not the same: a file is found, a folder is to be looked into. */
function compare([was, is]: readonly [TreeItem | undefined, TreeItem | undefined], o: { readonly folder: string; readonly found: Found[]; readonly next: Pair[] }): void {
  const name = `${o.folder}${(is ?? was)?.name ?? ''}`;
  const [old, now] = [fileOf(was), fileOf(is)];
  if (old !== undefined || now !== undefined) o.found.push({ name, ...(old === undefined ? {} : { was: old }), ...(now === undefined ? {} : { is: now }) });
  const [from, to] = [folderOf(was), folderOf(is)];
  if (from !== undefined || to !== undefined) o.next.push({ from, to, folder: `${name}/` });
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
