// Names the moments at which a crash would hurt most, so that a test can make choo die exactly there (test/kills/).
// The release is built without any of it: no name, no code, no environment variable.

/** Filled in at build time, and only in the build that test/kills/ makes for itself. */
declare const CHOO_FAILPOINTS: true | undefined;

/** Every moment there is, by what has been done when it comes and what has not. */
export type Failpoint =
  /** The repository's lock is ours; nothing else has happened. */
  | 'lock-taken'
  /** A new run's journal has its header and no event. */
  | 'journal-made'
  /** Events are durable; neither state nor anybody else knows of them. */
  | 'journalled'
  /** A commit object was proved or built; no event and no ref names it. */
  | 'commit-built'
  /** The ref of a branch, of kept work or of the target has moved; its answer is not recorded. */
  | 'ref-moved'
  /** The target has moved to a proved commit; its answer is not recorded. */
  | 'target-moved'
  /** `git merge --ff-only` has brought the user's checkout to a proved commit; nobody has looked yet. */
  | 'checkout-advanced'
  /** A worktree is registered and has no files. */
  | 'worktree-registered'
  /** A worktree has its files and was neither set up nor recorded. */
  | 'worktree-filled'
  /** A worktree's folder is out of the way and still registered. */
  | 'worktree-aside'
  /** A worktree is no longer registered and its files are still there. */
  | 'worktree-unregistered'
  /** A landed unit's worktree is a folder of the pool and no longer registered; its unit is not recorded as complete. */
  | 'folder-pooled'
  /** A folder of the pool has become a unit's worktree; nothing says so but its place. */
  | 'folder-taken'
  /** Recovery has mended one of several worktrees. */
  | 'recovery-half-done'
  /** The run's own landing ref has what the target refused; the target has not. */
  | 'diverted'
  /** The run's own landing ref has taken in the target. */
  | 'joined'
  /** The target has what had landed beside it; the run's own ref is still there. */
  | 'caught-up'
  /** The remote has a proved commit; its answer is not recorded. */
  | 'remote-moved'
  /** The remote has a save of the run; its answer is not recorded. */
  | 'saved'
  /** A saved run is claimed at the remote; nothing of it is here. */
  | 'run-claimed'
  /** Branches and target are as the saved run has them; there is no run here. */
  | 'run-half-restored'
  /** The target has taken in what the remote had; its answer is not recorded. */
  | 'remote-joined'
  /** The forge has a unit's branch; no pull request was made or edited. */
  | 'branch-pushed'
  /** A pull request was made or edited; that is not recorded. */
  | 'pull-written'
  /** The forge has merged a pull request; that is not recorded. */
  | 'pull-merged'
  /** A merge of the target is in progress in a unit's worktree. */
  | 'merge-begun';

let hits = 0;

/** Ends this process as `kill -9` does when `CHOO_FAILPOINT` is `<name>:<n>` and this is the n-th time it comes here. */
export function failpoint(name: Failpoint): void {
  if (typeof CHOO_FAILPOINTS === 'undefined') return;
  const [wanted, count] = (process.env['CHOO_FAILPOINT'] ?? '').split(':');
  if (wanted !== name) return;
  hits += 1;
  if (hits === Number(count)) process.kill(process.pid, 'SIGKILL');
}
