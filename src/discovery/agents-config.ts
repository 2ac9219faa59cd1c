// The parts of `.choo.yaml` that are about how agents are used and what they may cost: from the parsed file to checked values.

import type { AgentRules } from '../core/event.ts';
import type { AgentUse } from '../core/agent-use.ts';
import type { Budget } from '../core/usage.ts';
import { cleanLine } from '../core/clean.ts';
import type { ConfigInput } from './config-schema.ts';
import { AGENT_NAMES } from './providers.ts';
import { LONGEST_DURATION, parseAmount, parseDuration } from './quantity.ts';
import { didYouMean } from './suggest.ts';

/** How one agent is used. */
export interface AgentConfig extends AgentRules, AgentUse {}

/** A budget, and whether it also holds for agents whose spending cannot be seen. */
export interface BudgetConfig extends Budget {
  readonly unseen: 'refuse' | 'allow';
}

/** Something that a schema cannot say; `path` is where. */
export interface Meaning {
  readonly path: readonly string[];
  readonly message: string;
  readonly hint?: string;
}

/** Mistakes told of one map or list. */
const MOST_TOLD = 20;

type Written = NonNullable<ConfigInput['agents']>;
type WrittenAgent = NonNullable<Written['claude']>;

/** How the agent of that name is used; the defaults when the file says nothing of it. */
export function agentConfig(input: ConfigInput, name: string): AgentConfig {
  const all = input.agents;
  const own: WrittenAgent = all !== undefined && isAgent(name) ? all[name] ?? {} : {};
  const ms = (written: string | number | undefined): number | undefined => (written === undefined ? undefined : parseDuration(String(written)));
  const idleMs = ms(own.agent_idle);
  const totalMs = ms(own.agent_total);
  const turns = own.max_turns ?? (name === 'claude' ? input.claude?.max_turns : undefined);
  return {
    permissions: own.permissions ?? all?.permissions ?? 'workspace',
    args: own.args ?? [], env: own.env ?? {}, goOn: own.retry === 'continue',
    prices: Object.fromEntries(Object.entries(own.prices ?? {}).map(([model, p]) => [model, { input: p.input, output: p.output, cacheRead: p.cache_read ?? p.input, cacheWrite: p.cache_write ?? p.input }])),
    ...(own.model === undefined ? {} : { model: own.model }),
    ...(own.fallback === undefined ? {} : { fallback: own.fallback }),
    ...(own.attempts === undefined ? {} : { attempts: own.attempts.map((a) => ({ ...(a.agent === undefined ? {} : { agent: a.agent }), ...(a.model === undefined ? {} : { model: a.model }) })) }),
    ...(idleMs === undefined ? {} : { idleMs }), ...(totalMs === undefined ? {} : { totalMs }), ...(turns === undefined ? {} : { maxTurns: turns }),
  };
}

function isAgent(name: string): name is (typeof AGENT_NAMES)[number] {
  return (AGENT_NAMES as readonly string[]).includes(name);
}

/** The budget; undefined when none is set or it is wrong. */
export function budgetConfig(input: ConfigInput): BudgetConfig | undefined {
  const { budget } = input;
  if (budget === undefined) return undefined;
  const [run, unit, attempt] = [budget.run, budget.unit, budget.attempt].map((text) => (text === undefined ? undefined : parseAmount(text)));
  if (attempt === undefined) return undefined;
  return {
    in: attempt.in, attempt: attempt.amount, unseen: budget.unseen ?? 'refuse',
    ...(run === undefined ? {} : { run: run.amount }), ...(unit === undefined ? {} : { unit: unit.amount }),
  };
}

/** What is wrong with both parts beyond their shape. */
export function agentMeanings(input: ConfigInput): readonly Meaning[] {
  const names = AGENT_NAMES.filter((name) => input.agents?.[name] !== undefined);
  return [...names.flatMap((name) => meaningsOf(name, input.agents?.[name] ?? {})), ...budgetMeanings(input.budget)];
}

function meaningsOf(name: string, own: WrittenAgent): Meaning[] {
  const found: Meaning[] = [];
  const known = (agent: string | undefined, path: readonly string[]): void => {
    if (agent === undefined || isAgent(agent)) return;
    found.push({ path, message: `there is no agent \`${cleanLine(agent)}\``, hint: didYouMean(agent, AGENT_NAMES) ?? `one of ${AGENT_NAMES.join(', ')}` });
  };
  known(own.fallback, ['agents', name, 'fallback']);
  if (own.fallback === name) found.push({ path: ['agents', name, 'fallback'], message: 'an agent cannot take over from itself' });
  (own.attempts ?? []).forEach((a, i) => known(a.agent, ['agents', name, 'attempts', String(i), 'agent']));
  for (const key of ['agent_idle', 'agent_total'] as const) {
    const written = own[key];
    const ms = written === undefined ? undefined : parseDuration(String(written));
    if (written !== undefined && ms === undefined) found.push({ path: ['agents', name, key], message: `\`agents.${name}.${key}\` must not be longer than ${LONGEST_DURATION / 3_600_000}h` });
    else if (ms === 0 && key === 'agent_total') found.push({ path: ['agents', name, key], message: `\`agents.${name}.${key}\` must be longer than nothing` });
  }
  for (const variable of Object.keys(own.env ?? {}).filter((v) => !/^[A-Za-z_]\w*$/.test(v) || /^(CHOO_|GIT_)/.test(v)).slice(0, MOST_TOLD)) {
    const message = /^(CHOO_|GIT_)/.test(variable) ? `\`${cleanLine(variable)}\` is choo's to set` : `\`${cleanLine(variable)}\` is no name of a variable`;
    found.push({ path: ['agents', name, 'env', variable], message });
  }
  return [...found, ...wordMeanings(name, own).slice(0, MOST_TOLD)];
}

/** No program can be given a word with a NUL byte. */
function wordMeanings(name: string, own: WrittenAgent): Meaning[] {
  const words: readonly (readonly [path: readonly string[], word: string | undefined])[] = [
    [['model'], own.model],
    ...(own.args ?? []).map((arg, i) => [['args', String(i)], arg] as const),
    ...Object.entries(own.env ?? {}).map(([variable, value]) => [['env', variable], value] as const),
    ...(own.attempts ?? []).map((a, i) => [['attempts', String(i), 'model'], a.model] as const),
  ];
  return words.filter(([, word]) => word?.includes('\0') === true).map(([path]) => ({ path: ['agents', name, ...path], message: 'holds a NUL byte, which no program can be given' }));
}

function budgetMeanings(budget: ConfigInput['budget']): Meaning[] {
  if (budget === undefined) return [];
  const found: Meaning[] = [];
  const keys = (['run', 'unit', 'attempt'] as const).filter((key) => budget[key] !== undefined);
  if (budget.attempt === undefined) {
    found.push({ path: ['budget'], message: '`budget.attempt` is missing: it is what is set aside for each attempt, and where an attempt is ended', hint: 'for example  attempt: "2 USD"' });
  }
  const amounts = keys.map((key) => ({ key, amount: parseAmount(budget[key] ?? '') }));
  const currency = amounts.find((a) => a.amount !== undefined)?.amount?.in;
  for (const { key, amount } of amounts) {
    if (amount === undefined) found.push({ path: ['budget', key], message: `\`budget.${key}\` must be an amount of money or tokens`, hint: 'like "20 USD", "$0.50", "300k tokens" or "2M tokens"' });
    else if (amount.in !== currency) found.push({ path: ['budget', key], message: 'all amounts of a budget must be in the same unit', hint: 'all in USD, or all in tokens' });
    else if (amount.amount <= 0) found.push({ path: ['budget', key], message: `\`budget.${key}\` must be more than nothing` });
  }
  const [attempt, ...larger] = (['attempt', 'unit', 'run'] as const).map((key) => ({ key, amount: amounts.find((a) => a.key === key)?.amount }));
  for (const { key, amount } of larger) {
    if (amount !== undefined && attempt?.amount !== undefined && amount.in === attempt.amount.in && amount.amount < attempt.amount.amount) {
      found.push({ path: ['budget', key], message: `\`budget.${key}\` is less than \`budget.attempt\`: nothing could ever start` });
    }
  }
  return found;
}
