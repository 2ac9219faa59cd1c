// Promises about the remote target, by what was done to it: only proved commits, only forward, nothing of others lost, and in the end
// everything that landed.

import type { Event } from '../../../src/core/event.ts';
import { isOpen } from '../../../src/core/open.ts';
import { fold } from '../../../src/core/replay.ts';
import type { Machine } from '../machine.ts';
import { TARGET } from '../scenario.ts';

/** Looks at the whole life of the remote. */
export function checkRemote(m: Machine, events: readonly Event[]): void {
  const { remote, repo: { objects } } = m;
  // What checkMoves finds proved of the target, or proved to become it.
  const proved = new Set(events.flatMap((e) => (e.type === 'batch.landed' || e.type === 'run.joined' || e.type === 'run.remote-joined' ? [e.commit] : [])));
  // One that moved the target although git said that it had failed is in no such event.
  for (const { by, ref, to } of m.repo.moves) if (by.who === 'choo' && ref === TARGET && to !== undefined) proved.add(to);
  for (const { by, ref, from, to } of remote.moves) {
    if (ref !== TARGET || to === undefined) continue;
    if (from !== undefined && !objects.isAncestor(from, to)) m.violate('remote-forward', `the remote went from ${from} to ${to}`);
    if (by === 'choo' && !proved.has(to)) m.violate('remote-proved', `${to} was pushed, which no proof was of`);
    if (remote.tip === undefined || !objects.isAncestor(to, remote.tip)) m.violate('remote-forward', `${to} of ${by} is not at the remote any more`);
  }
  for (const e of events) {
    if (e.type === 'run.pushed' && (remote.tip === undefined || !objects.isAncestor(e.commit, remote.tip))) m.violate('remote-has-it', `${e.commit} was pushed by the journal, but is not at the remote`);
  }
  if (m.scenario.settings.land?.push === 'never' || m.scenario.settings.remote === undefined) {
    if (remote.moves.some(({ by, ref }) => by === 'choo' && ref === TARGET)) m.violate('remote-proved', 'something was pushed although nothing is to be');
    return;
  }
  if (isOpen(fold(events))) return;
  for (const e of events) {
    if (e.type === 'unit.merged' && (remote.tip === undefined || !objects.isAncestor(e.commit, remote.tip))) m.violate('remote-has-it', `the run is over, but ${e.unit} is not at the remote`);
  }
}
