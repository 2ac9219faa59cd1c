// One session of an agent: starts it, follows what it says and does, ends it at its cap, and judges why it failed, if it did.
// What each line means is the agent's own file; whether the work is right is the check's.

import { dirname } from 'node:path';
import { short } from '../agents/agent.ts';
import type { AgentTask, Opening, Trouble, Verdict } from '../agents/agent.ts';
import { must } from '../core/bug.ts';
import { cleanLine } from '../core/clean.ts';
import type { AttemptBegun, Note } from '../core/event.ts';
import type { Ending, Failure, Output } from '../core/failure.ts';
import { NOTHING_USED, amountOf, priced, tokensOf } from '../core/usage.ts';
import type { Usage } from '../core/usage.ts';
import type { CommandResult, Dialogue } from '../world.ts';
import { settle } from './settle.ts';
import { StepFailure, chooEnvironment, endingOf, gitPaths, promptsFolder } from './workplace.ts';
import type { Equipped, UnitStep, Workplace } from './workplace.ts';

/** What one session of the agent came to. */
export interface Session {
  readonly ending: Ending;
  readonly failure?: Failure;
  readonly notes: readonly Note[];
  readonly usage?: Usage;
  readonly output: Output;
}

/** What is to be run. */
export interface AgentRun {
  readonly worktree: string;
  /** The whole prompt also where a session goes on: some agents say that they go on and have forgotten everything. */
  readonly prompt: string;
  readonly begun: AttemptBegun;
  /** What `CHOO_TASK` says: a task number, or what is to be mended. */
  readonly subject: string;
  /** Repository path of the file the work is described in. */
  readonly file: string;
  readonly mayMerge: boolean;
  /** Variables of its own. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs the agent once in the unit's worktree, and mends what it did to the branch. */
export async function runAgent(step: UnitStep, o: AgentRun): Promise<Session> {
  const { place } = step;
  const { begun } = o;
  const equipped = must(place.agents.get(begun.agent), `the agent ${begun.agent}`);
  const { limits } = place.state.settings;
  const { clock } = place.world;
  await place.world.git.rememberOwnFolder(o.worktree);
  const fence = await place.fence.before();
  const log = `${place.runDir}/${begun.log}`;
  const idleMs = equipped.idleMs ?? (equipped.agent.idleLimit || place.idleLimitSet ? limits.agentIdle : 0);
  const totalMs = equipped.totalMs ?? limits.agentTotal;
  place.seen.delete(o.worktree);
  const start = { ...o, equipped, log, idleMs, totalMs };
  const goOn = equipped.goOn ? await sessionBefore(step, o) : undefined;
  let spoken = await speak(step, { ...start, goOn });
  // One that is gone did nothing; it is the same attempt, begun anew.
  if (goOn !== undefined && isGone(spoken)) spoken = await speak(step, { ...start, goOn: undefined });
  const { opening, follower, result, verdict } = spoken;
  const outside = await place.fence.after(fence);
  const settled = await settle(step, { worktree: o.worktree, attempt: `${o.subject}-${begun.attempt}`, mayMerge: o.mayMerge });
  const output = follower.output({ result, log, verdict });
  const failure = whyFailed({ result, outside, settled, begun, verdict, output, idleMs, totalMs, program: withoutSecrets(place, opening.argv.at(-1) ?? ''), used: follower.overCap(), steadily: clock.steady() - clock.now() });
  return { ending: endingOf(result), output, notes: notesOf({ result, verdict, failure }), ...(failure === undefined ? {} : { failure }), ...usedOf(follower, failure) };
}

interface Spoken { readonly opening: Opening<unknown>; readonly follower: Follower; readonly result: CommandResult; readonly verdict: Verdict }

/** Starts the agent and follows it to its end. `goOn`: the session to go on with. */
async function speak(step: UnitStep, o: AgentRun & { readonly equipped: Equipped; readonly log: string; readonly idleMs: number; readonly totalMs: number; readonly goOn: string | undefined }): Promise<Spoken> {
  const { place, u } = step;
  const { begun, equipped, log, idleMs, totalMs } = o;
  const task = await taskFor(step, o);
  const opening = equipped.agent.open(task);
  for (const [path, text] of Object.entries(opening.files ?? {})) await writePrompt(step, { path, text });
  const follower = new Follower(step, { opening, equipped, begun, subject: o.subject });
  const result = await place.world.processes.run({
    argv: opening.argv, cwd: o.worktree, log, outputLimit: place.state.settings.limits.output, totalMs, idleMs,
    env: {
      ...equipped.env, ...opening.env, ...await chooEnvironment(place, { worktree: o.worktree, unit: u.unit.id }), CHOO_TASK: o.subject, CHOO_ATTEMPT: String(begun.attempt),
      CHOO_TASK_FILE: `${o.worktree}/${o.file}`, CHOO_PROMPT_FILE: task.promptFile, ...o.env,
    },
    dialogue: follower.dialogue(),
  }, step.control);
  await follower.written();
  return { opening, follower, result, verdict: follower.conclude(result) };
}

function isGone({ verdict, result, follower }: Spoken): boolean {
  return verdict.gone === true && verdict.trouble === undefined && !result.cut && result.limit === undefined && follower.hasNotWorked() && (amountOf(follower.usage, 'tokens') ?? 0) === 0;
}

/** What the session used. One that was refused before it did anything, or could not be started, has used nothing; any other that does not tell may have used all it was allowed. */
function usedOf(follower: Follower, failure: Failure | undefined): { readonly usage?: Usage } {
  if (follower.usage !== undefined) return { usage: follower.usage };
  const refused = failure?.kind === 'environment' || failure?.kind === 'agent-trouble';
  return refused && follower.hasNotWorked() ? { usage: NOTHING_USED } : {};
}

/** Everything the agent's machine is told. */
async function taskFor(step: UnitStep, o: AgentRun & { readonly equipped: Equipped; readonly goOn: string | undefined }): Promise<AgentTask> {
  const { place } = step;
  const { begun, equipped, goOn } = o;
  // Beside the worktrees and not in the run's folder, whose path would show the agent where the main checkout is.
  const name = begun.log.replace(/^logs\//, '').replace(/\.log$/, '');
  const promptFile = `${promptsFolder(place)}/${name}.md`;
  const { prompt } = o;
  await writePrompt(step, { path: promptFile, text: prompt });
  const scratch = `${promptsFolder(place)}/${name}.d`;
  // The folder comes with its first file.
  await writePrompt(step, { path: `${scratch}/about`, text: `for ${name}\n` });
  return {
    prompt, promptFile, worktree: o.worktree, scratch,
    gitPaths: equipped.permissions === 'full' ? [] : await gitPaths(place, o.worktree, must(step.u.branch, 'a branch')),
    permissions: equipped.permissions, args: equipped.args, session: place.world.uuid(),
    ...(begun.model === undefined ? {} : { model: begun.model }), ...(goOn === undefined ? {} : { goOn }),
    ...(equipped.maxTurns === undefined ? {} : { maxTurns: equipped.maxTurns }),
    cap: begun.cap === undefined ? {} : { [begun.cap.in]: begun.cap.amount },
  };
}

/** Writes a file for an agent below the folder of prompts. What an agent has put in the way (a link may lead into the user's checkout) is removed. */
async function writePrompt({ place }: UnitStep, o: { readonly path: string; readonly text: string }): Promise<void> {
  const { files } = place.world;
  const path = o.path.slice(place.worktrees.length + 1);
  // From below: what is reached through a link is not removed, so this removes nothing but the first thing that is no folder.
  for (let at = o.path; at.length > place.worktrees.length; at = dirname(at)) {
    if (await files.writeBelow(place.worktrees, path, o.text)) return;
    await files.remove(at);
  }
  if (!(await files.writeBelow(place.worktrees, path, o.text))) throw new StepFailure({ kind: 'not-writable', path: o.path, detail: 'something that is no folder stands in the way' });
}

// ---------------------------------------------------------------- sessions that go on

/** Where a unit's last session is noted, so that it is known after a crash, too. */
function sessionFile(place: Workplace, unit: string): string {
  return `${place.runDir}/sessions/${unit}`;
}

/** The session of the attempt before at the same thing by the same agent. It is forgotten here, and noted again when it answers: one that hangs does so once. */
async function sessionBefore(step: UnitStep, o: AgentRun): Promise<string | undefined> {
  const file = sessionFile(step.place, step.u.unit.id);
  const [agent, subject, session] = (await step.place.world.files.readText(file))?.split('\n') ?? [];
  if (agent !== o.begun.agent || subject !== o.subject || session === undefined || session === '') return undefined;
  await step.place.world.files.writeText(file, '');
  return session;
}

// ---------------------------------------------------------------- following

/** The last activities that a failure carries along. */
const MOST_ACTIVITIES = 20;
/** More of an agent's own words is not passed on, characters. */
const LONGEST_WORDS = 2000;

/** Follows one session through its agent's machine. */
class Follower {
  readonly #step: UnitStep;
  readonly #equipped: Equipped;
  readonly #o: { readonly opening: Opening<unknown>; readonly begun: AgentRun['begun']; readonly subject: string };
  #state: unknown;
  #activities: string[] = [];
  #session: string | undefined;
  #stop: Trouble | undefined;
  #over: number | undefined;
  readonly #writes: Promise<void>[] = [];
  /** What the session has used so far, with its price. */
  usage: Usage | undefined;

  constructor(step: UnitStep, o: { readonly opening: Opening<unknown>; readonly equipped: Equipped; readonly begun: AgentRun['begun']; readonly subject: string }) {
    this.#step = step;
    this.#equipped = o.equipped;
    this.#o = o;
    this.#state = o.opening.state;
  }

  /** The machine as the two-way talk that processes know. */
  dialogue(): Dialogue {
    const { opening } = this.#o;
    return {
      first: opening.first,
      oneShot: opening.oneShot,
      ...(this.#equipped.agent.listens ? { receive: (line: string) => this.#receive(line) } : {}),
      interrupt: () => this.#equipped.agent.interrupt(this.#state),
    };
  }

  #receive(line: string): ReturnType<NonNullable<Dialogue['receive']>> {
    const { place } = this.#step;
    const received = this.#equipped.agent.receive(line, this.#state, place.world.clock.now());
    this.#state = received.state;
    for (const { kind, text } of received.activity ?? []) {
      const activity = { kind, text: short(this.#seemly(text)) };
      this.#activities = [...this.#activities.slice(1 - MOST_ACTIVITIES), activity.kind === 'text' ? activity.text : `${activity.kind}: ${activity.text}`];
      place.world.activity?.({ unit: this.#step.u.unit.id, subject: this.#o.subject, attempt: this.#o.begun.attempt, activity });
    }
    if (received.session !== undefined && received.session !== this.#session) this.#note(received.session);
    if (received.usage !== undefined) this.#account(received.usage);
    if (received.stop !== undefined) this.#stop ??= { ...received.stop, text: this.#seemly(received.stop.text) };
    const end = this.#stop !== undefined || this.#over !== undefined ? 'stop' : received.done === true ? 'done' : undefined;
    return {
      ...(received.send === undefined ? {} : { send: received.send }), ...(received.close === undefined ? {} : { close: received.close }),
      ...(end === undefined ? {} : { end }), ...(received.quiet === undefined ? {} : { quiet: received.quiet }),
    };
  }

  #note(session: string): void {
    this.#session = session;
    if (!this.#equipped.goOn || this.#seemly(session) !== session) return;
    const { place, u } = this.#step;
    this.#writes.push(place.world.files.writeText(sessionFile(place, u.unit.id), [this.#o.begun.agent, this.#o.subject, session].join('\n')));
  }

  #account(told: Usage): void {
    const { prices, agent, mustSee } = this.#equipped;
    const { cap, model } = this.#o.begun;
    // Of an agent that tells its tokens only at its end, no money yet is nothing told, which would look like nothing used; and with a
    // budget its attempts cost the cap, because nothing could have ended them there.
    if (!agent.abilities.usage.tokens && !((told.usd ?? 0) > 0) && (cap !== undefined || tokensOf(told) === 0)) return;
    const name = told.model ?? model ?? '*';
    const usage = priced(told, Object.hasOwn(prices, name) ? prices[name] : prices['*']);
    this.usage = usage.model === undefined ? usage : { ...usage, model: this.#seemly(usage.model) };
    const used = cap === undefined ? undefined : amountOf(usage, cap.in);
    if (cap !== undefined && used !== undefined && used >= cap.amount) this.#over ??= used;
    if (cap !== undefined && used === undefined && mustSee === true && !agent.abilities.ownCap && tokensOf(usage) > 0) this.#stop ??= unpriced(agent.name, this.usage.model ?? model);
  }

  /** Resolves when all that was to be noted is on disk; rejects when the disk refused. */
  async written(): Promise<void> {
    await Promise.all(this.#writes);
  }

  /** It tells what it does, and has told of nothing. */
  hasNotWorked(): boolean {
    return this.#equipped.agent.listens && this.#activities.length === 0;
  }

  /** What it had used when it was ended at its cap; undefined when it was not. */
  overCap(): number | undefined {
    return this.#over;
  }

  /** What the agent's own file says of the end. */
  conclude(result: CommandResult): Verdict {
    if (this.#stop !== undefined) return { trouble: this.#stop };
    const { failed, trouble, ...more } = this.#equipped.agent.conclude({ ending: endingOf(result), state: this.#state, tail: result.tail, now: this.#step.place.world.clock.now() });
    return {
      ...more, ...(failed === undefined ? {} : { failed: this.#seemly(failed) }),
      ...(trouble === undefined ? {} : { trouble: { ...trouble, text: this.#seemly(trouble.text) } }),
    };
  }

  /** The agent's own words as events, logs and people may have them: one line without secrets. */
  #seemly(text: string): string {
    // Whatever the agent says: what is passed on is short, and a text may be megabytes.
    const safe = withoutSecrets(this.#step.place, text.slice(0, 16 * LONGEST_WORDS)).slice(0, LONGEST_WORDS);
    return cleanLine(safe.replaceAll(/\s*[\r\n]\s*/g, ' '));
  }

  /** What people and the next attempt are shown: of an agent that tells what it does its last activities, else its last lines. */
  output(o: { readonly result: CommandResult; readonly log: string; readonly verdict: Verdict }): Output {
    const last = this.#activities.at(-1);
    if (last === undefined) return { tail: o.result.tail, log: o.log };
    const failed = o.verdict.failed ?? o.verdict.trouble?.text;
    return { tail: [...this.#activities, ...(failed === undefined ? [] : [failed])].join('\n'), log: o.log, activity: last };
  }
}

/** There is a budget in money, and no telling when the cap is reached. */
function unpriced(agent: string, model: string | undefined): Trouble {
  return { kind: 'setup', text: `there is a budget in money, but no price for what it uses (${model ?? 'its model'}): set agents.${agent}.prices (0 for what is free), a budget in tokens, or budget.unseen: allow` };
}

function withoutSecrets({ world }: Workplace, text: string): string {
  return world.redact === undefined ? text : world.redact(text);
}

// ---------------------------------------------------------------- judging

function notesOf(o: { readonly result: CommandResult; readonly verdict: Verdict; readonly failure: Failure | undefined }): readonly Note[] {
  const { result, verdict, failure } = o;
  const notes: Note[] = result.leftovers && !result.cut ? [{ kind: 'leftover-processes', text: 'the agent left processes behind; they were ended' }] : [];
  if (failure !== undefined || result.ended === 'done') return notes;
  if (verdict.failed !== undefined) notes.push({ kind: 'agent-exit', text: `the agent failed (${verdict.failed}); the check decides` });
  else if (result.code !== 0) notes.push({ kind: 'agent-exit', text: `the agent ended with ${result.signal ?? `exit code ${result.code ?? 'unknown'}`}; the check decides` });
  return notes;
}

interface Judged {
  readonly result: CommandResult; readonly outside: readonly string[]; readonly settled: Awaited<ReturnType<typeof settle>>; readonly begun: AgentRun['begun'];
  readonly verdict: Verdict; readonly output: Output; readonly idleMs: number; readonly totalMs: number; readonly program: string; readonly used: number | undefined;
  /** From the wall clock, which somebody may set, to the steady one the run waits by, ms. */
  readonly steadily: number;
}

/** The first of the reasons why an attempt failed, worst first; undefined leaves the judgement to the check. */
function whyFailed(o: Judged): Failure | undefined {
  const { result, verdict, output, begun: { agent, cap } } = o;
  if (o.outside.length > 0) return { kind: 'outside-the-fence', changes: o.outside };
  if ('failure' in o.settled) return o.settled.failure;
  if (result.cut) return { kind: 'cut', by: 'stop' };
  if (o.used !== undefined && cap !== undefined) return { kind: 'over-budget', agent, in: cap.in, cap: cap.amount, used: o.used, output };
  if (verdict.trouble !== undefined) {
    const { kind, text, until } = verdict.trouble;
    return { kind: 'agent-trouble', agent, trouble: kind, text, output, ...(until === undefined ? {} : { until: until + o.steadily }) };
  }
  if (result.limit === 'idle') return { kind: 'agent-idle', agent, afterMs: o.idleMs, output };
  if (result.limit === 'total') return { kind: 'agent-timeout', agent, afterMs: o.totalMs, output };
  const failed = verdict.failed !== undefined || (result.code !== 0 && result.ended !== 'done');
  if (!failed || o.settled.changed) return undefined;
  if (result.code === 126 || result.code === 127) return { kind: 'environment', command: o.program, code: result.code, output };
  return { kind: 'agent-failed', agent, ending: endingOf(result), output, ...(verdict.failed === undefined ? {} : { text: verdict.failed }) };
}
