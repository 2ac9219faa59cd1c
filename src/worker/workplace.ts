// What every step has at hand: the world, the run's places and the pinned settings. Data and small helpers; no step of its own.

import type { Agent } from '../agents/agent.ts';
import type { Begun, EventBody, Note } from '../core/event.ts';
import { describeFailure } from '../core/failure.ts';
import type { Failure } from '../core/failure.ts';
import { unreachable } from '../core/bug.ts';
import { BOUNDS } from '../core/limits.ts';
import type { Check, SetupCommand } from '../core/plan.ts';
import type { AgentUse } from '../core/agent-use.ts';
import type { State, UnitState } from '../core/state.ts';
import { ForgeError } from '../forge.ts';
import { GitError, PathTaken } from '../world.ts';
import type { CommandResult, Control, World, WorktreeStatus } from '../world.ts';
import type { Fence } from './fence.ts';
import type { Pool } from './pool.ts';
import type { Slots } from './slots.ts';

/** An agent with what the configuration says about its use. */
export interface Equipped extends AgentUse {
  readonly agent: Agent;
  /** There is a budget, and what cannot be seen of it is not allowed. */
  readonly mustSee?: true;
}

/** Where and with what the steps of one run are performed. All paths absolute. */
export interface Workplace {
  readonly world: World;
  readonly state: State;
  /** The run's folder under `<git-common-dir>/choo/runs/`. */
  readonly runDir: string;
  /** Folder that holds this run's worktrees. */
  readonly worktrees: string;
  /** The user's main checkout, from which ignored files are copied; absent in a bare repository. */
  readonly mainRoot?: string;
  readonly setup: readonly SetupCommand[];
  readonly teardown: readonly SetupCommand[];
  readonly copy: readonly string[];
  /** Agents by name; those the settings name are there. */
  readonly agents: ReadonlyMap<string, Equipped>;
  /** True when a repository path matches a glob. */
  readonly matches: (glob: string, path: string) => boolean;
  readonly fence: Fence;
  readonly pool: Pool;
  readonly slots: Slots;
  /** Setup results that are being made or copied just now, by key. */
  readonly settingUp: Map<string, Promise<unknown>>;
  /** Idle limit for agents that have one only when it was set by hand. */
  readonly idleLimitSet: boolean;
  /** Which landed units changed a path, as far as asked; `known` of them, in the order in which they landed. */
  readonly landedPaths: { known: number; readonly byPath: Map<string, number[]> };
  /** Whether the remote did not answer when it was last asked. */
  readonly remote: { silent: boolean };
  /** Ends the waiting for a unit's pull request when the unit is to look again at what else it waits for. */
  readonly waking: Map<string, AbortController>;
  /** Status of a worktree as it was last seen, as long as nothing has run in it since; saves a look. */
  readonly seen: Map<string, WorktreeStatus>;
}

/** One step about one unit. */
export interface UnitStep {
  readonly place: Workplace;
  readonly u: UnitState;
  readonly control: Control;
}

/** Paths of the run's own files for a unit. */
export function places(place: Workplace, unit: string): { readonly worktree: string; readonly never: string; readonly logs: string; readonly branch: string } {
  return {
    worktree: `${place.worktrees}/units/${unit}`,
    never: neverFile(place.runDir, unit),
    logs: `${place.runDir}/logs/${unit}`,
    branch: unitBranch({ prefix: place.state.pinned.branchPrefix, unit, run: place.state.run }),
  };
}

/** A worktree of choo's own in which proofs run, by its number. No agent ever works there. */
export function landingWorktree(place: Pick<Workplace, 'worktrees'>, number: number): string {
  return `${place.worktrees}/landing${number === 0 ? '' : `-${number + 1}`}`;
}

/** All of them that there may be; the last one is for what a forge has merged. */
export function landingWorktrees(place: Pick<Workplace, 'worktrees'>): readonly string[] {
  return Array.from({ length: BOUNDS.landingWorktrees + 1 }, (_, number) => landingWorktree(place, number));
}

/** What git writes outside a worktree when somebody commits in it, absolute: objects, the worktree's own files, its branch and that branch's log. */
export async function gitPaths(place: Workplace, worktree: string, branch: string): Promise<readonly string[]> {
  // The link of a worktree: `gitdir: <common>/worktrees/<name>`.
  const own = /^gitdir: (.+)$/m.exec((await place.world.files.readText(`${worktree}/.git`)) ?? '')?.[1]?.trim();
  if (own === undefined) return [];
  const common = own.replace(/\/worktrees\/[^/]+$/, '');
  const folder = branch.replace(/\/[^/]+$/, '');
  return [`${common}/objects`, own, `${common}/${folder}`, `${common}/logs/${folder}`];
}

/** Folder of the prompts that agents of this session read; gone at its end. */
export function promptsFolder(place: Workplace): string {
  return `${place.worktrees}/prompts`;
}

/** The ref this run lands on while the target cannot be advanced. */
export function runRef(place: { readonly state: Pick<State, 'run' | 'pinned'> }): string {
  return `refs/heads/${place.state.pinned.branchPrefix}run/${place.state.run}`;
}

/** Environment that tells setup, checks and agents in a worktree where they are. */
export async function chooEnvironment(place: Workplace, o: { readonly worktree: string; readonly unit?: string | undefined }): Promise<Record<string, string>> {
  return { CHOO_RUN: String(place.state.run), ...(o.unit === undefined ? {} : { CHOO_UNIT: o.unit }), ...await place.slots.environment(o.worktree) };
}

/** Runs a shell command of the configuration or a spec in a worktree. */
export async function shell(place: Workplace, o: { readonly command: string; readonly cwd: string; readonly log: string; readonly limitMs: number; readonly unit?: string; readonly control: Control; readonly wantOutput?: true }): Promise<CommandResult> {
  place.seen.delete(o.cwd);
  return place.world.processes.run({
    argv: ['sh', '-c', o.command], cwd: o.cwd, env: await chooEnvironment(place, { worktree: o.cwd, unit: o.unit }),
    log: o.log, outputLimit: place.state.settings.limits.output, totalMs: o.limitMs,
    ...(o.wantOutput === undefined ? {} : { wantOutput: true }),
  }, o.control);
}

/** The failure of a check that ended, or undefined when it passed. */
export async function checkFailure(place: Workplace, o: { readonly check: Pick<Check, 'name' | 'command'>; readonly cwd: string; readonly log: string; readonly result: CommandResult }): Promise<Failure | undefined> {
  const { result, check } = o;
  if (result.cut) return { kind: 'cut', by: 'stop' };
  if (result.code === 0 && result.limit === undefined) return undefined;
  const output = { tail: result.tail, log: o.log };
  if (result.limit === undefined && (result.code === 126 || result.code === 127) && !(await namesMissingFile(place, o))) {
    return { kind: 'environment', command: check.command, code: result.code, output };
  }
  return { kind: 'check-failed', check: check.name, command: check.command, ending: endingOf(result), output };
}

/** 126 and 127 are the work's fault, not the environment's, when the command names a program inside the worktree that the agent was to make. */
async function namesMissingFile(place: Workplace, o: { readonly check: Pick<Check, 'command'>; readonly cwd: string }): Promise<boolean> {
  for (const word of o.check.command.split(/[\s;&|()"'`]+/)) {
    // Where a variable leads is known only to the shell: `$PWD/run.sh` is in the worktree.
    if (word.includes('$') && word.includes('/')) return true;
    if (!/^[\w.@+-]+\/[\w./@+-]*$/.test(word) || word.startsWith('-')) continue;
    if (!(await place.world.files.canExecute(word.startsWith('./') || word.startsWith('../') ? word : `./${word}`, o.cwd))) return true;
  }
  return false;
}

/** The status of a worktree, once: what was seen before counts only until something runs or changes there. */
export function takeStatus(place: Workplace, worktree: string): Promise<WorktreeStatus> {
  const seen = place.seen.get(worktree);
  place.seen.delete(worktree);
  return seen === undefined ? place.world.git.status(worktree) : Promise.resolve(seen);
}

/** Only what an event says of how a program ended. */
export function endingOf(r: CommandResult): { readonly code: number | null; readonly signal?: string; readonly limit?: 'idle' | 'total' } {
  return { code: r.code, ...(r.signal === undefined ? {} : { signal: r.signal }), ...(r.limit === undefined ? {} : { limit: r.limit }) };
}

/** Paths of a unit that are never committed: what was dirty in the fresh checkout and what setup, copies and checks left. */
export async function neverCommitted(place: Workplace, unit: string): Promise<ReadonlySet<string>> {
  return neverList(await place.world.files.readText(places(place, unit).never));
}

/** Where a run remembers the paths of a unit that are never committed. */
export function neverFile(runDir: string, unit: string): string {
  return `${runDir}/never/${unit}`;
}

/** The paths in such a file. */
export function neverList(text: string | undefined): ReadonlySet<string> {
  // JSON, because a name that is not UTF-8 is held as lone surrogates, which only its escapes bring back.
  const paths: unknown = text === undefined ? [] : JSON.parse(text);
  return new Set(Array.isArray(paths) ? paths.filter((p) => typeof p === 'string') : []);
}

/** The branch of a unit in a run, as a full ref. */
export function unitBranch(o: { readonly prefix: string; readonly unit: string; readonly run: number }): string {
  return `refs/heads/${o.prefix}unit/${o.unit}/${o.run}`;
}

/** Adds paths to those never committed. */
export async function addNeverCommitted(place: Workplace, unit: string, paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return;
  const all = new Set([...(await neverCommitted(place, unit)), ...paths]);
  await place.world.files.writeText(places(place, unit).never, JSON.stringify([...all]));
}

/** A failure found where only a throw can end the step; it becomes the step's answer. */
export class StepFailure extends Error {
  override name = 'StepFailure';
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.kind);
    this.failure = failure;
  }
}

/** Writes a file of a unit's worktree, below real folders only. Throws StepFailure where a link or something else stands in the way. */
export async function writeIn(place: Pick<Workplace, 'world'>, worktree: string, o: { readonly path: string; readonly text: string }): Promise<void> {
  if (!(await place.world.files.writeBelow(worktree, o.path, o.text))) throw new StepFailure({ kind: 'odd-path', path: o.path, detail: 'a link, or what is no file or folder, stands in the way' });
}

/** What a throw inside a step means: trouble with git or the disk is a failure of the work, everything else a defect of choo. */
export function failureOfThrow(error: unknown): Failure {
  if (error instanceof PathTaken) return { kind: 'path-taken', path: error.detail };
  if (error instanceof GitError) return { kind: 'git', command: error.command, detail: error.detail };
  if (error instanceof StepFailure) return error.failure;
  if (error instanceof ForgeError) return { kind: 'forge', reason: error.reason, text: error.message, ...(error.until === undefined ? {} : { until: error.until }) };
  if (error instanceof Error && 'code' in error) {
    const { code } = error;
    const path = 'path' in error ? error.path : error.message;
    if (code === 'ENOSPC' || code === 'EDQUOT') return { kind: 'no-space', path: String(path), free: 0, floor: 0 };
    if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM' || code === 'ENOTDIR') return { kind: 'not-writable', path: String(path), detail: String(code) };
  }
  if (error instanceof Error) return { kind: 'bug', message: error.message, stack: error.stack ?? '' };
  return { kind: 'bug', message: String(error), stack: '' };
}

/** What the system says of a path in a unit's worktree is the doing of whoever worked there, as the end of a sentence; undefined for anything else. */
export function oddPath(error: unknown, worktree: string | undefined): Failure | undefined {
  if (worktree === undefined || !(error instanceof Error) || !('path' in error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  const path = String(error.path);
  if (!path.startsWith(`${worktree}/`) || NO_SPACE.has(error.code)) return undefined;
  return { kind: 'odd-path', path: path.slice(worktree.length + 1), detail: ODD[error.code] ?? error.code };
}

const NO_SPACE = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EMFILE', 'ENFILE']);
const ODD: Readonly<Record<string, string>> = {
  EACCES: 'its rights forbid it', EPERM: 'its rights forbid it', ELOOP: 'it is a link that leads nowhere', ENAMETOOLONG: 'its name is too long',
  ENXIO: 'it is a pipe, a socket or a device', ENOTDIR: 'what should be a folder is none', EISDIR: 'a folder stands there', ENOTEMPTY: 'a folder stands there',
};

/** The answer to a begun step that failed. One line for every step there is. */
export function failedAnswer(begun: Extract<EventBody, { type: Begun['type'] }>, failure: Failure): EventBody {
  const notes: readonly Note[] = [];
  switch (begun.type) {
    case 'run.recovering': return { type: 'run.recover.failed', failure };
    case 'trial.started': return { type: 'trial.failed', failure };
    case 'run.advancing': return { type: 'run.not-advanced', text: failure.kind === 'git' ? failure.detail : failure.kind, fastForward: true };
    case 'run.pushing': case 'run.catching-up': return { type: 'run.push.refused', reason: failure.kind === 'git' ? 'unreachable' : 'refused', text: describeFailure(failure) };
    case 'run.saving': return { type: 'run.save.refused', reason: failure.kind === 'git' ? 'unreachable' : 'refused', text: describeFailure(failure) };
    case 'unit.started': return { type: 'unit.prepare.failed', unit: begun.unit, failure };
    case 'task.started': case 'task.retry': return { type: 'task.attempt.failed', unit: begun.unit, task: begun.task, attempt: begun.attempt, failure, notes };
    case 'task.backpressure': return { type: 'task.validation.fail', unit: begun.unit, task: begun.task, attempt: begun.attempt, failure, notes };
    case 'task.committing': return { type: 'task.commit.failed', unit: begun.unit, task: begun.task, failure };
    case 'rework.started': return { type: 'rework.attempt.failed', unit: begun.unit, reason: begun.reason, attempt: begun.attempt, failure, notes };
    case 'review.started': return { type: 'review.attempt.failed', unit: begun.unit, attempt: begun.attempt, failure, notes };
    case 'unit.verifying': return { type: 'unit.verify.failed', unit: begun.unit, failure, notes };
    case 'unit.refreshing': return { type: 'unit.refresh.failed', unit: begun.unit, failure };
    case 'unit.committing': return { type: 'unit.commit.failed', unit: begun.unit, failure };
    case 'batch.merging': return { type: 'batch.merge.failed', batch: begun.batch, failure };
    case 'batch.proving': return { type: 'batch.proof.failed', batch: begun.batch, commit: begun.commit, failure, notes };
    case 'batch.landing': return { type: 'batch.land.failed', batch: begun.batch, failure };
    case 'pr.publishing': case 'pr.proving': case 'pr.following': case 'pr.taking': case 'pr.merging': return { type: 'pr.step.failed', unit: begun.unit, failure };
    case 'unit.finishing': return { type: 'unit.completed', unit: begun.unit, notes: [{ kind: 'teardown-failed', text: `the worktree of ${begun.unit} could not be removed: ${failure.kind === 'git' ? failure.detail : failure.kind}` }] };
    default: return unreachable(begun);
  }
}
