// How commits hang together, as far as it is plain: their trees and parents, which never change and are remembered, and the commit that two
// have in common. Changes nothing.

import type { Repository } from './repository.ts';

/** Commits on the way back to the common one that are looked at: of the side merged in, of the side it is merged into, and beside that one. */
const LINE = 256;
const CHAIN = 4096;
const BESIDE = 4096;
/** Commits before the common one that are known to be before it. */
const BEFORE = 256;

/** Commits whose trees and parents are remembered. */
const REMEMBERED = 50_000;

/** The tree of a commit or tree by its full id; undefined when there is none. */
export async function treeIn(repo: Repository, id: string): Promise<string | undefined> {
  const known = repo.treesOf.get(id);
  if (known !== undefined) return known;
  const tree = (await repo.objects.info(`${id}^{tree}`))?.id;
  if (tree === undefined) return undefined;
  remember(repo.treesOf, { key: id, value: tree });
  return tree;
}

/** What a commit says of itself, for who asks later; it never changes. */
export function rememberCommit(repo: Repository, o: { readonly commit: string; readonly tree: string; readonly parents: readonly string[] }): void {
  remember(repo.treesOf, { key: o.commit, value: o.tree });
  remember(repo.parents, { key: o.commit, value: o.parents });
}

function remember<T>(known: Map<string, T>, o: { readonly key: string; readonly value: T }): void {
  if (known.size > REMEMBERED) known.clear();
  known.set(o.key, o.value);
}

/**
 * The one best common ancestor, where `theirs` is a straight line from it and `ours` reaches it by first parents, without a process; undefined where
 * that is not so plain, or when more than `most` commits would have to be read that are not remembered.
 */
export async function commonCommit(repo: Repository, o: { readonly ours: string; readonly theirs: string; readonly most?: number }): Promise<string | undefined> {
  const read = reader(repo, o.most ?? Infinity);
  const line: string[] = [];
  for (let at = o.theirs; line.length < LINE;) {
    line.push(at);
    const parents = repo.parents.get(at) ?? await read(at);
    if (parents?.length !== 1 || parents[0] === undefined) break;
    at = parents[0];
  }
  const rank = new Map(line.map((commit, i) => [commit, i]));
  let base: string | undefined;
  const chain: string[] = [];
  for (let at: string | undefined = o.ours; at !== undefined && chain.length < CHAIN;) {
    chain.push(at);
    if (rank.has(at)) { base = at; break; }
    at = (repo.parents.get(at) ?? await read(at))?.[0];
  }
  // One that is named but not there, as in a shallow clone, is in common with nobody.
  if (base === undefined || !repo.parents.has(base)) return undefined;
  return (await isCrossed(repo, { chain, base, rank, read })) ? undefined : base;
}

type Read = (commit: string) => Promise<readonly string[] | undefined>;

/** Reads the parents of so many commits; of others it knows nothing. */
function reader(repo: Repository, most: number): Read {
  let left = most;
  return (commit) => {
    left -= 1;
    return left < 0 ? Promise.resolve(undefined) : parentsOf(repo, commit);
  };
}

/** True when a commit of the line above the common one was merged into `ours` before, or when there is too much to look through. */
async function isCrossed(repo: Repository, o: { readonly chain: readonly string[]; readonly base: string; readonly rank: ReadonlyMap<string, number>; readonly read: Read }): Promise<boolean> {
  const end = o.rank.get(o.base) ?? 0;
  // All of the chain was read on the way.
  const queue = o.chain.slice(0, -1).flatMap((commit) => repo.parents.get(commit)?.slice(1) ?? []);
  if (queue.length === 0) return false;
  const seen = new Set(o.chain);
  let before: string | undefined = o.base;
  for (let n = 0; n < BEFORE && before !== undefined; n++) {
    before = (repo.parents.get(before) ?? await o.read(before))?.[0];
    if (before !== undefined) seen.add(before);
  }
  const most = seen.size + BESIDE;
  for (let commit = queue.pop(); commit !== undefined; commit = queue.pop()) {
    if (seen.has(commit)) continue;
    const at = o.rank.get(commit);
    if (at !== undefined && at < end) return true;
    // At or below the common commit there is nothing of the line above it.
    if (at !== undefined) continue;
    if (seen.add(commit).size > most) return true;
    const parents = repo.parents.get(commit) ?? await o.read(commit);
    if (parents === undefined) return true;
    queue.push(...parents);
  }
  return false;
}

/** Parents of a commit, remembered with its tree: they never change, and a walk takes no turn for those that are known. Undefined when it cannot be read, as in a shallow clone. */
export async function parentsOf(repo: Repository, commit: string): Promise<readonly string[] | undefined> {
  const known = repo.parents.get(commit);
  if (known !== undefined) return known;
  const found = await repo.objects.contents(commit);
  const [tree, parents] = found?.type === 'commit' && found.content !== undefined ? headerOf(found.content.toString('latin1')) : [];
  if (tree === undefined || parents === undefined) return undefined;
  rememberCommit(repo, { commit, tree, parents });
  return parents;
}

/** Tree and parents, which are the first lines of a commit; such lines further down mean nothing to git. Source: git's commit objects. */
function headerOf(text: string): readonly [string, readonly string[]] | readonly [] {
  const [, tree, parents = ''] = /^tree ([0-9a-f]+)\n((?:parent [0-9a-f]+\n)*)/.exec(text) ?? [];
  return tree === undefined ? [] : [tree, parents.split('\n').slice(0, -1).map((line) => line.slice('parent '.length))];
}
