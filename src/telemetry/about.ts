// What is said about a span: attributes from the events that begin and end it. Chosen by name; nothing is passed on as a whole, so
// no output, command or path of a machine comes along.

import { cleanLine } from '../core/clean.ts';
import type { AttemptBegun, Begun, Event, EventOf, Note } from '../core/event.ts';
import { isAttempt } from '../core/event.ts';
import type { Usage } from '../core/usage.ts';
import { ATTR, CHOO, INVOKE_AGENT, providerOf } from './names.ts';

/** Characters of a title that are passed on. */
const LONGEST = 200;

type Told = Record<string, string | number | boolean>;

/** A text from a file of the user's, as an attribute. */
export function shortText(text: string): string {
  const line = cleanLine(text);
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line;
}

/** What an attempt is for. */
function purposeOf(e: AttemptBegun): string {
  return e.type === 'rework.started' ? e.reason : e.type === 'review.started' ? 'code-review' : 'task';
}

/** What is known of a step when it begins. */
export function atBegin(e: Begun): Told {
  if (isAttempt(e)) return ofAgent(e);
  switch (e.type) {
    case 'task.backpressure': return { [CHOO.check]: 'task' };
    case 'unit.verifying': return { [CHOO.check]: e.scope };
    case 'trial.started': return { [CHOO.check]: 'trial' };
    case 'batch.proving': return { [CHOO.check]: 'proof', [CHOO.batch]: e.batch, [CHOO.units]: e.units.length, [ATTR.headRevision]: e.commit };
    case 'pr.proving': return { [CHOO.check]: 'proof', [ATTR.headRevision]: e.commit };
    case 'batch.merging': case 'batch.landing': return { [CHOO.batch]: e.batch, [CHOO.units]: e.units.length };
    default: return {};
  }
}

function ofAgent(e: AttemptBegun): Told {
  return {
    [ATTR.operation]: INVOKE_AGENT, [ATTR.provider]: providerOf(e), [ATTR.agent]: shortText(e.agent),
    [CHOO.attempt]: e.attempt, [CHOO.purpose]: purposeOf(e),
    ...(e.model === undefined ? {} : { [ATTR.requestModel]: shortText(e.model) }),
  };
}

/** What is known of a step when it is answered. */
export function atEnd(e: Event): Told {
  return {
    ...('usage' in e && e.usage !== undefined ? ofUsage(e.usage) : {}),
    ...('ending' in e && e.ending.code !== null ? { [ATTR.exitCode]: e.ending.code } : {}),
    ...('notes' in e && isFlaky(e.notes) ? { [CHOO.flaky]: true } : {}),
    ...('reused' in e && e.reused > 0 ? { [CHOO.reused]: e.reused } : {}),
    ...(ofCommit(e) === undefined ? {} : { [ATTR.headRevision]: ofCommit(e) ?? '' }),
  };
}

/** True when a check failed and passed when it was run again. */
function isFlaky(notes: readonly Note[]): boolean {
  return notes.some((note) => note.kind === 'flaky-check');
}

/** By the conventions the input is all that was read, from a cache or anew. */
function inputTokens(usage: Usage): number {
  return usage.input + usage.cacheRead + usage.cacheWrite;
}

function ofUsage(usage: Usage): Told {
  return {
    [ATTR.inputTokens]: inputTokens(usage), [ATTR.outputTokens]: usage.output,
    ...(usage.cacheRead > 0 ? { [ATTR.cacheRead]: usage.cacheRead } : {}), ...(usage.cacheWrite > 0 ? { [ATTR.cacheWrite]: usage.cacheWrite } : {}),
    ...(usage.usd === undefined ? {} : { [CHOO.usd]: usage.usd }), ...(usage.model === undefined ? {} : { [ATTR.responseModel]: shortText(usage.model) }),
  };
}

function ofCommit(e: Event): string | undefined {
  switch (e.type) {
    case 'task.validation.ok': case 'task.committed': case 'unit.verified': case 'unit.refreshed': case 'unit.committed': case 'batch.landed': case 'batch.proved':
    case 'pr.published': case 'pr.proved': case 'pr.merged': return e.commit;
    default: return undefined;
  }
}

/** How a session ended. */
export function ofResult({ type, result }: EventOf<'orch.completed' | 'orch.failed' | 'orch.stopped'>): Told {
  return {
    [CHOO.result]: type.replace('orch.', ''), [CHOO.landed]: result.completedUnits, [CHOO.failed]: result.failedUnits,
    [CHOO.blocked]: result.blockedUnits, [CHOO.waiting]: result.waitingUnits,
  };
}
