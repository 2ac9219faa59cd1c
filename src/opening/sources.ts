// The two places specs are read from: a commit (every real run) and the working tree (a dry run).

import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BOUNDS } from '../core/limits.ts';
import { gitRunner } from '../adapters/git/exec.ts';
import type { OpenGit } from '../adapters/git/index.ts';
import { splitPaths } from '../adapters/git/names.ts';
import type { SourceFile } from '../discovery/source.ts';
import type { Clock } from '../world.ts';
import type { FileSource } from './specs.ts';

const REGULAR = /^100(644|755)$/;

/** Files as a commit has them. */
export function commitSource(git: Pick<OpenGit, 'readTree' | 'readFiles'>, commit: string): FileSource {
  const tree = memo(async () => new Map((await git.readTree(commit, '')).map((e) => [e.path, e])));
  return {
    paths: async () => new Set((await tree()).keys()),
    read: async (paths) => {
      const entries = await tree();
      return Promise.all(paths.map(async (path): Promise<SourceFile> => {
        const entry = entries.get(path);
        if (entry === undefined || !REGULAR.test(entry.mode)) return { path, text: undefined, problem: 'not-a-file' };
        if (entry.size > BOUNDS.specFile) return { path, text: undefined, problem: 'too-large' };
        const [content] = await git.readFiles([entry.id]);
        return decode(path, content ?? Buffer.alloc(0));
      }));
    },
  };
}

/** Files as they are in the working tree: tracked and untracked ones, not ignored ones. */
export function workingTreeSource(o: { readonly root: string; readonly env: NodeJS.ProcessEnv; readonly clock: Clock }): FileSource {
  const list = memo(async () => {
    const { stdout } = await gitRunner({ env: o.env, sleep: o.clock.sleep }).run({ at: { cwd: o.root }, args: ['ls-files', '-z', '--cached', '--others', '--exclude-standard'] });
    return new Set(splitPaths(stdout));
  });
  return { paths: list, read: (paths) => Promise.all(paths.map((path) => fromDisk(o.root, path))) };
}

async function fromDisk(root: string, path: string): Promise<SourceFile> {
  const full = join(root, path);
  const stat = await lstat(full).catch(() => undefined);
  if (stat === undefined || !stat.isFile()) return { path, text: undefined, problem: 'not-a-file' };
  if (stat.size > BOUNDS.specFile) return { path, text: undefined, problem: 'too-large' };
  return decode(path, await readFile(full));
}

function decode(path: string, content: Buffer): SourceFile {
  try {
    return { path, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content) };
  } catch (error) {
    if (error instanceof TypeError) return { path, text: undefined, problem: 'not-utf8' };
    throw error;
  }
}

function memo<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
