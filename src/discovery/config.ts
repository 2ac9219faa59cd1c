// `.choo.yaml` from text to a checked Config, with everything that is wrong in one go. Precedence over flags is `settings.ts`'s business.

import { agentConfig, agentMeanings, budgetConfig } from './agents-config.ts';
import type { AgentConfig, BudgetConfig } from './agents-config.ts';
import { cleanLine } from '../core/clean.ts';
import type { Guard, LandRules } from '../core/event.ts';
import { BOUNDS } from '../core/limits.ts';
import type { Limits } from '../core/limits.ts';
import type { OverlapMode } from '../core/overlap.ts';
import type { Check, SetupCommand } from '../core/plan.ts';
import { explainIssues } from './config-issues.ts';
import { ConfigFile, NOT_IN_EFFECT } from './config-schema.ts';
import type { ConfigInput } from './config-schema.ts';
import { toGuard } from './guard-config.ts';
import { toLandRules } from './land-config.ts';
import { escalationMeanings, toEscalation } from './escalation-config.ts';
import type { EscalationConfig } from './escalation-config.ts';
import { pullMeanings, toPull } from './pull-config.ts';
import type { PullConfig } from './pull-config.ts';
import { toReview } from './review-config.ts';
import type { ReviewConfig } from './review-config.ts';
import { byPlace, errorAt, hasErrors, warningAt } from './diagnostic.ts';
import type { Diagnostic } from './diagnostic.ts';
import { checkName } from './fields.ts';
import { branchProblem } from './names.ts';
import { AGENT_NAMES, providerProblem } from './providers.ts';
import type { Providers } from './providers.ts';
import { LONGEST_DURATION, parseDuration, parseSize } from './quantity.ts';
import { byteLength, Source, wholeFile } from './source.ts';
import { entryOf, nodeAt, parseYaml, plainValue } from './yaml.ts';
import type { YamlEntry, YamlNode } from './yaml.ts';

/** How much is told on the way. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What `.choo.yaml` says. What it does not say is absent, or the default where nothing else can set it. */
export interface Config extends Providers {
  readonly targetBranch?: string;
  readonly parallelism?: number;
  readonly branchPrefix: string;
  readonly logLevel?: LogLevel;
  readonly worktree: {
    readonly basePath?: string;
    readonly setup: readonly SetupCommand[];
    readonly teardown: readonly SetupCommand[];
    /** Globs of ignored files. */
    readonly copy: readonly string[];
    /** Whether folders of landed units' worktrees are used again. */
    readonly pool: 'auto' | 'always' | 'never';
    /** Patterns of ignored files that stay in them. */
    readonly keep: readonly string[];
    readonly portBase: number;
  };
  readonly baselineChecks: readonly Check[];
  readonly conflictRetries: number;
  /** What may land; the configuration itself is always protected. */
  readonly guard: Guard;
  /** Only those that are set; times in ms, sizes in bytes. */
  readonly limits: Partial<Limits>;
  /** By agent; every agent is there. */
  readonly agents: Readonly<Record<string, AgentConfig>>;
  readonly budget?: BudgetConfig;
  readonly overlap: OverlapMode;
  readonly contain: 'auto' | 'namespace' | 'group';
  readonly land: LandRules;
  /** Absent: units are not reviewed by an agent. */
  readonly review?: ReviewConfig;
  /** Absent: people are told in the terminal alone. */
  readonly escalation?: EscalationConfig;
  readonly pull: PullConfig;
}

/** Name of the configuration file at the top of a repository. */
export const CONFIG_FILE = '.choo.yaml';

const EMPTY_CONFIG: Config = toConfig({});

/** Reads the configuration. Takes the text (undefined: there is no file); gives defaults beside the diagnostics when there are errors. Never throws for what the file holds. */
export function parseConfig(text: string | undefined, path: string = CONFIG_FILE): { readonly config: Config; readonly diagnostics: readonly Diagnostic[] } {
  if (text === undefined) return { config: EMPTY_CONFIG, diagnostics: [] };
  if (byteLength(text) > BOUNDS.specFile) {
    return { config: EMPTY_CONFIG, diagnostics: [errorAt('file-too-large', `the file is larger than ${BOUNDS.specFile / 1024} KiB`, { place: wholeFile(path) })] };
  }
  const source = new Source(path, text);
  const mark = text.startsWith('\uFEFF') ? 1 : 0;
  const { root, diagnostics } = parseYaml(source, { start: mark, end: text.length });
  if (root === undefined || (root.kind === 'scalar' && root.value === null)) return { config: EMPTY_CONFIG, diagnostics };
  const parsed = ConfigFile.safeParse(withoutEmpty(plainValue(root)));
  const found = [...diagnostics, ...notInEffect(source, root)];
  if (!parsed.success) return { config: EMPTY_CONFIG, diagnostics: [...found, ...explainIssues(parsed.error.issues, { source, root })].toSorted(byPlace) };
  const config = toConfig(parsed.data);
  found.push(...meaning({ source, root, input: parsed.data, config }));
  return { config: hasErrors(found) ? EMPTY_CONFIG : config, diagnostics: found.toSorted(byPlace) };
}

/** A key without a value (`limits:` with all its lines commented out) is as good as absent; items of lists stay. */
function withoutEmpty(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null).map(([name, inner]) => [name, withoutEmpty(inner)]));
}

function notInEffect(source: Source, root: YamlNode): Diagnostic[] {
  return NOT_IN_EFFECT.map((path) => ({ path, entry: entryAt(root, path) })).filter(({ entry }) => entry !== undefined)
    .map(({ path, entry }) => warningAt('not-in-effect', `\`${path}\` is not in effect in this version`, entry === undefined ? {} : { place: source.place(entry.keySpan) }));
}

function entryAt(root: YamlNode, path: string): YamlEntry | undefined {
  const steps = path.split('.');
  let entry: YamlEntry | undefined;
  let node: YamlNode = root;
  for (const step of steps) {
    entry = node.kind === 'map' ? entryOf(node, step) : undefined;
    if (entry === undefined) return undefined;
    node = entry.value;
  }
  return entry;
}

interface Meant {
  readonly source: Source;
  readonly root: YamlNode;
  readonly input: ConfigInput;
  readonly config: Config;
}

/** What a schema cannot say: names git refuses, paths that leave the worktree, agents that are not there. */
function meaning(m: Meant): Diagnostic[] {
  const found: Diagnostic[] = [];
  const at = (path: readonly PropertyKey[], code: string, o: { readonly message: string; readonly hint?: string }): void => {
    found.push(errorAt(code, o.message, { place: m.source.place(nodeAt(m.root, path)), hint: o.hint }));
  };
  const { target_branch: target, branch_prefix: prefix, worktree } = m.input;
  const targetProblem = target === undefined ? undefined : branchProblem(target);
  if (targetProblem !== undefined) at(['target_branch'], 'bad-value', { message: `the branch name \`${cleanLine(target ?? '')}\` ${targetProblem}` });
  const prefixProblem = prefix === undefined ? undefined : branchProblem(`${prefix}x`);
  if (prefixProblem !== undefined) at(['branch_prefix'], 'bad-value', { message: `the prefix \`${cleanLine(prefix ?? '')}\` ${prefixProblem}` });
  for (const list of ['setup', 'teardown'] as const) {
    (worktree?.[list] ?? []).forEach((item, i) => {
      const written = typeof item === 'string' ? item : item.command;
      if (written.trim() === '') at(['worktree', list, i], 'bad-value', { message: 'the command is empty' });
      if (typeof item !== 'string' && item.if !== undefined && leaves(item.if)) at(['worktree', list, i, 'if'], 'bad-value', { message: '`if` must be a path inside the worktree' });
    });
  }
  (worktree?.setup ?? []).forEach((item, i) => {
    for (const list of ['by', 'makes'] as const) {
      ((typeof item === 'string' ? undefined : item.reuse)?.[list] ?? []).forEach((path, n) => {
        if (!isInside(path)) at(['worktree', 'setup', i, 'reuse', list, n], 'bad-value', { message: `\`${cleanLine(path)}\` must be a path inside the worktree, and none of git's` });
      });
    }
  });
  (m.input.baseline_checks ?? []).forEach((item, i) => {
    if ((typeof item === 'string' ? item : item.command).trim() === '') at(['baseline_checks', i], 'empty-check', { message: 'the check is empty: it would prove nothing' });
  });
  for (const { path, ...said } of [...escalationMeanings(m.input.escalation), ...pullMeanings(pullInput(m.input))]) at(path, 'bad-value', said);
  for (const { path, message, hint } of agentMeanings(m.input)) at(path.map((step) => (/^\d+$/.test(step) ? Number(step) : step)), 'bad-value', { message, ...(hint === undefined ? {} : { hint }) });
  found.push(...quantities(m), ...provider(m), ...oldNames(m));
  return found;
}

/** The parts of the file about pull requests. */
function pullInput({ github, forge, review }: ConfigInput): Parameters<typeof toPull>[0] {
  return { github, forge, review };
}

/** Names something below the worktree's top that is not git's. */
function isInside(path: string): boolean {
  const parts = path.split('/');
  return !leaves(path) && !parts.includes('.git') && !parts.includes('.') && !parts.includes('');
}

function leaves(path: string): boolean {
  return path.startsWith('/') || path.split('/').includes('..');
}

const DURATIONS = ['agent_idle', 'agent_total', 'check', 'setup', 'shutdown'] as const;
const SIZES = ['output', 'free_disk'] as const;
/** Less output than this would not hold the failure that an agent is told. */
const LEAST_OUTPUT = 16 * 1024;

function quantities(m: Meant): Diagnostic[] {
  const found: Diagnostic[] = [];
  const at = (name: string, message: string): void => {
    found.push(errorAt('bad-value', `\`limits.${name}\` ${message}`, { place: m.source.place(nodeAt(m.root, ['limits', name])) }));
  };
  for (const name of DURATIONS) {
    const written = m.input.limits?.[name];
    if (written === undefined) continue;
    const ms = parseDuration(String(written));
    if (ms === undefined) at(name, `must not be longer than ${LONGEST_DURATION / 3_600_000}h`);
    else if (ms === 0 && name !== 'agent_idle' && name !== 'shutdown') at(name, 'must be longer than nothing');
  }
  for (const name of SIZES) {
    const written = m.input.limits?.[name];
    const bytes = written === undefined ? undefined : parseSize(written);
    if (written !== undefined && bytes === undefined) at(name, 'is too large');
    else if (name === 'output' && bytes !== undefined && bytes < LEAST_OUTPUT) at(name, `must be at least ${LEAST_OUTPUT / 1024}KiB`);
  }
  return found;
}

function provider(m: Meant): Diagnostic[] {
  const written = m.input.provider;
  const found: Diagnostic[] = [];
  if (written?.command !== undefined) {
    const type = written.type ?? 'command';
    const message = `\`provider.command\` is an old name of \`provider.providers.${cleanLine(type)}.command\``;
    const key = entryAt(m.root, 'provider.command');
    found.push(warningAt('alias', message, key === undefined ? {} : { place: m.source.place(key.keySpan) }));
  }
  const problem = written?.type === undefined ? undefined : providerProblem(m.config, written.type);
  if (problem !== undefined) {
    const place = m.source.place(nodeAt(m.root, ['provider', 'type']));
    found.push(errorAt(problem.code, problem.message, { place, hint: problem.hint }));
  }
  return found;
}

/** Keys of agents that the Go implementation had, and what they are called now. */
const OLD_NAMES = [['claude.command', 'provider.providers.claude.command'], ['codex.command', 'provider.providers.codex.command'], ['claude.max_turns', 'agents.claude.max_turns']] as const;

function oldNames(m: Meant): Diagnostic[] {
  return OLD_NAMES.flatMap(([old, now]) => {
    const key = entryAt(m.root, old);
    return key === undefined ? [] : [warningAt('alias', `\`${old}\` is an old name of \`${now}\``, { place: m.source.place(key.keySpan) })];
  });
}

function toConfig(input: ConfigInput): Config {
  const { worktree } = input;
  const budget = budgetConfig(input);
  const review = toReview(input.code_review);
  const escalation = input.escalation === undefined ? undefined : toEscalation(input.escalation);
  return {
    ...(input.target_branch === undefined ? {} : { targetBranch: input.target_branch }),
    ...(input.parallelism === undefined ? {} : { parallelism: input.parallelism }),
    branchPrefix: input.branch_prefix ?? 'choo/',
    ...(input.log_level === undefined ? {} : { logLevel: input.log_level }),
    worktree: {
      ...(worktree?.base_path === undefined ? {} : { basePath: worktree.base_path }),
      setup: (worktree?.setup ?? []).map((item) => ({ ...toCommand(item), ...(typeof item === 'string' || item.reuse === undefined ? {} : { reuse: item.reuse }) })),
      teardown: (worktree?.teardown ?? []).map(toCommand),
      copy: worktree?.copy ?? [],
      pool: worktree?.pool ?? 'auto',
      keep: worktree?.keep ?? [],
      portBase: worktree?.port_base ?? 20_000,
    },
    provider: toProvider(input),
    baselineChecks: (input.baseline_checks ?? []).map(toCheck),
    conflictRetries: input.merge?.max_conflict_retries ?? 3,
    guard: toGuard(input.land, [CONFIG_FILE]),
    limits: toLimits(input.limits ?? {}),
    agents: Object.fromEntries(AGENT_NAMES.map((name) => [name, agentConfig(input, name)])),
    ...(budget === undefined ? {} : { budget }),
    overlap: input.schedule?.overlap ?? 'order',
    contain: input.process?.contain ?? 'auto',
    land: toLandRules(input.land),
    ...(review === undefined ? {} : { review }),
    ...(escalation === undefined ? {} : { escalation }),
    pull: toPull(pullInput(input)),
  };
}

function toCommand(item: string | { readonly command: string; readonly if?: string | undefined }): SetupCommand {
  if (typeof item === 'string') return { command: item };
  return { command: item.command, ...(item.if === undefined ? {} : { if: item.if }) };
}

function toCheck(item: NonNullable<ConfigInput['baseline_checks']>[number]): Check {
  if (typeof item === 'string') return { name: checkName(item), command: item };
  const name = cleanLine(item.name ?? '').trim();
  const { command, pattern, retries, recogniser } = item;
  return {
    name: name === '' ? checkName(command) : name, command,
    ...(pattern === undefined ? {} : { pattern }), ...(retries === undefined ? {} : { retries }), ...(recogniser === undefined ? {} : { recogniser }),
  };
}

function toProvider({ provider: written, claude, codex, code_review: review }: ConfigInput): Config['provider'] {
  const type = written?.type ?? 'command';
  const old: Readonly<Record<string, string | undefined>> = { claude: claude?.command, codex: codex?.command };
  const file = written?.providers?.script?.file;
  const programs = AGENT_NAMES.filter((name) => name !== 'script').flatMap((name) => {
    const command = written?.providers?.[name]?.command ?? (type === name ? written?.command : undefined) ?? old[name] ?? ((review?.provider ?? 'codex') === name ? review?.command : undefined);
    return command === undefined ? [] : [[name, { command, ...(name === 'acp' ? acpExtras(written?.providers?.acp) : {}) }] as const];
  });
  return {
    ...(written?.type === undefined ? {} : { type: written.type }),
    providers: { ...Object.fromEntries(programs), ...(file === undefined ? {} : { script: { file } }) },
  };
}

function acpExtras(acp: { readonly mode?: string | undefined; readonly auth?: string | undefined } | undefined): { readonly mode?: string; readonly auth?: string } {
  return { ...(acp?.mode === undefined ? {} : { mode: acp.mode }), ...(acp?.auth === undefined ? {} : { auth: acp.auth }) };
}

function toLimits(written: NonNullable<ConfigInput['limits']>): Partial<Limits> {
  const ms = (value: string | number | undefined): number | undefined => (value === undefined ? undefined : parseDuration(String(value)));
  const bytes = (value: string | undefined): number | undefined => (value === undefined ? undefined : parseSize(value));
  const limits: { readonly [K in keyof Limits]: number | undefined } = {
    attempts: written.attempts,
    agentIdle: ms(written.agent_idle),
    agentTotal: ms(written.agent_total),
    check: ms(written.check),
    setup: ms(written.setup),
    checkRetries: written.check_retries,
    shutdown: ms(written.shutdown),
    output: bytes(written.output),
    failuresInARow: written.failures_in_a_row,
    cuts: written.cuts,
    freeDisk: bytes(written.free_disk),
  };
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined)) as Partial<Limits>;
}
