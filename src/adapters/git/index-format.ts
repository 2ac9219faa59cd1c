// The index file of a worktree as data (gitformat-index(5), versions 2 and 3), read and written. Opens no file; what it does not
// know for certain it refuses, and git is asked instead.

import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';

/** One path of an index. Times in ms since 1970; numbers as the file keeps them (32 bits). */
export interface IndexEntry {
  readonly path: string;
  /** As git writes it: 0o100644, 0o100755, 0o120000 (link), 0o160000 (submodule). */
  readonly mode: number;
  readonly id: string;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly ino: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** No conflict and no flag (assume-unchanged, skip-worktree, intent-to-add). */
  readonly plain: boolean;
  /** The entry as it stands in the file. */
  readonly bytes: Buffer;
}

/** What the index remembers of the trees it equals; `count` is -1 where it does not know. */
export interface CachedTree {
  readonly count: number;
  readonly id: string;
  readonly below: ReadonlyMap<string, CachedTree>;
}

/** A whole index. */
export interface IndexFile {
  readonly entries: readonly IndexEntry[];
  readonly trees: CachedTree | undefined;
  /** Holds nothing that a new file made from entries and trees would lose. */
  readonly rewritable: boolean;
}

const STAT_BYTES = 40;
const HEADER_BYTES = 12;
const FLAGS = 0xf000;
const EXTENDED = 0x4000;

/** Reads an index whose ids have `idBytes` bytes; undefined for one of another version, with names that are not UTF-8, or damaged. */
export function parseIndex(file: Buffer, idBytes: number): IndexFile | undefined {
  if (file.length < HEADER_BYTES + idBytes || file.toString('latin1', 0, 4) !== 'DIRC') return undefined;
  const version = file.readUInt32BE(4);
  if (version !== 2 && version !== 3) return undefined;
  const entries: IndexEntry[] = [];
  let at = HEADER_BYTES;
  let last = '';
  for (let left = file.readUInt32BE(8); left > 0; left -= 1) {
    const entry = readEntry(file, { at, idBytes });
    // git itself refuses an index that is out of order.
    if (entry === undefined || (last !== '' && last > entry.name) || (last === entry.name && entry.entry.plain)) return undefined;
    last = entry.name;
    at += entry.entry.bytes.length;
    entries.push(entry.entry);
  }
  const more = readExtensions(file.subarray(at, file.length - idBytes), idBytes);
  return more === undefined ? undefined : { entries, ...more };
}

function readEntry(file: Buffer, o: { readonly at: number; readonly idBytes: number }): { readonly name: string; readonly entry: IndexEntry } | undefined {
  const { at, idBytes } = o;
  if (at + STAT_BYTES + idBytes + 2 > file.length) return undefined;
  const flags = file.readUInt16BE(at + STAT_BYTES + idBytes);
  const start = at + STAT_BYTES + idBytes + ((flags & EXTENDED) === 0 ? 2 : 4);
  const end = file.indexOf(0, start);
  if (end === -1) return undefined;
  const name = file.toString('latin1', start, end);
  const ascii = !/[\x80-\xff]/.test(name);
  if (!ascii && !isUtf8(file.subarray(start, end))) return undefined;
  const bytes = file.subarray(at, at + ((end - at + 8) & ~7));
  const word = (n: number): number => file.readUInt32BE(at + 4 * n);
  return {
    name,
    entry: {
      path: ascii ? name : file.toString('utf8', start, end), bytes, plain: (flags & FLAGS) === 0,
      // The same arithmetic as the runtime's, so that equal times are equal numbers.
      ctimeMs: word(0) * 1000 + word(1) / 1e6, mtimeMs: word(2) * 1000 + word(3) / 1e6,
      ino: word(5), mode: word(6), uid: word(7), gid: word(8), size: word(9), id: file.toString('hex', at + STAT_BYTES, at + STAT_BYTES + idBytes),
    },
  };
}

/** Extensions whose loss costs nothing but a moment: they only speed up reading. */
const SPEED = new Set(['TREE', 'EOIE', 'IEOT']);

function readExtensions(bytes: Buffer, idBytes: number): Pick<IndexFile, 'trees' | 'rewritable'> | undefined {
  let trees: CachedTree | undefined;
  let rewritable = true;
  for (let at = 0; at < bytes.length;) {
    if (at + 8 > bytes.length) return undefined;
    const name = bytes.toString('latin1', at, at + 4);
    const end = at + 8 + bytes.readUInt32BE(at + 4);
    // Only a name that begins with a capital may be ignored: others change what the index means.
    if (!/^[A-Z]/.test(name) || end > bytes.length) return undefined;
    if (name === 'TREE') trees = readTrees(bytes.subarray(at + 8, end), idBytes);
    rewritable &&= SPEED.has(name);
    at = end;
  }
  return { trees, rewritable };
}

function readTrees(bytes: Buffer, idBytes: number): CachedTree | undefined {
  let at = 0;
  const read = (): { readonly name: string; readonly tree: CachedTree } | undefined => {
    const nul = bytes.indexOf(0, at);
    const line = bytes.indexOf(10, nul);
    if (nul === -1 || line === -1) return undefined;
    const name = bytes.toString('utf8', at, nul);
    const [, count, subtrees] = /^(-?\d+) (\d+)$/.exec(bytes.toString('latin1', nul + 1, line)) ?? [];
    if (count === undefined) return undefined;
    at = line + 1;
    let id = '';
    if (Number(count) >= 0) {
      id = bytes.toString('hex', at, at + idBytes);
      at += idBytes;
    }
    const below = new Map<string, CachedTree>();
    for (let left = Number(subtrees); left > 0; left -= 1) {
      const one = read();
      if (one === undefined) return undefined;
      below.set(one.name, one.tree);
    }
    return { name, tree: { count: Number(count), id, below } };
  };
  const root = read();
  return root?.name === '' && at === bytes.length ? root.tree : undefined;
}

/** An entry for a file as it is now. Times in ns. */
export function makeEntry(o: { readonly path: string; readonly mode: number; readonly id: string; readonly stat: Readonly<Record<'ctimeNs' | 'mtimeNs' | 'dev' | 'ino' | 'uid' | 'gid' | 'size', bigint>> }): Buffer {
  const { stat } = o;
  const name = Buffer.from(o.path, 'utf8');
  const id = Buffer.from(o.id, 'hex');
  const length = STAT_BYTES + id.length + 2 + name.length;
  const bytes = Buffer.alloc((length + 8) & ~7);
  const billion = 1_000_000_000n;
  const words = [stat.ctimeNs / billion, stat.ctimeNs % billion, stat.mtimeNs / billion, stat.mtimeNs % billion, stat.dev, stat.ino, BigInt(o.mode), stat.uid, stat.gid, stat.size];
  words.forEach((word, n) => bytes.writeUInt32BE(Number(BigInt.asUintN(32, word)), 4 * n));
  id.copy(bytes, STAT_BYTES);
  bytes.writeUInt16BE(Math.min(name.length, 0xfff), STAT_BYTES + id.length);
  name.copy(bytes, STAT_BYTES + id.length + 2);
  return bytes;
}

/** The bytes of an index: entries (in git's order) and the trees they make up. */
export function writeIndex(o: { readonly entries: readonly Buffer[]; readonly trees: CachedTree; readonly idBytes: number }): Buffer {
  const extended = o.entries.some((e) => (e.readUInt16BE(STAT_BYTES + o.idBytes) & EXTENDED) !== 0);
  const header = Buffer.from('DIRC\0\0\0\0\0\0\0\0', 'latin1');
  header.writeUInt32BE(extended ? 3 : 2, 4);
  header.writeUInt32BE(o.entries.length, 8);
  const trees = Buffer.concat(treeBytes('', o.trees));
  const name = Buffer.from('TREE\0\0\0\0', 'latin1');
  name.writeUInt32BE(trees.length, 4);
  const body = Buffer.concat([header, ...o.entries, name, trees]);
  return Buffer.concat([body, createHash(hashName(o.idBytes)).update(body).digest()]);
}

function treeBytes(name: string, tree: CachedTree): Buffer[] {
  const head = Buffer.from(`${name}\0${tree.count} ${tree.below.size}\n`, 'utf8');
  return [head, Buffer.from(tree.count < 0 ? '' : tree.id, 'hex'), ...[...tree.below].flatMap(([below, one]) => treeBytes(below, one))];
}

function hashName(idBytes: number): 'sha1' | 'sha256' {
  return idBytes === 20 ? 'sha1' : 'sha256';
}

/** The id of a blob with this content. */
export function blobId(content: Buffer, idBytes: number): string {
  return objectId({ type: 'blob', content, idBytes });
}

/** The id of an object with this content. */
export function objectId({ type, content, idBytes }: { readonly type: 'blob' | 'tree' | 'commit'; readonly content: Buffer; readonly idBytes: number }): string {
  return createHash(hashName(idBytes)).update(`${type} ${content.length}\0`).update(content).digest('hex');
}
