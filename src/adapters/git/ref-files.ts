// Refs read from the files in which git keeps them (gitrepository-layout(5)), for a repository without another ref storage. Changes none.

import { lstatSync, readdirSync } from 'node:fs';
import type { Dirent } from 'node:fs';
import { join } from 'node:path';
import type { PackedMemory } from './memory.ts';
import { YOUNG_MS } from './young.ts';
import { isId, isRef } from './names.ts';
import { isMissing } from '../errno.ts';
import { smallFile } from '../small-file.ts';

const MOST_LOOSE = 2000;
const MOST_PACKED_BYTES = 1024 * 1024;

/** The id in a branch's own file; undefined when it has none (it may be packed, or missing), `other` for what is no plain id. */
export function branchFile(commonDir: string, branch: string): string | undefined {
  const text = smallText(join(commonDir, branch));
  if (text === 'missing') return undefined;
  const id = text.replace(/\n$/, '');
  return isId(id) ? id : 'other';
}

/** Every ref but remote-tracking ones with its id, or `ref: <ref>` for a symbolic one; undefined when there are many or one is odd. The map is the caller's. */
export function readRefFiles(commonDir: string, memory: PackedMemory): Map<string, string> | undefined {
  // Loose ones first, as git does: a ref that is being packed is then found in one of the two places.
  const loose = new Map<string, string>();
  if (!readFolder(loose, { commonDir, folder: 'refs' })) return undefined;
  const packed = readPacked(commonDir, memory);
  if (packed === undefined) return undefined;
  const refs = new Map([...packed, ...loose]);
  // git does not list one that points nowhere.
  for (const [name, value] of refs) if (value.startsWith('ref: ') && !value.startsWith('ref: refs/remotes/') && !refs.has(value.slice(5))) refs.delete(name);
  return refs;
}

function readFolder(refs: Map<string, string>, o: { readonly commonDir: string; readonly folder: string }): boolean {
  for (const entry of namesIn(join(o.commonDir, o.folder))) {
    const name = `${o.folder}/${entry.name}`;
    if (name === 'refs/remotes' || entry.name.endsWith('.lock') || entry.name.startsWith('.')) continue;
    if (entry.isDirectory()) {
      if (!readFolder(refs, { commonDir: o.commonDir, folder: name })) return false;
      continue;
    }
    if (!entry.isFile() || !isRef(name) || name.includes('\ufffd') || refs.size >= MOST_LOOSE) return false;
    const text = smallText(join(o.commonDir, name)).replace(/\n$/, '');
    // Deleted while we looked.
    if (text === 'missing') continue;
    if (!isId(text) && !/^ref: refs\/\S+$/.test(text)) return false;
    refs.set(name, text);
  }
  return true;
}

function readPacked(commonDir: string, memory: PackedMemory): ReadonlyMap<string, string> | undefined {
  const path = join(commonDir, 'packed-refs');
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return new Map();
  if (!stat.isFile() || stat.size > MOST_PACKED_BYTES) return undefined;
  const stamp = `${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}`;
  if (memory.packed?.stamp === stamp) return memory.packed.refs;
  const text = smallText(path);
  if (text === 'missing' || text === 'odd') return undefined;
  const refs = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#') || line.startsWith('^')) continue;
    const space = line.indexOf(' ');
    const name = line.slice(space + 1);
    if (!isId(line.slice(0, space)) || !isRef(name) || name.includes('\ufffd')) return undefined;
    if (!name.startsWith('refs/remotes/')) refs.set(name, line.slice(0, space));
  }
  memory.packed = Date.now() - stat.ctimeMs > YOUNG_MS ? { stamp, refs } : undefined;
  return refs;
}

function namesIn(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** The text of a file of refs, or why there is none; neither word is ever a ref. */
function smallText(path: string): string {
  const file = smallFile(path, { most: MOST_PACKED_BYTES });
  return typeof file === 'string' ? file : file.content.toString('utf8');
}
