// The files in a worktree's own git folder that tell git where everything else is and which configuration to believe. An agent may
// write there, as a commit does; whoever writes these makes choo's git run what he likes. Remembered before, put back after.

import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, lstatSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { GitError } from '../../world.ts';
import { about } from '../errno.ts';
import { smallFile } from '../small-file.ts';
import { exists, placeOf } from './repository.ts';
import type { Repository } from './repository.ts';

/** `config.worktree` counts only with `extensions.worktreeConfig`, which may be set later. */
const FILES = ['commondir', 'gitdir', 'config.worktree'] as const;

/** A larger one is nothing that git wrote, bytes. */
const LARGEST = 1024 * 1024;
/** A note holds the text of all three, escaped. */
const LARGEST_NOTE = 32 * LARGEST;

/** The files by name; one that is missing is not in it. */
interface Remembered { readonly gitDir: string; readonly files: Readonly<Partial<Record<(typeof FILES)[number], string>>> }

/** Notes what the files hold, on disk, because a crash may come before the look afterwards. */
export async function rememberOwnFolder(repo: Repository, worktree: string): Promise<void> {
  const { gitDir = '' } = await placeOf(repo, worktree);
  const files = Object.fromEntries(FILES.flatMap((name) => {
    const text = read(join(gitDir, name));
    return typeof text === 'string' ? [[name, text]] : [];
  }));
  mkdirSync(folderOf(repo), { recursive: true, mode: 0o700 });
  writeWhole(noteOf(repo, worktree), JSON.stringify({ gitDir, files } satisfies Remembered));
}

/** All of it or nothing, on disk: a note that a full disk or a power failure cut would be believed by nobody. */
function writeWhole(path: string, text: string): void {
  const temporary = `${path}~`;
  try {
    const file = openSync(temporary, 'w', 0o600);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw about(error, path);
  }
}

/** Puts the files back as they were noted, each time once. What stood there instead is moved beside the worktree (`aside`); gives back which those were. */
export async function mendOwnFolder(repo: Repository, worktree: string): Promise<readonly { readonly file: string; readonly aside: string | undefined }[]> {
  const note = noteOf(repo, worktree);
  const noted = smallFile(note, { most: LARGEST_NOTE });
  if (noted === 'missing') return [];
  if (noted === 'odd') throw new GitError(`git -C ${worktree}`, `${note}, where choo noted what git is to find there, is no file of choo's (remove it, and try again)`);
  const { gitDir, files } = JSON.parse(noted.content.toString('utf8')) as Remembered;
  const mended: { readonly file: string; readonly aside: string | undefined }[] = [];
  // A folder that is gone as a whole, or a link to another, is no worktree any more; that is told elsewhere.
  if (isFolder(gitDir)) {
    for (const file of FILES) {
      const path = join(gitDir, file);
      const found = read(path);
      if (found === files[file]) continue;
      const aside = found === undefined ? undefined : await freeName(`${worktree}.${file}-left`);
      if (aside !== undefined) renameSync(path, aside);
      if (files[file] !== undefined) writeFileSync(path, files[file], { flag: 'wx' });
      mended.push({ file: `${basename(gitDir)}/${file}`, aside });
    }
  }
  rmSync(note, { force: true });
  return mended;
}

/** The text of a small file of its own; undefined when nothing is there, null for anything else (a link, a pipe, a folder). */
function read(path: string): string | null | undefined {
  const file = smallFile(path, { most: LARGEST, links: 'odd' });
  if (file === 'missing') return undefined;
  return file === 'odd' ? null : file.content.toString('utf8');
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

async function freeName(front: string): Promise<string> {
  for (let n = 1; ; n += 1) if (!(await exists(`${front}-${n}`))) return `${front}-${n}`;
}

function folderOf({ commonDir }: Repository): string {
  return join(commonDir, 'choo', 'own-folders');
}

function noteOf(repo: Repository, worktree: string): string {
  return join(folderOf(repo), createHash('sha256').update(worktree).digest('hex').slice(0, 32));
}
