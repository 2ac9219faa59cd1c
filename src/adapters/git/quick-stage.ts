// Stages a few known paths and makes the index's tree without a process: objects as git writes them, the index file by
// rewriting it under git's own lock. Only for plain files and links in an index we understand; else it gives nothing and git does it.

import { closeSync, lstatSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../errno.ts';
import { blobId, makeEntry, writeIndex } from './index-format.ts';
import type { CachedTree, IndexEntry } from './index-format.ts';
import { contentId, memoryOf, modeOf, readIndex } from './look.ts';
import type { Memory, ReadIndex } from './memory.ts';
import { objectWriter } from './loose.ts';
import type { ObjectWriter } from './loose.ts';
import { placeOf } from './repository.ts';
import type { Repository } from './repository.ts';
import { FOLDER, itemsOf, writeTree } from './tree-items.ts';
import type { Items, TreeItem } from './tree-memory.ts';
import { readLink, readRegular } from './young.ts';

const MOST_PATHS = 100;
const LARGEST_FILE = 4 * 1024 * 1024;
/** Of all files together; they are in memory at once. */
const MOST_BYTES = 16 * 1024 * 1024;

/** A path to stage: its new content with mode and entry, or gone. */
interface Change {
  readonly path: string;
  readonly now: { readonly mode: number; readonly id: string; readonly content: Buffer; readonly bytes: Buffer } | undefined;
}

/** The tree of the index after staging the paths as their files are; undefined, with nothing changed, when git has to do it. */
export async function quickStage(repo: Repository, o: { readonly worktree: string; readonly paths: readonly string[] }): Promise<string | undefined> {
  const settings = await repo.settings.read();
  if (!settings.ordinary || !settings.verbatim || settings.attributes || o.paths.length > MOST_PATHS) return undefined;
  const write = await objectWriter(repo);
  if (write === undefined) return undefined;
  const at = await placeOf(repo, o.worktree);
  const { gitDir = '', cwd } = at;
  const lock = takeLock(gitDir);
  if (lock === undefined) return undefined;
  let given = false;
  try {
    const memory = memoryOf(repo, at);
    const index = readIndex(memory, { gitDir, idBytes: settings.idBytes });
    if (index === undefined || index.attributes || !index.parsed.rewritable || index.parsed.trees?.count !== index.parsed.entries.length) return undefined;
    const changes = changesOf(o.paths, { top: cwd, index, idBytes: settings.idBytes });
    if (changes === undefined) return undefined;
    const staged = await stageAll(repo, { index, changes, trees: index.parsed.trees, head: memory.head, write });
    if (staged === undefined) return undefined;
    const entries = staged.entries.map((e) => ('now' in e ? e.now : settled(e, { index, memory, top: cwd })));
    writeFileSync(lock, writeIndex({ entries, trees: staged.root, idBytes: settings.idBytes }), { mode: 0o666 });
    renameSync(lock, join(gitDir, 'index'));
    given = true;
    return staged.root.id;
  } finally {
    if (!given) rmSync(lock, { force: true });
  }
}

/** Makes git's lock file for an index; undefined when somebody has it. */
function takeLock(gitDir: string): string | undefined {
  const path = join(gitDir, 'index.lock');
  try {
    closeSync(openSync(path, 'wx', 0o666));
    return path;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return undefined;
    throw error;
  }
}

/** What stands at all of them; undefined when one of them, or all together, is too much. */
function changesOf(paths: readonly string[], o: { readonly top: string; readonly index: ReadIndex; readonly idBytes: number }): readonly Change[] | undefined {
  const changes: Change[] = [];
  let bytes = 0;
  for (const path of paths) {
    const change = changeOf(path, o);
    bytes += change?.now?.content.length ?? 0;
    if (change === undefined || bytes > MOST_BYTES) return undefined;
    changes.push(change);
  }
  return changes;
}

/** What stands at a path; undefined when that, or the path itself, is anything but plain. */
function changeOf(path: string, o: { readonly top: string; readonly index: ReadIndex; readonly idBytes: number }): Change | undefined {
  const parts = path.split('/');
  // Names that git refuses, in part only on some systems, are for git to refuse.
  if (!/^[\w@%+=,. /-]+$/.test(path) || parts.some((part) => part === '' || /^\.(?:\.?$|git)|[ .]$/i.test(part))) return undefined;
  if (o.index.folders.has(path)) return undefined;
  for (let n = 0; n < parts.length; n += 1) {
    const folder = parts.slice(0, n).join('/');
    const stat = lstatSync(join(o.top, folder), { throwIfNoEntry: false });
    if (stat?.isDirectory() === false || o.index.byPath().has(folder)) return undefined;
    if (lstatSync(join(o.top, folder, '.gitattributes'), { throwIfNoEntry: false }) !== undefined) return undefined;
    if (n > 0 && lstatSync(join(o.top, folder, '.git'), { throwIfNoEntry: false }) !== undefined) return undefined;
  }
  const file = join(o.top, path);
  const stat = lstatSync(file, { throwIfNoEntry: false, bigint: true });
  if (stat === undefined) return { path, now: undefined };
  if (stat.size > LARGEST_FILE) return undefined;
  const link = stat.isSymbolicLink() ? readLink(file) : undefined;
  const read = link === undefined ? readRegular(file) : { content: link, stat };
  const mode = read === undefined ? undefined : modeOf({ isFile: () => read.stat.isFile(), isSymbolicLink: () => read.stat.isSymbolicLink(), mode: Number(read.stat.mode) });
  if (read === undefined || mode === undefined) return undefined;
  const id = blobId(read.content, o.idBytes);
  return { path, now: { mode, id, content: read.content, bytes: makeEntry({ path, mode, id, stat: read.stat }) } };
}

/** An entry that stays. One so young that git would compare its content must not look older in the new index than it is. */
function settled(entry: IndexEntry, o: { readonly index: ReadIndex; readonly memory: Memory; readonly top: string }): Buffer {
  if (entry.mtimeMs < o.index.mtimeMs && entry.ctimeMs < o.index.mtimeMs) return entry.bytes;
  const path = `${o.top}/${entry.path}`;
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat !== undefined && contentId(path, { stat, memory: o.memory, idBytes: entry.id.length / 2 }) === entry.id) return entry.bytes;
  const bytes = Buffer.from(entry.bytes);
  // A size that cannot be right makes git compare the content, which is its own way out of this.
  bytes.writeUInt32BE(0, 36);
  return bytes;
}

interface NewEntry { readonly path: string; readonly now: Buffer; readonly mode: number; readonly id: string }

/** Writes the blobs and trees; gives the new list of entries in git's order and the trees. */
async function stageAll(repo: Repository, o: { readonly index: ReadIndex; readonly changes: readonly Change[]; readonly trees: CachedTree; readonly head: string | undefined; readonly write: ObjectWriter }): Promise<{ readonly entries: readonly (IndexEntry | NewEntry)[]; readonly root: CachedTree } | undefined> {
  const changes = new Map(o.changes.map((change) => [change.path, change]));
  const made = new Set<string>();
  for (const { now } of changes.values()) {
    if (now === undefined || made.has(now.id)) continue;
    if ((await o.write({ type: 'blob', content: now.content })) !== now.id) return undefined;
    made.add(now.id);
  }
  const kept: (IndexEntry | NewEntry)[] = o.index.parsed.entries.filter((e) => !changes.has(e.path));
  const staged = [...changes.values()].flatMap(({ path, now }): NewEntry[] => (now === undefined ? [] : [{ path, now: now.bytes, mode: now.mode, id: now.id }]));
  const entries = merge(kept, staged.toSorted((a, b) => (a.path < b.path ? -1 : 1)));
  const root = await treeOfEntries(repo, { entries, from: 0, to: entries.length, folder: '', old: o.trees, touched: touchedFolders(changes.keys()), made, head: o.head, write: o.write });
  return root === undefined ? undefined : { entries, root };
}

/** Both lists are in order; made ones are ASCII, so that comparing code units is comparing bytes. */
function merge(kept: readonly (IndexEntry | NewEntry)[], made: readonly NewEntry[]): (IndexEntry | NewEntry)[] {
  const all: (IndexEntry | NewEntry)[] = [];
  let next = 0;
  for (const entry of kept) {
    for (let one = made[next]; one !== undefined && one.path < entry.path; one = made[next += 1]) all.push(one);
    all.push(entry);
  }
  return [...all, ...made.slice(next)];
}

function touchedFolders(paths: Iterable<string>): ReadonlySet<string> {
  const folders = new Set(['']);
  for (const path of paths) {
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) folders.add(path.slice(0, slash));
  }
  return folders;
}

interface Part { readonly entries: readonly (IndexEntry | NewEntry)[]; readonly from: number; readonly to: number; readonly folder: string; readonly old: CachedTree | undefined; readonly touched: ReadonlySet<string>; /** Objects written just now. */ readonly made: Set<string>; /** The folder's tree in HEAD. */ readonly head: string | undefined; readonly write: ObjectWriter }

/** Makes the tree of a folder's entries, those of untouched folders being known; undefined when one is not. */
async function treeOfEntries(repo: Repository, o: Part): Promise<CachedTree | undefined> {
  if (!o.touched.has(o.folder)) return o.old !== undefined && o.old.count === o.to - o.from ? o.old : undefined;
  const prefix = o.folder === '' ? 0 : o.folder.length + 1;
  const below = new Map<string, CachedTree>();
  const before = o.head === undefined ? undefined : await itemsOf(repo, o.head);
  const items = new Map<string, TreeItem>();
  for (let n = o.from; n < o.to;) {
    const entry = o.entries[n];
    if (entry === undefined) return undefined;
    const slash = entry.path.indexOf('/', prefix);
    if (slash === -1) {
      add(items, { name: entry.path.slice(prefix), mode: entry.mode, id: entry.id });
      n += 1;
      continue;
    }
    const folder = entry.path.slice(0, slash);
    const name = entry.path.slice(prefix, slash);
    let end = n + 1;
    while (end < o.to && o.entries[end]?.path.startsWith(`${folder}/`) === true) end += 1;
    const inHead = before?.get(bytesOf(name));
    const tree = await treeOfEntries(repo, { ...o, from: n, to: end, folder, old: o.old?.below.get(name), head: inHead?.mode === FOLDER ? inHead.id : undefined });
    if (tree === undefined) return undefined;
    below.set(name, tree);
    add(items, { name, mode: FOLDER, id: tree.id });
    n = end;
  }
  const id = (await areThere(repo, { items, before, made: o.made })) ? await writeTree(repo, { items, write: o.write }) : undefined;
  if (id === undefined) return undefined;
  o.made.add(id);
  return { count: o.to - o.from, id, below };
}

/** A name as trees have it. */
function bytesOf(name: string): string {
  return PLAIN.test(name) ? name : Buffer.from(name).toString('latin1');
}

// eslint-disable-next-line no-control-regex -- every ASCII character
const PLAIN = /^[\x00-\x7f]*$/;

function add(items: Map<string, TreeItem>, item: TreeItem): void {
  const name = bytesOf(item.name);
  items.set(name, name === item.name ? item : { ...item, name });
}

/** True when the repository has everything that a new tree names; what HEAD names in the same place and what was made just now is not looked for. */
async function areThere(repo: Repository, o: { readonly items: Items; readonly before: Items | undefined; readonly made: ReadonlySet<string> }): Promise<boolean> {
  const others = [...o.items.values()].filter(({ name, id }) => !o.made.has(id) && o.before?.get(name)?.id !== id);
  const found = await Promise.all(others.map(({ id }) => repo.objects.info(id)));
  return found.every((object, n) => object?.type === (others[n]?.mode === FOLDER ? 'tree' : 'blob'));
}
