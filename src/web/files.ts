// Files that the dashboard gives out: its own page, read once, and pieces of the run's logs. No name of a request becomes a path.

import { constants } from 'node:fs';
import { open, readdir, readFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { errnoOf } from '../adapters/errno.ts';
import { lateName } from '../adapters/late-output.ts';

/** Bytes of a log that one answer has at most. */
const PIECE = 256 * 1024;

const TYPES: Readonly<Record<string, string>> = { html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8', svg: 'image/svg+xml' };

/** A file of the page. */
export interface Asset {
  readonly type: string;
  readonly body: Buffer;
}

/** The files of the page by name. */
export async function readAssets(folder: string): Promise<ReadonlyMap<string, Asset>> {
  const assets = new Map<string, Asset>();
  for (const name of await readdir(folder)) {
    const type = TYPES[name.split('.').at(-1) ?? ''];
    if (type !== undefined) assets.set(name, { type, body: await readFile(join(folder, name)) });
  }
  return assets;
}

/** A piece of a log. */
export interface Piece {
  readonly bytes: Buffer;
  /** Where the piece begins, and how long the log is now. */
  readonly from: number;
  readonly size: number;
}

/** A piece of the log that the journal names so, from `from` on, or its end when that is undefined; undefined when there is none. What runs on beside the log comes after it. */
export async function readPiece(runDir: string, log: string, from: number | undefined): Promise<Piece | undefined> {
  const path = join(runDir, log);
  if (normalize(log).startsWith('..') || log.startsWith('/')) return undefined;
  const late = await openPlain(lateName(path));
  const file = late ?? await openPlain(path);
  if (file === undefined) return undefined;
  try {
    const { size } = await file.stat();
    const begin = Math.min(Math.max(0, from ?? size - PIECE), size);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(PIECE, size - begin)), 0, Math.min(PIECE, size - begin), begin);
    return { bytes: buffer.subarray(0, bytesRead), from: begin, size };
  } finally {
    await file.close();
  }
}

/** Opens a plain file and nothing else: a link could lead anywhere, and a pipe would wait for ever. */
async function openPlain(path: string): Promise<FileHandle | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  });
  if (file === undefined || (await file.stat()).isFile()) return file;
  await file.close();
  return undefined;
}
