// Facts about commits and trees: ancestry, messages, changed paths. Changes nothing.

import { Bug } from '../../core/bug.ts';
import { GitError } from '../../world.ts';
import type { Git } from '../../world.ts';
import { checkId, isId, isRef, isRepositoryPath, isZero, pathText, splitNul, splitPaths } from './names.ts';
import { ask } from './repository.ts';
import type { Repository } from './repository.ts';
import { commonCommit, parentsOf, treeIn } from './ancestry.ts';
import { cutCommits } from './shallow.ts';
import { diffTrees } from './tree-diff.ts';
import type { TreeChange } from './tree-diff.ts';
import { SUBMODULE } from './tree-items.ts';

type Range = { readonly from: string; readonly to: string };
type Commits = Awaited<ReturnType<Git['commitsBetween']>>;

/** The commit a full ref name or id stands for, or undefined. A short name is a Bug. */
export async function resolve(repo: Repository, ref: string): Promise<string | undefined> {
  if (!isId(ref)) {
    if (!ref.startsWith('refs/')) throw new Bug(`neither a full ref name nor an id: ${JSON.stringify(ref)}`);
    if (!isRef(ref)) return undefined;
  }
  return (await repo.objects.info(`${ref}^{commit}`))?.id;
}

/** The tree of a commit; throws GitError when there is no such commit. */
export async function treeOf(repo: Repository, commit: string): Promise<string> {
  const tree = await treeIn(repo, checkId(commit));
  if (tree === undefined) throw new GitError(`git cat-file ${commit}`, 'there is no such commit');
  return tree;
}

/** Text of a file at a commit, or undefined when there is no file of that name. */
export async function readFile(repo: Repository, o: { readonly commit: string; readonly path: string }): Promise<string | undefined> {
  checkId(o.commit);
  if (!isRepositoryPath(o.path)) return undefined;
  const found = await repo.objects.contents(`${o.commit}:${o.path}`);
  return found?.type === 'blob' ? found.content?.toString('utf8') : undefined;
}

/** True when `ancestor` is reachable from `commit`. Nothing is an ancestor of "no commit yet". */
export async function isAncestor(repo: Repository, o: { readonly ancestor: string; readonly commit: string }): Promise<boolean> {
  checkId(o.ancestor);
  checkId(o.commit);
  if (o.ancestor === o.commit) return true;
  if (isZero(o.ancestor) || isZero(o.commit)) return false;
  const { code } = await ask(repo, { args: ['merge-base', '--is-ancestor', '--end-of-options', o.ancestor, o.commit], accept: [0, 1] });
  return code === 0;
}

/** Commits that are read for the sake of a common one before git is asked. */
const MOST_READ = 64;

/** The best common ancestor, or undefined. */
export async function mergeBase(repo: Repository, o: { readonly a: string; readonly b: string }): Promise<string | undefined> {
  const quick = await commonCommit(repo, { ours: checkId(o.a), theirs: checkId(o.b), most: MOST_READ });
  if (quick !== undefined) return quick;
  const { stdout } = await ask(repo, { args: ['merge-base', '--end-of-options', checkId(o.a), checkId(o.b)], accept: [0, 1] });
  const id = stdout.toString('latin1').trim();
  return id === '' ? undefined : id;
}

/** Commits along first parents, oldest first. */
export function firstParents(repo: Repository, range: Range): Promise<Commits> {
  return log(repo, ['--first-parent', '--reverse'], range);
}

/** All commits of the range, newest first. */
export function commitsBetween(repo: Repository, range: Range): Promise<Commits> {
  return log(repo, ['--topo-order'], range);
}

/** Paths that differ between two commits or trees; a rename is two of them. */
export async function changedPaths(repo: Repository, range: Range): Promise<readonly string[]> {
  const quick = await quickChanges(repo, range);
  if (quick !== undefined) return quick.map(({ path }) => path);
  const { stdout } = await ask(repo, {
    args: ['diff-tree', '-r', '-z', '--no-renames', '--name-only', '--no-ext-diff', '--end-of-options', range.from, range.to, '--'],
  });
  return splitPaths(stdout);
}

/** What differs between two commits or trees, without a process; undefined when git has to tell. */
async function quickChanges(repo: Repository, range: Range): Promise<readonly TreeChange[] | undefined> {
  const [from, to] = await Promise.all([treeIn(repo, checkId(range.from)), treeIn(repo, checkId(range.to))]);
  return from === undefined || to === undefined ? undefined : diffTrees(repo, { from, to });
}

/** Paths changed by the range's own commits along first parents; of a merge only those unlike every parent. */
export async function ownPaths(repo: Repository, range: Range): Promise<ReadonlySet<string>> {
  const straight = await straightLine(repo, range);
  if (straight !== undefined) {
    const lists = await Promise.all(straight.map((step) => changedPaths(repo, step)));
    return new Set(lists.flat());
  }
  const { stdout } = await ask(repo, {
    args: ['log', '-z', '--first-parent', '--diff-merges=combined', '--root', '--no-renames', '--name-only', '--no-ext-diff', '--ignore-submodules=none', '--format=', '--end-of-options', span(range), '--'],
  });
  return new Set(splitPaths(stdout));
}

/** Commits that a walk reads before it leaves the question to git. */
const LONGEST_WALK = 50;

/** The range as its single steps, when it is a short line without merges; undefined otherwise. */
async function straightLine(repo: Repository, range: Range): Promise<readonly Range[] | undefined> {
  const steps: Range[] = [];
  const cut = cutCommits(repo);
  for (let at = checkId(range.to); at !== checkId(range.from);) {
    const [parent, second] = await parentsOf(repo, at, cut) ?? [];
    if (parent === undefined || second !== undefined || steps.length === LONGEST_WALK) return undefined;
    steps.push({ from: parent, to: at });
    at = parent;
  }
  return steps;
}

/** Submodule entries of `to` that `from` does not have as such and that the .gitmodules of `to` does not name. */
export async function newLinks(repo: Repository, range: Range): Promise<readonly string[]> {
  const quick = await quickChanges(repo, range);
  const links = quick === undefined ? await linksByGit(repo, range) : quick.filter(({ was, is }) => is?.mode === SUBMODULE && was?.mode !== SUBMODULE).map(({ path }) => path);
  if (links.length === 0) return links;
  const modules = (await readFile(repo, { commit: range.to, path: '.gitmodules' })) ?? '';
  const named = new Set([...modules.matchAll(/^\s*path\s*=\s*(.+?)\s*$/gm)].map((match) => match[1]));
  return links.filter((path) => !named.has(path));
}

async function linksByGit(repo: Repository, range: Range): Promise<readonly string[]> {
  const { stdout } = await ask(repo, { args: ['diff-tree', '-r', '-z', '--no-renames', '--no-ext-diff', '--end-of-options', checkId(range.from), checkId(range.to), '--'] });
  const records = splitNul(stdout).map((record) => pathText(record));
  return records.filter((_, n) => n % 2 === 1 && /^:(?!160000)\d{6} 160000 /.test(records[n - 1] ?? ''));
}

/** Renames (content alike at least by half): new path → old path. */
export async function renames(repo: Repository, range: Range): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await ask(repo, {
    args: ['diff-tree', '-r', '-z', '-M', '-l7000', '--diff-filter=R', '--name-status', '--no-ext-diff', '--end-of-options', checkId(range.from), checkId(range.to), '--'],
  });
  const fields = splitNul(stdout).map(pathText);
  const found = new Map<string, string>();
  for (let n = 0; n + 2 < fields.length; n += 3) {
    const [, from, to] = fields.slice(n, n + 3);
    if (from !== undefined && to !== undefined) found.set(to, from);
  }
  return found;
}

async function log(repo: Repository, order: readonly string[], range: Range): Promise<Commits> {
  const { stdout } = await ask(repo, { args: ['log', '-z', '-s', ...order, '--format=tformat:%H%n%B', '--end-of-options', span(range), '--'] });
  return splitNul(stdout).map((record) => {
    const text = record.toString('utf8');
    const end = text.indexOf('\n');
    return { id: text.slice(0, end), message: text.slice(end + 1) };
  });
}

function span(range: Range): string {
  return `${checkId(range.from)}..${checkId(range.to)}`;
}
