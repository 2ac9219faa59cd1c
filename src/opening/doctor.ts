// Looks at everything a run needs, before there is one: git, repository, configuration, specs, agents, containment, space, the
// last run. Changes nothing; the only programs it starts are git and agents that are asked for their versions.

import { ContainmentUnavailable } from '../adapters/containment.ts';
import { realFiles } from '../adapters/files.ts';
import { LockHeld } from '../adapters/lock.ts';
import { openProcesses } from '../adapters/processes.ts';
import { adviceFor, describeAdvice } from '../core/advice.ts';
import type { Finding } from '../core/doctor.ts';
import type { State } from '../core/state.ts';
import { viewOf } from '../core/view.ts';
import type { RunView } from '../core/view.ts';
import { CONFIG_FILE, parseConfig } from '../discovery/config.ts';
import type { Config } from '../discovery/config.ts';
import { hasErrors } from '../discovery/diagnostic.ts';
import type { Diagnostic } from '../discovery/diagnostic.ts';
import { providerProblem } from '../discovery/providers.ts';
import type { Clock } from '../world.ts';
import { lookAtPrograms } from './agent-programs.ts';
import type { ProgramLook } from './agent-programs.ts';
import { agentProblems, agentsNeeded } from './equip.ts';
import { tellProblems } from './messengers.ts';
import { lookAtForge } from './forge.ts';
import { insideProblem } from './inside.ts';
import { worktreesFolder } from './place.ts';
import { branchesInTheWay, unseenSpecs } from './preflight.ts';
import { Refusal } from './refusal.ts';
import { findRepository, resolveTarget, runProblems } from './repository.ts';
import type { Repository } from './repository.ts';
import { lookAt } from './rest.ts';
import { commitSource, workingTreeSource } from './sources.ts';
import { readSpecs, TASKS_DIR } from './specs.ts';
import type { FileSource, Specs } from './specs.ts';

/** Where the doctor looks. */
export interface DoctorOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
}

/** Looks at everything and gives back what it found, in the order of the looking. What is wrong in one place does not hide another. */
export async function examine(o: DoctorOptions): Promise<readonly Finding[]> {
  const inside = insideProblem(o.env);
  const findings = inside === undefined ? [] : [toFinding(inside, 'environment')];
  const found = await orFindings(findRepository(o), 'git');
  if ('findings' in found) return [...findings, ...found.findings, ...await containment(parseConfig(undefined).config, o)];
  const repository = found.value;
  try {
    findings.push(...ofRepository(repository));
    const source = sourceOf(repository, o);
    const specs = source === undefined ? undefined : await readSpecs(source, { tasksDir: TASKS_DIR, selection: [], flags: {}, env: o.env });
    if (source !== undefined && specs !== undefined) {
      findings.push(...await ofSpecs(specs, { source, env: o.env }), ...await ofTarget(repository, { ...o, specs }));
      // Of a wrong configuration nothing is known, not even which agents there are.
      const known = !findings.some(({ about, level }) => about === 'configuration' && level === 'error');
      if (known) findings.push(...await ofAgents(specs, { ...o, source, root: repository.root ?? o.cwd }));
    }
    const { config } = specs ?? parseConfig(undefined);
    findings.push(...await containment(config, o), ...await space(repository, { ...o, specs }), ...await lastRun(o));
    return findings;
  } finally {
    await repository.git.close();
  }
}

/** A diagnostic as a finding; `as` weakens an error. */
function toFinding(d: Diagnostic, about: string, as: 'error' | 'warning' = d.severity): Finding {
  const where = d.place === undefined ? '' : `${d.place.path}${'line' in d.place ? `:${d.place.line}:${d.place.col}` : ''}: `;
  return { level: d.severity === 'warning' ? 'warning' : as, about, code: d.code, text: `${where}${d.message}`, ...(d.hint === undefined ? {} : { mend: d.hint }) };
}

/** What a refusal says, as findings; else the value. */
async function orFindings<T>(look: Promise<T>, about: string): Promise<{ readonly value: T } | { readonly findings: readonly Finding[] }> {
  try {
    return { value: await look };
  } catch (error) {
    if (error instanceof Refusal) return { findings: error.diagnostics.map((d) => toFinding(d, about)) };
    if (error instanceof LockHeld) return { findings: [{ level: 'error', about, code: 'locked', text: error.message, mend: 'choo unlock' }] };
    throw error;
  }
}

function ofRepository({ facts, root }: Repository): readonly Finding[] {
  const problems = runProblems(facts).map((d) => toFinding(d, 'repository'));
  const ok: Finding = { level: 'ok', about: 'git', code: 'git', text: `version ${facts.gitVersion}, repository ${root ?? facts.commonDir}` };
  return [ok, ...problems];
}

/** What people work on; in a bare repository what its commit has. Undefined when there is neither. */
function sourceOf(repository: Repository, o: DoctorOptions): FileSource | undefined {
  if (repository.root !== undefined) return workingTreeSource({ root: repository.root, env: o.env, clock: o.clock });
  return repository.facts.head === undefined ? undefined : commitSource(repository.git, repository.facts.head);
}

async function ofSpecs(specs: Specs, { source, env }: { readonly source: FileSource; readonly env: NodeJS.ProcessEnv }): Promise<readonly Finding[]> {
  const about = (d: Diagnostic): string => (d.place?.path === CONFIG_FILE || d.message.startsWith(CONFIG_FILE) ? 'configuration' : d.code === 'no-setup' ? 'setup' : d.code === 'bad-variable' ? 'environment' : 'specs');
  const findings = specs.diagnostics.map((d) => toFinding(d, about(d)));
  const wrong = (name: string): boolean => findings.some((f) => f.about === name && f.level === 'error');
  if (!(await source.paths()).has(CONFIG_FILE)) findings.push({ level: 'warning', about: 'configuration', code: 'no-configuration', text: `there is no ${CONFIG_FILE}`, mend: 'choo init' });
  else if (!wrong('configuration')) findings.push({ level: 'ok', about: 'configuration', code: 'configuration', text: CONFIG_FILE });
  if (!wrong('configuration')) findings.push(...tellProblems(specs.config, env).map((d) => toFinding(d, 'escalation')));
  if (!wrong('specs')) {
    const todo = specs.plan?.units.length ?? specs.all.length;
    findings.push({ level: 'ok', about: 'specs', code: 'specs', text: `${todo} of ${specs.all.length} ${specs.all.length === 1 ? 'unit' : 'units'} to do under ${TASKS_DIR}/` });
  }
  return findings;
}

async function ofTarget(repository: Repository, o: DoctorOptions & { readonly specs: Specs }): Promise<readonly Finding[]> {
  const { specs } = o;
  const target = await orFindings(resolveTarget(repository, specs.resolved.targetBranch), 'target');
  if ('findings' in target) return target.findings;
  const forge = await lookAtForge(repository, { ...o, config: specs.config, noPr: false, ...target.value });
  const problems = [
    ...await unseenSpecs(repository, { tasksDir: TASKS_DIR, target: target.value }),
    ...await branchesInTheWay(repository, specs.resolved.branchPrefix),
  ];
  const there: readonly Finding[] = [
    // A flag answers it, so a run need not fail for it.
    ...forge.diagnostics.map((d) => toFinding(d, 'forge', 'warning')),
    ...(forge.found === undefined ? [] : [{ level: 'ok' as const, about: 'forge', code: 'forge', text: `pull requests go to ${forge.found.target.repository}` }]),
  ];
  const ok: readonly Finding[] = hasErrors(problems) ? [] : [{ level: 'ok', about: 'target', code: 'target', text: target.value.ref.replace('refs/heads/', '') }];
  return [...ok, ...problems.map((d) => toFinding(d, 'target')), ...there];
}

/** Every agent that specs, configuration or environment name; what is wrong with one that nothing needs is only worth knowing. */
async function ofAgents(specs: Specs, o: DoctorOptions & { readonly source: FileSource; readonly root: string }): Promise<readonly Finding[]> {
  const { config, resolved, plan } = specs;
  const needed: ReadonlySet<string | undefined> = plan === undefined ? new Set([resolved.provider]) : agentsNeeded({ ...specs, plan });
  const problems = plan === undefined ? [providerProblem(config, resolved.provider)].flatMap((p) => (p === undefined ? [] : [{ level: 'error' as const, about: 'agents', code: p.code, text: p.message, ...(p.hint === undefined ? {} : { mend: p.hint }) }]))
    : agentProblems({ ...specs, plan }).map((d) => toFinding(d, 'agents'));
  const names = new Set([...needed, ...Object.keys(config.provider.providers), ...Object.keys(resolved.agentCommands)].filter((name) => name !== undefined));
  const looks = await lookAtPrograms(names, { config, resolved, source: o.source, root: o.root, env: o.env, clock: o.clock });
  return [...problems, ...looks.flatMap((look) => ofAgent(look, { needed: needed.has(look.name), config }))];
}

function ofAgent(look: ProgramLook, o: { readonly needed: boolean; readonly config: Config }): readonly Finding[] {
  const about = `agent ${look.name}`;
  const problems = look.diagnostics.map((d) => toFinding(d, about, o.needed ? 'error' : 'warning'));
  if (hasErrors(look.diagnostics)) return problems;
  const facts = [
    look.version === undefined ? 'is there' : `version ${look.version}`,
    ...(look.login === undefined ? [] : [`login: ${look.login}`]),
    `permissions: ${o.config.agents[look.name]?.permissions ?? 'workspace'}`,
    ...(o.needed ? [] : ['no unit to do names it']),
  ];
  return [{ level: 'ok', about, code: 'agent', text: facts.join(', ') }, ...problems];
}

const NAMESPACE_NEEDS = 'Linux with util-linux 2.38 or newer and unprivileged user namespaces; see process.contain';

async function containment({ contain }: Config, o: DoctorOptions): Promise<readonly Finding[]> {
  const about = 'containment';
  try {
    const processes = await openProcesses({ contain, env: o.env, clock: o.clock, marker: `choo-look-${process.pid}` });
    await processes.close();
    if (processes.mode === 'namespace') return [{ level: 'ok', about, code: 'containment', text: 'programs run in a PID namespace: nothing of them outlives a run' }];
    if (contain === 'group') return [{ level: 'ok', about, code: 'containment', text: 'programs are held by their process groups, as configured' }];
    return [{ level: 'warning', about, code: 'no-namespace', text: 'no PID namespace can be had: a program that hides on purpose may outlive a run', mend: NAMESPACE_NEEDS }];
  } catch (error) {
    if (!(error instanceof ContainmentUnavailable)) throw error;
    return [{ level: 'error', about, code: 'no-containment', text: error.message, mend: 'set process.contain to `auto` or `group`' }];
  }
}

const GIB = 2 ** 30;

async function space(repository: Repository, o: DoctorOptions & { readonly specs: Specs | undefined }): Promise<readonly Finding[]> {
  const { commonDir } = repository.facts;
  const folder = await orFindings(worktreesFolder({ commonDir, root: repository.root ?? commonDir, configured: o.specs?.resolved.worktreeBase, env: o.env, clock: o.clock }), 'worktrees');
  if ('findings' in folder) return folder.findings;
  const free = await realFiles(o.env).freeSpace(folder.value);
  const least = o.specs?.resolved.limits.freeDisk ?? 0;
  const text = `${(free / GIB).toFixed(1)} GiB are free for ${folder.value}`;
  if (free >= least) return [{ level: 'ok', about: 'space', code: 'space', text }];
  return [{ level: 'error', about: 'space', code: 'disk-full', text: `${text}, less than limits.free_disk`, mend: 'choo cleanup' }];
}

async function lastRun(o: DoctorOptions): Promise<readonly Finding[]> {
  const found = await orFindings(lookAt(o.cwd, o.env), 'run');
  if ('findings' in found) return found.findings;
  const look = found.value;
  await look.repository.git.close();
  const live = look.holder !== undefined && look.holder.state !== 'stale';
  if (live) return [{ level: 'ok', about: 'run', code: 'live', text: `${look.run === undefined ? 'a command of choo' : `run ${look.run}`} is at work, process ${look.holder.pid}` }];
  if (look.open && look.state !== undefined) return [{ level: 'warning', about: 'run', code: 'open-run', text: openText(look.run, look.state), mend: mendOf(viewOf(look.state)) }];
  return [{ level: 'ok', about: 'run', code: 'no-open-run', text: 'none is open' }];
}

function openText(run: number | undefined, { paused }: State): string {
  return `run ${run ?? ''} is open, and nothing works on it${paused === undefined ? '' : `; it was paused: ${paused.text}`}`;
}

/** The command alone where it says all, else what to do. */
function mendOf(view: RunView): string {
  const advice = adviceFor(view);
  return (advice.length === 1 && view.paused === undefined ? advice.map(({ command }) => command) : advice.map(describeAdvice)).join(' · ');
}
