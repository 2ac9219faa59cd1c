// A repository in memory: refs, registered checkouts, and a log of who moved which ref. Everybody's changes go through it.

import { GitError } from '../../src/world.ts';
import { Checkout } from './checkout.ts';
import { Objects } from './objects.ts';

/** Somebody who changes things: choo by session, an agent by unit, or a person. */
export type Actor = { readonly who: 'choo'; readonly session: number } | { readonly who: 'agent'; readonly unit: string } | { readonly who: 'person' };

/** One move of one ref. */
export interface Move {
  readonly by: Actor;
  readonly ref: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** The id git gives for "no commit yet". */
const NOTHING = '0'.repeat(40);

/** One repository with the user's main checkout at `root`. */
export class Repository {
  readonly objects = new Objects();
  readonly root: string;
  readonly main: Checkout;
  readonly moves: Move[] = [];
  /** Registered checkouts but the main one, by path; their folders may be gone. */
  readonly linked = new Map<string, Checkout>();
  /** Folders with files that are no worktree: path → path in it → text. */
  readonly folders = new Map<string, Map<string, string>>();
  /** Copies of indexes: path of the copy → the files it has. */
  readonly indexes = new Map<string, ReadonlyMap<string, string>>();
  /** Branches that a killed git left a lock on. */
  readonly lockedRefs = new Set<string>();
  readonly #refs = new Map<string, string>();

  /** A repository whose `branch` has one commit of these files, checked out at `root`. */
  constructor(o: { readonly root: string; readonly branch: string; readonly files: ReadonlyMap<string, string> }) {
    this.root = o.root;
    const first = this.objects.commit({ tree: this.objects.tree(o.files), parents: [], message: 'first' });
    this.#refs.set(o.branch, first.id);
    this.main = new Checkout(o.root, { branch: o.branch });
    this.main.reset(o.files);
  }

  /** All refs with their values. */
  get refs(): ReadonlyMap<string, string> {
    return this.#refs;
  }

  /** The commit a full ref name or id stands for. */
  resolve(ref: string): string | undefined {
    return ref.startsWith('refs/') ? this.#refs.get(ref) : this.objects.find(ref)?.id;
  }

  /** Moves, makes or deletes a ref when it is at `from`; false otherwise, unless one that existed is at `to` already. */
  move(by: Actor, o: { readonly ref: string; readonly from: string | undefined; readonly to: string | undefined }): boolean {
    if (this.lockedRefs.has(o.ref)) throw new GitError(`git update-ref ${o.ref}`, `Unable to create '${o.ref}.lock': File exists.`);
    const at = this.#refs.get(o.ref);
    if (at !== o.from) return o.from !== undefined && o.to !== undefined && at === o.to;
    if (o.from === o.to) return true;
    if (o.to === undefined) this.#refs.delete(o.ref);
    else {
      this.objects.get(o.to);
      this.#refs.set(o.ref, o.to);
    }
    this.moves.push({ by, ...o });
    return true;
  }

  /** The same without asking what it was. */
  set(by: Actor, ref: string, to: string | undefined): void {
    this.move(by, { ref, from: this.#refs.get(ref), to });
  }

  /** The checkout at a path; GitError when its folder is missing or it is none of this repository. */
  at(path: string): Checkout {
    const checkout = path === this.root ? this.main : this.linked.get(path);
    if (checkout === undefined) throw new GitError(`git -C ${path}`, `${path} is not a worktree of this repository`);
    if (!checkout.present) throw new GitError(`git -C ${path}`, `the worktree ${path} is missing`);
    return checkout;
  }

  /** Every checkout whose folder is there, the main one first. */
  checkouts(): Checkout[] {
    return [this.main, ...this.linked.values()].filter((c) => c.present);
  }

  /** Where HEAD of a checkout is; all zeros before the first commit. */
  headOf(checkout: Checkout): string {
    return (checkout.branch === undefined ? checkout.detached : this.#refs.get(checkout.branch)) ?? NOTHING;
  }

  /** Files of the commit that HEAD of a checkout is at. */
  headFiles(checkout: Checkout): ReadonlyMap<string, string> {
    const head = this.headOf(checkout);
    return head === NOTHING ? new Map() : this.objects.filesOf(head);
  }

  /** Commits what the files of a checkout are now, ignored ones left out, as `git add -A && git commit` would. Gives back the commit. */
  commitAll(by: Actor, o: { readonly checkout: Checkout; readonly message: string; readonly paths?: readonly string[] }): string {
    const { checkout } = o;
    const entries = checkout.entries(this.headFiles(checkout)).map((e) => e.path).filter((p) => !p.endsWith('/'));
    checkout.stage(o.paths ?? entries);
    const head = this.headOf(checkout);
    const parents = [...(head === NOTHING ? [] : [head]), ...(checkout.mergeHead === undefined ? [] : [checkout.mergeHead])];
    const commit = this.objects.commit({ tree: this.objects.tree(checkout.index), parents, message: o.message });
    checkout.endMerge();
    if (checkout.branch === undefined) checkout.detached = commit.id;
    else this.set(by, checkout.branch, commit.id);
    return commit.id;
  }
}
