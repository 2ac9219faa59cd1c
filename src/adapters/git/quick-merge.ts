// Merges two commits whose changes touch no path in common, without a process: what git would make of them is then plain. Whatever is
// not plain (a path on both sides, anything deleted or renamed, odd names, submodules, histories that cross) is git's to judge.

import { GitError } from '../../world.ts';
import { askDiff, rememberCommit, treeIn } from './history.ts';
import { pathText, splitNul } from './names.ts';
import { makeTrees, treeId } from './new-objects.ts';
import type { TreeItem } from './new-objects.ts';
import type { Repository } from './repository.ts';

/** Commits on the way back to the common one that are looked at: of the side merged in, of the side it is merged into, and beside that one. */
const LINE = 256;
const CHAIN = 4096;
const BESIDE = 4096;
/** Commits before the common one that are known to be before it. */
const BEFORE = 256;
/** Changed paths on the way from there. */
const PATHS = 10_000;

const FOLDER = 0o40000;
const KINDS: ReadonlySet<string> = new Set(['100644', '100755', '120000']);

/** A path as a commit has it now. */
interface Entry { readonly mode: number; readonly id: string }

/** The tree of `theirs` merged into `ours`, and the commit from which `theirs` is a straight line; undefined when git has to be asked. */
export async function quickMerge(repo: Repository, o: { readonly ours: string; readonly theirs: string }): Promise<{ readonly tree: string; readonly since: string } | undefined> {
  const base = await commonCommit(repo, o);
  if (base === undefined) return undefined;
  const [from, to, theirs] = await Promise.all([base, o.ours, o.theirs].map((commit) => treeIn(repo, commit)));
  if (from === undefined || to === undefined || theirs === undefined) return undefined;
  const { last } = repo.quick;
  const known = last?.from === from && last.to === to ? last.others : undefined;
  const [own, others] = await Promise.all([changes(repo, { from, to: theirs }), known ?? changes(repo, { from, to })]);
  if (own === undefined || others === undefined || !areApart(own, others)) return undefined;
  if (own.size === 0) return { tree: to, since: base };
  const making: Making = { idBytes: from.length / 2, made: new Map() };
  const merged = await apply(repo, { tree: to, changes: own, folder: '' }, making);
  if (merged === undefined || !(await write(repo, making))) return undefined;
  // The next one is merged upon this, as a rule.
  repo.quick.trees = making.made;
  repo.quick.last = { from, to: merged, others: new Map([...others, ...own]) };
  return { tree: merged, since: base };
}

/** Trees to be written by their ids, each after those that it names, with their items by name. */
interface Making { readonly idBytes: number; readonly made: Map<string, ReadonlyMap<string, TreeItem>> }

/** Writes all of them in one go; false when git has another opinion of one. */
async function write(repo: Repository, { made }: Making): Promise<boolean> {
  const ids = await makeTrees(repo, [...made.values()].map((items) => [...items.values()]), { known: true });
  return ids !== undefined && [...made.keys()].every((id, i) => id === ids[i]);
}

/** The one best common ancestor, when `theirs` is a straight line from it and `ours` reaches it by first parents; undefined where that is not so plain. */
async function commonCommit(repo: Repository, o: { readonly ours: string; readonly theirs: string }): Promise<string | undefined> {
  const line: string[] = [];
  for (let at = o.theirs; line.length < LINE;) {
    line.push(at);
    const parents = repo.parents.get(at) ?? await parentsOf(repo, at);
    if (parents?.length !== 1 || parents[0] === undefined) break;
    at = parents[0];
  }
  const rank = new Map(line.map((commit, i) => [commit, i]));
  let base: string | undefined;
  const chain: string[] = [];
  for (let at: string | undefined = o.ours; at !== undefined && chain.length < CHAIN;) {
    chain.push(at);
    if (rank.has(at)) { base = at; break; }
    at = (repo.parents.get(at) ?? await parentsOf(repo, at))?.[0];
  }
  // Everything before the common commit is a straight line only as far as it was walked.
  if (base === undefined || (await parentsBefore(repo, line, rank.get(base) ?? 0))) return undefined;
  return (await isCrossed(repo, { chain, base, rank })) ? undefined : base;
}

/** True when a commit of the line above the common one has not exactly one parent. */
async function parentsBefore(repo: Repository, line: readonly string[], end: number): Promise<boolean> {
  for (const commit of line.slice(0, end)) if ((await parentsOf(repo, commit))?.length !== 1) return true;
  return false;
}

/** True when a commit of the line above the common one was merged into `ours` before, or when there is too much to look through. */
async function isCrossed(repo: Repository, o: { readonly chain: readonly string[]; readonly base: string; readonly rank: ReadonlyMap<string, number> }): Promise<boolean> {
  const end = o.rank.get(o.base) ?? 0;
  const seen = new Set(o.chain);
  let before: string | undefined = o.base;
  for (let n = 0; n < BEFORE && before !== undefined; n++) {
    before = (repo.parents.get(before) ?? await parentsOf(repo, before))?.[0];
    if (before !== undefined) seen.add(before);
  }
  const most = seen.size + BESIDE;
  const queue: string[] = [];
  for (const commit of o.chain.slice(0, -1)) queue.push(...(repo.parents.get(commit) ?? await parentsOf(repo, commit) ?? []).slice(1));
  for (let commit = queue.pop(); commit !== undefined; commit = queue.pop()) {
    if (seen.has(commit)) continue;
    const at = o.rank.get(commit);
    if (at !== undefined && at < end) return true;
    // At or below the common commit there is nothing of the line above it.
    if (at !== undefined) continue;
    if (seen.add(commit).size > most) return true;
    const parents = repo.parents.get(commit) ?? await parentsOf(repo, commit);
    if (parents === undefined) return true;
    queue.push(...parents);
  }
  return false;
}

/** Parents of a commit, remembered with its tree: they never change, and a walk takes no turn for those that are known. Undefined when it cannot be read, as in a shallow clone. */
async function parentsOf(repo: Repository, commit: string): Promise<readonly string[] | undefined> {
  const found = await repo.objects.contents(commit);
  if (found?.type !== 'commit' || found.content === undefined) return undefined;
  const text = found.content.toString('latin1');
  const header = text.slice(0, text.indexOf('\n\n') + 1);
  const parents = [...header.matchAll(/^parent ([0-9a-f]+)$/gm)].map((match) => match[1] ?? '');
  const [, tree] = /^tree ([0-9a-f]+)$/m.exec(header) ?? [];
  if (tree !== undefined) rememberCommit(repo, { commit, tree, parents });
  return parents;
}

/** What became of each path between two trees; undefined when there is more than files added and changed. */
async function changes(repo: Repository, o: { readonly from: string; readonly to: string }): Promise<ReadonlyMap<string, Entry> | undefined> {
  if (o.from === o.to) return new Map();
  const records = await detailsOf(repo, o);
  if (records === undefined || records.length > 2 * PATHS) return undefined;
  const found = new Map<string, Entry>();
  for (let n = 0; n + 1 < records.length; n += 2) {
    const [, was = '', is = '', id = '', letter = ''] = /^:(\d{6}) (\d{6}) [0-9a-f]+ ([0-9a-f]+) ([A-Z])$/.exec(records[n] ?? '') ?? [];
    const path = records[n + 1] ?? '';
    if ((letter !== 'A' && letter !== 'M') || !KINDS.has(is) || (letter === 'M' && !KINDS.has(was)) || !isPlain(path)) return undefined;
    found.set(path, { mode: Number.parseInt(is, 8), id });
  }
  return found;
}

async function detailsOf(repo: Repository, o: { readonly from: string; readonly to: string }): Promise<readonly string[] | undefined> {
  try {
    return splitNul(await askDiff(repo.standing.details, o)).map(pathText);
  } catch (error) {
    if (error instanceof GitError) return undefined;
    throw error;
  }
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

interface Part { readonly tree: string | undefined; readonly changes: ReadonlyMap<string, Entry>; readonly folder: string }

/** The id of a tree with the changes below `folder` in it, which is still to be written; undefined when git would not have it. */
async function apply(repo: Repository, o: Part, making: Making): Promise<string | undefined> {
  const was: ReadonlyMap<string, TreeItem> | undefined = o.tree === undefined ? new Map() : repo.quick.trees.get(o.tree) ?? await itemsOf(repo, o.tree);
  if (was === undefined) return undefined;
  const items = new Map<string, TreeItem>(was);
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
    const id = await apply(repo, { tree: folder?.id, changes: inner, folder: prefix === 0 ? name : `${o.folder}/${name}` }, making);
    if (id === undefined) return undefined;
    items.set(name, { name, mode: FOLDER, id });
  }
  const id = treeId([...items.values()], making.idBytes);
  making.made.set(id, items);
  return id;
}

/** The lines of a tree; undefined when one of them is not plain. */
async function itemsOf(repo: Repository, tree: string): Promise<Map<string, TreeItem> | undefined> {
  const found = await repo.objects.contents(tree);
  if (found?.type !== 'tree' || found.content === undefined) return undefined;
  const { content } = found;
  const items = new Map<string, TreeItem>();
  const idBytes = tree.length / 2;
  for (let at = 0; at < content.length;) {
    const space = content.indexOf(0x20, at);
    const end = content.indexOf(0, space);
    const [mode, name] = [Number.parseInt(content.toString('latin1', at, space), 8), content.toString('latin1', space + 1, end)];
    if (!isPlain(name) || (mode !== FOLDER && !KINDS.has(mode.toString(8)))) return undefined;
    items.set(name, { name, mode, id: content.toString('hex', end + 1, end + 1 + idBytes) });
    at = end + 1 + idBytes;
  }
  return items;
}
