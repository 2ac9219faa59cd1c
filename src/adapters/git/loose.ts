// Writes objects as git itself does: one compressed file each under `objects/`, named by the hash of what is in it, whole or not at
// all (gitrepository-layout(5)). Moves no ref and touches no index. Whatever stands against it, git is asked instead.

import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { constants, deflate, deflateSync } from 'node:zlib';
import { errnoOf, isMissing } from '../errno.ts';
import { objectId } from './index-format.ts';
import type { Repository } from './repository.ts';

/** An object to be written. */
export interface NewObject {
  readonly type: 'blob' | 'tree' | 'commit';
  /** Well-formed: git checks none of it. */
  readonly content: Buffer;
}

/** Writes an object and gives its id; undefined when git has to do it, because the disk refused. */
export type ObjectWriter = (object: NewObject) => Promise<string | undefined>;

/** How choo writes objects here; undefined where only git may: it is told to sync, to share what it writes, or to keep it some other way. */
export async function objectWriter(repo: Repository): Promise<ObjectWriter | undefined> {
  const { writes, idBytes } = await repo.settings.read();
  return writes ? (object) => write(join(repo.commonDir, 'objects'), { ...object, idBytes }) : undefined;
}

/** Larger contents are compressed beside the loop, bytes. */
const LARGE = 64 * 1024;
const compressed = promisify(deflate);

async function write(objects: string, o: NewObject & { readonly idBytes: number }): Promise<string | undefined> {
  const id = objectId(o);
  const folder = join(objects, id.slice(0, 2));
  const path = join(folder, id.slice(2));
  try {
    if (freshened(path)) return id;
    const bytes = Buffer.concat([Buffer.from(`${o.type} ${o.content.length}\0`), o.content]);
    const level = { level: constants.Z_BEST_SPEED };
    place({ folder, path, bytes: bytes.length < LARGE ? deflateSync(bytes, level) : await compressed(bytes, level) });
    return id;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

/** True when it is there; its time is now, as git does it, so that no cleaning takes it for something old that nobody needs. */
function freshened(path: string): boolean {
  try {
    const now = Date.now() / 1000;
    utimesSync(path, now, now);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Under a name that git sweeps up after a crash, then renamed. */
function place(o: { readonly folder: string; readonly path: string; readonly bytes: Buffer }): void {
  const half = join(o.folder, `tmp_obj_${randomBytes(6).toString('hex')}`);
  try {
    try {
      writeFileSync(half, o.bytes, { flag: 'wx', mode: 0o444 });
    } catch (error) {
      if (!isMissing(error)) throw error;
      mkdirSync(o.folder, { recursive: true });
      writeFileSync(half, o.bytes, { flag: 'wx', mode: 0o444 });
    }
    renameSync(half, o.path);
  } catch (error) {
    rmSync(half, { force: true });
    throw error;
  }
}
