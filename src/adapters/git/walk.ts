// Walks a worktree's folders and tells which names the index does not have. Reads no file and follows no link.

import { lstatSync, readdirSync } from 'node:fs';
import type { Dirent, Stats } from 'node:fs';
import type { Listing } from './memory.ts';
import { YOUNG_MS } from './young.ts';

/** What a walk found. Paths from the worktree's top. */
export interface Walked {
  /** Files, links and (ending in `/`, unread) folders that the index does not have and that are not known to be ignored. */
  readonly unknown: readonly string[];
  /** Every `.gitignore`, with its stamp. */
  readonly ignoreFiles: readonly string[];
  /** One of those is so young that a later change could carry the same stamp. */
  readonly young: boolean;
  /** There is a `.gitattributes`. */
  readonly attributes: boolean;
  /** Something was left out because it is known to be ignored. */
  readonly skipped: boolean;
  /** There is a folder that holds nothing of the index. */
  readonly foreign: boolean;
}

interface Walk {
  readonly top: string;
  /** Folder → names of the index's entries and folders in it; the top is ''. */
  readonly folders: ReadonlyMap<string, ReadonlySet<string>>;
  readonly listings: Map<string, Listing>;
  /** There are ignore rules: what is in folders that the index does not have is then not looked for. */
  readonly ruled: boolean;
  /** Paths it may find in all. */
  readonly most: number;
  /** Paths known to be ignored; a folder ends in `/`. */
  readonly ignored: ReadonlySet<string> | undefined;
}

interface Course extends Walk {
  readonly device: number;
  readonly now: number;
  readonly queue: string[];
  /** Folders that the index does not have. */
  readonly strangers: string[];
  readonly unknown: string[];
  readonly ignoreFiles: string[];
  left: number;
  young: boolean;
  attributes: boolean;
  skipped: boolean;
  foreign: boolean;
}

/** Walks; undefined when there is too much of it or something that only git can judge: other repositories, mounts, odd names and kinds. */
export function walk(o: Walk): Walked | undefined {
  const top = lstatSync(o.top, { throwIfNoEntry: false });
  if (top?.isDirectory() !== true) return undefined;
  const course: Course = { ...o, device: top.dev, now: Date.now(), queue: [''], strangers: [], unknown: [], ignoreFiles: [], left: o.most, young: false, attributes: false, skipped: false, foreign: false };
  for (let folder = course.queue.pop(); folder !== undefined; folder = course.queue.pop()) {
    if (!visit(course, folder)) return undefined;
  }
  if (o.ruled || course.ignoreFiles.length > 0) return { ...course, unknown: [...course.unknown, ...course.strangers.map((folder) => `${folder}/`)] };
  for (let folder = course.strangers.pop(); folder !== undefined; folder = course.strangers.pop()) {
    if (!visit(course, folder)) return undefined;
  }
  return course;
}

function visit(c: Course, folder: string): boolean {
  const path = folder === '' ? c.top : `${c.top}/${folder}`;
  const stat = lstatSync(path, { throwIfNoEntry: false });
  // A folder of the index that is gone: its files tell.
  if (stat === undefined) return true;
  if (!stat.isDirectory() || stat.dev !== c.device) return false;
  const names = list(c, { folder, path, stat });
  c.left -= names.length;
  if (c.left < 0) return false;
  const expected = c.folders.get(folder);
  return names.every((entry) => meet(c, { folder, entry, expected }));
}

function list(c: Course, o: { readonly folder: string; readonly path: string; readonly stat: Stats }): readonly Dirent[] {
  const stamp = `${o.stat.ino} ${o.stat.mtimeMs} ${o.stat.ctimeMs}`;
  const known = c.listings.get(o.folder);
  if (known?.stamp === stamp) return known.names;
  const names = readdirSync(o.path, { withFileTypes: true });
  if (c.now - o.stat.ctimeMs > YOUNG_MS) c.listings.set(o.folder, { stamp, names });
  else c.listings.delete(o.folder);
  return names;
}

/** Takes note of one name; false when git has to be asked. */
function meet(c: Course, o: { readonly folder: string; readonly entry: Dirent; readonly expected: ReadonlySet<string> | undefined }): boolean {
  const { name } = o.entry;
  const path = o.folder === '' ? name : `${o.folder}/${name}`;
  if (name.toLowerCase().startsWith('.git')) {
    if (path === '.git') return true;
    if (!noteGitName(c, { name, path })) return false;
  }
  if (o.entry.isDirectory()) {
    if (c.folders.has(path)) return c.queue.push(path) > 0;
    if (o.expected?.has(name) === true) return false;
    c.foreign = true;
    if (c.ignored?.has(`${path}/`) === true) return (c.skipped = true);
    return c.strangers.push(path) > 0;
  }
  if (o.expected?.has(name) === true) return !c.folders.has(path);
  if (c.ignored?.has(path) === true) return (c.skipped = true);
  // Bytes that are no UTF-8 have become this.
  if (name.includes('\ufffd') || !(o.entry.isFile() || o.entry.isSymbolicLink())) return false;
  return c.unknown.push(path) > 0;
}

/** A name that may mean something to git; false when it has to be asked. */
function noteGitName(c: Course, o: { readonly name: string; readonly path: string }): boolean {
  if (o.name === '.gitattributes') return (c.attributes = true);
  // The top of another repository, or a name that means something elsewhere.
  if (o.name !== '.gitignore') return !/^\.git(?:ignore|attributes)?$/i.test(o.name);
  const stat = lstatSync(`${c.top}/${o.path}`, { throwIfNoEntry: false });
  if (stat === undefined) return false;
  c.young ||= c.now - stat.ctimeMs <= YOUNG_MS;
  c.ignoreFiles.push(`${o.path} ${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}`);
  return true;
}
