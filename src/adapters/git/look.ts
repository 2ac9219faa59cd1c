// A `git status` answered without git: from the index, one lstat of every file and folder, and the ref that HEAD names. Answers only
// what it can prove by git's own rules (docs/adr/0009-asking-git-less.md); for everything else it gives nothing, and git is asked.

import { lstatSync, statfsSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { join } from 'node:path';
import { smallFile } from '../small-file.ts';
import { treeIn } from './ancestry.ts';
import { blobId, parseIndex } from './index-format.ts';
import type { IndexEntry } from './index-format.ts';
import type { DetailedEntry, DetailedStatus, Memory, ReadIndex } from './memory.ts';
import { branchFile } from './ref-files.ts';
import type { Place } from './exec.ts';
import { isId } from './names.ts';
import type { Repository } from './repository.ts';
import type { Settings } from './settings.ts';
import { diffTrees } from './tree-diff.ts';
import { SUBMODULE } from './tree-items.ts';
import { walk } from './walk.ts';
import { readLink, readRegular, YOUNG_MS } from './young.ts';

/** More paths than this and git itself is as quick, without keeping our loop from its other work. */
const MOST_PATHS = 3000;
const LARGEST_INDEX = 1024 * 1024;
/** No name of a ref is that long, bytes. */
const LARGEST_HEAD = 8192;
const MOST_HASHED = 200;
const MOST_HASHED_BYTES = 4 * 1024 * 1024;
/** File systems (by their magic numbers) whose change times can be relied on: ext, xfs, btrfs, tmpfs, overlay, f2fs, bcachefs. */
const RELIABLE = new Set([0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0xf2f52010, 0xca451a4e]);

/** What is remembered of a worktree. */
export function memoryOf(repo: Repository, at: Place): Memory {
  const key = at.gitDir ?? at.cwd;
  const known = repo.looks.get(key);
  if (known !== undefined) return known;
  const memory: Memory = { index: undefined, head: undefined, listings: new Map(), contents: new Map(), ignored: undefined };
  repo.looks.set(key, memory);
  return memory;
}

/** Whether files and folders of a worktree have times that tell of every change. */
function reliable(worktree: string): boolean {
  return process.platform === 'linux' && RELIABLE.has(statfsSync(worktree).type);
}

/** The outcome of a look: the status, or what git would have to tell (`rules`: the ignore rules under which something is unknown). */
export type Looked = { readonly status: DetailedStatus } | { readonly rules: string | undefined };

const NOTHING: Looked = { rules: undefined };

/** Looks at a worktree. Throws only for what the disk refuses. */
export async function look(repo: Repository, o: { readonly at: Place; readonly memory: Memory; readonly settings: Settings }): Promise<Looked> {
  const { at: { cwd, gitDir = '' }, memory, settings } = o;
  if (!settings.ordinary || !reliable(cwd)) return NOTHING;
  const head = await headOf(repo, gitDir);
  const index = head === undefined ? undefined : readIndex(memory, { gitDir, idBytes: settings.idBytes });
  if (head === undefined || index === undefined || index.parsed.trees?.count !== index.parsed.entries.length) return NOTHING;
  const found = walk({ top: cwd, folders: index.folders, listings: memory.listings, ruled: settings.ignores, most: MOST_PATHS, ignored: memory.ignored?.paths });
  if (found === undefined) return NOTHING;
  const rules = `${settings.stamp} ${found.ignoreFiles.join(' ')}`;
  // What git has not been asked about under these rules, only git can tell apart.
  const ruled = settings.ignores || found.ignoreFiles.length > 0;
  if (ruled && found.unknown.length > 0) return { rules: found.young || settings.young ? undefined : rules };
  if (found.skipped && memory.ignored?.rules !== rules) {
    memory.ignored = undefined;
    return NOTHING;
  }
  const verbatim = settings.verbatim && !settings.attributes && !found.attributes && !index.attributes;
  const changed = compare({ cwd, index, memory, verbatim });
  if (changed === undefined) return NOTHING;
  const tree = await treeIn(repo, head.id);
  memory.head = tree;
  const staged = tree === undefined ? undefined : await stagedEntries(repo, { from: tree, to: index.parsed.trees.id });
  const entries = staged === undefined ? undefined : tracked({ staged, changed, byPath: index.byPath });
  if (entries === undefined) return NOTHING;
  const untracked = found.unknown.map((path): DetailedEntry => ({ path, kind: 'untracked', staged: false, unstaged: true, newLink: false, code: '?' }));
  return { status: { head: head.id, branch: head.branch, entries: [...inOrder(entries), ...inOrder(untracked)] } };
}

/** True when a worktree holds nothing, ignored or not, that its index does not have; false also when that is not certain. */
export async function holdsOnlyTracked(repo: Repository, at: Place): Promise<boolean> {
  const settings = await repo.settings.read();
  if (!settings.ordinary || !reliable(at.cwd)) return false;
  const memory = memoryOf(repo, at);
  const index = readIndex(memory, { gitDir: at.gitDir ?? '', idBytes: settings.idBytes });
  const found = index === undefined ? undefined : walk({ top: at.cwd, folders: index.folders, listings: memory.listings, ruled: true, most: MOST_PATHS, ignored: undefined });
  return found?.unknown.length === 0 && !found.foreign;
}

/** Commit and branch of a worktree, from its HEAD; undefined when that is anything but an id or a plain branch with a commit. */
async function headOf(repo: Repository, gitDir: string): Promise<{ readonly id: string; readonly branch: string | undefined } | undefined> {
  const head = smallFile(join(gitDir, 'HEAD'), { most: LARGEST_HEAD, links: 'odd' });
  if (typeof head === 'string') return undefined;
  const text = head.content.toString('utf8').replace(/\n$/, '');
  if (isId(text)) return { id: text, branch: undefined };
  const [, branch] = /^ref: (refs\/heads\/\S+)$/.exec(text) ?? [];
  if (branch === undefined) return undefined;
  const file = branchFile(repo.commonDir, branch);
  if (file === 'other') return undefined;
  const id = file ?? (await repo.objects.info(`${branch}^{commit}`))?.id;
  return id === undefined ? undefined : { id, branch };
}

/** Reads and understands a worktree's index; undefined when it holds what only git can judge. */
export function readIndex(memory: Memory, o: { readonly gitDir: string; readonly idBytes: number }): ReadIndex | undefined {
  const found = smallFile(join(o.gitDir, 'index'), { most: LARGEST_INDEX, links: 'odd' });
  if (typeof found === 'string') return undefined;
  const { content: file, stat } = found;
  if (file.length < 12 || file.readUInt32BE(8) > MOST_PATHS) return undefined;
  if (memory.index?.file.equals(file) === true) {
    memory.index = { ...memory.index, mtimeMs: stat.mtimeMs };
    return memory.index;
  }
  const parsed = parseIndex(file, o.idBytes);
  if (parsed === undefined || !parsed.entries.every((e) => e.plain && e.mode !== SUBMODULE)) return undefined;
  const folders = new Map<string, Set<string>>([['', new Set()]]);
  for (const { path: name } of parsed.entries) addPath(folders, name);
  // git reads those of the index where the file is missing.
  const attributes = parsed.entries.some((e) => e.path.endsWith('.gitattributes'));
  memory.index = { file, parsed, mtimeMs: stat.mtimeMs, folders, attributes, byPath: once(() => new Map(parsed.entries.map((e) => [e.path, e]))) };
  return memory.index;
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

function addPath(folders: Map<string, Set<string>>, path: string): void {
  const slash = path.lastIndexOf('/');
  const folder = slash === -1 ? '' : path.slice(0, slash);
  let names = folders.get(folder);
  if (names === undefined) {
    names = new Set();
    folders.set(folder, names);
    addPath(folders, folder);
  }
  names.add(path.slice(slash + 1));
}

/** Path → how its file is unlike the index: its mode now, or 0 for gone. Undefined when only git can tell. */
function compare(o: { readonly cwd: string; readonly index: ReadIndex; readonly memory: Memory; readonly verbatim: boolean }): ReadonlyMap<string, number> | undefined {
  const changed = new Map<string, number>();
  const budget = { files: MOST_HASHED, bytes: MOST_HASHED_BYTES };
  for (const entry of o.index.parsed.entries) {
    const path = `${o.cwd}/${entry.path}`;
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) {
      changed.set(entry.path, 0);
      continue;
    }
    // A change after the index was written has a time that is not before the index's.
    if (sameStat(entry, stat) && entry.mtimeMs < o.index.mtimeMs && entry.ctimeMs < o.index.mtimeMs) continue;
    const mode = modeOf(stat);
    if (mode === undefined || (mode === 0o120000) !== (entry.mode === 0o120000)) return undefined;
    budget.files -= 1;
    budget.bytes -= stat.size;
    if (!o.verbatim || budget.files < 0 || budget.bytes < 0) return undefined;
    const id = contentId(path, { stat, memory: o.memory, idBytes: entry.id.length / 2 });
    if (id === undefined) return undefined;
    if (id !== entry.id || mode !== entry.mode) changed.set(entry.path, mode);
  }
  return changed;
}

function sameStat(entry: IndexEntry, stat: Stats): boolean {
  return entry.mtimeMs === stat.mtimeMs && entry.ctimeMs === stat.ctimeMs && entry.ino === stat.ino >>> 0 && entry.size === stat.size >>> 0
    && entry.uid === stat.uid && entry.gid === stat.gid && entry.mode === modeOf(stat);
}

/** The mode git would give a file; undefined for what it cannot hold. */
export function modeOf(stat: Pick<Stats, 'isFile' | 'isSymbolicLink' | 'mode'>): number | undefined {
  if (stat.isFile()) return (stat.mode & 0o100) === 0 ? 0o100644 : 0o100755;
  return stat.isSymbolicLink() ? 0o120000 : undefined;
}

/** The id a file's content has, as a blob without conversions; undefined when it cannot be read. */
export function contentId(path: string, o: { readonly stat: Stats; readonly memory: Memory; readonly idBytes: number }): string | undefined {
  const { stat } = o;
  const stamp = `${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}`;
  const known = o.memory.contents.get(path);
  if (known?.stamp === stamp) return known.id;
  const now = Date.now();
  const content = stat.isSymbolicLink() ? readLink(path) : readRegular(path)?.content;
  const id = content === undefined ? undefined : blobId(content, o.idBytes);
  if (id !== undefined && now - stat.ctimeMs > YOUNG_MS) o.memory.contents.set(path, { stamp, id });
  return id;
}

interface Staged { readonly modes: readonly [string, string]; readonly ids: readonly [string, string]; readonly letter: string }

/** Path → how the index differs from HEAD; undefined when git could not tell quickly. */
async function stagedEntries(repo: Repository, o: { readonly from: string; readonly to: string }): Promise<ReadonlyMap<string, Staged> | undefined> {
  const staged = new Map<string, Staged>();
  if (o.from === o.to) return staged;
  const changes = await diffTrees(repo, o);
  if (changes === undefined) return undefined;
  for (const { path, was, is } of changes) {
    if (was?.mode === SUBMODULE || is?.mode === SUBMODULE) return undefined;
    const none = '0'.repeat(o.from.length);
    const letter = was === undefined ? 'A' : is === undefined ? 'D' : kindOf(was.mode) === kindOf(is.mode) ? 'M' : 'T';
    staged.set(path, { modes: [octal(was?.mode ?? 0), octal(is?.mode ?? 0)], ids: [was?.id ?? none, is?.id ?? none], letter });
  }
  return staged;
}

function kindOf(mode: number): number {
  return mode & 0o170000;
}

/** The entries of tracked paths in git's words: `1 XY sub mH mI mW hH hI`. */
function tracked(o: { readonly staged: ReadonlyMap<string, Staged>; readonly changed: ReadonlyMap<string, number>; readonly byPath: () => ReadonlyMap<string, IndexEntry> }): DetailedEntry[] | undefined {
  const entries: DetailedEntry[] = [];
  for (const path of new Set([...o.staged.keys(), ...o.changed.keys()])) {
    const staged = o.staged.get(path);
    const entry = o.byPath().get(path);
    // Staged as gone, or the trees the index remembers are not those of its entries.
    if (entry === undefined ? staged?.letter !== 'D' : staged !== undefined && staged.ids[1] !== entry.id) return undefined;
    const inIndex = entry === undefined ? '000000' : octal(entry.mode);
    const now = o.changed.get(path);
    const inFiles = now === undefined ? inIndex : octal(now);
    const states = `${staged?.letter ?? '.'}${now === undefined ? '.' : now === 0 ? 'D' : 'M'}`;
    const ids = staged?.ids ?? [entry?.id ?? '', entry?.id ?? ''];
    entries.push({ path, kind: 'tracked', staged: staged !== undefined, unstaged: now !== undefined, newLink: false, code: `1 ${states} N... ${staged?.modes[0] ?? inIndex} ${inIndex} ${inFiles} ${ids[0]} ${ids[1]}` });
  }
  return entries;
}

function octal(mode: number): string {
  return mode.toString(8).padStart(6, '0');
}

function inOrder(entries: readonly DetailedEntry[]): DetailedEntry[] {
  return entries.toSorted((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}
