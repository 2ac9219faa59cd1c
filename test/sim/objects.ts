// Git's objects in memory: commits, trees (path → content) and what follows from them. Knows no ref and no checkout.

import { GitError } from '../../src/world.ts';

/** A tree: repository path → content. */
export interface Tree {
  readonly id: string;
  readonly files: ReadonlyMap<string, string>;
}

/** A commit. `depth` is one more than its deepest parent's. */
export interface Commit {
  readonly id: string;
  readonly tree: Tree;
  readonly parents: readonly string[];
  readonly message: string;
  readonly depth: number;
  readonly order: number;
}

/** A path that both sides changed; undefined is deleted or not there. */
export interface Clash {
  readonly ours: string | undefined;
  readonly theirs: string | undefined;
}

/** What a three-way merge gives; paths in `clashes` are not in `files`. */
export interface Merged {
  readonly files: Map<string, string>;
  readonly clashes: ReadonlyMap<string, Clash>;
}

/** A conflict as it stands in a file. */
export function conflictText(clash: Clash): string {
  return `<<<<<<< HEAD\n${clash.ours ?? ''}\n=======\n${clash.theirs ?? ''}\n>>>>>>> other\n`;
}

/** True for a text with a conflict in it. */
export function hasMarkers(text: string): boolean {
  return text.includes('<<<<<<< ') && text.includes('>>>>>>> ');
}

/** The object store of one repository. Nothing in it ever goes away. */
export class Objects {
  readonly #commits = new Map<string, Commit>();
  readonly #trees = new Map<string, Tree>();
  readonly #treesById = new Map<string, Tree>();

  /** The tree with these files; the same files are the same tree. */
  tree(files: ReadonlyMap<string, string>): Tree {
    const key = [...files].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([path, text]) => `${path}\0${text}`).join('\0');
    let tree = this.#trees.get(key);
    if (tree === undefined) {
      tree = { id: `e${String(this.#trees.size + 1).padStart(39, '0')}`, files: new Map(files) };
      this.#trees.set(key, tree);
      this.#treesById.set(tree.id, tree);
    }
    return tree;
  }

  /** A new commit; every one is another, however alike. */
  commit(o: { readonly tree: Tree; readonly parents: readonly string[]; readonly message: string }): Commit {
    const parents = [...new Set(o.parents)];
    const order = this.#commits.size + 1;
    const depth = 1 + Math.max(0, ...parents.map((p) => this.get(p).depth));
    const commit: Commit = { id: `c${String(order).padStart(39, '0')}`, tree: o.tree, parents, message: o.message, depth, order };
    this.#commits.set(commit.id, commit);
    return commit;
  }

  /** The commit, or undefined. */
  find(id: string): Commit | undefined {
    return this.#commits.get(id);
  }

  /** The commit; GitError when there is none. */
  get(id: string): Commit {
    const commit = this.#commits.get(id);
    if (commit === undefined) throw new GitError(`git cat-file ${id}`, 'there is no such commit');
    return commit;
  }

  /** The tree of that id; GitError when there is none. */
  treeById(id: string): Tree {
    const tree = this.#treesById.get(id);
    if (tree === undefined) throw new GitError(`git cat-file ${id}`, 'there is no such tree');
    return tree;
  }

  /** Files of a commit or tree. */
  filesOf(id: string): ReadonlyMap<string, string> {
    return (this.#commits.get(id)?.tree ?? this.treeById(id)).files;
  }

  /** Everything that can be reached from these commits. */
  reachable(tips: Iterable<string>): Set<string> {
    const seen = new Set<string>();
    const open = [...tips];
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (seen.has(id)) continue;
      seen.add(id);
      for (const parent of this.get(id).parents) open.push(parent);
    }
    return seen;
  }

  /** True when `ancestor` is reachable from `commit` or the same. */
  isAncestor(ancestor: string, commit: string): boolean {
    const { depth } = this.get(ancestor);
    const open = [commit];
    const seen = new Set<string>();
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (id === ancestor) return true;
      if (seen.has(id)) continue;
      seen.add(id);
      const at = this.get(id);
      if (at.depth > depth) open.push(...at.parents);
    }
    return false;
  }

  /** The deepest common ancestor, which no other one can have as an ancestor; undefined for unrelated histories. */
  mergeBase(a: string, b: string): string | undefined {
    if (this.isAncestor(a, b)) return a;
    const ofA = this.reachable([a]);
    let best: Commit | undefined;
    for (const id of this.reachable([b])) {
      const commit = this.get(id);
      if (ofA.has(id) && (best === undefined || commit.depth > best.depth)) best = commit;
    }
    return best?.id;
  }

  /** Commits reachable from `to` and not from `from`, newest first. */
  between(from: string, to: string): Commit[] {
    const known = this.reachable([from]);
    const found = [...this.reachable([to])].filter((id) => !known.has(id)).map((id) => this.get(id));
    return found.toSorted((a, b) => b.depth - a.depth || b.order - a.order);
  }

  /** Of those the ones along first parents, oldest first. */
  firstParents(from: string, to: string): Commit[] {
    const known = this.reachable([from]);
    const found: Commit[] = [];
    for (let id: string | undefined = to; id !== undefined && !known.has(id); id = this.get(id).parents[0]) found.unshift(this.get(id));
    return found;
  }

  /** Paths that differ between two commits or trees. */
  changed(from: string, to: string): string[] {
    const was = this.filesOf(from);
    const is = this.filesOf(to);
    if (was === is) return [];
    return [...new Set([...was.keys(), ...is.keys()])].filter((path) => was.get(path) !== is.get(path)).toSorted();
  }

  /** Paths that the first-parent commits of the range changed themselves; of a merge those unlike all its parents. */
  ownPaths(from: string, to: string): Set<string> {
    const own = new Set<string>();
    for (const commit of this.firstParents(from, to)) {
      const [first, ...others] = commit.parents;
      if (first === undefined) for (const path of commit.tree.files.keys()) own.add(path);
      else {
        const lists = others.map((parent) => new Set(this.changed(parent, commit.id)));
        for (const path of this.changed(first, commit.id)) if (lists.every((list) => list.has(path))) own.add(path);
      }
    }
    return own;
  }

  /** Merges by path. GitError for unrelated histories. */
  merge(ours: string, theirs: string): Merged {
    const base = this.mergeBase(ours, theirs);
    if (base === undefined) throw new GitError('git merge-tree', 'refusing to merge unrelated histories');
    const was = this.filesOf(base);
    const left = this.filesOf(ours);
    const right = this.filesOf(theirs);
    const files = new Map(left);
    const clashes = new Map<string, Clash>();
    for (const path of new Set([...was.keys(), ...left.keys(), ...right.keys()])) {
      const b = was.get(path);
      const l = left.get(path);
      const r = right.get(path);
      if (l === r || r === b) continue;
      files.delete(path);
      if (l !== b) clashes.set(path, { ours: l, theirs: r });
      else if (r !== undefined) files.set(path, r);
    }
    return { files, clashes };
  }
}
