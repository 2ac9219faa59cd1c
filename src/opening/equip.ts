// From names of agents to agents that can be used: which ones a plan needs, what each gets of the configuration, what speaks against it.

import { isHidden } from '../adapters/environment.ts';
import { makeAgent } from '../agents/registry.ts';
import type { OwnPrograms } from '../agents/registry.ts';
import { cleanLine } from '../core/clean.ts';
import type { AgentRules, Settings } from '../core/event.ts';
import { agentOf } from '../core/state.ts';
import type { Plan, Unit } from '../core/plan.ts';
import type { Config } from '../discovery/config.ts';
import { errorAt } from '../discovery/diagnostic.ts';
import type { Diagnostic } from '../discovery/diagnostic.ts';
import { AGENT_NAMES, providerProblem } from '../discovery/providers.ts';
import { assignAgents } from '../discovery/settings.ts';
import type { ResolvedSettings } from '../discovery/settings.ts';
import type { Equipped } from '../worker/workplace.ts';
import { tellSettings } from './messengers.ts';
import { refuse } from './refusal.ts';

/** What settings say of agents: rules by name, and the budget. Only what is set. */
export function agentSettings(config: Config): Pick<Settings, 'rules' | 'budget'> {
  const rules: Record<string, AgentRules> = {};
  for (const name of AGENT_NAMES) {
    const { model, fallback, attempts } = config.agents[name] ?? {};
    if (model === undefined && fallback === undefined && attempts === undefined) continue;
    rules[name] = { ...(model === undefined ? {} : { model }), ...(fallback === undefined ? {} : { fallback }), ...(attempts === undefined ? {} : { attempts }) };
  }
  const { budget } = config;
  return {
    ...(Object.keys(rules).length === 0 ? {} : { rules }),
    ...(budget === undefined ? {} : { budget: { in: budget.in, attempt: budget.attempt, ...(budget.run === undefined ? {} : { run: budget.run }), ...(budget.unit === undefined ? {} : { unit: budget.unit }) } }),
  };
}

/** The settings of a run, from all that was written and asked for. */
export function runSettings(o: { readonly config: Config; readonly resolved: ResolvedSettings; readonly units: readonly Unit[] }): Settings {
  const { parallelism, limits, conflictRetries, land, review } = o.resolved;
  const settings = { ...(o.resolved.wait ? {} : { wait: false }), parallelism, limits, conflictRetries, land, agents: assignAgents(o.units, o.resolved), ...agentSettings(o.config), ...tellSettings(o.config, { pulls: false }), overlap: o.config.overlap };
  if (review === undefined) return settings;
  const { sameAgent: _, model = o.config.agents[review.agent]?.model, ...rules } = review;
  return { ...settings, review: { ...rules, ...(model === undefined ? {} : { model }) } };
}

/** What settings say of pull requests, for a run that lands as such. */
export function pullSettings({ config, resolved }: { readonly config: Config; readonly resolved: ResolvedSettings }): Pick<Settings, 'pull' | 'tell'> {
  return { pull: { ...config.pull.rules, skipReview: resolved.skipReview }, ...tellSettings(config, { pulls: true }) };
}

/** Every agent that may come to work on the plan: those that write, and the one that reviews. `undefined` among them: a unit has none. */
export function agentsNeeded(specs: Planned): ReadonlySet<string | undefined> {
  const { review } = specs.settings;
  return new Set([...writers(specs), ...(review === undefined ? [] : [review.agent])]);
}

interface Planned { readonly settings: Settings; readonly config: Config; readonly plan: Plan }

/** Those of units, those that take over, those of later attempts. */
function writers(specs: Planned): ReadonlySet<string | undefined> {
  const rules = (name: string | undefined): AgentRules => (name !== undefined && Object.hasOwn(specs.config.agents, name) ? specs.config.agents[name] : undefined) ?? {};
  const given = specs.plan.units.map((u) => agentOf(specs, u.id));
  const later = given.flatMap((name) => (rules(name).attempts ?? []).flatMap(({ agent }) => agent ?? []));
  const working = new Set([...given, ...later]);
  // One that took over is not itself taken over from.
  return new Set([...working, ...[...working].flatMap((name) => rules(name).fallback ?? [])]);
}

type Needs = Planned & { readonly resolved: ResolvedSettings };

/** Why the agents that the plan needs cannot be used as the configuration says, each reason once. */
export function agentProblems(specs: Needs): readonly Diagnostic[] {
  const problems: Diagnostic[] = [];
  const { review } = specs.resolved;
  if (review !== undefined && !review.sameAgent && writers(specs).has(review.agent)) {
    problems.push(errorAt('same-reviewer', `the agent \`${review.agent}\` would review what it wrote itself`, { hint: 'set code_review.provider to another agent, or code_review.allow_same_agent to true, or: choo run --skip-review' }));
  }
  for (const name of agentsNeeded(specs)) {
    const problem = providerProblem(specs.config, name);
    if (problem !== undefined) problems.push(errorAt(problem.code, problem.message, { hint: problem.hint }));
    else if (name !== undefined) problems.push(...useProblems(specs, name));
  }
  return problems;
}

/** Permissions that it does not enforce, spending that cannot be seen, sessions that cannot be gone on with. */
function useProblems({ config, resolved }: Needs, name: string): Diagnostic[] {
  const agent = makeAgent(name, { programs: config.provider.providers, commands: resolved.agentCommands, own: { script: [], acp: [] } });
  const use = config.agents[name];
  if ('missing' in agent || use === undefined) return [];
  const { abilities } = agent;
  const problems: Diagnostic[] = [];
  if (!abilities.permissions.includes(use.permissions)) {
    problems.push(errorAt('permissions', `the agent \`${name}\` does not enforce the permissions \`${use.permissions}\` by itself${abilities.why === undefined ? '' : `: ${abilities.why}`}`,
      { hint: `set agents.${name}.permissions to ${abilities.permissions.map((p) => `\`${p}\``).join(' or ')}` }));
  }
  for (const [variable] of Object.entries(use.env).filter(([variable, value]) => isHidden(variable, value))) {
    problems.push(errorAt('agent-secret', `agents.${name}.env.${cleanLine(variable)} would give a forge token or a messenger secret to the agent \`${name}\`, which no agent gets`, { hint: 'take it out: choo itself talks to forge and messenger' }));
  }
  if (use.goOn && !abilities.goOn) problems.push(errorAt('no-sessions', `the agent \`${name}\` has no sessions to go on with`, { hint: `take out agents.${name}.retry` }));
  const { budget } = config;
  const seen = budget?.in === 'tokens' ? abilities.usage.tokens : abilities.usage.usd || (abilities.usage.tokens && Object.keys(use.prices).length > 0);
  if (budget !== undefined && !seen && budget.unseen === 'refuse') {
    const hint = budget.in === 'usd' && abilities.usage.tokens
      ? `set agents.${name}.prices, or a budget in tokens, or budget.unseen: allow`
      : 'with budget.unseen: allow each of its attempts is charged budget.attempt, whatever it uses';
    problems.push(errorAt('unseen-spending', `there is a budget, but what the agent \`${name}\` spends cannot be seen in ${budget.in === 'usd' ? 'money' : 'tokens'}`, { hint }));
  }
  return problems;
}

/** The agents that the plan needs, ready for use. Those that cannot be made were refused before. */
export function equip(specs: Needs, own: OwnPrograms): ReadonlyMap<string, Equipped> {
  const agents = new Map<string, Equipped>();
  for (const name of agentsNeeded(specs)) {
    const use = name === undefined ? undefined : specs.config.agents[name];
    if (name === undefined || use === undefined) continue;
    const agent = makeAgent(name, { programs: specs.config.provider.providers, commands: specs.resolved.agentCommands, own });
    if ('missing' in agent) throw refuse('no-agent', agent.missing);
    // The rules are the run's: they are in its settings.
    const { model: _model, fallback: _fallback, attempts: _attempts, ...rest } = use;
    agents.set(name, { agent, ...rest, ...(specs.config.budget?.unseen === 'refuse' ? { mustSee: true } : {}) });
  }
  return agents;
}
