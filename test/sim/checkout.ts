// One working tree in memory: HEAD, index, files, a merge in progress. Moves no ref and knows no other checkout.

import { GitError } from '../../src/world.ts';
import type { StatusEntry } from '../../src/world.ts';
import type { Clash } from './objects.ts';
import { conflictText, hasMarkers } from './objects.ts';

/** Files that git ignores in every simulated repository. */
export function isIgnored(path: string): boolean {
  return path.startsWith('node_modules/') || path.endsWith('.env');
}

/** A working tree. `files` are on disk; a path that ends in `/` there is a repository inside this one. */
export class Checkout {
  readonly path: string;
  /** Full ref that HEAD points to; undefined when detached. */
  branch: string | undefined;
  /** Where HEAD is when detached. */
  detached: string | undefined;
  index = new Map<string, string>();
  files = new Map<string, string>();
  readonly unmerged = new Set<string>();
  mergeHead: string | undefined;
  /** Branch that a rebase in progress will put back. */
  rebasing: string | undefined;
  /** The folder is there. */
  present = true;
  /** Its `.git` file is there and leads here. */
  linked = true;
  /** A killed git left its `index.lock`. */
  locked = false;

  constructor(path: string, at: { readonly branch?: string | undefined; readonly detached?: string | undefined }) {
    this.path = path;
    this.branch = at.branch;
    this.detached = at.detached;
  }

  /** Throws GitError when the index cannot be written. */
  lock(command: string): void {
    if (this.locked) throw new GitError(command, `Unable to create '${this.path}/index.lock': File exists.`);
  }

  /** Sets index and tracked files to `files`; what only this index tracks is removed, untracked files stay unless in the way. */
  reset(files: ReadonlyMap<string, string>): void {
    this.lock('git reset');
    for (const path of this.index.keys()) if (!files.has(path)) this.files.delete(path);
    for (const path of this.unmerged) if (!files.has(path)) this.files.delete(path);
    for (const [path, text] of files) this.files.set(path, text);
    this.index = new Map(files);
    this.endMerge();
  }

  /** Forgets a merge in progress; files and index stay. */
  endMerge(): void {
    this.unmerged.clear();
    this.mergeHead = undefined;
    this.rebasing = undefined;
  }

  /** What `git status` tells, with `head` the files of HEAD. */
  entries(head: ReadonlyMap<string, string>): StatusEntry[] {
    const entries: StatusEntry[] = [];
    for (const path of new Set([...head.keys(), ...this.index.keys(), ...this.unmerged])) {
      const staged = this.index.get(path);
      const file = this.files.get(path);
      if (this.unmerged.has(path)) entries.push({ path, kind: 'unmerged', staged: true, unstaged: true, newLink: false });
      else if (staged !== head.get(path) || (staged !== undefined && file !== staged)) {
        entries.push({ path, kind: 'tracked', staged: staged !== head.get(path), unstaged: staged !== undefined && file !== staged, newLink: false });
      }
    }
    for (const path of this.files.keys()) {
      if (!this.index.has(path) && !this.unmerged.has(path) && !isIgnored(path)) entries.push({ path, kind: 'untracked', staged: false, unstaged: true, newLink: false });
    }
    return entries;
  }

  /** Takes paths from the files into the index. */
  stage(paths: readonly string[]): void {
    this.lock('git update-index');
    for (const path of paths) {
      const text = this.files.get(path);
      this.unmerged.delete(path);
      if (text === undefined) this.index.delete(path);
      else this.index.set(path, text);
    }
  }

  /** Sets paths in the index, and in the files unless `indexOnly`, to what `files` has. */
  restore(files: ReadonlyMap<string, string>, o: { readonly paths: readonly string[]; readonly indexOnly?: boolean }): void {
    this.lock('git restore');
    for (const path of o.paths) {
      const text = files.get(path);
      this.unmerged.delete(path);
      if (text === undefined) this.index.delete(path);
      else this.index.set(path, text);
      if (o.indexOnly === true) continue;
      if (text === undefined) this.files.delete(path);
      else this.files.set(path, text);
    }
  }

  /** Paths among these whose file or index is unlike `head`, or that an untracked file stands at. */
  inTheWay(head: ReadonlyMap<string, string>, paths: readonly string[]): string[] {
    return paths.filter((path) => this.unmerged.has(path) || this.index.get(path) !== head.get(path) || this.files.get(path) !== head.get(path));
  }

  /** Lays a merge's outcome into index and files and leaves it uncommitted. */
  layMerge(o: { readonly commit: string; readonly from: ReadonlyMap<string, string>; readonly files: ReadonlyMap<string, string>; readonly clashes: ReadonlyMap<string, Clash> }): void {
    for (const path of new Set([...o.from.keys(), ...o.files.keys()])) {
      const text = o.files.get(path);
      if (text === o.from.get(path) || o.clashes.has(path)) continue;
      this.restore(o.files, { paths: [path] });
    }
    for (const [path, clash] of o.clashes) {
      this.index.delete(path);
      this.unmerged.add(path);
      this.files.set(path, clash.ours === undefined || clash.theirs === undefined ? (clash.ours ?? clash.theirs ?? '') : conflictText(clash));
    }
    this.mergeHead = o.commit;
  }

  /** Tracked paths unlike `head` whose file holds conflict markers. */
  marked(head: ReadonlyMap<string, string>): string[] {
    const tracked = new Set([...this.index.keys(), ...this.unmerged, ...head.keys()]);
    return [...tracked].filter((path) => {
      const text = this.files.get(path);
      return text !== undefined && text !== head.get(path) && hasMarkers(text) && !hasMarkers(head.get(path) ?? '');
    });
  }
}
