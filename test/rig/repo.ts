// Temporary git repositories that nothing of this machine's git configuration reaches. Runs git directly, not through the adapter.

import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { systemClock } from '../../src/adapters/clock.ts';
import { openGit } from '../../src/adapters/git/index.ts';
import type { OpenGit } from '../../src/adapters/git/index.ts';

/** A repository in a folder of its own; `close` removes everything. */
export interface TestRepository {
  /** Holds the repository (`repo`), the HOME (`home`) and whatever a test puts beside them. */
  readonly base: string;
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  /** Runs git (in `root`, or where `-C` says) and gives back what it printed, without the last newline. Throws when it fails. */
  git(...args: readonly string[]): string;
  /** The same, giving the exit code instead of throwing. */
  tryGit(...args: readonly string[]): number;
  /** Writes a file in `root`, or in `worktree`; its folders are made. */
  write(path: string, text: string, worktree?: string): void;
  /** Makes a symbolic link. */
  link(path: string, target: string, worktree?: string): void;
  /** Writes the files, adds everything and commits; gives back the id. */
  commit(files: Readonly<Record<string, string>>, message?: string): string;
  /** Makes a worktree beside the repository, on a new branch at HEAD, as git itself does; gives back its path. */
  worktree(name?: string): string;
  /** Opens the repository through the adapter; closed with the repository. `sleep` replaces the clock's. */
  open(o?: { readonly env?: NodeJS.ProcessEnv; readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>; readonly watch?: readonly string[] }): OpenGit;
  close(): Promise<void>;
}

/** Environment with a HOME of its own, an identity and nothing else of this machine but PATH. */
function emptyEnvironment(home: string): NodeJS.ProcessEnv {
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, '.gitconfig'), '[user]\n\tname = Tess Ter\n\temail = tess@example.com\n[init]\n\tdefaultBranch = main\n');
  return { PATH: process.env['PATH'], HOME: home, XDG_CONFIG_HOME: join(home, '.config'), GIT_CONFIG_NOSYSTEM: '1', TMPDIR: tmpdir() };
}

/** Makes a repository on branch `main`; with `commit` (default) it has a first commit of `README`. */
export function makeRepository(o: { readonly commit?: boolean; readonly init?: readonly string[] } = {}): TestRepository {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'choo-git-')));
  const root = join(base, 'repo');
  const env = emptyEnvironment(join(base, 'home'));
  const opened: OpenGit[] = [];
  const git = (...args: readonly string[]): string => execFileSync('git', args, { cwd: root, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).replace(/\n$/, '');
  const repository: TestRepository = {
    base, root, env, git,
    tryGit: (...args) => spawnSync('git', args, { cwd: root, env, stdio: 'ignore' }).status ?? -1,
    write: (path, text, worktree = root) => {
      mkdirSync(dirname(join(worktree, path)), { recursive: true });
      writeFileSync(join(worktree, path), text);
    },
    link: (path, target, worktree = root) => symlinkSync(target, join(worktree, path)),
    commit: (files, message = 'change') => {
      for (const [path, text] of Object.entries(files)) repository.write(path, text);
      git('add', '-A');
      git('commit', '-q', '--allow-empty', '-m', message);
      return git('rev-parse', 'HEAD');
    },
    worktree: (name = 'linked') => {
      git('worktree', 'add', '-q', '-b', name, join(base, name));
      return join(base, name);
    },
    open: (with_ = {}) => {
      const adapter = openGit({ commonDir: join(root, '.git'), mainRoot: root, env: with_.env ?? env, sleep: with_.sleep ?? systemClock().sleep, ...(with_.watch === undefined ? {} : { watch: with_.watch }) });
      opened.push(adapter);
      return adapter;
    },
    close: async () => {
      for (const adapter of opened) await adapter.close();
      rmSync(base, { recursive: true, force: true });
    },
  };
  mkdirSync(root);
  git('init', '-q', ...(o.init ?? []));
  if (o.commit !== false) repository.commit({ README: 'first\n' }, 'first');
  return repository;
}

/** A `sleep` under which time limits never come (they can be aborted) and pauses between tries pass at once, told to `onPause`. */
export function sleepless(onPause: (ms: number) => void = () => undefined): (ms: number, signal?: AbortSignal) => Promise<void> {
  return (ms, signal) => {
    if (signal === undefined) {
      onPause(ms);
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve());
    });
  };
}

/** An environment whose git notes each of its starts (pid and arguments, a line each) before it becomes the real one. */
export function notingGit(repository: TestRepository): { readonly env: NodeJS.ProcessEnv; readonly starts: () => readonly string[] } {
  const real = execFileSync('sh', ['-c', 'command -v git'], { env: repository.env, encoding: 'utf8' }).trim();
  const notes = join(repository.base, 'starts');
  writeFileSync(notes, '');
  const env = fakeProgram(repository, 'git', `printf '%s %s\\n' "$$" "$3" >> '${notes}'; exec '${real}' "$@"`);
  return { env, starts: () => readFileSync(notes, 'utf8').split('\n').filter((line) => line !== '') };
}

/** Makes a program named `name` in a folder that goes first on PATH. */
export function fakeProgram(repository: TestRepository, name: string, script: string): NodeJS.ProcessEnv {
  const bin = join(repository.base, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, name), 0o755);
  return { ...repository.env, PATH: `${bin}:${repository.env['PATH'] ?? ''}` };
}
