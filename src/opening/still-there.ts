// Before a run goes on: what it has landed must still be on its landing ref. People reset, rebase and delete branches between
// sessions. Puts a landing branch of choo's own back; moves nothing that a person moved.

import type { State, UnitState } from '../core/state.ts';
import type { Flags } from '../discovery/settings.ts';
import { refuse } from './refusal.ts';
import type { Repository } from './repository.ts';
import { commitSource } from './sources.ts';
import { readSpecs } from './specs.ts';

/** What has to be known to read the specs. */
interface Asked {
  readonly state: State;
  readonly env: NodeJS.ProcessEnv;
  readonly flags: Flags;
  readonly say: (line: string) => void;
}

/** Throws a Refusal when the landing ref no longer has a unit that landed: neither its commit nor, as after a rebase or a squash, its tasks as complete. */
export async function landedIsThere(repo: Repository, o: Asked): Promise<void> {
  const { git } = repo;
  const { landed, landing, units } = o.state;
  if (landed === undefined) return;
  await putBack(repo, o, landed);
  const tip = await git.resolve(landing.ref);
  // A target that is gone is told by the steps that need it. Every landing contains the ones before.
  if (tip === undefined || await contains(repo, tip, landed)) return;
  const specs = await readSpecs(commitSource(git, tip), { ...o, tasksDir: o.state.pinned.tasksDir, selection: [] });
  const todo = new Set(specs.all.filter((u) => u.tasks.some((t) => !t.complete)).map((u) => u.id));
  const gone: UnitState[] = [];
  for (const u of units) if (u.landed !== undefined && todo.has(u.unit.id) && !(await contains(repo, tip, u.landed))) gone.push(u);
  if (gone.length === 0) return;
  const branch = landing.ref.replace('refs/heads/', '');
  throw refuse('landed-gone', `${branch} no longer has what run ${o.state.run} landed there: ${gone.map((u) => `${u.unit.id} (${(u.landed ?? '').slice(0, 10)})`).join(', ')}`,
    `to put it back: git merge ${landed.slice(0, 10)} (on ${branch}), then: choo resume; to begin anew with what is there: choo run --new`);
}

/** A landing branch of the run's own that somebody deleted, while the target does not have all of it. */
async function putBack(repo: Repository, { state, say }: Asked, landed: string): Promise<void> {
  const { git } = repo;
  const { ref, diverted } = state.landing;
  if (diverted === undefined || (await git.resolve(ref)) !== undefined || (await git.resolve(landed)) === undefined) return;
  const target = await git.resolve(state.pinned.targetRef);
  if (target !== undefined && await git.isAncestor(landed, target)) return;
  if (await git.moveRef({ ref, to: landed, from: undefined, reason: 'choo: put back' })) say(`${ref.replace('refs/heads/', '')} was gone, and with it what had landed there; it is back at ${landed.slice(0, 10)}`);
}

/** False also for a commit that is gone from the repository. */
async function contains({ git }: Repository, tip: string, commit: string): Promise<boolean> {
  return (await git.resolve(commit)) !== undefined && git.isAncestor(commit, tip);
}
