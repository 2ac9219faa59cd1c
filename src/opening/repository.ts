// The repository as it is found: works, or says in one go what is wrong and what to do. Changes nothing.

import { realpathSync } from 'node:fs';
import { join, relative } from 'node:path';
import { inspectRepository } from '../adapters/git/facts.ts';
import type { RepositoryFacts, RepositoryRefusal } from '../adapters/git/facts.ts';
import { openGit } from '../adapters/git/index.ts';
import type { OpenGit } from '../adapters/git/index.ts';
import { shellWord } from '../core/clean.ts';
import { errorAt, warningAt } from '../discovery/diagnostic.ts';
import type { Diagnostic } from '../discovery/diagnostic.ts';
import type { Clock } from '../world.ts';
import { refuse, Refusal } from './refusal.ts';

/** A repository that can be looked at. */
export interface Repository {
  readonly facts: RepositoryFacts;
  /** Where the user's files are: the worktree choo was started in, else the main one; undefined in a bare repository. */
  readonly root: string | undefined;
  /** The folder choo was started in, without links. */
  readonly here: string;
  readonly git: OpenGit;
}

/** Opens the repository around `cwd` to look at it. Throws a Refusal when there is none to be had. */
export async function findRepository(o: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly clock: Clock }): Promise<Repository> {
  const facts = await inspectRepository({ cwd: o.cwd, env: o.env, sleep: o.clock.sleep });
  if (facts.kind !== 'ok') throw new Refusal([notUsable(facts, o.cwd)]);
  const root = facts.root ?? facts.mainRoot;
  const watch = facts.root !== undefined && facts.root !== facts.mainRoot ? [facts.root] : [];
  return { facts, root, here: realpathSync(o.cwd), git: openGit({ commonDir: facts.commonDir, mainRoot: facts.mainRoot, watch, env: o.env, sleep: o.clock.sleep }) };
}

/** A path of the repository as a word to paste into a shell where choo was started. */
export function wordFromHere({ root, here }: Pick<Repository, 'root' | 'here'>, path: string): string {
  const way = root === undefined ? path : relative(here, join(root, path)) || '.';
  // To git it would be a flag, or a pattern's sign.
  return shellWord(/^[-:]/.test(way) ? `./${way}` : way);
}

function notUsable(r: RepositoryRefusal, cwd: string): Diagnostic {
  switch (r.kind) {
    case 'not-a-repository': return errorAt('not-a-repository', `${cwd} is not inside a git repository`, { hint: 'go to your repository, or make one: git init' });
    case 'dubious-ownership': return errorAt('dubious-ownership', 'git refuses this repository because it belongs to somebody else', { hint: `if you trust it: git config --global --add safe.directory '${realpathSync(cwd)}'` });
    case 'git-missing': return errorAt('git-missing', 'git is not installed or not on the PATH', { hint: 'install git 2.38 or newer' });
    case 'git-too-old': return errorAt('git-too-old', `${r.detail} is too old: choo needs git 2.38 or newer`, { hint: 'install a newer git' });
    case 'git-dir-set': return errorAt('git-dir-set', `the environment points git at another place (${r.detail})`, { hint: `unset ${r.detail.split('=')[0] ?? 'GIT_DIR'} and start choo inside the repository` });
    default: return r.kind satisfies never;
  }
}

/** What keeps a real run from starting in this repository. A dry run needs none of it. */
export function runProblems(f: RepositoryFacts): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  const say = (code: string, message: string, hint: string): void => { found.push(errorAt(code, message, { hint })); };
  if (!f.identity.known) say('no-identity', 'git does not know who you are, so no commit can be made', 'git config --global user.name "Your Name" && git config --global user.email you@example.org');
  if (f.signing.wanted && !f.signing.works) say('signing', `commits are to be signed, but signing without a terminal fails: ${f.signing.detail}`, 'unlock the key in an agent, or for this repository: git config commit.gpgsign false');
  if (f.partial) say('partial-clone', 'this is a partial clone: objects would be fetched one by one in the middle of the run', 'git fetch --refetch --no-filter');
  if (f.sparse) say('sparse-checkout', 'this is a sparse checkout; worktrees would lack files that checks need', 'git sparse-checkout disable');
  if (f.hasSubmodules) found.push(warningAt('submodules', 'the repository has submodules; worktrees begin without them', { hint: 'add to worktree.setup:  git submodule update --init --recursive' }));
  if (f.lfs.used && !f.lfs.installed) say('lfs-missing', 'the repository has files kept by git-lfs, which is not installed', 'install git-lfs, then: git lfs pull');
  if (f.lfs.missing.length > 0) say('lfs-objects', `${f.lfs.missing.length} files of git-lfs are not here (${f.lfs.missing[0] ?? ''} …)`, 'git lfs pull');
  if (f.shallow) found.push(warningAt('shallow-clone', 'this is a shallow clone; choo works with the commits that are here', { hint: 'for the whole history: git fetch --unshallow' }));
  return found;
}

/** The target as a full ref with its commit. Throws a Refusal when there is none. */
export async function resolveTarget(r: Repository, name: string | undefined): Promise<{ readonly ref: string; readonly commit: string }> {
  if (r.facts.head === undefined && name === undefined) throw refuse('no-commit', 'the repository has no commit yet', 'git add -A && git commit');
  const ref = name === undefined ? r.facts.branch : `refs/heads/${name.replace(/^refs\/heads\//, '')}`;
  if (ref === undefined) throw refuse('detached-head', 'no branch is checked out, so there is no target to land on', 'name one: choo run --target BRANCH');
  const commit = await r.git.resolve(ref);
  if (commit === undefined) {
    throw refuse('unknown-target', `there is no branch \`${ref.replace('refs/heads/', '')}\``, r.facts.head === undefined ? 'the repository has no commit yet' : 'see: git branch --list');
  }
  return { ref, commit };
}
