// What a person can do about a run that nobody works on, as data: the one decision for status, summary, doctor, refusals and
// escalations. Prints nothing.

import { cleanLine, oneLine, shellWord } from './clean.ts';
import { BY_HAND } from './failure.ts';
import type { RunView } from './view.ts';

/** One thing to do: what for, in words, and the command. */
export interface Advice {
  readonly to: string;
  readonly command: string;
}

/** Conflicts that are told, one line each. */
const CONFLICTS = 3;
/** Units that one command names. */
const NAMED = 10;

/** An advice as one line. */
export function describeAdvice({ to, command }: Advice): string {
  return cleanLine(`${to}: ${command}`);
}

/** What can be done about an open run at rest, what comes first before the rest; nothing about one that is over. */
export function adviceFor(view: RunView): readonly Advice[] {
  if (view.closed) return [];
  const { counts } = view;
  const closing = closingAdvice(view);
  if (closing !== undefined && counts.landed + counts.complete + counts.cancelled === view.units.length) return [closing];
  const approve = approveCommand(view);
  const failed = counts.failed === 0 ? [] : [...byHandAdvice(view), { to: isConflict(view) ? 'then, or to have agents try again' : 'to try failed units again', command: 'choo retry --failed && choo resume' }];
  if (view.paused !== undefined) return [{ to: 'mend the cause, then', command: 'choo resume' }, ...failed];
  if (approve !== undefined) return [{ to: 'to let it land', command: approve }, ...failed];
  const more = failed.length > 0 && canMove(view) ? [{ to: 'to go on without them', command: 'choo resume' }] : [];
  if (failed.length > 0) return [...failed, ...more];
  const stuck = stuckAdvice(view);
  return stuck.length > 0 ? stuck : [{ to: 'to go on', command: 'choo resume' }];
}

/** How a person brings what landed beside the target to it; undefined where nothing did. */
export function closingAdvice({ landing, counts }: RunView): Advice | undefined {
  if (landing?.because === undefined) return undefined;
  const branch = landing.ref.replace('refs/heads/', '');
  const what = counts.cancelled === 0 ? 'everything' : 'all that landed';
  return { to: `${what} is on ${oneLine(branch)}; to bring it to the target`, command: `git merge ${landing.needsMerge === true ? '' : '--ff-only '}${shellWord(branch)}` };
}

/** What to type when units wait for approval and nobody works on the run; undefined when none does. */
export function approveCommand(view: RunView): string | undefined {
  const units = view.units.filter((u) => u.waiting?.for === 'approval').map((u) => shellWord(u.id));
  return units.length === 0 ? undefined : `choo approve ${units.slice(0, NAMED).join(' ')} && choo resume`;
}

/** How people resolve the conflicts that agents could not, for the first of them. */
export function byHandAdvice(view: RunView): readonly Advice[] {
  return view.units.flatMap((u) => (u.state !== 'failed' || u.failure?.byHand === undefined ? [] : [{ to: `to resolve the conflict of ${oneLine(u.id)} by hand (${BY_HAND})`, command: u.failure.byHand }])).slice(0, CONFLICTS);
}

function isConflict(view: RunView): boolean {
  return byHandAdvice(view).length > 0;
}

function canMove({ counts }: RunView): boolean {
  return counts.pending + counts.running + counts.proving + counts.landing + counts.waiting > 0;
}

/** All that is left depends on units that were given up. */
function stuckAdvice(view: RunView): readonly Advice[] {
  const left = view.units.filter((u) => u.state === 'blocked');
  if (left.length === 0 || canMove(view)) return [];
  const flags = left.slice(0, NAMED).map((u) => `--discard ${shellWord(u.id)}`).join(' ');
  const more = left.length > NAMED ? `, with ${left.length - NAMED} more after these` : '';
  return [
    { to: `what is blocked depends on what was given up; to end the run${more}`, command: `choo cleanup ${flags}` },
    { to: 'to begin anew', command: 'choo run --new' },
  ];
}
