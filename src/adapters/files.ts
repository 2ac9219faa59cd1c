// The few file operations of a worker. Never follows a link out of the folder it was given, never changes git.

import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { constants, copyFile, lstat, mkdir, open, readlink, rename, rm, statfs, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { GitError, type Files } from '../world.ts';
import { childEnvironment } from './environment.ts';
import { about, errnoOf } from './errno.ts';
import { removeFolder } from './folders.ts';
import { findProgram } from './program.ts';
import { smallFile } from './small-file.ts';
import { strayLink } from './stray.ts';

const run = promisify(execFile);

/** A larger file is no text that a worker reads, unless it says so, bytes. */
const LARGEST_TEXT = 64 * 1024 * 1024;
/** Names of ignored files that one copy may list, bytes. */
const LONGEST_LIST = 256 * 1024 * 1024;

/** The real files. `env` is the user's environment: its PATH finds programs. */
export function realFiles(env: NodeJS.ProcessEnv): Files {
  return {
    // Asked directly: these are small, and a turn of the thread pool costs more than the answer.
    readText: (path, atMost = LARGEST_TEXT) => unlessOdd(Promise.resolve().then(() => readText(path, atMost))),
    writeText,
    writeBelow,
    exists: (path) => Promise.resolve(existsSync(path)),
    freeSpace,
    remove: removeFolder,
    copyIgnored: (o) => copyIgnored(o, env),
    canExecute: (program, cwd) => Promise.resolve('path' in findProgram(program, { cwd, path: env['PATH'] })),
  };
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** A link is no file, and a name that no file can have is no file's. */
async function unlessOdd<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await unlessMissing(work);
  } catch (error) {
    if (['ELOOP', 'ENAMETOOLONG', 'ENXIO'].includes(errnoOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** An agent may have put a pipe there, on whose other end nobody is. */
function readText(path: string, atMost: number): string | undefined {
  const file = smallFile(path, { most: atMost, links: 'odd' });
  return typeof file === 'string' ? undefined : file.content.toString('utf8');
}

/** What `writeText` and `writeBelow` cannot replace. */
const IN_THE_WAY = new Set(['EISDIR', 'ENOTDIR', 'EEXIST', 'ENOTEMPTY', 'ELOOP']);

async function writeBelow(top: string, path: string, text: string): Promise<boolean> {
  if (strayLink(top) !== undefined) return false;
  await mkdir(top, { recursive: true });
  if (!(await makeParents(top, dirname(path).split('/').filter((part) => part !== '.')))) return false;
  try {
    await writeText(join(top, path), text);
    return true;
  } catch (error) {
    if (IN_THE_WAY.has(errnoOf(error) ?? '')) return false;
    throw error;
  }
}

async function writeText(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const before = await unlessMissing(lstat(path));
  const mode = before?.isFile() === true ? before.mode : undefined;
  const temporary = join(dirname(path), `.${basename(path).slice(0, 100)}.${randomUUID()}`);
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(text);
      if (mode !== undefined) await file.chmod(mode % 0o10000);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw about(error, path);
  }
}

async function freeSpace(path: string): Promise<number> {
  for (let folder = path; ; folder = dirname(folder)) {
    const facts = await unlessMissing(statfs(folder));
    if (facts !== undefined) return facts.bavail * facts.bsize;
  }
}

/** Leaves out what is there already (the commit has it) and what could only be written through a link in the worktree. */
async function copyIgnored(o: Parameters<Files['copyIgnored']>[0], env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  if (o.globs.length === 0) return [];
  const copied: string[] = [];
  for (const path of await listIgnored(o, env)) {
    if (await copyInto(o, path)) copied.push(path);
  }
  return copied;
}

async function listIgnored(o: { readonly globs: readonly string[]; readonly from: string }, env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const args = ['ls-files', '--others', '--ignored', '--exclude-standard', '-z', '--', ...o.globs.map((glob) => `:(top,glob)${glob}`)];
  try {
    const { stdout } = await run('git', args, { cwd: o.from, env: childEnvironment(env, { LC_ALL: 'C' }), maxBuffer: LONGEST_LIST });
    // An embedded repository is listed as one entry that ends in "/"; it is nobody's .env.
    return stdout.split('\0').filter((path) => path !== '' && !path.endsWith('/'));
  } catch (error) {
    const detail = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    throw new GitError(`git ${args.join(' ')}`, detail);
  }
}

async function copyInto(o: { readonly from: string; readonly to: string }, path: string): Promise<boolean> {
  const parts = path.split('/');
  if (parts.includes('..') || parts.includes('.git') || !(await makeParents(o.to, parts.slice(0, -1)))) return false;
  const source = join(o.from, path);
  const target = join(o.to, path);
  const facts = await unlessMissing(lstat(source));
  try {
    if (facts?.isSymbolicLink() === true) await symlink(await readlink(source), target);
    // Exclusive creation does not follow a link that stands at the target's name.
    else if (facts?.isFile() === true) await copyFile(source, target, constants.COPYFILE_EXCL + constants.COPYFILE_FICLONE);
    else return false;
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function unlessThere(error: unknown): void {
  if (errnoOf(error) !== 'EEXIST') throw error;
}

/** Makes the folders one by one; false when one of them is a link or no folder. */
export async function makeParents(top: string, parts: readonly string[]): Promise<boolean> {
  let folder = top;
  for (const part of parts) {
    folder = join(folder, part);
    const facts = await unlessMissing(lstat(folder));
    if (facts === undefined) await mkdir(folder).catch(unlessThere);
    // Another unit may make the same folder at the same moment.
    if (!(facts ?? await lstat(folder)).isDirectory()) return false;
  }
  return true;
}
