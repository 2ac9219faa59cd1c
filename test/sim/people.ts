// What people do while a run goes on: commit, edit, rebase, switch, delete, stop, retry, set the clock. And how they tidy up again.

import { Checkout } from './checkout.ts';
import type { EngineSession } from './engine.ts';
import type { Machine } from './machine.ts';
import { ROOT, WORKTREES } from './machine.ts';
import { TARGET } from './scenario.ts';
import type { Weights } from './rng.ts';

const DEEDS = {
  commit: 5, 'commit-shared': 5, dirty: 3, untracked: 3, rebase: 3, 'end-rebase': 3, switch: 3, 'second-worktree': 3, 'lose-worktree': 3, 'lose-target': 3,
  'lock-target': 3, 'lock-index': 3, full: 3, clock: 3, 'take-over': 3, stop: 3, 'stop-now': 3, retry: 4, 'retry-waiting': 4, approve: 4, 'log-in': 2,
} satisfies Weights<string>;

const PERSON = { who: 'person' } as const;

/** Something a person does, drawn from the seed. `session` is the one that runs, if any. */
export function doSomething(m: Machine, session: EngineSession | undefined): void {
  if (m.calm) return;
  const deed = m.rng.weighted(DEEDS);
  m.note(`      a person: ${deed}`);
  if (session !== undefined && !['stop', 'stop-now', 'retry', 'retry-waiting', 'approve'].includes(deed)) m.coverage.hit(`person-${deed}`, session.windows());
  switch (deed) {
    case 'commit': return commit(m, `people/${m.rng.below(3)}`);
    case 'commit-shared': return commit(m, `shared/${m.rng.below(2)}`);
    case 'dirty': m.repo.main.files.set('readme', m.fresh('a person edits')); return;
    case 'untracked': m.repo.main.files.set(`src/${m.rng.pick(m.scenario.units).id}/1`, m.fresh('a draft')); return;
    case 'rebase': return beginRebase(m);
    case 'end-rebase': return endRebase(m);
    case 'switch': return switchBranch(m);
    case 'second-worktree': return secondWorktree(m);
    case 'lose-worktree': return loseWorktree(m);
    case 'lose-target': if (!m.repo.checkouts().some((c) => c.branch === TARGET)) m.repo.set(PERSON, TARGET, undefined); return;
    case 'lock-target': m.repo.lockedRefs.add(TARGET); m.timeline.after(m.rng.between(1, 60_000), () => m.repo.lockedRefs.delete(TARGET)); return;
    case 'lock-index': m.repo.main.locked = true; m.timeline.after(m.rng.between(1, 60_000), () => { m.repo.main.locked = false; }); return;
    case 'full': m.full = true; m.timeline.after(m.rng.between(1, 120_000), () => { m.full = false; }); return;
    case 'clock': m.skew += m.rng.pick([-86_400_000, -3_600_000, -1000, 1000, 3_600_000, 86_400_000]); return;
    case 'take-over': if (session !== undefined) session.gate.lost = true; return;
    case 'stop': session?.ask({ do: 'stop', by: 'SIGINT', now: false }); return;
    case 'stop-now': session?.ask({ do: 'stop', by: 'SIGTERM', now: true }); return;
    case 'retry-waiting': session?.ask({ do: 'retry', units: [m.rng.pick(m.scenario.units).id] }); return;
    case 'approve': approve(m, session); return;
    case 'log-in': logIn(m); return;
    case 'retry': session?.ask({ do: 'retry', units: [] }); return;
    default: return deed satisfies never;
  }
}

/** Who waits for approval gets it, or somebody asks for a unit that does not. */
function approve(m: Machine, session: EngineSession | undefined): void {
  const waiting = session === undefined ? [] : [...session.state.awaiting].map((i) => session.state.units[i]?.unit.id ?? '');
  session?.ask({ do: 'approve', units: waiting.length > 0 && m.rng.chance(0.9) ? [m.rng.pick(waiting)] : [m.rng.pick(m.scenario.units).id] });
}

/** Somebody sees to an agent that only a person can help. */
export function logIn(m: Machine): void {
  for (const [agent, { until }] of m.accounts.stuck) if (until === Infinity) m.accounts.stuck.delete(agent);
}

function commit(m: Machine, path: string): void {
  const { repo } = m;
  const at = repo.resolve(TARGET);
  const text = m.fresh('by a person');
  if (at === undefined || repo.lockedRefs.has(TARGET)) return;
  const users = repo.checkouts().filter((c) => c.branch === TARGET);
  const [user] = users;
  if (users.length > 1 || user?.locked === true || repo.main.rebasing === TARGET) return;
  if (user === undefined) {
    const files = new Map(repo.objects.filesOf(at)).set(path, text);
    repo.set(PERSON, TARGET, repo.objects.commit({ tree: repo.objects.tree(files), parents: [at], message: 'by a person' }).id);
    return;
  }
  user.files.set(path, text);
  repo.commitAll(PERSON, { checkout: user, message: 'by a person', paths: [path] });
}

function beginRebase({ repo }: Machine): void {
  const { main } = repo;
  if (main.branch !== TARGET) return;
  main.detached = repo.headOf(main);
  main.branch = undefined;
  main.rebasing = TARGET;
}

function endRebase({ repo }: Machine): void {
  const { main } = repo;
  if (main.rebasing === undefined) return;
  main.branch = main.rebasing;
  main.rebasing = undefined;
  main.detached = undefined;
  if (!main.locked) main.reset(repo.headFiles(main));
}

function switchBranch(m: Machine): void {
  const { main } = m.repo;
  const to = main.branch === TARGET ? 'refs/heads/other' : TARGET;
  if (main.rebasing !== undefined || main.locked || m.repo.resolve(to) === undefined) return;
  main.branch = to;
  main.detached = undefined;
  main.reset(m.repo.headFiles(main));
}

function secondWorktree({ repo }: Machine): void {
  if (repo.linked.has('/people/second') || repo.resolve(TARGET) === undefined) return;
  const second = new Checkout('/people/second', { branch: TARGET });
  second.reset(repo.headFiles(second));
  repo.linked.set(second.path, second);
}

/** Somebody tidies up in the wrong folder. What was only there was theirs to lose. */
function loseWorktree(m: Machine): void {
  const theirs = m.repo.checkouts().filter((c) => c.path.startsWith(`${WORKTREES}/`));
  if (theirs.length === 0) return;
  const lost = m.rng.pick(theirs);
  for (const text of lost.files.values()) m.superseded.add(text);
  lost.files.clear();
  lost.present = false;
}

/** The bad time is over: locks are gone, rebases ended, local changes put away, the target is back. */
export function tidyUp(m: Machine): void {
  const { repo } = m;
  m.calm = true;
  m.full = false;
  repo.lockedRefs.clear();
  for (const checkout of repo.checkouts()) checkout.locked = false;
  repo.linked.delete('/people/second');
  if (repo.resolve(TARGET) === undefined) {
    const last = repo.moves.filter((move) => move.ref === TARGET && move.to !== undefined).at(-1)?.to;
    repo.set(PERSON, TARGET, last ?? [...repo.objects.reachable([repo.resolve('refs/heads/other') ?? ''])].at(-1));
  }
  endRebase(m);
  if (m.scenario.checkedOut) repo.main.branch = TARGET;
  const keep = [...repo.main.files].filter(([path]) => path.endsWith('.env'));
  repo.main.files.clear();
  repo.main.reset(repo.headFiles(repo.main));
  for (const [path, text] of keep) repo.main.files.set(path, text);
}

/** When target and landing ref conflict, a person merges them, as the run's last words ask. */
export function mergeByHand(m: Machine, landing: string): void {
  const { repo } = m;
  const target = repo.resolve(TARGET);
  const own = repo.resolve(landing);
  if (target === undefined || own === undefined || repo.objects.isAncestor(own, target)) return;
  const merged = repo.objects.merge(target, own);
  for (const [path, { ours, theirs }] of merged.clashes) merged.files.set(path, `${ours ?? ''}\n${theirs ?? ''}`);
  const commit = repo.objects.commit({ tree: repo.objects.tree(merged.files), parents: [target, own], message: 'merged by hand' });
  repo.set(PERSON, TARGET, commit.id);
  for (const checkout of repo.checkouts()) if (checkout.branch === TARGET) checkout.reset(repo.headFiles(checkout));
  m.note(`      a person merges ${landing} in ${ROOT}`);
}
