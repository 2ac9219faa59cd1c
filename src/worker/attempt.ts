// One attempt of an agent, for a task or for mending: prompt, run, and a look at what it left. Judges nothing; the check does.

import { must } from '../core/bug.ts';
import type { EventBody, EventOf, Note } from '../core/event.ts';
import type { Failure } from '../core/failure.ts';
import type { Task } from '../core/plan.ts';
import { NOTHING_USED } from '../core/usage.ts';
import { whatCameBeside } from './meanwhile.ts';
import { ensureWorktree } from './prepare.ts';
import { buildPrompt } from './prompt.ts';
import type { PromptInput, PromptText } from './prompt.ts';
import { runAgent } from './session.ts';
import type { Session } from './session.ts';
import { settleAgain } from './settle.ts';
import { taskChecks } from './verify.ts';
import { checkFailure, neverCommitted, shell } from './workplace.ts';
import type { UnitStep, Workplace } from './workplace.ts';

/** Runs the agent on a task. Answers `task.attempted` or `task.attempt.failed`. */
export async function attemptTask(step: UnitStep, begun: EventOf<'task.started' | 'task.retry'>): Promise<EventBody> {
  const { u } = step;
  const task = must(u.unit.tasks[begun.task - 1], 'a task');
  const about = { unit: u.unit.id, task: begun.task, attempt: begun.attempt };
  const worktree = await ensureWorktree(step);
  if (begun.attempt > 1) await settleAgain(step, worktree);
  const notes: Note[] = [];
  const before = await checkBefore(step, { worktree, task, attempt: begun.attempt, notes });
  if (before.failure !== undefined) return { type: 'task.attempt.failed', ...about, failure: before.failure, notes, usage: NOTHING_USED };
  const input = await taskPrompt(step.place, { step, task, attempt: begun.attempt, passedBefore: before.passes, ...(begun.type === 'task.retry' ? { because: begun.because } : {}) });
  const session = await runAgent(step, {
    worktree, prompt: buildPrompt(input), begun, subject: String(begun.task), file: task.path, mayMerge: false,
  });
  notes.push(...session.notes);
  if (session.failure !== undefined) return { type: 'task.attempt.failed', ...about, failure: session.failure, notes, ...usedBy(session) };
  return { type: 'task.attempted', ...about, ending: session.ending, passedBefore: before.passes, notes, ...usedBy(session) };
}

/** Runs the agent to mend what a baseline check, a conflict or a proof found. Answers `rework.attempted` or `rework.attempt.failed`. */
export async function attemptRework(step: UnitStep, begun: EventOf<'rework.started'>): Promise<EventBody> {
  const { place, u } = step;
  const about = { unit: u.unit.id, reason: begun.reason, attempt: begun.attempt };
  const worktree = await ensureWorktree(step);
  await settleAgain(step, worktree);
  const input: PromptInput = {
    ...(await unitTexts(place, step)), unit: u.unit, tasksDir: place.state.pinned.tasksDir, attempt: begun.attempt, because: begun.because,
    checks: proofChecks(step), beside: await whatCameBeside(place, u, begun.because), ...(begun.also === undefined ? {} : { also: begun.also }),
  };
  const session = await runAgent(step, {
    worktree, prompt: buildPrompt(input), begun, subject: begun.reason, file: u.unit.planPath, mayMerge: begun.reason === 'conflict',
  });
  if (session.failure !== undefined) return { type: 'rework.attempt.failed', ...about, failure: session.failure, notes: session.notes, ...usedBy(session) };
  return { type: 'rework.attempted', ...about, ending: session.ending, notes: session.notes, ...usedBy(session) };
}

function usedBy({ usage }: Session): { readonly usage?: Session['usage'] & object } {
  return usage === undefined ? {} : { usage };
}

/** All commands that prove the unit, for the prompt of a rework. */
function proofChecks(step: UnitStep): string[] {
  return [...taskChecks(step), ...step.u.unit.checks, ...step.place.state.pinned.checks].map((c) => c.command);
}

/** Before the first attempt the check is run once: a pass is worth a warning, a missing program stops the unit before money is spent. */
async function checkBefore(step: UnitStep, o: { readonly worktree: string; readonly task: Task; readonly attempt: number; readonly notes: Note[] }): Promise<{ readonly passes: boolean; readonly failure?: Failure }> {
  if (o.attempt > 1) return { passes: false };
  const { place, u } = step;
  const log = `${place.runDir}/logs/${u.unit.id}/${o.task.number}.before.log`;
  const result = await shell(place, { command: o.task.check, cwd: o.worktree, log, limitMs: place.state.settings.limits.check, unit: u.unit.id, control: step.control });
  const failure = await checkFailure(place, { check: { name: `task ${o.task.number}`, command: o.task.check }, cwd: o.worktree, log, result });
  const astray = await undoCheck(step, { worktree: o.worktree, notes: o.notes });
  if (astray !== undefined) return { passes: false, failure: astray };
  if (failure === undefined) {
    o.notes.push({ kind: 'passes-before', text: `the check of task ${o.task.number} passes before its first attempt` });
    return { passes: true };
  }
  return failure.kind === 'cut' || failure.kind === 'environment' ? { passes: false, failure } : { passes: false };
}

/** Puts back what a check before the first attempt did to the files, and proves that the agent begins on the recorded commit. */
async function undoCheck(step: UnitStep, o: { readonly worktree: string; readonly notes: Note[] }): Promise<Failure | undefined> {
  const { place, u } = step;
  const status = await place.world.git.status(o.worktree);
  if (status.head !== u.head || status.branch !== u.branch) return { kind: 'base-not-intact', paths: [`HEAD is ${status.head} on ${status.branch ?? 'no branch'}`] };
  if (status.entries.length === 0) return undefined;
  const never = await neverCommitted(place, u.unit.id);
  const changed = status.entries.filter((e) => e.kind === 'tracked' && !never.has(e.path)).map((e) => e.path);
  const left = status.entries.filter((e) => e.kind === 'untracked' && !never.has(e.path)).map((e) => e.path);
  if (changed.length + left.length > 0) await place.world.git.restorePaths(o.worktree, { commit: status.head, paths: [...changed, ...left] });
  if (changed.length > 0) {
    o.notes.push({ kind: 'check-changed', text: 'the check changed tracked files before the first attempt; they were restored', paths: changed });
  }
  return undefined;
}

/** Everything a task's prompt is made from, read at the pinned commit. Also what `choo prompt` prints. */
export async function taskPrompt(place: Pick<Workplace, 'world' | 'state'>, o: { readonly step: Pick<UnitStep, 'u'>; readonly task: Task; readonly attempt: number; readonly passedBefore: boolean; readonly because?: Failure }): Promise<PromptInput> {
  const text = (await place.world.git.readFile(place.state.pinned.base, o.task.path)) ?? '';
  const spec = o.task.specPath === undefined ? undefined : await read(place, o.task.specPath);
  const texts = await unitTexts(place, o.step);
  return {
    ...texts, ...(spec === undefined ? {} : { spec }),
    unit: o.step.u.unit, task: { task: o.task, text }, tasksDir: place.state.pinned.tasksDir,
    checks: [o.task.check], attempt: o.attempt, passedBefore: o.passedBefore, ...(o.because === undefined ? {} : { because: o.because }),
  };
}

async function unitTexts(place: Pick<Workplace, 'world' | 'state'>, step: Pick<UnitStep, 'u'>): Promise<{ plan?: PromptText; spec?: PromptText }> {
  const { planPath, specPath } = step.u.unit;
  const plan = await read(place, planPath);
  const spec = specPath === undefined ? undefined : await read(place, specPath);
  return { ...(plan === undefined ? {} : { plan }), ...(spec === undefined ? {} : { spec }) };
}

/** A text as the pinned commit has it; undefined when it has none. */
export async function read(place: Pick<Workplace, 'world' | 'state'>, path: string): Promise<PromptText | undefined> {
  const text = await place.world.git.readFile(place.state.pinned.base, path);
  return text === undefined ? undefined : { path, text };
}
