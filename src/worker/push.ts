// The remote target: pushes a landing to it, plainly, and takes in what others pushed there. Never forces; a value that the target
// gets here was proved like every other. Who pushes when is core/push.ts.

import { must } from '../core/bug.ts';
import type { EventBody, EventOf, PushTrouble, RemoteTarget } from '../core/event.ts';
import { describeFailure } from '../core/failure.ts';
import { BOUNDS } from '../core/limits.ts';
import { isLastTry, isPushing, remoteName } from '../core/push.ts';
import { landRules } from '../core/state.ts';
import { failpoint } from '../failpoint.ts';
import { GitError } from '../world.ts';
import type { Control } from '../world.ts';
import { mergeIn, refusal } from './advance-target.ts';
import { advanceRef } from './landing-ref.ts';
import { wholeProof } from './proof.ts';
import { proveAt } from './prove.ts';
import type { Workplace } from './workplace.ts';

const refused = (reason: PushTrouble, text: string): EventBody => ({ type: 'run.push.refused', reason, text });
const CUT = refused('cut', 'cut by a stop');

/** Pushes a landing. Asks the remote first what it has, so that doing it twice is the same as once. Answers `run.pushed`, `run.push.behind` or `run.push.refused`. */
export async function pushTarget(place: Workplace, begun: EventOf<'run.pushing'>, control: Control): Promise<EventBody> {
  const { git } = place.world;
  const { commit } = begun;
  const remote = remoteOf(place);
  const at = await tip(place, { remote, control });
  if (typeof at === 'object') return at.answer;
  if (at !== undefined && (await git.isAncestor(commit, at))) return { type: 'run.pushed', commit };
  if (at !== undefined && !(await git.isAncestor(at, commit))) return behind(place, { at, remote, last: begun.last });
  if (control.interrupt.aborted) return CUT;
  const outcome = await git.push({ ...remote, commit, limitMs: BOUNDS.remote, signal: control.kill });
  if (outcome.kind === 'pushed') {
    failpoint('remote-moved');
    return { type: 'run.pushed', commit };
  }
  if (control.kill.aborted) return CUT;
  // What was printed does not decide: where the remote is now tells a lost race from a refusal.
  const now = await tip(place, { remote, control });
  if (typeof now === 'object') return now.answer;
  if (now !== undefined && (await git.isAncestor(commit, now))) return { type: 'run.pushed', commit };
  if (now !== undefined && now !== at && !(await git.isAncestor(now, commit))) return behind(place, { at: now, remote, last: begun.last });
  return refused('refused', `${remote.name} or a hook refuses it: ${outcome.detail}`);
}

/** It has commits that the landing lacks: to be joined, unless they conflict or that has been tried too often. */
async function behind(place: Workplace, o: { readonly at: string; readonly remote: RemoteTarget; readonly last: boolean }): Promise<EventBody> {
  const { git } = place.world;
  const target = await git.resolve(place.state.pinned.targetRef);
  if (target !== undefined && (await joined(place, { at: target, remote: o.at })) === undefined) return conflict(place, o.remote);
  if (o.last && isLastTry(place.state)) return refused('moving', `${remoteName(o.remote)} was moved by others before each of ${BOUNDS.pushTries} pushes in a row`);
  return { type: 'run.push.behind', at: o.at };
}

function conflict(place: Workplace, remote: RemoteTarget): EventBody {
  return refused('conflict', `${remoteName(remote)} has new commits that conflict with ${place.state.pinned.targetRef.replace('refs/heads/', '')}`);
}

/** Brings the target to a proved commit that contains it and the remote target. Answers `run.remote-joined` once it is proved, `run.caught-up` once the target is there, or `run.push.refused`. */
export async function catchUp(place: Workplace, control: Control): Promise<EventBody> {
  const { git } = place.world;
  const { state } = place;
  const ref = state.pinned.targetRef;
  const short = ref.replace('refs/heads/', '');
  const remote = remoteOf(place);
  const at = await git.resolve(ref);
  if (at === undefined) return refused('target', `${short} no longer exists`);
  const known = state.push.joined;
  // A session before this one may have moved it as its last deed.
  if (known !== undefined && known.commit === at) return { type: 'run.caught-up', commit: at };
  if (known === undefined || known.onto !== at) return join(place, { at, remote, short, control });
  const outcome = await advanceRef(place, { ref, from: at, to: known.commit });
  if (outcome.kind === 'refused') return refused('target', `${short} cannot take in what ${remoteName(remote)} has: ${refusal(outcome)}`);
  if (outcome.kind === 'moved') return join(place, { at: outcome.at ?? at, remote, short, control });
  failpoint('remote-joined');
  return { type: 'run.caught-up', commit: known.commit };
}

/** What the target is to become. Proved here, moved only once it is in the journal. */
async function join(place: Workplace, o: { readonly at: string; readonly remote: RemoteTarget; readonly short: string; readonly control: Control }): Promise<EventBody> {
  const { at, remote, control } = o;
  const theirs = await tip(place, { remote, control });
  if (typeof theirs === 'object') return theirs.answer;
  const commit = theirs === undefined ? at : await joined(place, { at, remote: theirs });
  if (commit === undefined) return conflict(place, remote);
  if (landRules(place.state).checks === 'proof') {
    const { failure } = await proveAt(place, { commit, checks: wholeProof(place), logs: `${place.runDir}/logs/push`, place: 0, reuse: landRules(place.state).reuse, control });
    if (failure?.kind === 'cut') return CUT;
    if (failure !== undefined) return refused('proof', `${remoteName(remote)} has new commits with which what landed does not pass: ${describeFailure(failure)}`);
  }
  failpoint('commit-built');
  return { type: 'run.remote-joined', commit, onto: at, remote: theirs ?? at };
}

/** A commit that contains both: the one that has the other already, or a merge of them; undefined when they conflict. */
async function joined(place: Workplace, o: { readonly at: string; readonly remote: string }): Promise<string | undefined> {
  const { git } = place.world;
  if (await git.isAncestor(o.remote, o.at)) return o.at;
  if (await git.isAncestor(o.at, o.remote)) return o.remote;
  return mergeIn(place, { at: o.at, other: o.remote, what: 'remote target' });
}

/** What a landing begins from: the target with the newest commits of the remote target, where these are to be had, are no conflict and have not spoiled a proof before. */
export async function withRemote(place: Workplace, o: { readonly at: string; readonly control: Control }): Promise<{ readonly onto: string; readonly remote?: string }> {
  const { state, remote: memory } = place;
  const { remote } = state.settings;
  if (remote === undefined || !isPushing(state) || state.push.state === 'stopped' || memory.silent) return { onto: o.at };
  try {
    const theirs = await place.world.git.remoteTip({ ...remote, limitMs: BOUNDS.remoteLook, signal: o.control.interrupt });
    if (theirs === undefined || theirs === state.push.unfit) return { onto: o.at };
    const onto = await joined(place, { at: o.at, remote: theirs });
    return onto === undefined || onto === o.at ? { onto: o.at } : { onto, remote: theirs };
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    // Landing waits for no remote: it is asked again when there is something to push.
    memory.silent = true;
    return { onto: o.at };
  }
}

type Tip = string | undefined | { readonly answer: EventBody };

async function tip(place: Workplace, o: { readonly remote: RemoteTarget; readonly control: Control }): Promise<Tip> {
  try {
    const at = await place.world.git.remoteTip({ ...o.remote, limitMs: BOUNDS.remote, signal: o.control.interrupt });
    place.remote.silent = false;
    return at;
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    if (o.control.interrupt.aborted) return { answer: CUT };
    return { answer: refused('unreachable', `${o.remote.name} cannot be reached: ${error.detail}`) };
  }
}

function remoteOf(place: Workplace): RemoteTarget {
  return must(place.state.settings.remote, 'a remote target');
}
