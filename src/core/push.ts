// The remote target: what was pushed, what keeps it from being pushed, and when a push is due. How it is done is worker/push.ts.

import { Bug } from './bug.ts';
import { isBegun } from './event.ts';
import type { EventBody, EventOf } from './event.ts';
import { BOUNDS } from './limits.ts';
import { awaitsSave } from './save.ts';
import type { State } from './state.ts';
import { landRules } from './state.ts';

/** An event about the remote target. */
export type PushEvent = EventOf<'run.pushing' | 'run.pushed' | 'run.push.behind' | 'run.push.refused' | 'run.catching-up' | 'run.remote-joined' | 'run.caught-up'>;

/** True when something landed that the remote target is not known to have, although it is to be pushed. */
export function isUnpushed(s: Pick<State, 'settings' | 'landed' | 'push'>): boolean {
  return isPushing(s) && s.landed !== undefined && s.landed !== s.push.pushed;
}

/** True when what lands is pushed. */
export function isPushing(s: Pick<State, 'settings'>): boolean {
  return s.settings.remote !== undefined && landRules(s).push !== 'never';
}

/** True while the target takes in what the remote has: nothing else moves it then. */
export function isCatchingUp(s: State): boolean {
  return s.push.step === 'catching-up';
}

/** The push that can begin beside everything else: of what landed last, one at a time. */
export function pushNow(s: State): readonly EventBody[] {
  if (landRules(s).push !== 'after-each' || s.push.state !== 'idle' || !isDue(s)) return [];
  return [{ type: 'run.pushing', commit: s.landed ?? '', last: false }];
}

/** What is due for the remote when nothing else can move; undefined: nothing, or nothing more that choo could do. */
export function lastPush(s: State): EventBody | undefined {
  if (s.recovery !== 'no' || s.push.state === 'stopped' || !isDue(s)) return undefined;
  return s.push.state === 'behind' ? { type: 'run.catching-up' } : { type: 'run.pushing', commit: s.landed ?? '', last: true };
}

function isDue(s: State): boolean {
  return isUnpushed(s) && s.landing.diverted === undefined && s.push.step === undefined && !awaitsSave(s);
}

/** Whether one more push that comes too late is one too many. */
export function isLastTry(s: Pick<State, 'push'>): boolean {
  return s.push.tries + 1 >= BOUNDS.pushTries;
}

/** Folds an event about the remote target into the state. Throws a Bug when it cannot follow. */
export function onPush(s: State, e: PushEvent): void {
  const { push } = s;
  if (isBegun(e)) {
    if (push.step !== undefined) throw new Bug(`${e.type} while ${push.step} is in flight`);
    push.step = e.type === 'run.pushing' ? 'pushing' : 'catching-up';
    push.last = e.type === 'run.catching-up' || e.last;
    if (e.type === 'run.pushing') push.commit = e.commit;
    s.inFlight++;
    return;
  }
  if (push.step === undefined) throw new Bug(`${e.type} answers a step that was not begun`);
  delete push.step;
  s.inFlight--;
  answered(s, e);
}

function answered(s: State, e: Exclude<PushEvent, { type: 'run.pushing' | 'run.catching-up' }>): void {
  const { push } = s;
  switch (e.type) {
    case 'run.pushed':
      push.pushed = e.commit;
      push.state = 'idle';
      push.tries = 0;
      delete push.text;
      return;
    case 'run.push.behind':
      // What landed meanwhile may have brought the remote's commits with it.
      push.state = push.commit === s.landed ? 'behind' : 'idle';
      push.tries++;
      return;
    case 'run.push.refused': return refused(s, e);
    case 'run.remote-joined':
      push.joined = { commit: e.commit, onto: e.onto };
      return;
    case 'run.caught-up':
      s.landed = e.commit;
      push.state = 'idle';
      delete push.joined;
      return;
    default: return e satisfies never;
  }
}

function refused(s: State, e: EventOf<'run.push.refused'>): void {
  const { push } = s;
  if (e.reason === 'cut') return;
  push.text = e.text;
  // A remote that cannot be reached may come back until the end.
  push.state = e.reason === 'unreachable' && push.last !== true ? 'later' : 'stopped';
}

/** Something landed: it is to be pushed, also where what was there before came too late. */
export function landedAnew(s: State): void {
  delete s.push.joined;
  if (s.push.state !== 'behind') return;
  s.push.state = 'idle';
  s.push.tries = 0;
}

/** A new session tries again, whatever kept the one before from it. */
export function resumePush(s: State): void {
  const { pushed, joined } = s.push;
  s.push = { state: 'idle', tries: 0, ...(pushed === undefined ? {} : { pushed }), ...(joined === undefined ? {} : { joined }) };
}

/** Where it is pushed to, for people. */
export function remoteName(remote: { readonly name: string; readonly ref: string }): string {
  return `${remote.ref.replace('refs/heads/', '')} of ${remote.name}`;
}
