// `.choo.yaml`: every key has its effect on the Config, every mistake its diagnostic, all at once.

import { describe, expect, test } from 'vitest';
import { DEFAULT_LAND } from '../../../src/core/event.ts';
import { parseConfig } from '../../../src/discovery/config.ts';
import type { Config } from '../../../src/discovery/config.ts';
import { AGENT_NAMES, providerProblem } from '../../../src/discovery/providers.ts';
import { parseDuration, parseSize } from '../../../src/discovery/quantity.ts';
import { nearest } from '../../../src/discovery/suggest.ts';
import { codes, printed } from './rig.ts';

const DEFAULTS: Config = {
  branchPrefix: 'choo/',
  worktree: { setup: [], teardown: [], copy: [], pool: 'auto', keep: [], portBase: 20_000 },
  provider: { providers: {} },
  baselineChecks: [],
  conflictRetries: 3,
  guard: { base: 'ignore', protect: 'report', protected: ['.choo.yaml'] },
  limits: {},
  agents: Object.fromEntries(AGENT_NAMES.map((name) => [name, { permissions: 'workspace', args: [], env: {}, goOn: false, prices: {} }])),
  overlap: 'order', contain: 'auto', land: DEFAULT_LAND,
  pull: { github: {}, reactions: true, rules: { title: '{title}', body: '{plan}', labels: [], reviewers: [], timeout: 86_400_000, poll: 30_000, rounds: 5, stack: false, deleteBranch: true } },
};

function said(text: string): string {
  return printed(parseConfig(text).diagnostics).replaceAll('.choo.yaml:', '');
}

describe('the configuration', () => {
  test.each([['no file', undefined], ['an empty file', ''], ['a comment', '# nothing\n'], ['keys without values', 'limits:\n  # check: 5m\nworktree:\n']])('of %s is the default', (_name, text) => {
    expect(parseConfig(text)).toEqual({ config: DEFAULTS, diagnostics: [] });
  });

  test('with every key in effect, Windows line breaks and a byte order mark', () => {
    const text = `\uFEFFtarget_branch: develop
parallelism: 8
branch_prefix: bots/choo-
log_level: debug
land: {checks: never, history: each, strategy: squash, batch: 5, speculate: 3, env: [DATABASE_URL], base: record, protected: ["ci/**"], protect: approve, push: at-end}
worktree:
  base_path: /var/trees
  setup:
    - npm ci
    - {command: bundle install, if: Gemfile, reuse: {by: [Gemfile.lock], makes: [vendor]}}
  teardown: [make clean]
  copy: [".env", "config/*.local"]
  pool: always
  keep: [node_modules/]
  port_base: 30000
code_review: {provider: gemini, model: pro, command: my-gemini, mode: blocking, max_fix_iterations: 3, verbose: false, allow_same_agent: true}
provider:
  type: command
  providers:
    command: {command: my-agent}
    script: {file: scenario.json}
baseline_checks:
  - npm run lint
  - {name: types, command: tsc, pattern: "**/*.ts", retries: 2, recogniser: vitest}
merge: {max_conflict_retries: 0}
limits:
  attempts: 5
  agent_idle: 0
  agent_total: 1h30m
  check: 90s
  check_retries: 4
  setup: 500ms
  shutdown: 0s
  output: 1MiB
  failures_in_a_row: 1
  cuts: 0
  free_disk: 2GB
process: {contain: group}
github: {owner: acme, repo: shop, api_url: 'https://git.acme.test/api/v3'}
forge: {title: 'choo: {unit}', body: B, labels: [bot], reviewers: [ann, acme/core], delete_branch: false}
review: {timeout: 0, poll_interval: 5s, max_rounds: 2, reactions: false, stack: true}
escalation: {desktop: true, webhook: {url: 'https://example.com/x', secret_env: MINE}, slack: {}, routes: {info: [], warning: [desktop]}}
schedule: {overlap: wait}
`.replaceAll('\n', '\r\n');
    expect(parseConfig(text)).toEqual({
      diagnostics: [],
      config: {
        targetBranch: 'develop',
        parallelism: 8,
        branchPrefix: 'bots/choo-',
        logLevel: 'debug',
        worktree: { basePath: '/var/trees', setup: [{ command: 'npm ci' }, { command: 'bundle install', if: 'Gemfile', reuse: { by: ['Gemfile.lock'], makes: ['vendor'] } }], teardown: [{ command: 'make clean' }], copy: ['.env', 'config/*.local'], pool: 'always', keep: ['node_modules/'], portBase: 30_000 },
        provider: { type: 'command', providers: { gemini: { command: 'my-gemini' }, command: { command: 'my-agent' }, script: { file: 'scenario.json' } } },
        baselineChecks: [{ name: 'npm run lint', command: 'npm run lint' }, { name: 'types', command: 'tsc', pattern: '**/*.ts', retries: 2, recogniser: 'vitest' }],
        guard: { base: 'record', protect: 'approve', protected: ['.choo.yaml', 'ci/**'] },
        conflictRetries: 0,
        limits: { attempts: 5, agentIdle: 0, agentTotal: 5_400_000, check: 90_000, checkRetries: 4, setup: 500, shutdown: 0, output: 1_048_576, failuresInARow: 1, cuts: 0, freeDisk: 2_000_000_000 },
        agents: DEFAULTS.agents,
        overlap: 'wait',
        contain: 'group',
        escalation: { routes: { info: [], warning: ['desktop'], critical: ['terminal', 'desktop', 'webhook', 'slack', 'pull-request'], blocking: ['terminal', 'desktop', 'webhook', 'slack', 'pull-request'] }, desktop: true, webhook: { url: 'https://example.com/x', secretEnv: 'MINE' }, slack: { urlEnv: 'CHOO_SLACK_URL' } },
        review: { agent: 'gemini', model: 'pro', mode: 'blocking', rounds: 3, verbose: false, sameAgent: true },
        land: { checks: 'never', history: 'each', strategy: 'squash', batch: 5, speculate: 3, env: ['DATABASE_URL'], reuse: true, push: 'at-end' },
        pull: { github: { owner: 'acme', repo: 'shop', apiUrl: 'https://git.acme.test/api/v3' }, reactions: false, rules: { title: 'choo: {unit}', body: 'B', labels: ['bot'], reviewers: ['ann', 'acme/core'], timeout: 0, poll: 5000, rounds: 2, stack: true, deleteBranch: false } },
      },
    });
  });

  test('known keys whose feature is not built are accepted with a warning', () => {
    const { diagnostics } = parseConfig('feature: {}\n');
    expect(codes(diagnostics)).toEqual(['warning not-in-effect']);
    expect(printed(diagnostics.slice(0, 1))).toBe('.choo.yaml:1:1: warning: `feature` is not in effect in this version [not-in-effect]\n    feature: {}\n    ~~~~~~~');
  });

  test.each([
    ['github: {owner: "a/b"}', '`github.owner` is no name that GitHub has'],
    ['github: {api_url: "http://git.acme.test/api/v3"}', '`github.api_url` must begin with https://'],
    ['forge: {reviewers: ["@ann"]}', 'a reviewer is a login, or `org/team`'],
    ['review: {timeout: 500h}', '`review.timeout` is too long'],
    ['review: {poll_interval: 1ms}', '`review.poll_interval` must be between 100ms and 20 days'],
    ['review: {poll_interval: 0}', '`review.poll_interval` must be between'],
    ['review: {max_round: 1}', 'there is no key `review.max_round`'],
  ])('%s is refused where it stands', (text, message) => {
    expect(said(text)).toContain(message);
    expect(codes(parseConfig(text).diagnostics)[0]).toMatch(/^error /);
  });

  test('reviews are made by codex, once, as advice, where nothing else is said; or not at all', () => {
    const reviewOf = (text: string): unknown => parseConfig(text).config.review;
    expect(reviewOf('code_review: {}')).toEqual({ agent: 'codex', mode: 'advisory', rounds: 1, verbose: true, sameAgent: false });
    expect(reviewOf('code_review: {enabled: false, provider: gemini}')).toBeUndefined();
    expect(reviewOf('parallelism: 1')).toBeUndefined();
    expect(parseConfig('provider: {providers: {codex: {command: mine}}}\ncode_review: {command: other}').config.provider.providers.codex).toEqual({ command: 'mine' });
  });

  test('`provider.command` is an old name', () => {
    const { config, diagnostics } = parseConfig('provider:\n  type: command\n  command: my-agent\n');
    expect(config.provider.providers.command).toEqual({ command: 'my-agent' });
    expect(printed(diagnostics)).toBe('.choo.yaml:3:3: warning: `provider.command` is an old name of `provider.providers.command.command` [alias]\n      command: my-agent\n      ~~~~~~~');
  });
});

describe('mistakes', () => {
  test('are all told at once, to the character', () => {
    expect(said(`paralelism: 3
parallelism: 0
log_level: wran
limits:
  check: 5
  setup: 3 minutes
  output: 10M
worktree:
  setup: npm ci
  teardown: [{command: x, iff: y}, {if: z}, 3]
target_branch: 1.5
`)).toBe(`1:1: error: there is no key \`paralelism\` [unknown-key]
    paralelism: 3
    ~~~~~~~~~~
  hint: did you mean \`parallelism\`?
2:14: error: \`parallelism\` must be at least 1, not the number 0 [bad-value]
    parallelism: 0
                 ~
3:12: error: \`log_level\` must be one of debug, info, warn, error, not the text "wran" [bad-value]
    log_level: wran
               ~~~~
  hint: did you mean \`warn\`?
5:10: error: \`limits.check\` must be a duration like 90s or 1h30m, not the number 5 [wrong-type]
      check: 5
             ~
6:10: error: \`limits.setup\` must be a duration like 90s or 1h30m, not the text "3 minutes" [bad-value]
      setup: 3 minutes
             ~~~~~~~~~
7:11: error: \`limits.output\` must be a size like 10MiB, not the text "10M" [bad-value]
      output: 10M
              ~~~
9:10: error: \`worktree.setup\` must be a list, not the text "npm ci" [wrong-type]
      setup: npm ci
             ~~~~~~
10:27: error: there is no key \`worktree.teardown[0].iff\` [unknown-key]
      teardown: [{command: x, iff: y}, {if: z}, 3]
                              ~~~
  hint: did you mean \`if\`?
10:36: error: \`worktree.teardown[1].command\` is missing [missing-key]
      teardown: [{command: x, iff: y}, {if: z}, 3]
                                       ~~~~~~~
10:45: error: \`worktree.teardown[2]\` must be a text or a mapping of keys, not the number 3 [wrong-type]
      teardown: [{command: x, iff: y}, {if: z}, 3]
                                                ~
  hint: quote it: "3"
11:16: error: \`target_branch\` must be a text, not the number 1.5 [wrong-type]
    target_branch: 1.5
                   ~~~
  hint: quote it: "1.5"`);
  });

  test.each([
    ['- a', 'the file must be a mapping of keys, not a list [wrong-type]'],
    ['hello', 'the file must be a mapping of keys, not the text "hello" [wrong-type]'],
    ['a: [', '[yaml-syntax]'],
    ['parallelism: 1\n---\nparallelism: 2', 'there is more than one YAML document [yaml-documents]'],
    ['parallelism: 1\nparallelism: 2', 'the key `parallelism` is there twice [duplicate-key]'],
    ['parallelism: 1.5', '`parallelism` must be a whole number, not the number 1.5 [wrong-type]'],
    ['parallelism: 1001', '`parallelism` must be at most 1000, not the number 1001 [bad-value]'],
    ['parallelism: "4"', '`parallelism` must be a whole number, not the text "4" [wrong-type]'],
    ['target_branch: ""', '`target_branch` must not be empty [bad-value]'],
    ['target_branch: a..b', 'the branch name `a..b` contains `..` or `@{`, which git refuses in a branch name [bad-value]'],
    ['target_branch: -f', 'the branch name `-f` begins with `-`, which programs take for a flag [bad-value]'],
    ['branch_prefix: a b', 'the prefix `a b` contains a space, or a character that steers or cannot be seen, which git refuses or hides [bad-value]'],
    ['branch_prefix: /', 'the prefix `/` has an empty part [bad-value]'],
    ['limits: {check: 0}', '`limits.check` must be longer than nothing [bad-value]'],
    ['limits: {agent_total: 481h}', '`limits.agent_total` must not be longer than 480h [bad-value]'],
    ['limits: {output: 1B}', '`limits.output` must be at least 16KiB [bad-value]'],
    ['limits: {free_disk: 99999999GiB}', '`limits.free_disk` is too large [bad-value]'],
    ['limits: {attempts: 0}', '`limits.attempts` must be at least 1, not the number 0 [bad-value]'],
    ['limits: 3', '`limits` must be a mapping of keys, not the number 3 [wrong-type]'],
    ['worktree: {setup: [" "]}', 'the command is empty [bad-value]'],
    ['worktree: {setup: [{command: x, if: ../y}]}', '`if` must be a path inside the worktree [bad-value]'],
    ['worktree: {setup: [{command: x, if: /y}]}', '`if` must be a path inside the worktree [bad-value]'],
    ...['../y', '/y', 'a/../../y', '.git/hooks', 'a/.git', './a', 'a//b'].flatMap((path): [string, string][] => [
      [`worktree: {setup: [{command: x, reuse: {by: ["${path}"], makes: [y]}}]}`, 'must be a path inside the worktree'],
      [`worktree: {setup: [{command: x, reuse: {by: [y], makes: [z, "${path}"]}}]}`, 'must be a path inside the worktree'],
    ]),
    ['worktree: {setup: [{command: x, reuse: {by: [y]}}]}', '`worktree.setup[0].reuse.makes` is missing [missing-key]'],
    ['worktree: {teardown: [{command: x, reuse: {by: [y], makes: [z]}}]}', 'there is no key `worktree.teardown[0].reuse` [unknown-key]'],
    ['escalation: {routes: {critical: [desktop]}}', '`desktop` is not configured [bad-value]'],
    ['escalation: {pull_request: false, routes: {critical: [pull-request]}}', '`pull-request` is not configured [bad-value]'],
    ['escalation: {routes: {loud: [terminal]}}', 'there is no key `escalation.routes.loud`'],
    ['escalation: {webhook: {url: "http://example.com"}}', '`escalation.webhook.url` must begin with https:// (http:// only on this machine) [bad-value]'],
    ['escalation: {webhook: {url: "https://me:pw@example.com"}}', '`escalation.webhook.url` must not hold a password [bad-value]'],
    ['escalation: {webhook: {url: nowhere}}', '`escalation.webhook.url` is not an address [bad-value]'],
    ['escalation: {webhook: {}}', '`escalation.webhook.url` is missing'],
    ['escalation: {slack: {url_env: "not a name"}}', '`escalation.slack.url_env`'],
    ['code_review: {provider: codecs}', '`code_review.provider` must be one of claude, codex,'],
    ['code_review: {mode: strict}', '`code_review.mode` must be one of advisory, blocking'],
    ['code_review: {max_fix_iterations: -1}', '`code_review.max_fix_iterations`'],
    ['code_review: {rounds: 1}', 'there is no key `code_review.rounds`'],
    ['worktree: {copy: [1]}', '`worktree.copy[0]` must be a text, not the number 1 [wrong-type]'],
    ['baseline_checks: [" "]', 'the check is empty: it would prove nothing [empty-check]'],
    ['baseline_checks: [{name: a, comand: b}]', 'there is no key `baseline_checks[0].comand` [unknown-key]'],
    ['baseline_checks: [true]', 'hint: quote it: "true"'],
    ['process: {contain: jail}', '`process.contain` must be one of auto, namespace, group, not the text "jail" [bad-value]'],
    ['provider: {type: comand}', 'there is no agent `comand` [unknown-provider]'],
    ['provider: {type: command}', 'the agent `command` has no program [missing-key]'],
    ['provider: {type: script}', 'the agent `script` has no scenario [missing-key]'],
    ['provider: {type: acp}', 'the agent `acp` has no program [missing-key]'],
    ['provider: {type: claude, providers: {claude: {command: " "}}}', 'the agent `claude` has no program [missing-key]'],
    ['provider: {providers: {claude: {file: x}}}', 'there is no key `provider.providers.claude.file` [unknown-key]'],
    ['claude: {comand: x}', 'there is no key `claude.comand` [unknown-key]'],
    ['claude: {max_turns: 0}', '`claude.max_turns` must be at least 1, not the number 0 [bad-value]'],
    ['codex: 1', '`codex` must be a mapping of keys, not the number 1 [wrong-type]'],
    ['provider: {providers: {claud: {}}}', 'there is no key `provider.providers.claud` [unknown-key]'],
    ['tasks_dir: x', 'there is no key `tasks_dir` [unknown-key]'],
  ])('%j: %s', (text, message) => {
    expect(said(text)).toContain(message);
    expect(parseConfig(text).config).toEqual(DEFAULTS);
  });

  test('in a hostile file cost no more than its size', () => {
    expect(codes(parseConfig(`${'x'.repeat(1024 * 1024)}y: 1`).diagnostics)).toEqual(['error file-too-large']);
    expect(codes(parseConfig(`a: ${'['.repeat(100_000)}`).diagnostics)).toEqual(['error yaml-too-deep']);
    const keys = Array.from({ length: 50_000 }, (_, i) => `k${i}: 1`).join('\n');
    expect(codes(parseConfig(keys).diagnostics)).toHaveLength(20);
  });
});

describe('agents', () => {
  const config = parseConfig('provider: {providers: {command: {command: x}}}').config;

  test.each(['command', 'claude', 'codex', 'gemini', 'opencode', 'copilot'])('%s can be used', (name) => {
    expect(providerProblem(config, name)).toBeUndefined();
  });

  test.each([
    [undefined, 'no-provider', 'set provider.type to one of claude, codex, gemini, opencode, copilot, acp, command'],
    ['script', 'missing-key', 'set provider.providers.script.file to its repository path'],
    ['acp', 'missing-key', 'set provider.providers.acp.command to a program that speaks the Agent Client Protocol on stdin and stdout, like `gemini --acp`'],
    ['scrpt', 'unknown-provider', 'did you mean `script`?'],
    ['hasOwnProperty', 'unknown-provider', 'one of claude, codex, gemini, opencode, copilot, acp, command, script'],
  ])('%s: %s', (name, code, hint) => {
    expect(providerProblem(config, name)).toMatchObject({ code, hint });
  });
});

describe('durations and sizes', () => {
  test.each([['90s', 90_000], ['1h30m', 5_400_000], ['500ms', 500], ['1.5h', 5_400_000], ['0', 0], ['0s', 0], ['480h', 1_728_000_000]])('%s is %i ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each(['', '5', '1d', '-1s', 's', '1 s', '1h 30m', '1e3s', '481h', `${'9'.repeat(60)}s`])('%j is no duration', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test.each([['10MiB', 10_485_760], ['1GiB', 1_073_741_824], ['512B', 512], ['1.5KB', 1500], ['2MB', 2_000_000], ['3GB', 3_000_000_000], ['4KiB', 4096]])('%s is %i bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each(['', '10', '10M', '10mib', '-1B', '1 GiB', '99999999GiB'])('%j is no size', (text) => {
    expect(parseSize(text)).toBeUndefined();
  });
});

test('the nearest name is near, and the first of those as near', () => {
  expect(nearest('corre', ['web', 'core', 'cores'])).toBe('core');
  expect(nearest('dpeends_on', ['depends_on'])).toBe('depends_on');
  expect(nearest('WEB', ['web'])).toBe('web');
  expect(nearest('x', ['yz', 'abc'])).toBeUndefined();
  expect(nearest('database', ['core', 'web'])).toBeUndefined();
  expect(nearest('x'.repeat(1000), ['x'.repeat(999)])).toBeUndefined();
});
