// The keys of `.choo.yaml` about agents and money: each has its effect on the Config, each mistake its diagnostic at its place.

import { describe, expect, test } from 'vitest';
import { agentConfig, budgetConfig } from '../../../src/discovery/agents-config.ts';
import { parseConfig } from '../../../src/discovery/config.ts';
import type { Config } from '../../../src/discovery/config.ts';
import { AGENT_NAMES } from '../../../src/discovery/providers.ts';
import { parseAmount } from '../../../src/discovery/quantity.ts';
import { codes, printed } from './rig.ts';

/** The configuration of a text that has nothing wrong. */
function good(text: string): Config {
  const { config, diagnostics } = parseConfig(text);
  expect(printed(diagnostics)).toBe('');
  return config;
}

function said(text: string): string {
  return printed(parseConfig(text).diagnostics).replaceAll('.choo.yaml:', '');
}

const NOTHING_SAID = agentConfig({}, 'claude');

describe('agents', () => {
  test('with every key', () => {
    const { agents } = good(`agents:
  permissions: full
  claude:
    permissions: workspace
    model: large
    args: [--verbose, ""]
    env: {A_KEY: value, b: ""}
    retry: continue
    fallback: codex
    attempts: [{model: small}, {}, {agent: gemini, model: other}]
    agent_idle: 0
    agent_total: 1h30m
    max_turns: 40
    prices:
      "*": {input: 3, output: 15.5}
      small: {input: 0, output: 1, cache_read: 0.1, cache_write: 4}
`);
    expect(agents['claude']).toEqual({
      permissions: 'workspace', model: 'large', args: ['--verbose', ''], env: { A_KEY: 'value', b: '' }, goOn: true, fallback: 'codex',
      attempts: [{ model: 'small' }, {}, { agent: 'gemini', model: 'other' }], idleMs: 0, totalMs: 5_400_000, maxTurns: 40,
      prices: { '*': { input: 3, output: 15.5, cacheRead: 3, cacheWrite: 3 }, small: { input: 0, output: 1, cacheRead: 0.1, cacheWrite: 4 } },
    });
    expect(agents['codex']).toEqual({ ...NOTHING_SAID, permissions: 'full' });
  });

  test.each(AGENT_NAMES)('%s: its own keys are its own', (name) => {
    const { agents } = good(`agents: {${name}: {model: m, retry: fresh, permissions: sandboxed, agent_idle: 2m}}`);
    expect(agents).toEqual({
      ...Object.fromEntries(AGENT_NAMES.map((n) => [n, NOTHING_SAID])),
      [name]: { ...NOTHING_SAID, model: 'm', permissions: 'sandboxed', idleMs: 120_000 },
    });
  });

  test.each(['sandboxed', 'workspace', 'full'] as const)('permissions %s hold for all that say nothing', (permissions) => {
    const { agents } = good(`agents: {permissions: ${permissions}, codex: {permissions: workspace}}`);
    expect(Object.values(agents).map((a) => a.permissions)).toEqual(AGENT_NAMES.map((name) => (name === 'codex' ? 'workspace' : permissions)));
  });

  test('that are no agents get the defaults, whatever their names', () => {
    for (const name of ['nobody', 'constructor', 'permissions', '__proto__']) expect(agentConfig({ agents: { permissions: 'full' } }, name)).toEqual({ ...NOTHING_SAID, permissions: 'full' });
  });

  test('programs, each under its agent', () => {
    const programs = AGENT_NAMES.filter((name) => name !== 'script');
    const { provider } = good(`provider: {type: gemini, providers: {${programs.map((name) => `${name}: {command: my-${name}}`).join(', ')}}}`);
    expect(provider).toEqual({ type: 'gemini', providers: Object.fromEntries(programs.map((name) => [name, { command: `my-${name}` }])) });
  });

  test('the mode and the login of a program that speaks ACP, and of no other', () => {
    const { provider } = good('provider: {type: acp, providers: {acp: {command: x --acp, mode: code, auth: key}}}');
    expect(provider.providers.acp).toEqual({ command: 'x --acp', mode: 'code', auth: 'key' });
    expect(said('provider: {type: codex, providers: {codex: {mode: code}}}')).toContain('there is no key `provider.providers.codex.mode` [unknown-key]');
    expect(said('provider: {providers: {acp: {mode: ""}}}')).toContain('`provider.providers.acp.mode` must not be empty [bad-value]');
  });

  test('old names have their effect and a warning; the new ones come before them', () => {
    const { config, diagnostics } = parseConfig('claude: {command: c, max_turns: 7}\ncodex: {command: x}\n');
    expect(config.provider.providers).toEqual({ claude: { command: 'c' }, codex: { command: 'x' } });
    expect(config.agents['claude']?.maxTurns).toBe(7);
    expect(config.agents['codex']?.maxTurns).toBeUndefined();
    expect(printed(diagnostics)).toBe(`.choo.yaml:1:10: warning: \`claude.command\` is an old name of \`provider.providers.claude.command\` [alias]
    claude: {command: c, max_turns: 7}
             ~~~~~~~
.choo.yaml:1:22: warning: \`claude.max_turns\` is an old name of \`agents.claude.max_turns\` [alias]
    claude: {command: c, max_turns: 7}
                         ~~~~~~~~~
.choo.yaml:2:9: warning: \`codex.command\` is an old name of \`provider.providers.codex.command\` [alias]
    codex: {command: x}
            ~~~~~~~`);
    const both = parseConfig('claude: {command: c, max_turns: 7}\nagents: {claude: {max_turns: 9}}\nprovider: {providers: {claude: {command: d}}}').config;
    expect(both.provider.providers.claude).toEqual({ command: 'd' });
    expect(both.agents['claude']?.maxTurns).toBe(9);
    const short = parseConfig('provider: {type: codex, command: e}\ncodex: {command: x}').config;
    expect(short.provider.providers.codex).toEqual({ command: 'e' });
  });
});

describe('mistakes about agents', () => {
  test('are all told at once, to the character', () => {
    expect(said(`agents:
  claude:
    fallback: claud
    attempts: [{agent: codx}, {model: x}]
    agent_idle: 481h
    agent_total: 0
    env: {a-b: x, CHOO_RUN: "1", GIT_DIR: /x}
    args: ["a\\0b"]
  codex:
    fallback: codex
    env: {A: "\\0"}
    model: "m\\0"
`)).toBe(`3:15: error: there is no agent \`claud\` [bad-value]
        fallback: claud
                  ~~~~~
  hint: did you mean \`claude\`?
4:24: error: there is no agent \`codx\` [bad-value]
        attempts: [{agent: codx}, {model: x}]
                           ~~~~
  hint: did you mean \`codex\`?
5:17: error: \`agents.claude.agent_idle\` must not be longer than 480h [bad-value]
        agent_idle: 481h
                    ~~~~
6:18: error: \`agents.claude.agent_total\` must be longer than nothing [bad-value]
        agent_total: 0
                     ~
7:16: error: \`a-b\` is no name of a variable [bad-value]
        env: {a-b: x, CHOO_RUN: "1", GIT_DIR: /x}
                   ~
7:29: error: \`CHOO_RUN\` is choo's to set [bad-value]
        env: {a-b: x, CHOO_RUN: "1", GIT_DIR: /x}
                                ~~~
7:43: error: \`GIT_DIR\` is choo's to set [bad-value]
        env: {a-b: x, CHOO_RUN: "1", GIT_DIR: /x}
                                              ~~
8:12: error: holds a NUL byte, which no program can be given [bad-value]
        args: ["a\\0b"]
               ~~~~~~
10:15: error: an agent cannot take over from itself [bad-value]
        fallback: codex
                  ~~~~~
11:14: error: holds a NUL byte, which no program can be given [bad-value]
        env: {A: "\\0"}
                 ~~~~
12:12: error: holds a NUL byte, which no program can be given [bad-value]
        model: "m\\0"
               ~~~~~`);
  });

  test.each([
    ['agents: []', '1:9: error: `agents` must be a mapping of keys, not a list [wrong-type]'],
    ['agents: {claud: {}}', '1:10: error: there is no key `agents.claud` [unknown-key]'],
    ['agents: {claud: {}}', 'hint: did you mean `claude`?'],
    ['agents: {permissions: ful}', '`agents.permissions` must be one of sandboxed, workspace, full, not the text "ful" [bad-value]'],
    ['agents: {permissions: ful}', 'hint: did you mean `full`?'],
    ['agents: {acp: {permissions: yolo}}', '`agents.acp.permissions` must be one of sandboxed, workspace, full, not the text "yolo" [bad-value]'],
    ['agents: {acp: {permisions: full}}', 'hint: did you mean `permissions`?'],
    ['agents: {acp: {model: ""}}', '`agents.acp.model` must not be empty [bad-value]'],
    ['agents: {acp: {args: --x}}', '`agents.acp.args` must be a list, not the text "--x" [wrong-type]'],
    ['agents: {acp: {args: [1]}}', 'hint: quote it: "1"'],
    ['agents: {acp: {env: [A]}}', '`agents.acp.env` must be a mapping of keys, not a list [wrong-type]'],
    ['agents: {acp: {env: {A: 1}}}', '`agents.acp.env.A` must be a text, not the number 1 [wrong-type]'],
    ['agents: {acp: {env: {1: x}}}', '1:25: error: `1` is no name of a variable [bad-value]'],
    ['agents: {acp: {retry: again}}', '`agents.acp.retry` must be one of fresh, continue, not the text "again" [bad-value]'],
    ['agents: {acp: {fallback: nobody-at-all}}', 'hint: one of claude, codex, gemini, opencode, copilot, acp, command, script'],
    ['agents: {acp: {attempts: []}}', '`agents.acp.attempts` must not be empty [bad-value]'],
    ['agents: {acp: {attempts: [{modl: x}]}}', 'hint: did you mean `model`?'],
    ['agents: {acp: {agent_idle: 5}}', '`agents.acp.agent_idle` must be a duration like 90s or 1h30m, not the number 5 [wrong-type]'],
    ['agents: {acp: {max_turns: 0}}', '`agents.acp.max_turns` must be at least 1, not the number 0 [bad-value]'],
    ['agents: {acp: {max_turns: many}}', '`agents.acp.max_turns` must be a whole number, not the text "many" [wrong-type]'],
    ['agents: {acp: {prices: 3}}', '`agents.acp.prices` must be a mapping of keys, not the number 3 [wrong-type]'],
    ['agents: {acp: {prices: {m: {input: 1}}}}', '`agents.acp.prices.m.output` is missing [missing-key]'],
    ['agents: {acp: {prices: {m: {input: -1, output: 1}}}}', '`agents.acp.prices.m.input` must be at least 0, not the number -1 [bad-value]'],
    ['agents: {acp: {prices: {m: {input: 1, output: x}}}}', '`agents.acp.prices.m.output` must be a number, not the text "x" [wrong-type]'],
    ['agents: {acp: {prices: {m: {input: .inf, output: .nan}}}}', '`agents.acp.prices.m.input` must be a number, not the number .inf [wrong-type]'],
    ['agents: {acp: {prices: {m: {input: 1, output: 1, cache_reed: 1}}}}', 'hint: did you mean `cache_read`?'],
  ])('%j: %s', (text, message) => {
    expect(said(text)).toContain(message);
    expect(parseConfig(text).config).toEqual(parseConfig(undefined).config);
  });
});

describe('a budget', () => {
  test.each([
    ['{attempt: 2 USD}', { in: 'usd', attempt: 2, unseen: 'refuse' }],
    ['{run: "$20", unit: $5.50, attempt: 0.5 USD, unseen: allow}', { in: 'usd', run: 20, unit: 5.5, attempt: 0.5, unseen: 'allow' }],
    ['{run: 5M tokens, unit: 1000k tokens, attempt: 300000 tokens, unseen: refuse}', { in: 'tokens', run: 5_000_000, unit: 1_000_000, attempt: 300_000, unseen: 'refuse' }],
    ['{run: 2 USD, attempt: 2 USD}', { in: 'usd', run: 2, attempt: 2, unseen: 'refuse' }],
  ])('%s', (text, budget) => {
    expect(good(`budget: ${text}`).budget).toEqual(budget);
  });

  test('is absent when nothing says it', () => {
    expect(good('parallelism: 1')).not.toHaveProperty('budget');
    expect(budgetConfig({ budget: { attempt: 'nonsense' } })).toBeUndefined();
  });

  test('with everything wrong tells everything', () => {
    expect(said('budget:\n  run: 20 EUR\n  unit: 5\n  attempt: none\n  unseen: never\n  total: 3 USD\n')).toBe(`2:8: error: \`budget.run\` must be an amount like "20 USD", "$0.50" or "300k tokens", not the text "20 EUR" [bad-value]
      run: 20 EUR
           ~~~~~~
3:9: error: \`budget.unit\` must be a text, not the number 5 [wrong-type]
      unit: 5
            ~
  hint: quote it: "5"
4:12: error: \`budget.attempt\` must be an amount like "20 USD", "$0.50" or "300k tokens", not the text "none" [bad-value]
      attempt: none
               ~~~~
5:11: error: \`budget.unseen\` must be one of refuse, allow, not the text "never" [bad-value]
      unseen: never
              ~~~~~
6:3: error: there is no key \`budget.total\` [unknown-key]
      total: 3 USD
      ~~~~~`);
  });

  test.each([
    ['budget: 3', '1:9: error: `budget` must be a mapping of keys, not the number 3 [wrong-type]'],
    ['budget: {run: 5 USD}', '1:9: error: `budget.attempt` is missing: it is what is set aside for each attempt, and where an attempt is ended [bad-value]'],
    ['budget: {run: 5 USD}', 'hint: for example  attempt: "2 USD"'],
    ['budget: {}', '`budget.attempt` is missing'],
    ['budget: {unseen: allow}', '`budget.attempt` is missing'],
    ['budget: {run: 5 USD, attempt: 3k tokens}', '1:31: error: all amounts of a budget must be in the same unit [bad-value]'],
    ['budget: {run: 5 USD, attempt: 3k tokens}', 'hint: all in USD, or all in tokens'],
    ['budget: {attempt: 0 USD}', '1:19: error: `budget.attempt` must be more than nothing [bad-value]'],
    ['budget: {attempt: 0.4 tokens}', '`budget.attempt` must be more than nothing [bad-value]'],
    ['budget: {attempt: -1 USD}', '`budget.attempt` must be an amount like'],
    ['budget: {run: $0, attempt: 1 USD}', '`budget.run` must be more than nothing [bad-value]'],
    ['budget: {run: 1 USD, attempt: 2 USD}', '1:15: error: `budget.run` is less than `budget.attempt`: nothing could ever start [bad-value]'],
    ['budget: {run: 9 USD, unit: 1.99 USD, attempt: 2 USD}', '1:28: error: `budget.unit` is less than `budget.attempt`: nothing could ever start [bad-value]'],
    [`budget: {attempt: "${'9'.repeat(60)} USD"}`, '`budget.attempt` must be an amount of money or tokens'],
  ])('%j: %s', (text, message) => {
    expect(said(text)).toContain(message);
    expect(parseConfig(text).config.budget).toBeUndefined();
  });

  test.each([['20 USD', 20, 'usd'], ['$0.50', 0.5, 'usd'], ['$ 3', 3, 'usd'], ['1tokens', 1, 'tokens'], ['300k tokens', 300_000, 'tokens'], ['1.5M tokens', 1_500_000, 'tokens'], ['2 K tokens', 2000, 'tokens']])('%j is %d %s', (text, amount, currency) => {
    expect(parseAmount(text)).toEqual({ in: currency, amount });
  });

  test.each(['', '5', 'USD', '$', '5 usd', '1e3 USD', '-1 USD', '5 USD ', '.5 USD', '5 m tokens', '5 G tokens', 'NaN USD', '5 EUR'])('%j is no amount', (text) => {
    expect(parseAmount(text)).toBeUndefined();
  });
});

test('a file full of agents costs no more than its size', () => {
  const lines = (line: (i: number) => string): string => Array.from({ length: 5000 }, (_, i) => `      ${line(i)}`).join('\n');
  const told = (key: string, line: (i: number) => string): string[] => codes(parseConfig(`agents:\n  claude:\n    ${key}:\n${lines(line)}`).diagnostics);
  expect(told('env', (i) => `k-${i}: x`)).toHaveLength(20);
  expect(told('prices', (i) => `k${i}: x`)).toHaveLength(500);
  expect(told('args', () => '- "\\0"')).toHaveLength(20);
});
