// `choo run` and `choo resume`: one session of a run, told as it goes. What a session is lies in opening/session.ts, and in orchestrator.ts.

import { systemClock } from '../adapters/clock.ts';
import { buildGraph } from '../core/graph.ts';
import type { Event, Result } from '../core/event.ts';
import type { State } from '../core/state.ts';
import { viewOf } from '../core/view.ts';
import { renderDiagnostic, warningAt } from '../discovery/diagnostic.ts';
import type { Diagnostic } from '../discovery/diagnostic.ts';
import { folderPath } from '../discovery/source.ts';
import { terminalEscalator } from '../escalation/terminal.ts';
import { Orchestrator } from '../opening/session.ts';
import type { Ended, OrchestratorConfig } from '../opening/session.ts';
import { agentPreflight } from '../opening/preflight.ts';
import { planNow } from '../opening/rest.ts';
import type { PlanNow } from '../opening/rest.ts';
import { wordFromHere } from '../opening/repository.ts';
import { workingTreeSource } from '../opening/sources.ts';
import { agentProblems } from '../opening/equip.ts';
import { TASKS_DIR } from '../opening/specs.ts';
import { annotator } from '../show/actions.ts';
import { jsonLine } from '../show/json.ts';
import { plainActivity, plainObserver } from '../show/plain.ts';
import { renderPlan } from '../show/plan.ts';
import type { PlanFormat, PlanView } from '../show/plan.ts';
import { renderSummary } from '../show/summary.ts';
import type { Seen } from '../world.ts';
import { annotate, tellSession } from './actions.ts';
import { Dashboard, linkOrWarning } from './dashboard.ts';
import { detach, tellOpened } from './detach.ts';
import { report } from './errors.ts';
import type { Io } from './io.ts';
import { logLevel } from './level.ts';
import type { Screen } from './run-screen.ts';
import { onStopSignals } from './signals.ts';
import { telemetryFor } from './telemetry.ts';
import { waitUntil } from './until.ts';
import type { Until } from './until.ts';
import { screenFor } from './wants-screen.ts';

/** What `choo run` and `choo resume` were asked for. */
export interface RunOptions {
  readonly how: 'run' | 'resume';
  readonly tasksDir?: string;
  readonly parallelism?: number;
  readonly target?: string;
  readonly unit?: readonly string[];
  readonly provider?: string;
  readonly forceTaskProvider?: string;
  readonly noPr?: boolean;
  readonly newRun?: boolean;
  readonly changedPlan?: 'accept' | 'keep';
  /** The run is saved at the remote. */
  readonly ci?: boolean;
  /** An open run is gone on with. */
  readonly goOn?: boolean;
  /** The saved run that is restored first. */
  readonly fromRemote?: number | 'newest';
  /** Events on stdout, everything else on stderr. */
  readonly json?: boolean;
  /** Goes on in the background. */
  readonly detach?: boolean;
  /** Stops by itself then. */
  readonly until?: Until;
  /** False: no check's result is taken from an earlier pass. */
  readonly cache?: boolean;
  /** Nothing is reviewed by an agent. */
  readonly skipReview?: boolean;
  /** False: it ends when only people can move the run. */
  readonly wait?: boolean;
  /** False: lines, also on a terminal. */
  readonly tui?: boolean;
  /** With a dashboard from the start. */
  readonly web?: boolean;
}

/** Runs or resumes; gives back the exit code of the contract. */
export async function run(o: RunOptions, own: Io): Promise<number> {
  if (o.detach === true && own.start.detached === undefined) return detach(own);
  const screen: Screen | undefined = await screenFor(o, own, { request: (request) => orchestrator.request(request), journal: () => orchestrator.journalPath, dashboard: () => dashboard.show() });
  const io = screen?.io ?? own;
  const dashboard = new Dashboard(io);
  const web = o.web === true ? await openDashboard(dashboard, io) : undefined;
  const show = observer(o.json === true, io);
  let open = false;
  const telemetry = await telemetryFor(io, () => orchestrator.journalPath);
  const orchestrator: Orchestrator = new Orchestrator(configOf(o, io), {
    events: (event, state) => {
      if (!open) tellWhoWaits(io, { run: event.run, journal: orchestrator.journalPath, web });
      open = true;
      screen?.event(event, state);
      show.event(event, state);
      telemetry.event(event);
    },
    activity: (seen) => {
      screen?.activity(seen);
      show.activity(seen);
    },
    escalator: terminalEscalator(io.err.write, { color: io.err.color }),
    warn: (d) => {
      io.err.write(`${renderDiagnostic(d, { color: io.err.color })}\n`);
      annotate(d, io);
    },
    say: (line) => io.err.write(`choo: ${line}\n`),
  });
  const unwatch = onStopSignals((by, now) => {
    // Refused when the run has just ended by itself: then there is nothing left to stop.
    orchestrator.request({ do: 'stop', by, now }).catch((error: unknown) => io.err.write(`choo: ${by}: ${String(error)}\n`));
  }, io);
  const over = new AbortController();
  if (o.until !== undefined) stopAt(o.until, { orchestrator, io, signal: over.signal });
  try {
    const result = await orchestrator.run().finally(() => screen?.leave());
    tellEnd({ result, orchestrator, json: o.json === true }, io);
    return exitCode(orchestrator.ended);
  } catch (error) {
    return report(error, { io, json: o.json === true, journal: orchestrator.journalPath });
  } finally {
    over.abort();
    // From here on everything is written down: a signal ends the program at once.
    unwatch();
    await Promise.all([dashboard.end(), telemetry.end()]);
  }
}

/** The foreground part of a detached run waits for this. */
function tellWhoWaits({ start: { detached } }: Io, o: { readonly run: number; readonly journal: string | undefined; readonly web: string | undefined }): void {
  if (detached !== undefined && o.journal !== undefined) tellOpened({ log: detached, run: o.run, journal: o.journal, ...(o.web === undefined ? {} : { web: o.web }) });
}

/** Prints its link and gives it back; where the output is a file, only the foreground prints it. */
async function openDashboard(dashboard: Dashboard, io: Io): Promise<string | undefined> {
  const link = await linkOrWarning(dashboard, io);
  if (link !== undefined && io.start.detached === undefined) io.err.write(`choo: the dashboard: ${link}\n`);
  return link;
}

/** Asks for the same stop as `choo stop` when the moment has come. */
function stopAt(until: Until, o: { readonly orchestrator: Orchestrator; readonly io: Io; readonly signal: AbortSignal }): void {
  const say = (line: string): void => o.io.err.write(`choo: ${line}\n`);
  say(`this run stops by itself at ${until.text}`);
  waitUntil(until.at, { clock: systemClock(), signal: o.signal })
    .then((come) => (come ? o.orchestrator.request({ do: 'stop', by: `--until ${until.text}`, now: false }) : undefined))
    .catch((error: unknown) => say(`--until: ${String(error)}`));
}

/** The exit code of a session that ended by itself or was stopped. */
export function exitCode(ended: Ended): number {
  if (ended.bug) return 3;
  if (ended.complete) return 0;
  switch (ended.stoppedBy) {
    case 'SIGINT': return 130;
    case 'SIGTERM': return 143;
    case 'SIGHUP': return 129;
    default: return 1;
  }
}

function configOf(o: RunOptions, io: Io): OrchestratorConfig {
  return {
    how: o.how, repoRoot: io.cwd, env: io.env, newRun: o.newRun === true, noPr: o.noPr === true, ci: o.ci === true, goOn: o.goOn === true,
    ...(o.fromRemote === undefined ? {} : { fromRemote: o.fromRemote }),
    ...(o.changedPlan === undefined ? {} : { changedPlan: o.changedPlan }),
    ...(o.tasksDir === undefined ? {} : { tasksDir: o.tasksDir }),
    ...(o.parallelism === undefined ? {} : { parallelism: o.parallelism }),
    ...(o.target === undefined ? {} : { targetBranch: o.target }),
    ...(o.unit === undefined ? {} : { singleUnit: o.unit }),
    ...(o.provider === undefined ? {} : { provider: o.provider }),
    ...(o.forceTaskProvider === undefined ? {} : { forceTaskProvider: o.forceTaskProvider }),
    ...(o.cache === undefined ? {} : { cache: o.cache }),
    ...(o.skipReview === undefined ? {} : { skipReview: o.skipReview }),
    ...(o.wait === undefined ? {} : { wait: o.wait }),
  };
}

/** Progress as lines; with `json` those go to stderr and the events to stdout. */
function observer(json: boolean, io: Io): { readonly event: (event: Event, state: State) => void; readonly activity: (seen: Seen) => void } {
  const printer = json ? io.err : io.out;
  const lines = { write: printer.write, color: printer.color, level: logLevel(io) };
  const plain = plainObserver(lines);
  const annotated = printer.command === undefined ? undefined : annotator(printer.command);
  return {
    activity: plainActivity({ ...lines, now: systemClock().now }),
    event: (event, state) => {
      const line = json ? jsonLine(event) : undefined;
      if (line !== undefined) io.out.write(line);
      plain(event, state);
      annotated?.(event, state);
    },
  };
}

function tellEnd(o: { readonly result: Result; readonly orchestrator: Orchestrator; readonly json: boolean }, io: Io): void {
  const { state, ended, journalPath } = o.orchestrator;
  const printer = o.json ? io.err : io.out;
  if (ended.nothing) printer.write(`nothing to do: ${o.result.totalUnits === 1 ? 'the one unit is' : `all ${o.result.totalUnits} units are`} complete\n`);
  if (state !== undefined) tellSession({ state, result: o.result, printer }, io);
  if (state !== undefined) printer.write(renderSummary({ view: viewOf(state), result: o.result, color: printer.color, now: systemClock().now() }));
  if (ended.bug) io.err.write(`this is a defect in choo; journal: ${journalPath ?? 'none'}\n`);
}

/** What `choo run -n` was asked for. */
export interface DryRunOptions extends RunOptions {
  readonly format: PlanFormat;
}

/** Prints the plan that the working tree has; starts and changes nothing. */
export async function dryRun(o: DryRunOptions, io: Io): Promise<number> {
  try {
    const view = await planView(o, io);
    io.out.write(renderPlan(view, o.format));
    if (o.format === 'mermaid' || o.format === 'dot') for (const warning of view.warnings) io.err.write(`${warning}\n`);
    return 0;
  } catch (error) {
    return report(error, { io, json: o.format === 'json', journal: undefined });
  }
}

/** The plan that the working tree has, with what would keep a run from it as warnings. Throws a Refusal with every diagnostic when the specs are wrong. */
export async function planView(o: Omit<RunOptions, 'how'>, where: Pick<Io, 'cwd' | 'env'>): Promise<PlanView> {
  const now = await planNow({
    cwd: where.cwd, env: where.env, selection: o.unit ?? [], overlaps: true,
    ...(o.tasksDir === undefined ? {} : { tasksDir: o.tasksDir }),
    flags: {
      ...(o.parallelism === undefined ? {} : { parallelism: o.parallelism }),
      ...(o.target === undefined ? {} : { target: o.target }),
      ...(o.provider === undefined ? {} : { provider: o.provider }),
      ...(o.forceTaskProvider === undefined ? {} : { forceProvider: o.forceTaskProvider }),
      ...(o.skipReview === undefined ? {} : { skipReview: o.skipReview }),
    },
  });
  const found = [...now.diagnostics, ...await missingAgents(now, where), ...unseen(now, o.tasksDir ?? TASKS_DIR)];
  return {
    graph: buildGraph(now.plan.units), parallelism: now.settings.parallelism, checks: now.config.baselineChecks, complete: now.plan.complete,
    warnings: found.map((d) => renderDiagnostic({ ...d, severity: 'warning' }, { color: false })), overlap: { mode: now.settings.overlap ?? 'order', ...now.prediction },
  };
}

/** What would keep the agents of a real run from starting. */
async function missingAgents(now: PlanNow, io: Pick<Io, 'cwd' | 'env'>): Promise<readonly Diagnostic[]> {
  if (now.plan.units.length === 0) return [];
  const root = now.repository.root ?? io.cwd;
  const source = workingTreeSource({ root, env: io.env, clock: systemClock() });
  return [...agentProblems(now), ...await agentPreflight(now, { source, root, env: io.env, clock: undefined })];
}

/** A run reads the commit; what only the working tree has is not in it. */
function unseen(now: PlanNow, tasksDir: string): Diagnostic[] {
  const { differs } = now;
  if (now.repository.facts.head === undefined) return [warningAt('no-commit', 'the repository has no commit yet, and a run works from a commit', { hint: 'git add -A && git commit' })];
  if (differs.length === 0) return [];
  const files = differs.length === 1 ? '1 file differs' : `${differs.length} files differ`;
  return [warningAt('uncommitted-specs', `${files} from the last commit, which is what a run would read: ${differs.slice(0, 3).join(', ')}${differs.length > 3 ? ' …' : ''}`,
    { hint: `git add ${wordFromHere(now.repository, folderPath(tasksDir))} && git commit` })];
}
