// Merges two commits whose changes touch no path in common, without a process: what git would make of them is then plain. Whatever is
// not plain (a path on both sides, anything deleted or renamed, odd names, submodules, histories that cross) is git's to judge.

import { commonCommit, treeIn } from './ancestry.ts';
import { objectWriter } from './loose.ts';
import type { ObjectWriter } from './loose.ts';
import type { Repository } from './repository.ts';
import { diffTrees } from './tree-diff.ts';
import { FOLDER, itemsOf, writeTree } from './tree-items.ts';
import type { TreeItem } from './tree-memory.ts';

/** Changed paths on the way from there. */
const PATHS = 10_000;

/** The part of a mode that tells files from links. */
const KIND = 0o170000;
const KINDS: ReadonlySet<number> = new Set([0o100644, 0o100755, 0o120000]);

/** A path as a commit has it now. */
interface Entry { readonly mode: number; readonly id: string }

/** The tree of `theirs` merged into `ours`, and the commit from which `theirs` is a straight line; undefined when git has to be asked. */
export async function quickMerge(repo: Repository, o: { readonly ours: string; readonly theirs: string }): Promise<{ readonly tree: string; readonly since: string } | undefined> {
  const write = await objectWriter(repo);
  if (write === undefined) return undefined;
  const base = await commonCommit(repo, o);
  if (base === undefined) return undefined;
  const [from, to, theirs] = await Promise.all([base, o.ours, o.theirs].map((commit) => treeIn(repo, commit)));
  if (from === undefined || to === undefined || theirs === undefined) return undefined;
  const { last } = repo.quick;
  const known = last?.from === from && last.to === to ? last.others : undefined;
  const [own, others] = await Promise.all([changes(repo, { from, to: theirs }), known ?? changes(repo, { from, to })]);
  if (own === undefined || others === undefined || !areApart(own, others)) return undefined;
  if (own.size === 0) return { tree: to, since: base };
  const merged = await apply(repo, { tree: to, changes: own, folder: '', write });
  if (merged === undefined) return undefined;
  // The next one is merged upon this, as a rule.
  repo.quick.last = { from, to: merged, others: new Map([...others, ...own]) };
  return { tree: merged, since: base };
}

/** What became of each path between two trees; undefined when there is more than files added and changed. */
async function changes(repo: Repository, o: { readonly from: string; readonly to: string }): Promise<ReadonlyMap<string, Entry> | undefined> {
  if (o.from === o.to) return new Map();
  const records = await diffTrees(repo, o);
  if (records === undefined || records.length > PATHS) return undefined;
  const found = new Map<string, Entry>();
  for (const { path, was, is } of records) {
    if (is === undefined || !KINDS.has(is.mode) || !isPlain(path)) return undefined;
    // A file that became a link, or the other way round, is more than a change of its content.
    if (was !== undefined && (was.mode & KIND) !== (is.mode & KIND)) return undefined;
    found.set(path, { mode: is.mode, id: is.id });
  }
  return found;
}

/** ASCII without control characters: a name whose bytes are its letters. */
function isPlain(name: string): boolean {
  return /^[\x20-\x7e]+$/.test(name);
}

/** No path on both sides, and none that is a file on one side and a folder on the other. */
function areApart(a: ReadonlyMap<string, Entry>, b: ReadonlyMap<string, Entry>): boolean {
  const folders = new Set<string>();
  for (const path of b.keys()) for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) folders.add(path.slice(0, at));
  for (const path of a.keys()) {
    if (b.has(path) || folders.has(path)) return false;
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) if (b.has(path.slice(0, at))) return false;
  }
  return true;
}

interface Part { readonly tree: string | undefined; readonly changes: ReadonlyMap<string, Entry>; readonly folder: string; readonly write: ObjectWriter }

/** Writes a tree with the changes below `folder` in it and gives its id; undefined when git would not have it. */
async function apply(repo: Repository, o: Part): Promise<string | undefined> {
  const was = o.tree === undefined ? new Map<string, TreeItem>() : await itemsOf(repo, o.tree);
  if (was === undefined) return undefined;
  const items = new Map(was);
  const below = new Map<string, Map<string, Entry>>();
  const prefix = o.folder === '' ? 0 : o.folder.length + 1;
  for (const [path, entry] of o.changes) {
    const slash = path.indexOf('/', prefix);
    const name = slash === -1 ? path.slice(prefix) : path.slice(prefix, slash);
    if (slash === -1) items.set(name, { name, ...entry });
    else below.set(name, (below.get(name) ?? new Map<string, Entry>()).set(path, entry));
  }
  for (const [name, inner] of below) {
    const folder = items.get(name);
    if (folder !== undefined && folder.mode !== FOLDER) return undefined;
    const id = await apply(repo, { ...o, tree: folder?.id, changes: inner, folder: prefix === 0 ? name : `${o.folder}/${name}` });
    if (id === undefined) return undefined;
    items.set(name, { name, mode: FOLDER, id });
  }
  return writeTree(repo, { items, write: o.write });
}
