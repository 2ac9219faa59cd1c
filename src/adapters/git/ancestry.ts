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

/** The one best common ancestor, where `theirs` is a straight line from it and `ours` reaches it by first parents, without a process; undefined where that is not so plain. */
export async function commonCommit(repo: Repository, o: { readonly ours: string; readonly theirs: string }): Promise<string | undefined> {
  const line: string[] = [];
  for (let at = o.theirs; line.length < LINE;) {
    line.push(at);
    const parents = repo.parents.get(at) ?? await parentsOf(repo, at);
    if (parents?.length !== 1 || parents[0] === undefined) break;
    at = parents[0];
  }
  const rank = new Map(line.map((commit, i) => [commit, i]));
  let base: string | undefined;
  const chain: string[] = [];
  for (let at: string | undefined = o.ours; at !== undefined && chain.length < CHAIN;) {
    chain.push(at);
    if (rank.has(at)) { base = at; break; }
    at = (repo.parents.get(at) ?? await parentsOf(repo, at))?.[0];
  }
  // Everything before the common commit is a straight line only as far as it was walked.
  if (base === undefined || (await parentsBefore(repo, line, rank.get(base) ?? 0))) return undefined;
  return (await isCrossed(repo, { chain, base, rank })) ? undefined : base;
}

/** True when a commit of the line above the common one has not exactly one parent. */
async function parentsBefore(repo: Repository, line: readonly string[], end: number): Promise<boolean> {
  for (const commit of line.slice(0, end)) if ((await parentsOf(repo, commit))?.length !== 1) return true;
  return false;
}

/** True when a commit of the line above the common one was merged into `ours` before, or when there is too much to look through. */
async function isCrossed(repo: Repository, o: { readonly chain: readonly string[]; readonly base: string; readonly rank: ReadonlyMap<string, number> }): Promise<boolean> {
  const end = o.rank.get(o.base) ?? 0;
  const seen = new Set(o.chain);
  let before: string | undefined = o.base;
  for (let n = 0; n < BEFORE && before !== undefined; n++) {
    before = (repo.parents.get(before) ?? await parentsOf(repo, before))?.[0];
    if (before !== undefined) seen.add(before);
  }
  const most = seen.size + BESIDE;
  const queue: string[] = [];
  for (const commit of o.chain.slice(0, -1)) queue.push(...(repo.parents.get(commit) ?? await parentsOf(repo, commit) ?? []).slice(1));
  for (let commit = queue.pop(); commit !== undefined; commit = queue.pop()) {
    if (seen.has(commit)) continue;
    const at = o.rank.get(commit);
    if (at !== undefined && at < end) return true;
    // At or below the common commit there is nothing of the line above it.
    if (at !== undefined) continue;
    if (seen.add(commit).size > most) return true;
    const parents = repo.parents.get(commit) ?? await parentsOf(repo, commit);
    if (parents === undefined) return true;
    queue.push(...parents);
  }
  return false;
}

/** Parents of a commit, remembered with its tree: they never change, and a walk takes no turn for those that are known. Undefined when it cannot be read, as in a shallow clone. */
async function parentsOf(repo: Repository, commit: string): Promise<readonly string[] | undefined> {
  const found = await repo.objects.contents(commit);
  if (found?.type !== 'commit' || found.content === undefined) return undefined;
  const text = found.content.toString('latin1');
  const header = text.slice(0, text.indexOf('\n\n') + 1);
  const parents = [...header.matchAll(/^parent ([0-9a-f]+)$/gm)].map((match) => match[1] ?? '');
  const [, tree] = /^tree ([0-9a-f]+)$/m.exec(header) ?? [];
  if (tree !== undefined) rememberCommit(repo, { commit, tree, parents });
  return parents;
}
