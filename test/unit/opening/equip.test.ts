// Which agents a plan needs, and why one of them cannot be used as the configuration says.

import { describe, expect, test } from 'vitest';
import type { Unit } from '../../../src/core/plan.ts';
import { parseConfig } from '../../../src/discovery/config.ts';
import { assignAgents, resolveSettings } from '../../../src/discovery/settings.ts';
import { agentProblems, agentsNeeded, agentSettings, equip } from '../../../src/opening/equip.ts';
import { printed } from '../discovery/rig.ts';

const unit = (id: string, provider?: string): Unit => ({ id, dir: id, planPath: id, dependsOn: [], tasks: [], checks: [], touches: [], ...(provider === undefined ? {} : { provider }) });

/** What a run has of a configuration and units: `[id, provider]`. */
function specsOf(file: string, o: { readonly units?: readonly Unit[]; readonly env?: Readonly<Record<string, string>> } = {}): Parameters<typeof equip>[0] {
  const { config, diagnostics } = parseConfig(file);
  expect(printed(diagnostics.filter((d) => d.severity === 'error'))).toBe('');
  const { settings: resolved } = resolveSettings({ config, env: o.env ?? {}, flags: {} });
  const units = o.units ?? [unit('a')];
  const { parallelism, limits, conflictRetries } = resolved;
  return { config, resolved, plan: { units, complete: [] }, settings: { parallelism, limits, conflictRetries, agents: assignAgents(units, resolved), ...agentSettings(config) } };
}

function problems(...args: Parameters<typeof specsOf>): string {
  return printed(agentProblems(specsOf(...args)));
}

/** Programs that come with choo. */
const OWN = { script: ['play'], acp: ['talk'] };

const argv = (specs: Parameters<typeof equip>[0], name: string): readonly string[] | undefined => equip(specs, OWN).get(name)?.agent.open({
  prompt: '', promptFile: '/p', worktree: '/w', gitPaths: [], scratch: '/s', permissions: 'workspace', args: [], session: '00000000-0000-4000-8000-000000000000', cap: {},
}).argv;

describe('agents needed', () => {
  const needed = (file: string, units: readonly Unit[]): (string | undefined)[] => [...agentsNeeded(specsOf(file, { units }))];

  test('are those of units, of later attempts, and those that take over from any of them', () => {
    expect(needed('provider: {type: claude}', [unit('a'), unit('b', 'codex')])).toEqual(['claude', 'codex']);
    expect(needed('provider: {type: claude}\nagents: {claude: {attempts: [{}, {agent: codex}], fallback: gemini}, codex: {fallback: copilot}}', [unit('a')])).toEqual(['claude', 'codex', 'gemini', 'copilot']);
  });

  test('are not those that nothing leads to', () => {
    const file = 'provider: {type: claude}\nagents: {claude: {fallback: codex}, codex: {fallback: gemini, attempts: [{agent: copilot}]}, opencode: {fallback: acp}}';
    expect(needed(file, [unit('a')])).toEqual(['claude', 'codex']);
    expect(needed(file, [])).toEqual([]);
  });

  test('may take over from each other', () => {
    expect(needed('provider: {type: claude}\nagents: {claude: {fallback: codex}, codex: {fallback: claude}}', [unit('a'), unit('b', 'codex')])).toEqual(['claude', 'codex']);
  });

  test('are told when a unit has none, or one that does not exist', () => {
    expect(needed('', [unit('a')])).toEqual([undefined]);
    expect(problems('')).toContain('error: no agent is configured [no-provider]');
    expect(problems('', { units: [unit('a', 'constructor')] })).toContain('there is no agent `constructor` [unknown-provider]');
    expect(problems('provider: {type: claude}\nagents: {claude: {fallback: acp}}')).toContain('error: the agent `acp` has no program [missing-key]');
    expect(problems('provider: {type: claude}\nagents: {claude: {attempts: [{agent: command}]}}')).toContain('error: the agent `command` has no program [missing-key]');
  });
});

describe('is refused', () => {
  test('a policy that the agent does not enforce, with the reason', () => {
    expect(problems('provider: {type: claude}\nagents: {permissions: sandboxed}')).toBe(`error: the agent \`claude\` does not enforce the permissions \`sandboxed\` by itself: Claude Code's own sandbox confines shell commands only, and only where bubblewrap is installed [permissions]
  hint: set agents.claude.permissions to \`workspace\` or \`full\``);
    expect(problems('provider: {type: command, command: x}\nagents: {command: {permissions: sandboxed}}')).toContain('by itself: what it may do is up to the program [permissions]');
    expect(problems('provider: {type: codex}\nagents: {permissions: sandboxed}')).toBe('');
    expect(problems('provider: {type: codex}\nagents: {claude: {permissions: sandboxed}}')).toBe('');
    expect(problems('provider: {type: codex}\nagents: {claude: {permissions: sandboxed}, codex: {fallback: claude}}')).toContain('the agent `claude` does not enforce');
  });

  test('going on with a session, for an agent that has none', () => {
    expect(problems('provider: {type: command, command: x}\nagents: {command: {retry: continue}}')).toBe(`error: the agent \`command\` has no sessions to go on with [no-sessions]
  hint: take out agents.command.retry`);
    expect(problems('provider: {type: claude}\nagents: {claude: {retry: continue}}')).toBe('');
  });

  test('a budget for an agent whose spending cannot be seen', () => {
    expect(problems('provider: {type: command, command: x}\nbudget: {attempt: 2 USD}')).toBe(`error: there is a budget, but what the agent \`command\` spends cannot be seen in money [unseen-spending]
  hint: with budget.unseen: allow each of its attempts is charged budget.attempt, whatever it uses`);
    expect(problems('provider: {type: command, command: x}\nbudget: {attempt: 2k tokens}')).toContain('cannot be seen in tokens [unseen-spending]');
    expect(problems('provider: {type: command, command: x}\nbudget: {attempt: 2 USD, unseen: allow}')).toBe('');
    expect(problems('provider: {type: claude}\nbudget: {attempt: 2 USD}')).toBe('');
  });

  test('a budget in money for an agent that tells only tokens, unless there are prices', () => {
    expect(problems('provider: {type: codex}\nbudget: {attempt: 2 USD}')).toBe(`error: there is a budget, but what the agent \`codex\` spends cannot be seen in money [unseen-spending]
  hint: set agents.codex.prices, or a budget in tokens, or budget.unseen: allow`);
    expect(problems('provider: {type: codex}\nbudget: {attempt: 2 USD}\nagents: {codex: {prices: {"*": {input: 1, output: 2}}}}')).toBe('');
    expect(problems('provider: {type: codex}\nbudget: {attempt: 2M tokens}')).toBe('');
  });

  test('an agent that takes over, for the same reasons, each once', () => {
    expect(problems('provider: {type: claude}\nagents: {claude: {fallback: codex, attempts: [{agent: codex}]}}\nbudget: {attempt: 2 USD}', { units: [unit('a'), unit('b', 'codex')] }).match(/unseen-spending/g)).toHaveLength(1);
  });
});

describe('agents are equipped', () => {
  test('with what the configuration says, those that may take over too', () => {
    const specs = specsOf('provider: {type: claude}\nagents: {claude: {args: [--x], env: {A: b}, retry: continue, agent_idle: 1m, agent_total: 2m, max_turns: 3, fallback: codex}}');
    const equipped = equip(specs, OWN);
    expect([...equipped.keys()]).toEqual(['claude', 'codex']);
    const { agent, ...rest } = equipped.get('claude') ?? {};
    expect(agent?.name).toBe('claude');
    expect(rest).toEqual({ permissions: 'workspace', args: ['--x'], env: { A: 'b' }, goOn: true, prices: {}, idleMs: 60_000, totalMs: 120_000, maxTurns: 3 });
  });

  test('with the program that the environment names, else the file, else the usual one', () => {
    const file = 'provider: {type: claude, providers: {claude: {command: /file/claude}}}';
    expect(argv(specsOf(file), 'claude')?.[0]).toBe('/file/claude');
    expect(argv(specsOf(file, { env: { RALPH_CLAUDE_CMD: '/env/claude' } }), 'claude')?.[0]).toBe('/env/claude');
    expect(argv(specsOf(file, { env: { RALPH_CLAUDE_CMD: '/env/claude', CHOO_CLAUDE_CMD: '/new/claude' } }), 'claude')?.[0]).toBe('/new/claude');
    expect(argv(specsOf('provider: {type: codex}', { env: { CHOO_CODEX_CMD: '/env/codex' } }), 'codex')?.[0]).toBe('/env/codex');
    expect(argv(specsOf('provider: {type: codex}'), 'codex')?.[0]).toBe('codex');
    expect(argv(specsOf('provider: {type: claude}', { env: { CHOO_CODEX_CMD: '/env/codex' } }), 'claude')?.[0]).toBe('claude');
  });

  test('every one of them', () => {
    const names = ['claude', 'codex', 'gemini', 'opencode', 'copilot', 'acp', 'command', 'script'];
    const file = 'provider: {providers: {acp: {command: x}, command: {command: y}, script: {file: z}}}';
    expect([...equip(specsOf(file, { units: names.map((name) => unit(`of-${name}`, name)) }), OWN)].map(([name, { agent }]) => [name, agent.name])).toEqual(names.map((name) => [name, name]));
  });

  test('with a program of several words by a shell, which gets further arguments as they are', () => {
    expect(argv(specsOf('provider: {type: claude, command: "nice -n 5 claude"}'), 'claude')?.slice(0, 4)).toEqual(['sh', '-c', 'exec nice -n 5 claude "$@"', 'agent']);
    expect(argv(specsOf('provider: {type: claude, command: "A=b claude"}'), 'claude')?.slice(0, 3)).toEqual(['sh', '-c', 'exec env A=b claude "$@"']);
  });

  test('settings hold their rules and the budget, and nothing that is not set', () => {
    expect(agentSettings(parseConfig('').config)).toEqual({});
    const { config } = parseConfig('agents: {claude: {model: m, fallback: codex, attempts: [{model: n}]}, codex: {args: [x]}}\nbudget: {run: 5 USD, attempt: 1 USD, unseen: allow}');
    expect(agentSettings(config)).toEqual({ rules: { claude: { model: 'm', fallback: 'codex', attempts: [{ model: 'n' }] } }, budget: { in: 'usd', run: 5, attempt: 1 } });
  });
});
