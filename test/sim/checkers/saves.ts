// Promises about what is saved of a run: the journal as it was, with every commit that going on needs; never taken by anybody here; before
// what landed is pushed; and in the end all of it.

import type { Event } from '../../../src/core/event.ts';
import { isOpen } from '../../../src/core/open.ts';
import { fold } from '../../../src/core/replay.ts';
import { savedTip } from '../../../src/core/save.ts';
import { playOut } from '../../unit/core/rig.ts';
import type { Machine } from '../machine.ts';

/** Looks at every save there was. */
export function checkSaves(m: Machine, events: readonly Event[]): void {
  if (m.scenario.settings.ci === undefined) {
    if (m.remote.saves.size > 0 || events.some((e) => e.type === 'run.saving')) m.violate('saved-whole', 'something was saved although nothing is to be');
    return;
  }
  let last: string | undefined;
  let claimed = false;
  let missing = false;
  let landedAt = 0;
  let upTo = 0;
  for (const e of events) {
    if (e.type === 'orch.started' || e.type === 'orch.resumed') { claimed = false; missing = false; }
    if (e.type === 'run.save.refused' && e.reason !== 'cut') { claimed = true; missing = true; }
    if (e.type === 'run.save.refused' && e.reason === 'taken') m.violate('saved-own', `event ${e.seq}: the saved run is called somebody else's`);
    if (!claimed && (e.type === 'task.started' || e.type === 'task.retry' || e.type === 'batch.landing')) m.violate('saved-first', `${e.type} (${e.seq}) before the saved run was shown to be this session's`);
    if (e.type === 'batch.landed') landedAt = e.seq;
    if (e.type === 'run.pushing' && !missing && upTo < landedAt) m.violate('saved-first', `event ${e.seq}: what landed (${landedAt}) is pushed, saved is only what is up to ${upTo}`);
    if (e.type !== 'run.saved') continue;
    claimed = true;
    missing = false;
    ({ upTo } = e);
    checkSave(m, { events, commit: e.commit, upTo });
    checkRestored(m, { events, upTo });
    if (last !== undefined && !m.repo.objects.isAncestor(last, e.commit)) m.violate('saved-forward', `the save ${e.commit} does not contain the one before, ${last}`);
    last = e.commit;
  }
  checkEnd(m, events);
}

function checkSave(m: Machine, o: { readonly events: readonly Event[]; readonly commit: string; readonly upTo: number }): void {
  const { objects } = m.repo;
  const lines = m.journal.text().split('\n').slice(0, o.upTo + 1);
  if (textOf(m, o.commit) !== lines.map((line) => `${line}\n`).join('')) m.violate('saved-whole', `the save ${o.commit} is not the journal up to event ${o.upTo}`);
  const state = fold(o.events.slice(0, o.upTo));
  for (const id of [state.pinned.base, state.landed, ...state.units.map(savedTip)]) {
    if (id !== undefined && !objects.isAncestor(id, o.commit)) m.violate('saved-whole', `the save ${o.commit} lacks the commit ${id}`);
  }
}

/** From any save another machine comes to an end, and attempts no task that was done. */
function checkRestored(m: Machine, o: { readonly events: readonly Event[]; readonly upTo: number }): void {
  const state = fold(o.events.slice(0, o.upTo));
  const done = new Set(state.units.flatMap((u) => u.unit.tasks.filter((_, i) => u.tasks[i]?.done === true).map((t) => `${u.unit.id} ${t.number}`)));
  try {
    const events = playOut(state, [{ type: 'run.restored', commit: 'claim', upTo: o.upTo, session: 'other', worktrees: '/elsewhere' }, { type: 'orch.resumed', settings: m.scenario.settings }]);
    const twice = events.find((e) => (e.type === 'task.started' || e.type === 'task.retry') && done.has(`${e.unit} ${e.task}`));
    if (twice !== undefined) m.violate('restored', `restored from event ${o.upTo}, ${JSON.stringify(twice)} is done again`);
    const astray = events.find((e) => e.type === 'unit.failed' && e.worktree?.startsWith('/elsewhere') === false);
    if (astray !== undefined) m.violate('restored', `restored from event ${o.upTo}, a worktree is still where it was: ${JSON.stringify(astray)}`);
  } catch (error) {
    m.violate('restored', `restored from event ${o.upTo}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
}

/** A run that ended well, with a remote that answers, is over there, too. */
function checkEnd(m: Machine, events: readonly Event[]): void {
  const end = events.at(-1);
  const before = events.at(-2);
  if (end?.type !== 'orch.completed' || before?.type !== 'run.saved') return;
  const saved = fold(events.slice(0, before.upTo));
  if (isOpen(saved)) m.violate('saved-whole', 'the run is over, but what is saved of it is not');
  if (m.remote.saves.get(`refs/choo/${end.run}/journal`) !== before.commit) m.violate('saved-whole', 'the last save is not at the remote');
}

function textOf(m: Machine, commit: string): string {
  return [...m.repo.objects.filesOf(commit)].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text).join('');
}
