// The tools that change something: start, go on, stop, give attempts back, let land. Not even listed unless the server was allowed them.

import { z } from 'zod';
import { systemClock } from '../adapters/clock.ts';
import { ControlError } from '../adapters/control.ts';
import { putWish } from '../commands/ask.ts';
import { captured } from '../commands/captured.ts';
import { startRun } from '../commands/detach.ts';
import { standingOf } from '../commands/status.ts';
import { askToStop, NOTHING_LIVE, untilFree } from '../commands/stop.ts';
import { diffCommand } from '../core/approval.ts';
import type { ProtectedChange } from '../core/event.ts';
import { refuseSteering } from '../opening/inside.ts';
import { refuse } from '../opening/refusal.ts';
import { cleanText } from './clean.ts';
import { LONGEST_WAIT } from './events.ts';
import { tool, UNIT } from './tool.ts';
import type { Answer, Call, Tool } from './tool.ts';

/** Paths that a person is shown in a question; the command that is shown with them has all. */
const SHOWN_PATHS = 30;
const PARALLELISM = z.int().min(1).max(999_999).describe('units worked on at the same time');
const UNTIL = z.string().min(1).max(40).describe('stop gracefully at 07:30, 2026-11-23T07:30 (local) or after 8h');
const STARTED = z.strictObject({
  started: z.boolean(),
  run: z.int().optional().describe('number of the run'),
  pid: z.int().optional().describe('its process, which goes on without this server'),
  said: z.string().optional().describe('what choo said when there was nothing to start'),
});

/** What the command said when it ended 2 or worse. */
export class CommandFailed extends Error {
  override name = 'CommandFailed';
}

/** Starts a run in the background. */
export const RUN: Tool = tool({
  name: 'choo_run',
  title: 'Start a run',
  description: 'Starts `choo run` in the background: agents work on every unit that is not complete, and what is proved lands on the target branch. Spends what the agents cost. Returns once the run is open; it goes on whatever becomes of this server. Look at choo_plan first; watch with choo_events.',
  input: z.strictObject({
    units: z.array(UNIT).min(1).max(100).optional().describe('only these units and what they depend on'),
    parallelism: PARALLELISM.optional(),
    until: UNTIL.optional(),
    tasks_dir: z.string().min(1).max(1000).optional().describe('folder of units within the repository; default: specs/tasks'),
  }),
  output: STARTED,
  hints: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  needs: 'run',
  call: (args, call) => start([
    'run', '--detach', ...flag('parallelism', args.parallelism), ...flag('until', args.until), ...(args.units ?? []).flatMap((unit) => flag('unit', unit)),
    ...(args.tasks_dir === undefined ? [] : ['--', args.tasks_dir]),
  ], call),
});

/** Goes on with the open run in the background. */
export const RESUME: Tool = tool({
  name: 'choo_resume',
  title: 'Go on with the run',
  description: 'Continues the open run in the background where it stopped, as `choo resume` does. When specs changed on the target meanwhile it refuses until `changed_plan` says what to do: ask a person.',
  input: z.strictObject({
    parallelism: PARALLELISM.optional(), until: UNTIL.optional(),
    changed_plan: z.enum(['accept', 'keep']).optional().describe('`accept` takes the specs that the target has now, `keep` goes on with those the run began with'),
  }),
  output: STARTED,
  hints: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  needs: 'resume',
  call: (args, call) => start(['resume', '--detach', ...flag('parallelism', args.parallelism), ...flag('until', args.until), ...(args.changed_plan === undefined ? [] : [`--${args.changed_plan}-plan`])], call),
});

/** Asks the live run to stop and waits a while for its end. */
export const STOP: Tool = tool({
  name: 'choo_stop',
  title: 'Stop the run',
  description: `Asks the live run to stop; work in progress is kept and choo_resume goes on with it. Waits up to \`wait\` seconds for its end.`,
  input: z.strictObject({
    now: z.boolean().optional().describe('kill what runs at once instead of giving agents time to end'),
    wait: z.int().min(0).max(LONGEST_WAIT).optional().describe('seconds; default 40'),
  }),
  output: z.strictObject({ asked: z.boolean().describe('a run was live'), stopped: z.boolean().describe('none is live any more'), said: z.string() }),
  hints: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  needs: 'stop',
  call: async (args, call) => {
    const stopping = await askToStop({ now: args.now === true }, call.place).catch((error: unknown) => {
      // It has ended meanwhile.
      if (error instanceof ControlError && error.reason !== 'refused') return undefined;
      throw error;
    });
    if (stopping === undefined) return { data: { asked: false, stopped: true, said: NOTHING_LIVE } };
    const stopped = await inTime((args.wait ?? 40) * 1000, { signal: call.signal, wait: (signal) => untilFree(stopping, signal) });
    return { data: { asked: true, stopped, said: stopped ? 'stopped; choo_resume goes on' : 'stopping; choo_events tells when it has ended' } };
  },
});

/** Gives failed units their attempts back. */
export const RETRY: Tool = tool({
  name: 'choo_retry',
  title: 'Give failed units their attempts back',
  description: 'Gives failed units their attempts back and unblocks what depends on them. A live run goes on with them at once, one at rest with choo_resume. Read their logs first: what has not changed fails again.',
  input: z.strictObject({
    units: z.array(UNIT).min(1).max(100).optional().describe('units that failed'),
    failed: z.literal(true).optional().describe('all units that failed'),
  }),
  output: z.strictObject({ said: z.string(), live: z.boolean().describe('a live run goes on with them; else: choo_resume') }),
  hints: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  needs: 'retry',
  call: async (args, { place }) => {
    if ((args.units === undefined) === (args.failed === undefined)) throw refuse('usage', 'name units, or give `failed`');
    const { answer, live } = await putWish({ do: 'retry', units: args.units ?? [] }, place, 'cannot-retry');
    return { data: { said: answer, live } };
  },
});

/** Asks a person whether a unit may land, and passes the answer on. */
export const APPROVE: Tool = tool({
  name: 'choo_approve',
  title: 'Ask a person to approve',
  description: 'Puts the question to the person at the client whether a unit may land although it changes protected paths, and passes the answer on. You do not answer it. `head` is the commit that choo_status shows under `protected`.',
  input: z.strictObject({ unit: UNIT, head: z.string().regex(/^[0-9a-f]{40,64}$/).describe('`protected.head` of the unit in choo_status') }),
  output: z.strictObject({ approved: z.boolean(), said: z.string(), live: z.boolean().optional() }),
  hints: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  needs: 'approve',
  call: async ({ unit, head }, { place, signal }) => {
    refuseSteering(place.env);
    if (place.askPerson === undefined) throw refuse('nobody-to-ask', 'this client cannot put a question to a person (MCP elicitation), and an assistant does not approve', `a person types: choo approve ${unit}`);
    const { run, change } = await waiting({ unit, head }, place);
    const more = change.paths.length - SHOWN_PATHS;
    const paths = change.paths.slice(0, SHOWN_PATHS).map((path) => `  ${cleanText(path).replaceAll('\n', '\uFFFD')}`);
    const yes = await place.askPerson(`choo, run ${run}: may unit ${cleanText(unit)} land although it changes what is protected?\n${paths.join('\n')}${more > 0 ? `\n  and ${more} more` : ''}\nThe change: ${diffCommand(change)}`, signal);
    if (!yes) return { data: { approved: false, said: 'not approved' } };
    // The question may have been open for long.
    await waiting({ unit, head }, place);
    const { answer, live } = await putWish({ do: 'approve', units: [unit] }, place, 'cannot-approve');
    return { data: { approved: true, said: answer, live } };
  },
});

async function waiting({ unit, head }: { readonly unit: string; readonly head: string }, place: Call['place']): Promise<{ readonly run: number; readonly change: ProtectedChange }> {
  const { view } = await standingOf({}, place);
  const found = view.units.find((u) => u.id === unit);
  if (found?.waiting?.for !== 'approval' || found.protected === undefined || view.run === undefined) throw refuse('cannot-approve', `\`${unit}\` does not wait for approval`, 'see: choo_status');
  if (found.protected.head !== head) throw refuse('cannot-approve', `what \`${unit}\` changes is at ${found.protected.head} now`, 'look at it again with choo_status');
  return { run: view.run, change: found.protected };
}

/** One word, so that no value is taken for a flag. */
function flag(name: string, value: string | number | undefined): readonly string[] {
  return value === undefined ? [] : [`--${name}=${value}`];
}

async function start(argv: readonly string[], { place, signal }: Call): Promise<Answer> {
  const kept = captured(place, argv);
  const begun = await startRun(kept.io, signal);
  if (begun === undefined) return { data: { started: false, said: 'nobody waits for it any more; choo_status tells what became of it' } };
  if ('run' in begun) return { data: { started: true, run: begun.run, pid: begun.pid } };
  if (begun.code !== 0) throw new CommandFailed(kept.err().trim());
  return { data: { started: false, said: kept.out().trim() } };
}

/** What `wait` gives before so many milliseconds have passed, or the call is given up. */
async function inTime<T>(ms: number, o: { readonly signal: AbortSignal; readonly wait: (signal: AbortSignal) => Promise<T> }): Promise<T> {
  const enough = new AbortController();
  const late = new AbortController();
  void systemClock().sleep(ms, enough.signal).then(() => late.abort());
  try {
    return await o.wait(AbortSignal.any([o.signal, late.signal]));
  } finally {
    enough.abort();
  }
}
