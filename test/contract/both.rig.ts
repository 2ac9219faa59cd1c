// One repository to try a `Git` on, real or simulated: the same few things people and agents do to it from outside.

import { mkdirSync, readFileSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Files, Git } from '../../src/world.ts';
import { realFiles } from '../../src/adapters/files.ts';
import { makeRepository } from '../rig/repo.ts';
import { openGate } from '../sim/gate.ts';
import { simFiles } from '../sim/files.ts';
import { simGit } from '../sim/git.ts';
import { Repository } from '../sim/repository.ts';

/** A repository with `main` checked out at `root` and one commit of README and .gitignore (ignores `node_modules/` and `*.env`). */
export interface Ground {
  readonly root: string;
  readonly git: Git;
  readonly files: Files;
  /** The path of a worktree that may be made. */
  readonly place: (name: string) => string;
  /** Writes, or with undefined deletes, a file of a worktree. */
  readonly edit: (worktree: string, path: string, text: string | undefined) => void;
  readonly text: (worktree: string, path: string) => string | undefined;
  /** Commits everything in a worktree as somebody would. Gives back the id. */
  readonly commit: (worktree: string, message?: string) => string;
  /** Sets a ref whatever it was; undefined deletes it. */
  readonly force: (ref: string, to: string | undefined) => void;
  /** Detaches HEAD of a worktree. */
  readonly detach: (worktree: string) => void;
  /** Leaves `index.lock` in a worktree, as a killed git does. */
  readonly lock: (worktree: string) => void;
  /** Removes a worktree's `.git` file. */
  readonly unlink: (worktree: string) => void;
  /** Deletes a worktree's folder, behind git's back. */
  readonly vanish: (worktree: string) => void;
  /** Begins a rebase in the main checkout that does not end. */
  readonly rebase: () => void;
  readonly close: () => Promise<void>;
}

const IGNORE = 'node_modules/\n*.env\n';

function real(): Ground {
  const repo = makeRepository({ commit: false });
  repo.commit({ README: 'hello\n', '.gitignore': IGNORE }, 'first');
  const gitDir = (worktree: string): string => repo.git('-C', worktree, 'rev-parse', '--absolute-git-dir');
  return {
    root: repo.root, git: repo.open(), files: realFiles(repo.env), place: (name) => join(repo.base, name),
    edit: (worktree, path, text) => {
      const file = join(worktree, path);
      if (text === undefined) return rmSync(file);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    },
    text: (worktree, path) => (existsSync(join(worktree, path)) ? readFileSync(join(worktree, path), 'utf8') : undefined),
    commit: (worktree, message = 'change') => {
      repo.git('-C', worktree, 'add', '-A');
      repo.git('-C', worktree, 'commit', '-q', '--allow-empty', '-m', message);
      return repo.git('-C', worktree, 'rev-parse', 'HEAD');
    },
    force: (ref, to) => repo.git('update-ref', ...(to === undefined ? ['-d', ref] : [ref, to])),
    detach: (worktree) => repo.git('-C', worktree, 'checkout', '-q', '--detach'),
    lock: (worktree) => writeFileSync(join(gitDir(worktree), 'index.lock'), ''),
    unlink: (worktree) => rmSync(join(worktree, '.git')),
    vanish: (worktree) => rmSync(worktree, { recursive: true }),
    rebase: () => repo.git('-c', 'sequence.editor=sed -i 1ibreak', 'rebase', '-q', '-i', 'HEAD~1'),
    close: () => repo.close(),
  };
}

function simulated(): Ground {
  const person = { who: 'person' } as const;
  const repo = new Repository({ root: '/repo', branch: 'refs/heads/main', files: new Map([['README', 'hello\n'], ['.gitignore', IGNORE]]) });
  return {
    root: '/repo', place: (name) => `/elsewhere/${name}`,
    git: simGit({ repo, gate: openGate, by: { who: 'choo', session: 1 }, trespass: () => undefined }),
    files: simFiles({ repo, disk: new Map(), gate: openGate, free: () => 2 ** 40 }),
    edit: (worktree, path, text) => {
      const { files } = repo.at(worktree);
      if (text === undefined) files.delete(path);
      else files.set(path, text);
    },
    text: (worktree, path) => repo.at(worktree).files.get(path),
    commit: (worktree, message = 'change') => repo.commitAll(person, { checkout: repo.at(worktree), message }),
    force: (ref, to) => repo.set(person, ref, to),
    detach: (worktree) => {
      const checkout = repo.at(worktree);
      checkout.detached = repo.headOf(checkout);
      checkout.branch = undefined;
    },
    lock: (worktree) => { repo.at(worktree).locked = true; },
    unlink: (worktree) => { repo.at(worktree).linked = false; },
    vanish: (worktree) => {
      const checkout = repo.at(worktree);
      checkout.present = false;
      checkout.files.clear();
    },
    rebase: () => {
      const { main } = repo;
      main.detached = repo.headOf(main);
      main.rebasing = main.branch;
      main.branch = undefined;
    },
    close: () => Promise.resolve(),
  };
}

/** Both grounds, by name. */
export const GROUNDS: readonly (readonly [string, () => Ground])[] = [['real', real], ['simulated', simulated]];
