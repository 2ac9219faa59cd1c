// Opens a run for one session: a new one (discover, plan, pin) or the open one (replay). Everything is checked before anything is made.

import { dirname } from 'node:path';
import { controlPath, serveControl } from '../adapters/control.ts';
import type { ControlServer } from '../adapters/control.ts';
import { createJournal, openJournal, JournalError } from '../adapters/journal.ts';
import { stateOf } from '../adapters/journal-state.ts';
import { journalPath, makeRun, newestRun } from '../adapters/runs.ts';
import type { OpenProcesses } from '../adapters/processes.ts';
import type { Redactor } from '../adapters/redact.ts';
import { Bug } from '../core/bug.ts';
import { toShow } from '../core/discreet.ts';
import type { Event, EventBody, GraphUnit, Pinned } from '../core/event.ts';
import { evolve } from '../core/evolve.ts';
import type { Plan } from '../core/plan.ts';
import { isOpen } from '../core/open.ts';
import { fold } from '../core/replay.ts';
import type { OwnPrograms } from '../agents/registry.ts';
import type { State } from '../core/state.ts';
import { isOver } from '../core/state.ts';
import { hasErrors } from '../discovery/diagnostic.ts';
import type { Diagnostic } from '../discovery/diagnostic.ts';
import type { Flags } from '../discovery/settings.ts';
import { folderPath } from '../discovery/source.ts';
import type { Workplace } from '../worker/workplace.ts';
import type { Clock, Escalator, Journal, Seen } from '../world.ts';
import { approvedFromOutside } from './approvals.ts';
import { lookForSaving, openSavedRun, savedRunIsOpen, savedRuns } from './ci.ts';
import { pinnedDigest } from './digest.ts';
import { agentProblems, equip, pullSettings, runSettings } from './equip.ts';
import { connectNew, fetchTarget, forgeAgain, lookAtForge } from './forge.ts';
import type { GitHub } from '../adapters/github/github.ts';
import type { ForgeLook } from './forge.ts';
import { restoreRun } from './from-remote.ts';
import { canMake } from './folders.ts';
import { hold } from './hold.ts';
import type { Hold } from './hold.ts';
import { journalOrRefusal, lastRun, lastRunIfReadable, leftToDo, openRunRefusal } from './last-run.ts';
import { refuseInside } from './inside.ts';
import { openMessenger, tellProblems, withoutTellVariables } from './messengers.ts';
import { overlapsAt, pinnedOverlaps } from './overlaps.ts';
import { makeWorkplace, processesFor, redactorFor, worktreesFolder } from './place.ts';
import { agentPreflight, branchesInTheWay, unseenByResume, unseenSpecs } from './preflight.ts';
import { refuse, Refusal } from './refusal.ts';
import { newPlan } from './replan.ts';
import type { PlanChoice } from './replan.ts';
import { lookAtRemote } from './remote.ts';
import { findRepository, resolveTarget, runProblems } from './repository.ts';
import type { Repository } from './repository.ts';
import { commitSource } from './sources.ts';
import { readConfig, readSpecs, TASKS_DIR } from './specs.ts';
import type { FileSource, Specs } from './specs.ts';
import { landedIsThere } from './still-there.ts';
import { mirrorRef } from '../core/pull-rules.ts';
import { resolveSettings } from '../discovery/settings.ts';

/** What a session is opened with. */
export interface OpenOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly how: 'run' | 'resume';
  readonly tasksDir?: string;
  readonly selection: readonly string[];
  readonly flags: Flags;
  readonly noPr: boolean;
  readonly newRun: boolean;
  /** The run is saved at the remote. */
  readonly ci: boolean;
  /** `run` goes on with an open run, here or saved, where there is one. */
  readonly goOn: boolean;
  /** The saved run that is restored first. */
  readonly restore?: number | 'newest';
  /** What a resumed run does with specs that changed on the target. */
  readonly plan: PlanChoice;
  readonly worktreeBase?: string;
  readonly shutdownMs?: number;
  /** Program and first arguments of the scripted agent. */
  readonly own: OwnPrograms;
  readonly warn: (d: Diagnostic) => void;
  readonly say: (line: string) => void;
  /** Aborted when the session is to end before it has begun: what takes time is cut short. */
  readonly stop?: AbortSignal;
  /** Gets what agents are seen doing. */
  readonly activity?: (seen: Seen) => void;
}

/** A session that is ready, with what must be given back after it; or the news that there is nothing to do. */
export type Opened =
  | { readonly kind: 'nothing'; readonly complete: number }
  | {
    readonly kind: 'session'; readonly place: Workplace; readonly first: readonly EventBody[]; readonly journalPath: string;
    /** Listens for requests of other terminals. */
    readonly serve: (handle: (request: unknown) => unknown) => Promise<ControlServer>;
    /** Tells people in the terminal, by the caller's escalator, and wherever else the configuration says. */
    readonly escalator: (terminal: Escalator) => Escalator;
    /** An event as it may be shown: without secrets. */
    readonly shown: (event: Event) => Event;
    readonly release: () => Promise<void>;
  };

/** Opens a session. Throws a Refusal when nothing can run; nothing has been changed then. */
export async function open(o: OpenOptions): Promise<Opened> {
  refuseInside(o.env);
  const repo = await findRepository(o);
  const opened: Partial<Holding> = {};
  const release = async (): Promise<void> => {
    const all = [() => opened.forge?.close(), () => opened.processes?.close(), () => opened.journal?.close(), () => opened.hold?.release(), () => repo.git.close()];
    // One that cannot be given back (the folder has become read-only) must not keep the others, nor hide how the run ended.
    for (const give of all) {
      try {
        await give();
      } catch (error) {
        if (!(error instanceof Error) || error instanceof Bug) throw error;
        o.say(error.message);
      }
    }
  };
  try {
    const holding: Holding = Object.assign(opened, { hold: await hold(repo, o) });
    const session = await (o.how === 'resume' ? openAgain : openNew)(repo, o, holding);
    if (session.kind === 'nothing') await release();
    return session.kind === 'nothing' ? session : { ...session, release };
  } catch (error) {
    await release();
    throw error;
  }
}

interface Ground { readonly worktrees: string; readonly agents: ReturnType<typeof equip>; readonly processes: OpenProcesses; readonly redactor: Redactor }
type Holding = { hold: Hold; forge?: GitHub; processes?: OpenProcesses; journal?: Journal };
type Made = { readonly kind: 'nothing'; readonly complete: number } | Omit<Extract<Opened, { kind: 'session' }>, 'release'>;

async function openNew(repo: Repository, o: OpenOptions, holding: Holding): Promise<Made> {
  const before = o.newRun ? await lastRunIfReadable(repo, o) : await lastRun(repo);
  if (before !== undefined && isOpen(before) && !o.newRun) {
    if (!o.goOn && !before.units.every(isOver)) throw openRunRefusal(before);
    if (!o.goOn) o.say(leftToDo(before));
    return openAgain(repo, o, holding);
  }
  const found = await look(repo, o);
  const saved = found.saving.ci === undefined || o.newRun ? undefined : await openSavedRun(repo, found.saving.ci.remote);
  if (saved !== undefined && o.goOn) return openAgain(repo, { ...o, restore: saved.run }, holding);
  if (saved !== undefined) throw savedRunIsOpen(saved);
  const errors = found.diagnostics.filter((d) => d.severity === 'error');
  if (errors.length > 0 || found.specs?.plan === undefined) throw new Refusal(found.diagnostics);
  for (const d of found.diagnostics) o.warn(d);
  const { plan } = found.specs;
  if (plan.units.length === 0) {
    return before !== undefined && await isUntidy(repo, before) ? openAgain(repo, o, holding) : { kind: 'nothing', complete: plan.complete.length };
  }
  const specs = { ...found.specs, plan, settings: { ...withShutdown(found.specs, o), ...found.remote, ...found.saving, ...(found.forge.found === undefined ? {} : pullSettings(found.specs)) } };
  const ground = await groundFor(repo, o, specs);
  holding.processes = ground.processes;
  Object.assign(holding, await connectNew(repo, { ...o, config: specs.config, target: found.forge.found?.target, redact: ground.redactor.text }));
  await canMake(ground.worktrees);
  await holding.hold.fence();
  if (before !== undefined && isOpen(before)) await closeRun(repo, o, { state: before, hold: holding.hold });
  if (before === undefined) await forgetUnbegun(repo);
  const run = await freshRun(repo, found.saving.ci === undefined ? 0 : [...(await savedRuns(repo, found.saving.ci.remote)).keys()].at(-1) ?? 0);
  const pinned = { ...pin({ ...found, specs }, { ...o, run }), ...pinnedOverlaps(await overlapsAt(repo.git, { commit: found.target.commit, plan })) };
  const journal = await createJournal(journalPath(repo.facts.commonDir, run), { run, now: o.clock.now(), plan: pinned.digest, check: holding.hold.check });
  holding.journal = journal;
  await repo.git.moveRef({ ref: pinRef(run), to: pinned.base, from: undefined, reason: 'choo: pinned' });
  if (pinned.forge !== undefined) await repo.git.moveRef({ ref: pinned.targetRef, to: pinned.base, from: await repo.git.resolve(pinned.targetRef), reason: 'choo: the remote target' });
  const state = fold(await journal.append([{ type: 'run.pinned', pinned, settings: specs.settings }], o.clock.now()));
  const started: EventBody = { type: 'orch.started', version: 1, graph: graphOf(plan), target: (pinned.forge?.ref ?? pinned.targetRef).replace('refs/heads/', ''), base: pinned.base, mode: pinned.mode, parallelism: state.settings.parallelism };
  return sessionOf(repo, o, { ...ground, ...forgeOf(holding), specs, state, journal, first: started });
}

/** What both ways of opening need before there is a session: programs can be run, worktrees have a place, agents exist. Throws a Refusal. */
async function groundFor(repo: Repository, o: OpenOptions, specs: Pick<Specs, 'config' | 'resolved' | 'settings'> & { readonly plan: Plan }): Promise<Ground> {
  const { commonDir } = repo.facts;
  const worktrees = await worktreesFolder({ commonDir, root: repo.root ?? commonDir, configured: o.worktreeBase ?? specs.resolved.worktreeBase, env: o.env, clock: o.clock });
  const agents = equip(specs, o.own);
  const redactor = redactorFor(o.env, specs.config);
  const processes = await processesFor({ config: specs.config, env: withoutTellVariables(specs.config, o.env), clock: o.clock, commonDir, shutdownMs: specs.settings.limits.shutdown, redactor, say: o.say });
  return { worktrees, agents, processes, redactor };
}

function sessionOf(repo: Repository, o: OpenOptions, made: Ground & { readonly specs: Pick<Specs, 'config' | 'resolved'>; readonly state: State; readonly journal: Journal; readonly forge?: GitHub; readonly first: EventBody }): Made {
  const { commonDir, mainRoot } = repo.facts;
  const { first, ...rest } = made;
  return {
    kind: 'session', first: [first], journalPath: made.journal.path,
    place: makeWorkplace({ ...rest, git: repo.git, clock: o.clock, env: withoutTellVariables(rest.specs.config, o.env), commonDir, mainRoot, ...(o.activity === undefined ? {} : { activity: o.activity }) }),
    serve: (handle) => serveControl({ path: controlPath(commonDir, o.env['XDG_RUNTIME_DIR']), handle: rest.processes.mode === 'namespace' ? approvedFromOutside(handle) : handle }),
    shown: (event) => toShow(event, rest.redactor.text),
    escalator: (terminal) => openMessenger(rest.specs.config, { env: o.env, root: dirname(commonDir), clock: o.clock, terminal, redact: rest.redactor.text, ...forgeOf(rest) }),
  };
}

/** A number that no run had, neither one that is saved nor one whose folder somebody removed. */
async function freshRun(repo: Repository, above: number): Promise<number> {
  for (;;) {
    const run = await makeRun(repo.facts.commonDir, above);
    if ((await repo.git.resolve(pinRef(run))) === undefined) return run;
  }
}

/** A run that died before its first event is nobody's; what it had pinned is let go. */
async function forgetUnbegun(repo: Repository): Promise<void> {
  const run = await newestRun(repo.facts.commonDir);
  const at = run === undefined ? undefined : await repo.git.resolve(pinRef(run));
  if (run !== undefined && at !== undefined) await repo.git.moveRef({ ref: pinRef(run), to: undefined, from: at, reason: 'choo: never began' });
}

/** Ref that keeps the pinned commit from being pruned while the run is open. */
export function pinRef(run: number): string {
  return `refs/choo/pinned/${run}`;
}

/** What is still to be done may have other specs than the run knows. */
async function warnOfUnseen(repo: Repository, { units, pinned }: State, warn: OpenOptions['warn']): Promise<void> {
  if (units.every(isOver)) return;
  const commit = (await repo.git.resolve(pinned.targetRef)) ?? pinned.base;
  for (const d of await unseenByResume(repo, { tasksDir: pinned.tasksDir, target: { ref: pinned.forge?.ref ?? pinned.targetRef, commit }, forge: pinned.forge !== undefined })) warn(d);
}

/** The pin follows the plan: specs that were taken come from another commit. Also mends a pin that somebody removed. */
async function pinAgain({ git }: Repository, { run, pinned }: State): Promise<void> {
  const at = await git.resolve(pinRef(run));
  if (at !== pinned.base && (await git.resolve(pinned.base)) !== undefined) await git.moveRef({ ref: pinRef(run), to: pinned.base, from: at, reason: 'choo: pinned' });
}

interface Found { readonly target: { readonly ref: string; readonly commit: string }; readonly tasksDir: string; readonly specs?: Specs; readonly remote: Pick<State['settings'], 'remote'>; readonly saving: Pick<State['settings'], 'ci'>; readonly forge: ForgeLook; readonly diagnostics: readonly Diagnostic[] }

/** Everything that is to be known before a run, with all that is wrong at once. */
async function look(repo: Repository, o: OpenOptions): Promise<Found> {
  const { head } = repo.facts;
  const early = head === undefined ? undefined : await readConfig(commitSource(repo.git, head));
  const target = await resolveTarget(repo, o.flags.target ?? early?.config.targetBranch);
  const tasksDir = folderPath(o.tasksDir ?? TASKS_DIR);
  const specsAt = (commit: string): Promise<Specs> => readSpecs(commitSource(repo.git, commit), { tasksDir, selection: o.selection, flags: o.flags, env: o.env });
  const here = await specsAt(target.commit);
  const forge: ForgeLook = here.plan?.units.length === 0 ? { diagnostics: [] } : await lookAtForge(repo, { ...o, config: here.config, ...target });
  const from = forge.found === undefined ? target : { ref: target.ref, commit: forge.found.commit };
  // Pull requests begin from what the remote has.
  const specs = forge.found === undefined ? here : await specsAt(from.commit);
  const source: FileSource = commitSource(repo.git, from.commit);
  const unseen = await unseenSpecs(repo, { tasksDir, target });
  const diagnostics = [
    ...runProblems(repo.facts), ...unseen,
    ...specs.diagnostics.filter((d) => d.code !== 'no-units' || !hasErrors(unseen)),
    ...forge.diagnostics,
    ...await branchesInTheWay(repo, specs.resolved.branchPrefix),
    ...tellProblems(specs.config, o.env),
  ];
  let found: Found['remote'] = {};
  const { ci: saving, diagnostics: unsaved } = await lookForSaving(repo, { wanted: o.ci, ref: target.ref });
  diagnostics.push(...unsaved);
  if (specs.plan !== undefined && specs.plan.units.length > 0) {
    const plan: Plan = specs.plan;
    const { remote, diagnostics: more } = forge.found === undefined ? await lookAtRemote(repo, { settings: specs.settings, ...target }) : { remote: {}, diagnostics: [] };
    found = remote;
    diagnostics.push(...more, ...agentProblems({ ...specs, plan }), ...await agentPreflight({ ...specs, plan }, { source, root: repo.root ?? o.cwd, env: withoutTellVariables(specs.config, o.env), clock: o.clock, ...stopOf(o) }));
  }
  return { target: from, tasksDir, specs, remote: found, saving, forge, diagnostics };
}

function forgeOf({ forge }: { readonly forge?: GitHub }): { readonly forge?: GitHub } {
  return forge === undefined ? {} : { forge };
}

function stopOf({ stop }: OpenOptions): { readonly stop?: AbortSignal } {
  return stop === undefined ? {} : { stop };
}

function pin(found: Found & { readonly specs: Specs & { readonly plan: Plan } }, o: OpenOptions & { readonly run: number }): Pinned {
  const { plan, config, resolved } = found.specs;
  const { baselineChecks: checks, guard } = config;
  const there = found.forge.found;
  return {
    base: found.target.commit, tasksDir: found.tasksDir, selection: o.selection,
    ...(there === undefined ? { targetRef: found.target.ref, mode: 'local' } : { targetRef: mirrorRef(o.run), mode: 'forge', forge: there.target }),
    branchPrefix: resolved.branchPrefix, plan, checks, guard,
    digest: pinnedDigest({ plan, checks, guard }),
  };
}

function withShutdown(specs: Pick<Specs, 'settings'>, o: OpenOptions): Specs['settings'] {
  return o.shutdownMs === undefined ? specs.settings : { ...specs.settings, limits: { ...specs.settings.limits, shutdown: o.shutdownMs } };
}

function graphOf(plan: Plan): GraphUnit[] {
  return plan.units.map((u) => ({ id: u.id, dependsOn: u.dependsOn, tasks: u.tasks.map((t) => ({ number: t.number, title: t.title, complete: t.complete })) }));
}

/** Continues the open run: its plan and checks as pinned, its settings read again from the target as it is now. */
async function openAgain(repo: Repository, o: OpenOptions, holding: Holding): Promise<Made> {
  await holding.hold.fence();
  if (o.restore !== undefined) await restoreRun(repo, { ...o, restore: o.restore, check: holding.hold.check });
  const run = await newestRun(repo.facts.commonDir);
  if (run === undefined) throw refuse('no-run', 'there is no run to resume', 'start one: choo run');
  const content = await journalOrRefusal(openJournal(journalPath(repo.facts.commonDir, run), holding.hold)).catch((error: unknown) => {
    throw error instanceof JournalError ? refuse('no-run', `run ${run} has no journal: ${error.message}`, 'its worktrees and branches are as they were; begin anew: choo run') : error;
  });
  holding.journal = content.journal;
  if (content.torn > 0) o.say(`the last line of the journal was torn (${content.torn} bytes) and was dropped; nothing of it had been acted upon`);
  if (content.events.length === 0) throw refuse('no-run', `run ${run} never began`, 'start one: choo run');
  const [first] = content.events;
  if (first?.type === 'run.pinned' && content.header.plan !== undefined && content.header.plan !== pinnedDigest(first.pinned)) {
    throw refuse('journal', `${content.journal.path}:2: damaged (the plan is not the one that was pinned)`, 'choo does not guess: look at the file, or close the run with: choo run --new');
  }
  let state = await journalOrRefusal(Promise.resolve().then(() => stateOf(content.journal.path, content.events)));
  if (!isOpen(state) && !(await isUntidy(repo, state))) throw refuse('no-run', `run ${run} is finished; there is nothing to resume`, 'start one: choo run');
  const problems = runProblems(repo.facts);
  if (hasErrors(problems)) throw new Refusal(problems);
  await fetchTarget(repo, { state, say: o.say });
  if (isOpen(state)) await landedIsThere(repo, { state, env: o.env, flags: o.flags, say: o.say });
  await warnOfUnseen(repo, state, o.warn);
  const replanned = await newPlan(repo, { state, choice: o.plan, env: o.env, flags: o.flags, say: o.say });
  const { plan } = replanned?.pinned ?? state.pinned;
  const commit = (await repo.git.resolve(state.pinned.targetRef)) ?? state.pinned.base;
  const { config, diagnostics } = await readConfig(commitSource(repo.git, commit));
  const { settings: resolved, diagnostics: more } = resolveSettings({ config, env: o.env, flags: o.flags });
  if (hasErrors([...diagnostics, ...more])) throw new Refusal([...diagnostics, ...more]);
  const read = withShutdown({ settings: runSettings({ config, resolved, units: plan.units }) }, o);
  const { remote, diagnostics: wrong } = state.pinned.forge !== undefined ? { remote: {}, diagnostics: [] } : await lookAtRemote(repo, { settings: read, ref: state.pinned.targetRef, commit: undefined });
  const { ci, diagnostics: unsaved } = await lookForSaving(repo, { wanted: o.ci || state.settings.ci !== undefined, ref: state.pinned.forge?.ref ?? state.pinned.targetRef });
  if (hasErrors([...wrong, ...unsaved])) throw new Refusal([...wrong, ...unsaved]);
  const settings = { ...read, ...remote, ...ci, ...(state.pinned.forge === undefined ? {} : pullSettings({ config, resolved })) };
  const specs = { config, resolved, settings, plan, all: [], diagnostics: [] };
  // What has landed needs no agent any more.
  const over = new Set(state.units.filter(isOver).map((u) => u.unit.id));
  const left = { ...specs, plan: { ...plan, units: plan.units.filter((u) => !over.has(u.id)) } };
  const agentTrouble = [...tellProblems(config, o.env), ...agentProblems(left), ...await agentPreflight(left, { source: commitSource(repo.git, commit), root: repo.root ?? o.cwd, env: withoutTellVariables(config, o.env), clock: o.clock, ...stopOf(o) })];
  if (hasErrors(agentTrouble)) throw new Refusal(agentTrouble);
  for (const d of agentTrouble) o.warn(d);
  // Only now that nothing else can refuse.
  const [taken] = replanned === undefined ? [] : await content.journal.append([{ type: 'run.replanned', ...replanned }], o.clock.now());
  if (taken !== undefined) state = evolve(state, taken);
  if (isOpen(state)) await pinAgain(repo, state);
  sayChanges(state, settings, o);
  const ground = await groundFor(repo, o, specs);
  holding.processes = ground.processes;
  const forge = await forgeAgain(repo, { ...o, config, state, redact: ground.redactor.text });
  if (forge !== undefined) holding.forge = forge;
  return sessionOf(repo, o, { ...ground, ...forgeOf(holding), specs, state, journal: content.journal, first: { type: 'orch.resumed', settings } });
}

function sayChanges(state: State, now: State['settings'], o: OpenOptions): void {
  const was = state.settings;
  if (was.parallelism !== now.parallelism) o.say(`parallelism is now ${now.parallelism} (was ${was.parallelism})`);
  for (const key of Object.keys(now.limits) as (keyof State['settings']['limits'])[]) {
    if (was.limits[key] !== now.limits[key]) o.say(`the limit ${key} is now ${now.limits[key]} (was ${was.limits[key]})`);
  }
  if (was.overlap !== now.overlap) o.say(`schedule.overlap is now ${now.overlap ?? ''} (was ${was.overlap ?? 'order'})`);
  if (JSON.stringify(was.agents) !== JSON.stringify(now.agents)) o.say(`the agents are now ${JSON.stringify(now.agents)}`);
  if (JSON.stringify(was.rules) !== JSON.stringify(now.rules)) o.say(`the rules of agents are now ${JSON.stringify(now.rules ?? {})}`);
  if (JSON.stringify(was.land) !== JSON.stringify(now.land)) o.say(`the rules of landing are now ${JSON.stringify(now.land)}`);
  if (JSON.stringify(was.budget) !== JSON.stringify(now.budget)) o.say(`the budget is now ${now.budget === undefined ? 'none' : JSON.stringify(now.budget)}`);
}

/** A run that is over, but whose last session died before it had cleared up; its pinned commit is let go last of all. */
async function isUntidy(repo: Repository, state: State): Promise<boolean> {
  return !state.closed && (await repo.git.resolve(pinRef(state.run))) !== undefined;
}

/** Closes an open run for a new one; everything of it is kept, and what is left behind is said. */
async function closeRun(repo: Repository, o: OpenOptions, { state, hold }: { readonly state: State; readonly hold: Hold }): Promise<void> {
  const { journal } = await openJournal(journalPath(repo.facts.commonDir, state.run), hold);
  await journal.append([{ type: 'run.closed', by: 'new' }], o.clock.now());
  await journal.close();
  o.say(`run ${state.run} is closed; kept of it:`);
  for (const u of state.units) if (!isOver(u) && u.worktree !== undefined) o.say(`  ${u.unit.id} (${u.phase}): ${u.worktree} on ${u.branch ?? ''}${u.pull?.url === undefined ? '' : `, and ${u.pull.url}`}`);
  if (state.landing.diverted !== undefined) o.say(`  landed, but not on the target: ${state.landing.ref}`);
}
