// How commits hang together, as far as it is plain: their trees and parents, which never change and are remembered, and the commit that two
// have in common. Changes nothing.

import type { Repository } from './repository.ts';
import { cutCommits } from './shallow.ts';
import type { CutCommits } from './shallow.ts';

/** What of a repository is asked and remembered here. */
export type History = Pick<Repository, 'objects' | 'commonDir' | 'treesOf' | 'parents' | 'cuts'>;

/** Commits on the way back to the common one that are looked at: of the side merged in, of the side it is merged into, and beside that one. */
const LINE = 256;
const CHAIN = 4096;
const BESIDE = 4096;
/** Commits before the common one that are known to be before it. */
const BEFORE = 256;

/** Commits whose trees and parents are remembered. */
const REMEMBERED = 50_000;

/** The tree of a commit or tree by its full id; undefined when there is none. */
export async function treeIn(repo: History, id: string): Promise<string | undefined> {
  const known = repo.treesOf.get(id);
  if (known !== undefined) return known;
  const tree = (await repo.objects.info(`${id}^{tree}`))?.id;
  if (tree === undefined) return undefined;
  remember(repo.treesOf, { key: id, value: tree });
  return tree;
}

/** What a commit says of itself, for who asks later; it never changes. */
export function rememberCommit(repo: History, o: { readonly commit: string; readonly tree: string; readonly parents: readonly string[] }): void {
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
export async function commonCommit(repo: History, o: { readonly ours: string; readonly theirs: string; readonly most?: number }): Promise<string | undefined> {
  const walk = new Walk(repo, o.most ?? Infinity);
  const line: string[] = [];
  for (let at = o.theirs; line.length < LINE;) {
    line.push(at);
    const parents = walk.known(at) ?? await walk.read(at);
    if (parents?.length !== 1 || parents[0] === undefined) break;
    at = parents[0];
  }
  const rank = new Map(line.map((commit, i) => [commit, i]));
  let base: string | undefined;
  const chain: string[] = [];
  for (let at: string | undefined = o.ours; at !== undefined && chain.length < CHAIN;) {
    chain.push(at);
    if (rank.has(at)) { base = at; break; }
    at = (walk.known(at) ?? await walk.read(at))?.[0];
  }
  // One that is named but not there, as in a shallow clone, is in common with nobody.
  if (base === undefined || walk.known(base) === undefined) return undefined;
  return (await isCrossed(walk, { chain, base, rank })) ? undefined : base;
}

/** Parents as one walk comes by them. It keeps them for itself: what is remembered of all may be dropped on the way. */
class Walk {
  readonly #repo: History;
  readonly #cut: CutCommits;
  readonly #met = new Map<string, readonly string[]>();
  #left: number;

  /** Reads the parents of `most` commits; of others it knows nothing. */
  constructor(repo: History, most: number) {
    this.#repo = repo;
    this.#cut = cutCommits(repo);
    this.#left = most;
  }

  /** Without a turn; undefined for a commit that is to be read. */
  known(commit: string): readonly string[] | undefined {
    const met = this.#met.get(commit);
    if (met !== undefined) return met;
    return this.#keep(commit, this.#cut(commit) ? undefined : this.#repo.parents.get(commit));
  }

  async read(commit: string): Promise<readonly string[] | undefined> {
    this.#left -= 1;
    return this.#left < 0 ? undefined : this.#keep(commit, await parentsOf(this.#repo, commit, this.#cut));
  }

  #keep(commit: string, parents: readonly string[] | undefined): readonly string[] | undefined {
    if (parents !== undefined) this.#met.set(commit, parents);
    return parents;
  }
}

/** True when a commit of the line above the common one was merged into `ours` before, or when there is too much to look through. */
async function isCrossed(walk: Walk, o: { readonly chain: readonly string[]; readonly base: string; readonly rank: ReadonlyMap<string, number> }): Promise<boolean> {
  const end = o.rank.get(o.base) ?? 0;
  // All of the chain was read on the way.
  const queue = o.chain.slice(0, -1).flatMap((commit) => walk.known(commit)?.slice(1) ?? []);
  if (queue.length === 0) return false;
  const seen = new Set(o.chain);
  let before: string | undefined = o.base;
  for (let n = 0; n < BEFORE && before !== undefined; n++) {
    before = (walk.known(before) ?? await walk.read(before))?.[0];
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
    const parents = walk.known(commit) ?? await walk.read(commit);
    if (parents === undefined) return true;
    queue.push(...parents);
  }
  return false;
}

/** Parents of a commit, remembered with its tree: they never change, and a walk takes no turn for those that are known. Undefined when it cannot be read, or is one whose parents git does not look at, as in a shallow clone. */
export async function parentsOf(repo: History, commit: string, cut: CutCommits = cutCommits(repo)): Promise<readonly string[] | undefined> {
  if (cut(commit)) return undefined;
  const known = repo.parents.get(commit);
  if (known !== undefined) return known;
  const found = await repo.objects.contents(commit);
  const header = found?.type === 'commit' && found.content !== undefined ? headerOf(found.content) : undefined;
  if (header === undefined) return undefined;
  rememberCommit(repo, { commit, ...header });
  return header.parents;
}

/**
 * Tree and parents, which are the first lines of a commit; such lines further down mean nothing to git. Source: git's commit objects.
 * Each id is made of its own bytes: one cut out of a longer text would keep all of that in memory.
 */
function headerOf(content: Buffer): { readonly tree: string; readonly parents: readonly string[] } | undefined {
  const tree = idIn(content, { at: 0, word: 'tree ' });
  if (tree === undefined) return undefined;
  const parents: string[] = [];
  let at = 'tree '.length + tree.length + 1;
  for (let id = idIn(content, { at, word: 'parent ' }); id !== undefined; id = idIn(content, { at, word: 'parent ' })) {
    parents.push(id);
    at += 'parent '.length + id.length + 1;
  }
  return { tree, parents };
}

/** The id in the line that begins there; undefined when that is not `<word><id>`. */
function idIn(content: Buffer, o: { readonly at: number; readonly word: string }): string | undefined {
  const from = o.at + o.word.length;
  if (content.toString('latin1', o.at, from) !== o.word) return undefined;
  const end = content.indexOf(10, from);
  const id = end === -1 ? '' : content.toString('latin1', from, end);
  return /^[0-9a-f]+$/.test(id) ? id : undefined;
}
