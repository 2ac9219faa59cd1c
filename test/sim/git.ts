// The engine's `Git` over a repository in memory. Every call passes the gate, where it may be late, fail, or be the last one.

import { GitError, PathTaken } from '../../src/world.ts';
import type { AdvanceOutcome, Git } from '../../src/world.ts';
import { Checkout, isIgnored } from './checkout.ts';
import type { CallOptions, Gate } from './gate.ts';
import { Remote, simRemote } from './remote.ts';
import type { Actor, Repository } from './repository.ts';

type Facts = Pick<Git, 'resolve' | 'isAncestor' | 'readFile' | 'treeOf' | 'firstParents' | 'commitsBetween' | 'changedPaths' | 'ownPaths' | 'newLinks' | 'renames' | 'mergeBase' | 'status' | 'mergeTrees' | 'mergeHead' | 'conflictMarkers' | 'snapshot'>;
type Advance = Parameters<Git['advance']>[0];

/** How calls pass that change a ref. */
const FENCED: CallOptions = { fenced: true };

/** Git as one session of choo has it. `trespass` is told when a call would work in the main checkout. */
export function simGit(o: { readonly repo: Repository; readonly gate: Gate; readonly by: Actor; readonly trespass: (call: string) => void; /** Where the target is pushed to; default: one that has nothing. */ readonly remote?: Remote }): Git {
  const work = (call: string, path: string): Checkout => {
    if (path === o.repo.root) o.trespass(call);
    return o.repo.at(path);
  };
  const own: Own = { ...o, work };
  return { ...facts(own), ...worktrees(own), ...pooled(own), ...indexes(own), ...commits(own), ...simRemote({ ...o, objects: o.repo.objects, remote: o.remote ?? new Remote(o.repo.objects, {}), fenced: FENCED }) };
}

interface Own {
  readonly repo: Repository;
  readonly gate: Gate;
  readonly by: Actor;
  /** The checkout that a call is about to change. */
  readonly work: (call: string, path: string) => Checkout;
}

function facts({ repo, gate }: Own): Facts {
  const { objects } = repo;
  const told = (c: { readonly id: string; readonly message: string }): { id: string; message: string } => ({ id: c.id, message: c.message });
  return {
    resolve: (ref) => gate('resolve', () => repo.resolve(ref)),
    isAncestor: (ancestor, commit) => gate('isAncestor', () => objects.isAncestor(ancestor, commit)),
    readFile: (commit, path) => gate('readFile', () => objects.filesOf(commit).get(path)),
    treeOf: (commit) => gate('treeOf', () => objects.get(commit).tree.id),
    firstParents: (from, to) => gate('firstParents', () => objects.firstParents(from, to).map(told)),
    commitsBetween: (from, to) => gate('commitsBetween', () => objects.between(from, to).map(told)),
    changedPaths: (from, to) => gate('changedPaths', () => objects.changed(from, to)),
    ownPaths: (from, to) => gate('ownPaths', () => objects.ownPaths(from, to)),
    newLinks: () => gate('newLinks', () => []),
    renames: () => gate('renames', () => new Map<string, string>()),
    mergeBase: (a, b) => gate('mergeBase', () => objects.mergeBase(a, b)),
    status: (worktree) => gate('status', () => {
      const c = repo.at(worktree);
      return { head: repo.headOf(c), branch: c.branch, entries: c.entries(repo.headFiles(c)) };
    }),
    mergeTrees: (ours, theirs) => gate('mergeTrees', () => {
      const merged = objects.merge(objects.get(ours).id, objects.get(theirs).id);
      return merged.clashes.size > 0 ? { kind: 'conflict', paths: [...merged.clashes.keys()].toSorted() } : { kind: 'clean', tree: objects.tree(merged.files).id };
    }),
    mergeHead: (worktree) => gate('mergeHead', () => repo.at(worktree).mergeHead),
    conflictMarkers: (worktree, commit) => gate('conflictMarkers', () => repo.at(worktree).marked(objects.filesOf(commit))),
    snapshot: () => gate('snapshot', () => {
      const { main } = repo;
      const dirty = main.entries(repo.headFiles(main)).map((e) => [e.path, `${main.index.get(e.path) ?? ''}\0${main.files.get(e.path) ?? ''}`] as const);
      return { refs: new Map(repo.refs), head: main.branch ?? repo.headOf(main), dirty: new Map(dirty), stash: new Map() };
    }),
  };
}

function worktrees({ repo, gate, by }: Own): Pick<Git, 'addWorktree' | 'removeWorktree' | 'whatStands' | 'clearFlags' | 'isBroken' | 'setAside' | 'repairLink' | 'rememberOwnFolder' | 'mendOwnFolder' | 'releaseLocks' | 'releaseLeftLocks'> {
  return {
    addWorktree: async ({ path, commit, branch, filled }) => {
      const command = `git worktree add ${path}`;
      await gate('addWorktree.branch', () => {
        if (repo.linked.get(path)?.present === true) throw new PathTaken(command, path);
        if (repo.linked.has(path)) throw new GitError(command, 'a missing but already registered worktree');
        repo.objects.get(commit);
        if (branch !== undefined && !repo.move(by, { ref: branch, from: undefined, to: commit })) throw new GitError(command, `a branch named ${branch} already exists`);
      }, branch === undefined ? {} : FENCED);
      if (filled !== undefined) return gate('addWorktree.filled', () => takeFolder(repo, { path, commit, branch, ...filled }));
      await gate('addWorktree.register', () => {
        repo.linked.set(path, new Checkout(path, branch === undefined ? { detached: commit } : { branch }));
      });
      await gate('addWorktree.files', () => repo.at(path).reset(repo.objects.filesOf(commit)));
    },
    removeWorktree: async (path) => {
      await gate('removeWorktree.folder', () => {
        if (path === repo.root) throw new GitError(`git worktree remove ${path}`, 'it is the main worktree');
        const checkout = repo.linked.get(path);
        if (checkout !== undefined) checkout.present = false;
      });
      await gate('removeWorktree.registration', () => repo.linked.delete(path));
    },
    // Nothing else ever stands at a simulated worktree's place.
    whatStands: (path) => Promise.resolve(repo.linked.get(path)?.present === true ? 'worktree' : 'nothing'),
    // A simulated index has no flags.
    clearFlags: () => Promise.resolve(false),
    // Nothing damages the files of a simulated worktree.
    isBroken: () => gate('isBroken', () => false),
    setAside: (path) => gate('setAside', () => {
      throw new GitError('git worktree', `${path} is not broken`);
    }),
    repairLink: (worktree) => gate('repairLink', () => {
      const checkout = repo.at(worktree);
      if (checkout.linked) return undefined;
      checkout.linked = true;
      return { aside: undefined };
    }),
    // A simulated git has no folder.
    rememberOwnFolder: () => Promise.resolve(),
    mendOwnFolder: () => Promise.resolve([]),
    // A simulated git leaves no lock in the user's checkout.
    releaseLeftLocks: (refs) => gate('releaseLeftLocks', () => refs.filter((ref) => repo.lockedRefs.delete(ref))),
    releaseLocks: (worktree, branch) => gate('releaseLocks', () => {
      repo.at(worktree).locked = false;
      repo.lockedRefs.delete(branch);
    }),
  };
}

/** A folder of the pool becomes a worktree: in one move, as renaming it is. */
function takeFolder(repo: Repository, o: { readonly path: string; readonly commit: string; readonly branch: string | undefined; readonly folder: string; readonly index: string; readonly from: string }): void {
  const files = repo.folders.get(o.folder);
  const index = repo.indexes.get(o.index);
  const from = repo.objects.filesOf(o.from);
  const to = repo.objects.filesOf(o.commit);
  const asTold = [...from].every(([path, text]) => index?.get(path) === text && files?.get(path) === text);
  if (files === undefined || index === undefined || !asTold) throw new GitError(`git worktree add ${o.path}`, `it cannot be made of the folder ${o.folder}`);
  repo.folders.delete(o.folder);
  for (const path of from.keys()) if (!to.has(path)) files.delete(path);
  for (const [path, text] of to) files.set(path, text);
  repo.indexes.set(o.index, to);
  const made = new Checkout(o.path, o.branch === undefined ? { detached: o.commit } : { branch: o.branch });
  made.files = files;
  made.index = new Map(to);
  repo.linked.set(o.path, made);
}

function pooled({ repo, gate }: Own): Pick<Git, 'keepIndex' | 'retireWorktree' | 'renewFolder'> {
  return {
    keepIndex: (worktree, { to, least }) => gate('keepIndex', () => {
      const { index } = repo.at(worktree);
      if (index.size < least) return false;
      repo.indexes.set(to, new Map(index));
      return true;
    }),
    retireWorktree: async (worktree, { to }) => {
      await gate('retireWorktree.folder', () => {
        const checkout = repo.at(worktree);
        repo.folders.set(to, checkout.files);
        checkout.files = new Map();
        checkout.present = false;
      });
      await gate('retireWorktree.registration', () => repo.linked.delete(worktree));
    },
    renewFolder: async ({ folder, index, from, commit, keep }) => {
      await gate('renewFolder.files', () => {
        const files = repo.folders.get(folder) ?? new Map<string, string>();
        const wanted = repo.objects.filesOf(commit);
        if (from === undefined) files.clear();
        for (const path of repo.indexes.get(index)?.keys() ?? []) if (!wanted.has(path)) files.delete(path);
        for (const [path, text] of wanted) files.set(path, text);
        repo.folders.set(folder, files);
        repo.indexes.set(index, wanted);
      });
      return gate('renewFolder.clean', () => {
        const files = repo.folders.get(folder);
        const wanted = repo.objects.filesOf(commit);
        for (const path of files?.keys() ?? []) if (!wanted.has(path) && !(isIgnored(path) && keep.includes(path))) files?.delete(path);
        return true;
      });
    },
  };
}

function indexes({ repo, gate, work }: Own): Pick<Git, 'restorePaths' | 'unstagePaths' | 'stage' | 'resetWorktree' | 'repointWorktree' | 'cleanWorktree'> {
  const { objects } = repo;
  return {
    restorePaths: (worktree, { commit, paths }) => gate('restorePaths', () => work('restorePaths', worktree).restore(objects.filesOf(commit), { paths })),
    unstagePaths: (worktree, { commit, paths }) => gate('unstagePaths', () => work('unstagePaths', worktree).restore(objects.filesOf(commit), { paths, indexOnly: true })),
    stage: (worktree, paths) => gate('stage', () => {
      const checkout = work('stage', worktree);
      checkout.stage(paths);
      if (checkout.unmerged.size > 0) throw new GitError('git write-tree', 'error building trees');
      return objects.tree(checkout.index).id;
    }),
    resetWorktree: async (worktree, { branch, commit }) => {
      await gate('resetWorktree.operations', () => work('resetWorktree', worktree).endMerge());
      await gate('resetWorktree.files', () => {
        const checkout = repo.at(worktree);
        checkout.reset(objects.get(commit).tree.files);
        checkout.branch = undefined;
        checkout.detached = commit;
      });
      if (branch !== undefined) await gate('resetWorktree.head', () => point(repo.at(worktree), branch));
    },
    repointWorktree: async (worktree, { branch, commit }) => {
      await gate('repointWorktree.head', () => {
        const checkout = work('repointWorktree', worktree);
        checkout.endMerge();
        point(checkout, branch);
      });
      await gate('repointWorktree.index', () => {
        const checkout = repo.at(worktree);
        checkout.lock('git read-tree');
        checkout.index = new Map(objects.filesOf(commit));
        checkout.unmerged.clear();
      });
    },
    cleanWorktree: (worktree) => gate('cleanWorktree', () => {
      const checkout = work('cleanWorktree', worktree);
      for (const path of checkout.files.keys()) if (!checkout.index.has(path)) checkout.files.delete(path);
    }),
  };
}

function point(checkout: Checkout, branch: string): void {
  checkout.branch = branch;
  checkout.detached = undefined;
}

function commits({ repo, gate, by, work }: Own): Pick<Git, 'treeWith' | 'commitTree' | 'moveRef' | 'refsBelow' | 'keep' | 'beginMerge' | 'advance'> {
  const { objects } = repo;
  return {
    treeWith: (tree, { commit, paths, texts }) => gate('treeWith', () => {
      const [files, from] = [new Map(objects.treeById(tree).files), objects.filesOf(commit)];
      for (const path of paths) {
        const text = from.get(path);
        if (text === undefined) files.delete(path);
        else files.set(path, text);
      }
      for (const [path, text] of texts ?? []) files.set(path, text);
      return objects.tree(files).id;
    }),
    commitTree: ({ tree, parents, message }) => gate('commitTree', () => objects.commit({ tree: objects.treeById(tree), parents, message }).id),
    moveRef: ({ ref, from, to }) => gate('moveRef', () => repo.move(by, { ref, from, to }), FENCED),
    refsBelow: (prefix) => gate('refsBelow', () => new Map([...repo.refs].filter(([ref]) => ref.startsWith(prefix)))),
    keep: (worktree, { ref, message }) => gate('keep', () => {
      if (repo.resolve(ref) !== undefined) throw new GitError(`git update-ref ${ref}`, 'the ref exists already');
      const commit = saved(repo, repo.at(worktree), message);
      repo.move(by, { ref, from: undefined, to: commit });
      return commit;
    }, FENCED),
    beginMerge: (worktree, commit) => gate('beginMerge', () => {
      const checkout = work('beginMerge', worktree);
      checkout.lock('git merge');
      if (checkout.mergeHead !== undefined) throw new GitError('git merge', 'You have not concluded your merge (MERGE_HEAD exists).');
      const head = repo.headOf(checkout);
      if (objects.isAncestor(commit, head)) return [];
      const merged = objects.merge(head, commit);
      const from = repo.headFiles(checkout);
      const all = new Set([...from.keys(), ...merged.files.keys(), ...merged.clashes.keys()]);
      const touched = [...all].filter((p) => merged.clashes.has(p) || merged.files.get(p) !== from.get(p));
      const staged = [...checkout.index].some(([path, text]) => from.get(path) !== text) || checkout.index.size !== from.size;
      if (staged || checkout.inTheWay(from, touched).length > 0) throw new GitError('git merge', 'Your local changes to the following files would be overwritten by merge');
      checkout.layMerge({ commit, from, ...merged });
      return [...merged.clashes.keys()].toSorted();
    }),
    advance: (move) => gate('advance', () => advance(repo, move, by), FENCED),
  };
}

/** All files, with HEAD, an index of its own and what is being merged in as parents. */
function saved(repo: Repository, checkout: Checkout, message: string): string {
  const { objects } = repo;
  const head = repo.headOf(checkout);
  const parents = objects.find(head) === undefined ? [] : [head];
  const files = objects.tree(new Map([...checkout.files].filter(([path]) => !isIgnored(path) || checkout.index.has(path))));
  const index = checkout.unmerged.size > 0 ? files : objects.tree(checkout.index);
  const extra = index.id === files.id || index.files === objects.find(head)?.tree.files ? [] : [objects.commit({ tree: index, parents, message: `${message} (index)` }).id];
  const merging = checkout.mergeHead === undefined ? [] : [checkout.mergeHead];
  return objects.commit({ tree: files, parents: [...parents, ...extra, ...merging], message }).id;
}

function advance(repo: Repository, move: Advance, by: Actor): AdvanceOutcome {
  const at = repo.resolve(move.ref);
  const standing = (value: string | undefined): AdvanceOutcome => (value === move.to ? { kind: 'advanced' } : { kind: 'moved', at: value });
  if (at !== move.from) return standing(at);
  const users = repo.checkouts().filter((c) => c.branch === move.ref);
  const [only, second] = users;
  const refused = (reason: Extract<AdvanceOutcome, { kind: 'refused' }>['reason'], worktree: string, detail: string): AdvanceOutcome => ({ kind: 'refused', reason, worktree, detail });
  if (second !== undefined) return refused('several-worktrees', second.path, 'checked out twice');
  const busy = repo.checkouts().find((c) => c.rebasing === move.ref);
  if (busy !== undefined) return refused('busy', busy.path, 'a rebase is in progress');
  if (only === undefined) return repo.move(by, move) ? { kind: 'advanced' } : standing(repo.resolve(move.ref));
  if (only.mergeHead !== undefined) return refused('busy', only.path, 'a merge is in progress');
  if (!repo.objects.isAncestor(move.from, move.to)) return refused('git', only.path, 'Not possible to fast-forward, aborting.');
  if (only.locked) return refused('git', only.path, 'index.lock exists');
  const paths = repo.objects.changed(move.from, move.to);
  const head = repo.objects.filesOf(move.from);
  if (only.inTheWay(head, paths).length > 0) return refused('local-changes', only.path, 'local changes would be overwritten');
  if (!repo.move(by, move)) return standing(repo.resolve(move.ref));
  only.restore(repo.objects.filesOf(move.to), { paths });
  return { kind: 'advanced' };
}
