// Changes of protected paths: whether a unit may go to the landing lane, goes back to its agent, or waits for a person.

import { Bug, must } from './bug.ts';
import { cleanLine, shellWord } from './clean.ts';
import type { EventBody, EventOf, ProtectedChange } from './event.ts';
import type { Failure } from './failure.ts';
import { announced, freeSlot } from './moves.ts';
import { setPhase } from './phase.ts';
import type { State, UnitState } from './state.ts';

/** Paths that a command for people names. */
const NAMED = 50;

/** The command that shows what is to be approved; it names the paths, unless there are many or one that no terminal can show. */
export function diffCommand({ base, head, paths }: ProtectedChange): string {
  const named = paths.length <= NAMED && paths.every((path) => path === cleanLine(path)) ? ` -- ${paths.map(shellWord).join(' ')}` : '';
  const literal = named !== '' && paths.some((path) => /[*?[\\]|^:/.test(path)) ? ' --literal-pathspecs' : '';
  return `git${literal} diff ${base.slice(0, 12)} ${head.slice(0, 12)}${named}`;
}

/** The unit was verified, or had the target merged in: what it changes of what is protected. */
export function noteProtected(u: UnitState, e: EventOf<'unit.verified' | 'unit.refreshed'>): void {
  if (e.protected === undefined) delete u.protected;
  else u.protected = e.protected;
}

/** Why the unit is sent back to its agent instead of landing; undefined when it is not. */
export function refusal(s: State, u: UnitState): Failure | undefined {
  const change = u.protected;
  return s.pinned.guard?.protect !== 'refuse' || change === undefined ? undefined : { kind: 'protected-paths', paths: change.paths, base: change.base };
}

/** True for a unit whose changes a person has to approve before it may land. */
export function needsApproval(s: State, u: UnitState): boolean {
  return s.pinned.guard?.protect === 'approve' && u.protected?.approved === false;
}

/** The unit gives its slot back and waits; that is to be announced. */
export function holdForApproval(s: State, u: UnitState): void {
  freeSlot(s, u);
  s.verifying.delete(u.index);
  // How long a person takes says nothing about how long its proof will.
  u.verify.since = 0;
  u.next = { step: 'land' };
  s.announce.push({ what: 'approval', unit: u.index });
}

/** The event that announces it. */
export function approvalEvent(u: UnitState): EventBody {
  const { base, head, paths } = must(u.protected, 'a change of protected paths');
  return { type: 'unit.waiting', unit: u.unit.id, for: 'approval', text: `it changes ${paths.length === 1 ? 'a protected path' : `${paths.length} protected paths`}`, change: { base, head, paths } };
}

/** It has been announced: the unit waits. */
export function awaitApproval(s: State, u: UnitState): void {
  announced(s, 'approval');
  s.awaiting.add(u.index);
  setPhase(s, u, 'waiting');
}

/** A person approved what was shown. The unit may go on. */
export function approved(s: State, u: UnitState, change: ProtectedChange): void {
  if (!s.awaiting.delete(u.index) || u.protected === undefined) throw new Bug(`${u.unit.id} was approved but is ${u.phase}`);
  u.approval = change;
  u.protected = { ...change, approved: true };
}
