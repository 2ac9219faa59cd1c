// The settings of one run: flag before environment before file before default. Takes values, reads no environment itself.

import { cleanLine } from '../core/clean.ts';
import type { LandRules } from '../core/event.ts';
import { DEFAULT_LIMITS } from '../core/limits.ts';
import type { Limits } from '../core/limits.ts';
import type { Unit } from '../core/plan.ts';
import type { Config, LogLevel } from './config.ts';
import { errorAt } from './diagnostic.ts';
import type { Diagnostic } from './diagnostic.ts';
import { branchProblem } from './names.ts';
import type { ReviewConfig } from './review-config.ts';
import { didYouMean } from './suggest.ts';

/** Values given on the command line. */
export interface Flags {
  readonly parallelism?: number;
  readonly target?: string;
  /** `--provider` */
  readonly provider?: string;
  /** `--force-task-provider` */
  readonly forceProvider?: string;
  /** False: `--no-cache`. */
  readonly cache?: boolean;
  /** `--skip-review` */
  readonly skipReview?: boolean;
  /** False: `--no-wait`. */
  readonly wait?: boolean;
}

/** What holds for a run after flags, environment, file and defaults. */
export interface ResolvedSettings {
  /** Undefined: the branch checked out. */
  readonly targetBranch: string | undefined;
  readonly parallelism: number;
  readonly limits: Limits;
  /** True when `limits.agent_idle` was set, and so holds for agents that have no such limit of their own. */
  readonly idleLimitSet: boolean;
  readonly conflictRetries: number;
  readonly land: LandRules;
  /** Undefined: units are not reviewed by an agent. */
  readonly review: ReviewConfig | undefined;
  /** Pull requests are merged without anybody's approval. */
  readonly skipReview: boolean;
  /** False: the session ends when only people can move the run. */
  readonly wait: boolean;
  readonly branchPrefix: string;
  readonly logLevel: LogLevel;
  /** As written; undefined: the default place. */
  readonly worktreeBase: string | undefined;
  /** Agent of units that name no other; undefined when none is configured. */
  readonly provider: string | undefined;
  /** Programs of agents that the environment names, by agent. */
  readonly agentCommands: Readonly<Record<string, string>>;
  /** Agent of all units, whatever their plans say. */
  readonly forceProvider: string | undefined;
}

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
const MAX_PARALLELISM = 1000;

/** Resolves the settings. `env` is the user's environment; an empty or blank variable counts as not set. */
export function resolveSettings(o: {
  readonly config: Config;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly flags: Flags;
}): { readonly settings: ResolvedSettings; readonly diagnostics: readonly Diagnostic[] } {
  const { config, flags } = o;
  const variable = (name: string): Variable | undefined => fromEnvironment(o.env, name);
  const diagnostics = [...wrongFlags(flags)];
  const level = logLevel(variable('LOG_LEVEL'), diagnostics);
  const limits: Limits = { ...DEFAULT_LIMITS, ...config.limits };
  const settings: ResolvedSettings = {
    targetBranch: flags.target ?? config.targetBranch,
    parallelism: flags.parallelism ?? config.parallelism ?? 4,
    limits,
    idleLimitSet: config.limits.agentIdle !== undefined,
    conflictRetries: config.conflictRetries,
    land: { ...config.land, reuse: flags.cache ?? config.land.reuse },
    review: flags.skipReview === true ? undefined : config.review,
    skipReview: flags.skipReview === true,
    wait: flags.wait ?? true,
    branchPrefix: config.branchPrefix,
    logLevel: level ?? config.logLevel ?? 'info',
    worktreeBase: variable('WORKTREE_BASE')?.value ?? config.worktree.basePath,
    provider: flags.provider ?? variable('PROVIDER')?.value ?? config.provider.type,
    agentCommands: agentCommands(variable),
    forceProvider: flags.forceProvider,
  };
  return { settings, diagnostics };
}

interface Variable {
  readonly name: string;
  readonly value: string;
}

/** `CHOO_<name>`, else `RALPH_<name>`, the name that the older implementation gave it. */
function fromEnvironment(env: Readonly<Record<string, string | undefined>>, name: string): Variable | undefined {
  for (const full of [`CHOO_${name}`, `RALPH_${name}`]) {
    const value = env[full];
    if (value !== undefined && value.trim() !== '') return { name: full, value };
  }
  return undefined;
}

function agentCommands(variable: (name: string) => Variable | undefined): Readonly<Record<string, string>> {
  const found = [['claude', variable('CLAUDE_CMD')], ['codex', variable('CODEX_CMD')]] as const;
  return Object.fromEntries(found.flatMap(([agent, v]) => (v === undefined ? [] : [[agent, v.value]])));
}

function wrongFlags(flags: Flags): Diagnostic[] {
  const found: Diagnostic[] = [];
  const { parallelism, target } = flags;
  if (parallelism !== undefined && !(Number.isInteger(parallelism) && parallelism >= 1 && parallelism <= MAX_PARALLELISM)) {
    found.push(errorAt('bad-flag', `--parallelism must be a whole number from 1 to ${MAX_PARALLELISM}`));
  }
  const problem = target === undefined ? undefined : branchProblem(target);
  if (problem !== undefined) found.push(errorAt('bad-flag', `--target: the branch name \`${cleanLine(target ?? '')}\` ${problem}`));
  return found;
}

function logLevel(variable: Variable | undefined, diagnostics: Diagnostic[]): LogLevel | undefined {
  if (variable === undefined) return undefined;
  const level = LOG_LEVELS.find((known) => known === variable.value.toLowerCase());
  if (level === undefined) {
    const message = `${variable.name} must be one of ${LOG_LEVELS.join(', ')}, not "${cleanLine(variable.value)}"`;
    diagnostics.push(errorAt('bad-variable', message, { hint: didYouMean(variable.value, LOG_LEVELS) }));
  }
  return level;
}

/** Which agent works on which unit: forced, else the unit's own, else the default, which is at `*`. Units with the default agent are left out; so is `*` when there is none. */
export function assignAgents(units: readonly Unit[], settings: Pick<ResolvedSettings, 'provider' | 'forceProvider'>): Readonly<Record<string, string>> {
  const { provider, forceProvider } = settings;
  if (forceProvider !== undefined) return { '*': forceProvider };
  const own = units.filter((unit) => unit.provider !== undefined && unit.provider !== provider).map((unit) => [unit.id, unit.provider ?? '']);
  return Object.fromEntries(provider === undefined ? own : [['*', provider], ...own]) as Record<string, string>;
}
