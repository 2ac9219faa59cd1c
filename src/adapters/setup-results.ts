// What setup commands made, kept in one folder: an entry a key, in it a copy of each path by its number. An entry appears whole or not at
// all. For the one who holds the repository's lock.

import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, rename, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { SetupResults } from '../world.ts';
import { errnoOf, isMissing } from './errno.ts';
import { makeParents } from './files.ts';
import { fingerprint } from './fingerprint.ts';
import { removeFolder } from './folders.ts';
import { strayLink } from './stray.ts';

const run = promisify(execFile);

/** So many results are kept; the one that was not used for longest goes first. */
const MOST = 8;
/** Names of entries that are being made. */
const MAKING = 'making-';
/** How the system's `cp` is told to copy a tree with its modes and links: sharing blocks where the file system can, else plainly. */
const COPIES: readonly (readonly string[])[] = process.platform === 'darwin' ? [['-cRPp'], ['-RPp']] : [['-a', '--reflink=auto'], ['-RPp']];

/** The real ones, in a folder of choo's state. `env` is what setup commands see: its PATH finds `cp` and their programs. */
export function realSetupResults(folder: string, env: NodeJS.ProcessEnv): SetupResults {
  const making = new Set<string>();
  return {
    key: async (o) => {
      const contents = await Promise.all(o.by.map((path) => digestOf(join(o.worktree, path))));
      const machine = await fingerprint({ commands: [o.command], env: [], files: [], environment: env, cwd: o.worktree });
      return createHash('sha256').update(JSON.stringify([machine, o.command, o.by, contents, o.makes])).digest('hex').slice(0, 32);
    },
    take: (key, o) => take(join(folder, key), { ...o, env }),
    keep: (key, o) => keep({ ...o, env, folder, key, making }),
  };
}

/** Of a file's content; other words for what is none. */
async function digestOf(path: string): Promise<string> {
  try {
    return createHash('sha256').update(await readFile(path)).digest('hex');
  } catch (error) {
    if (isMissing(error)) return 'missing';
    if (errnoOf(error) === 'EISDIR') return 'a folder';
    throw error;
  }
}

interface Paths { readonly worktree: string; readonly paths: readonly string[]; readonly env: NodeJS.ProcessEnv }

async function take(entry: string, o: Paths): Promise<boolean> {
  if ((await kindOf(entry)) !== 'folder' || strayLink(entry) !== undefined) return false;
  const targets = o.paths.map((path) => join(o.worktree, path));
  for (const [n, path] of o.paths.entries()) {
    // What is there already, or would be reached through a link, is the command's to deal with.
    if ((await kindOf(targets[n] ?? '')) !== undefined || !(await makeParents(o.worktree, path.split('/').slice(0, -1)))) return false;
  }
  for (const [n, to] of targets.entries()) {
    const why = await copyTree({ from: join(entry, String(n)), to, env: o.env });
    if (why === undefined) continue;
    for (const path of targets) await removeFolder(path);
    return false;
  }
  const now = new Date();
  await utimes(entry, now, now);
  return true;
}

async function keep(o: Paths & { readonly folder: string; readonly key: string; readonly making: Set<string> }): Promise<string | undefined> {
  const name = `${MAKING}${randomUUID()}`;
  const temporary = join(o.folder, name);
  const away = strayLink(o.folder);
  if (away !== undefined) return `a symbolic link leads from ${o.folder} to ${away}`;
  o.making.add(name);
  try {
    for (const [n, path] of o.paths.entries()) {
      const from = join(o.worktree, path);
      if (!['file', 'folder'].includes((await kindOf(from)) ?? '')) return `it did not make ${path}`;
      await mkdir(temporary, { recursive: true });
      const why = await copyTree({ from, to: join(temporary, String(n)), env: o.env });
      if (why !== undefined) return why;
    }
    await removeFolder(join(o.folder, o.key));
    await rename(temporary, join(o.folder, o.key));
    return undefined;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return error instanceof Error ? error.message : undefined;
  } finally {
    o.making.delete(name);
    await removeFolder(temporary);
    await prune(o);
  }
}

/** Removes what a crash left half made, and the results that were not used for longest. */
async function prune(o: { readonly folder: string; readonly making: ReadonlySet<string> }): Promise<void> {
  const names = (await kindOf(o.folder)) === 'folder' ? await readdir(o.folder) : [];
  for (const name of names) if (name.startsWith(MAKING) && !o.making.has(name)) await removeFolder(join(o.folder, name));
  const entries = await Promise.all(names.filter((name) => !name.startsWith(MAKING)).map(async (name) => ({ name, used: (await stat(join(o.folder, name))).mtimeMs })));
  for (const { name } of entries.toSorted((a, b) => b.used - a.used).slice(MOST)) await removeFolder(join(o.folder, name));
}

/** What stands at a path, a link being no file and no folder. */
async function kindOf(path: string): Promise<'file' | 'folder' | 'other' | undefined> {
  try {
    const facts = await lstat(path);
    return facts.isDirectory() ? 'folder' : facts.isFile() ? 'file' : 'other';
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Copies a file or folder to a name that is free; no block is shared but by the file system itself, no file is a hard link of ours. Gives why it could not, with nothing left. */
async function copyTree(o: { readonly from: string; readonly to: string; readonly env: NodeJS.ProcessEnv }): Promise<string | undefined> {
  let why = '';
  for (const how of COPIES) {
    try {
      await run('cp', [...how, '--', o.from, o.to], { env: o.env });
      return undefined;
    } catch (error) {
      why = error instanceof Error && 'stderr' in error ? String(error.stderr).trim().split('\n').at(-1) ?? '' : String(error);
      await removeFolder(o.to);
    }
  }
  return why === '' ? 'it could not be copied' : why;
}
