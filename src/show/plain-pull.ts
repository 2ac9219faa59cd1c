// Plain progress lines about pull requests and the forge.

import type { EventOf, Event } from '../core/event.ts';
import { describeFailure, FORGE_TROUBLE } from '../core/failure.ts';
import type { State } from '../core/state.ts';
import { debug, error, info, warn } from './plain-line.ts';
import type { PlainLine } from './plain-line.ts';
import { short, when } from './paint.ts';

/** What a line says of an event about a unit's pull request; undefined: nothing worth one. */
export function aboutPull(e: Extract<Event, { readonly unit: string }>, state: State): PlainLine | undefined {
  switch (e.type) {
    case 'pr.published': return e.created ? info(`opened ${e.url}${e.ready ? '' : ' as a draft'}`) : debug(`pushed ${short(e.commit)} to ${e.url}${e.ready ? ', ready for review' : ''}`);
    case 'pr.behind': return info('somebody pushed to its branch');
    case 'pr.taken': return info(`goes on with what people pushed (${short(e.commit)})`);
    case 'pr.proving': return info(`proving the head of its pull request (${short(e.commit)})`);
    case 'pr.proof.failed': return warn(`together with the target it does not pass: ${describeFailure(e.failure)}`);
    case 'pr.outdated': return debug('the target has moved; it is merged in');
    case 'pr.seen': return seen(e);
    case 'pr.late': return warn('nobody has reviewed it for longer than review.timeout');
    case 'pr.queued': return info('in the merge queue of the forge');
    case 'pr.refused': return warn(`the forge does not merge it: ${e.text}`);
    case 'pr.merged': return e.red === undefined ? undefined : error(`merged as ${short(e.commit)}, where its proof fails: ${describeFailure(e.red)}`);
    case 'pr.step.failed': return e.failure.kind === 'cut' || state.forge?.active === true ? undefined : warn(describeFailure(e.failure));
    default: return undefined;
  }
}

function seen({ facts: f }: EventOf<'pr.seen'>): PlainLine {
  if (f.state === 'closed') return warn(`closed without being merged: ${f.url}`);
  if (f.state === 'merged') return info(`merged: ${f.url}`);
  const said = [
    ...(f.approvedBy.length === 0 ? [] : [`approved by ${f.approvedBy.join(', ')}`]), ...(f.refusedBy.length === 0 ? [] : [`changes wanted by ${f.refusedBy.join(', ')}`]),
    ...(f.feedback.length === 0 ? [] : [`${f.feedback.length} to answer`]), ...(f.looking.length === 0 ? [] : [`${f.looking.join(', ')} is looking`]),
    ...(f.ignored.length === 0 ? [] : [`${f.ignored.length} by people who may not steer, passed over`]),
  ];
  return debug([`checks: ${f.checks}`, ...said].join('; '));
}

/** The forge was held or is asked again. */
export function aboutForge(e: EventOf<'forge.held' | 'forge.released'>, state: State): PlainLine {
  const name = state.pinned.forge?.repository ?? 'the forge';
  if (e.type === 'forge.released') return info(`${name} is asked again`);
  const line = e.reason === 'login' ? error : warn;
  return line(`${name} ${FORGE_TROUBLE[e.reason]}: ${e.text}; ${e.until === undefined ? 'nothing is asked of it until that is mended' : `next try ${when(e.until, e.time)}`}`);
}
