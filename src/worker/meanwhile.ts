// What came onto the landing ref beside a unit's own work, and why: for an agent that has to make both hold. Asks git; changes nothing.

import { must } from '../core/bug.ts';
import type { Failure } from '../core/failure.ts';
import type { UnitState } from '../core/state.ts';
import type { Meanwhile } from './prompt.ts';
import type { Workplace } from './workplace.ts';

/** Commits of the landing ref that are looked through, newest first, and those that are told. */
const LOOKED_AT = 200;
const TOLD = 12;

/** For a conflict: what changed the paths in conflict. For a proof: the units with which this one clashes. Newest first; empty where there is nothing to tell. */
export async function whatCameBeside(place: Workplace, u: UnitState, failure: Failure): Promise<readonly Meanwhile[]> {
  if (failure.kind === 'conflict') return changesOf(place, { u, onto: failure.onto, paths: new Set(failure.paths) });
  if (failure.kind !== 'check-failed' && failure.kind !== 'setup-failed') return [];
  return (failure.with ?? []).flatMap((name) => {
    const index = place.state.graph.index.get(name);
    const other = index === undefined ? undefined : place.state.units[index];
    return other === undefined ? [] : [{ ...intentOf(other), paths: [] }];
  });
}

/** First-parent commits of the landing ref since the unit began that changed one of the paths. */
async function changesOf(place: Workplace, o: { readonly u: UnitState; readonly onto: string; readonly paths: ReadonlySet<string> }): Promise<readonly Meanwhile[]> {
  const { git } = place.world;
  const base = must(o.u.base, 'a base');
  if (!(await git.isAncestor(base, o.onto))) return [];
  const commits = await git.firstParents(base, o.onto);
  const told: Meanwhile[] = [];
  for (let i = commits.length - 1; i >= Math.max(0, commits.length - LOOKED_AT) && told.length < TOLD; i--) {
    const commit = must(commits[i], 'a commit');
    const paths = (await git.changedPaths(commits[i - 1]?.id ?? base, commit.id)).filter((path) => o.paths.has(path));
    if (paths.length > 0) told.push({ ...authorOf(place, commit), paths });
  }
  return told;
}

/** Who landed by a commit: a unit of this run with what it was to do, or somebody, by the commit's first line. */
function authorOf(place: Workplace, commit: { readonly id: string; readonly message: string }): Omit<Meanwhile, 'paths'> {
  const name = /^Choo-Landed: (.+)$/m.exec(commit.message)?.[1];
  const index = name === undefined ? undefined : place.state.graph.index.get(name);
  const unit = index === undefined ? undefined : place.state.units[index];
  return unit === undefined ? { who: `commit ${commit.id.slice(0, 10)}`, intents: [commit.message.split('\n')[0] ?? ''] } : intentOf(unit);
}

function intentOf(u: UnitState): Omit<Meanwhile, 'paths'> {
  return { who: `unit \`${u.unit.id}\``, intents: u.unit.tasks.map((t) => t.title), ...(u.landed === undefined ? {} : { commit: u.landed }) };
}
