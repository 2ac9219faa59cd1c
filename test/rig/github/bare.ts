// The git side of the fake GitHub: reads and moves refs of a bare repository, merges without a working tree, and places lines of
// a review in later commits. Runs git directly; knows nothing of pull requests.

import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Who is named in a commit. */
export interface Person {
  readonly name: string;
  readonly email: string;
}

/** A commit that is to be made. */
export interface NewCommit {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
  readonly author: Person;
  /** ms since 1970. */
  readonly at: number;
  /** Default: the author. */
  readonly committer?: Person;
  /** When the author wrote it, ms since 1970; default: `at`. */
  readonly authoredAt?: number;
}

/** A piece of a diff with no lines of context: `count` lines of the old file at `start` become `newCount` at `newStart`. */
export interface Hunk {
  readonly start: number;
  readonly count: number;
  readonly newStart: number;
  readonly newCount: number;
  /** With its `@@` line. */
  readonly text: string;
}

/** What the fake asks of the bare repository. Commits are given by id. */
export interface Bare {
  /** Every ref and its commit, by full name. */
  refs(): ReadonlyMap<string, string>;
  /** The commit a name stands for, as `commits/{ref}` takes it; undefined: none. */
  commitOf(name: string): string | undefined;
  /** Moves a ref from `old` (undefined: it must not be there) to `next`; false: it was not at `old`. */
  moveRef(ref: string, next: string, old: string | undefined): boolean;
  /** Removes a ref that is at `old`; false: it was not. */
  deleteRef(ref: string, old: string): boolean;
  contains(commit: string, ancestor: string): boolean;
  mergeBase(a: string, b: string): string | undefined;
  /** Commits of `head` that are not in `base`, oldest first, without merges when `plain`. */
  commitsBetween(base: string, head: string, o?: { readonly plain?: boolean; readonly firstParent?: boolean }): readonly string[];
  /** The tree of both together; undefined: they are in conflict. `base` replaces the merge base. */
  mergedTree(ours: string, theirs: string): string | undefined;
  /** The tree of `commit` played again upon `onto`; undefined: a conflict. */
  replayedTree(commit: string, onto: string): string | undefined;
  commitTree(commit: NewCommit): string;
  /** Author, subject and body of a commit. */
  about(commit: string): { readonly author: Person; readonly subject: string; readonly body: string; readonly tree: string; readonly parents: readonly string[]; readonly date: string; readonly authored: string };
  /** Files, lines and commits that differ, as in a pull request. */
  size(base: string, head: string): { readonly files: number; readonly added: number; readonly deleted: number };
  /** Pieces of the diff of one file. */
  hunks(o: { readonly from: string; readonly to: string; readonly path: string; readonly context: number }): readonly Hunk[];
}

const NULL_ID = '0'.repeat(40);

/** A merge of the two as a three-way merge of trees would do it; git 2.39 has no `--merge-base`, so the base is made a parent. */
function replayed(git: Git, commit: string, onto: string): string | undefined {
  const { parent, tree, ontoTree } = { parent: git.ask(`rev-parse ${commit}^`), tree: git.ask(`rev-parse ${commit}^{tree}`), ontoTree: git.ask(`rev-parse ${onto}^{tree}`) };
  if (parent === undefined || tree === undefined || ontoTree === undefined) return undefined;
  const on = (of: string): string => git.run(['commit-tree', of, '-p', parent, '-m', 'replay'], { ...identity({ name: 'replay', email: 'replay@example.com' }, 0) });
  return git.mergeTree(on(ontoTree), on(tree));
}

/** Opens the bare repository at `path`. */
export function openBare(path: string): Bare {
  const git = startGit(path);
  const merged = new Map<string, string | undefined>();
  const remember = (key: string, find: () => string | undefined): string | undefined => {
    if (!merged.has(key)) merged.set(key, find());
    return merged.get(key);
  };
  const bare: Bare = {
    refs: () => refsIn(path),
    commitOf: (name) => git.tryRun(['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`]),
    moveRef: (ref, next, old) => git.tryRun(['update-ref', '--no-deref', ref, next, old ?? NULL_ID]) !== undefined,
    deleteRef: (ref, old) => git.tryRun(['update-ref', '--no-deref', '-d', ref, old]) !== undefined,
    contains: (commit, ancestor) => commit === ancestor || remember(`contains ${commit} ${ancestor}`, () => git.tryRun(['merge-base', '--is-ancestor', ancestor, commit])) !== undefined,
    mergeBase: (a, b) => remember(`base ${a} ${b}`, () => git.tryRun(['merge-base', a, b])),
    commitsBetween: (base, head, o = {}) => {
      const flags = [...(o.plain === true ? ['--no-merges'] : []), ...(o.firstParent === true ? ['--first-parent'] : [])];
      return (remember(`between ${flags.join(' ')} ${base} ${head}`, () => git.run(['rev-list', '--reverse', '--topo-order', ...flags, `${base}..${head}`])) ?? '').split('\n').filter((line) => line !== '');
    },
    mergedTree: (ours, theirs) => remember(`merge ${ours} ${theirs}`, () => git.mergeTree(ours, theirs)),
    replayedTree: (commit, onto) => remember(`replay ${commit} ${onto}`, () => replayed(git, commit, onto)),
    commitTree: ({ tree, parents, message, author, at, committer, authoredAt }) => git.run(['commit-tree', tree, ...parents.flatMap((parent) => ['-p', parent]), '-m', message], { ...identity(author, authoredAt ?? at), ...committing(committer ?? author, at) }),
    about: (commit) => {
      const [name = '', email = '', authored = '', tree = '', parents = '', date = '', subject = '', ...body] = (remember(`about ${commit}`, () => git.run(['show', '-s', '--format=%an%n%ae%n%aI%n%T%n%P%n%cI%n%s%n%b', commit])) ?? '').split('\n');
      return { author: { name, email }, tree, parents: parents.split(' ').filter((id) => id !== ''), date, authored, subject, body: body.join('\n').trim() };
    },
    size: (base, head) => {
      const rows = (remember(`size ${base} ${head}`, () => git.run(['diff', '--numstat', `${base}...${head}`])) ?? '').split('\n').filter((line) => line !== '').map((line) => line.split('\t').map(Number));
      const sum = (column: number): number => rows.reduce((total, row) => total + (row[column] ?? 0), 0);
      return { files: rows.length, added: sum(0) || 0, deleted: sum(1) || 0 };
    },
    hunks: ({ from, to, path: file, context }) => hunksOf(remember(`hunks ${context} ${from} ${to} ${file}`, () => git.run(['diff', `-U${context}`, '--no-renames', '--no-color', '--no-ext-diff', from, to, '--', file])) ?? ''),
  };
  return bare;
}

interface Git {
  run(args: readonly string[], env?: NodeJS.ProcessEnv): string;
  tryRun(args: readonly string[]): string | undefined;
  ask(words: string): string | undefined;
  mergeTree(ours: string, theirs: string): string | undefined;
}

function startGit(path: string): Git {
  const env: NodeJS.ProcessEnv = { PATH: process.env['PATH'], GIT_DIR: path, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', LC_ALL: 'C' };
  const run: Git['run'] = (args, more = {}) => execFileSync('git', args, { env: { ...env, ...more }, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 28 }).replace(/\n$/, '');
  const tryRun: Git['tryRun'] = (args) => {
    const done = spawnSync('git', args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    if (done.error !== undefined) throw done.error;
    return done.status === 0 ? done.stdout.replace(/\n$/, '') : undefined;
  };
  return {
    run, tryRun,
    ask: (words) => tryRun(words.split(' ')),
    mergeTree: (ours, theirs) => tryRun(['merge-tree', '--write-tree', '--allow-unrelated-histories', '--no-messages', ours, theirs])?.split('\n')[0],
  };
}

/** Read from the files themselves: it is done at every request, and a process each time would be most of its cost. */
function refsIn(bare: string): ReadonlyMap<string, string> {
  const loose = new Map<string, string>();
  const walk = (name: string): void => {
    for (const entry of unlessGone(() => readdirSync(join(bare, name), { withFileTypes: true })) ?? []) {
      const inner = `${name}/${entry.name}`;
      if (entry.isDirectory()) walk(inner);
      else if (!entry.name.endsWith('.lock')) loose.set(inner, unlessGone(() => readFileSync(join(bare, inner), 'utf8').trim()) ?? '');
    }
  };
  walk('refs');
  // After the loose ones, as git does: packing writes this file before it removes them.
  const lines = (unlessGone(() => readFileSync(join(bare, 'packed-refs'), 'utf8')) ?? '').split('\n').filter((line) => /^[0-9a-f]{40} /.test(line));
  return new Map([...lines.map((line) => [line.slice(41), line.slice(0, 40)] as const), ...[...loose].filter(([, commit]) => commit !== '')]);
}

function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function identity(person: Person, at: number): NodeJS.ProcessEnv {
  return { GIT_AUTHOR_NAME: person.name, GIT_AUTHOR_EMAIL: person.email, GIT_AUTHOR_DATE: `@${Math.floor(at / 1000)} +0000`, ...committing(person, at) };
}

function committing(person: Person, at: number): NodeJS.ProcessEnv {
  return { GIT_COMMITTER_NAME: person.name, GIT_COMMITTER_EMAIL: person.email, GIT_COMMITTER_DATE: `@${Math.floor(at / 1000)} +0000` };
}

function hunksOf(diff: string): readonly Hunk[] {
  return diff.split(/^(?=@@ )/m).flatMap((text) => {
    const match = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(text);
    if (match === null) return [];
    const [, start, count = '1', newStart, newCount = '1'] = match;
    return [{ start: Number(start), count: Number(count), newStart: Number(newStart), newCount: Number(newCount), text: text.replace(/\n$/, '') }];
  });
}

/** Where a line is after a change: its number then, or undefined when the change touched it. `hunks` have no context. */
export function lineAfter(line: number, hunks: readonly Hunk[]): number | undefined {
  let shift = 0;
  for (const { start, count, newCount } of hunks) {
    // A hunk that only adds stands after line `start`.
    if (count > 0 && line >= start && line < start + count) return undefined;
    if (count === 0 ? line > start : line >= start + count) shift += newCount - count;
  }
  return line + shift;
}
