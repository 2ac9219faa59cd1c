// Which of flag, environment, file and default holds, for each setting.

import { describe, expect, test } from 'vitest';
import { DEFAULT_LAND } from '../../../src/core/event.ts';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import type { Unit } from '../../../src/core/plan.ts';
import { parseConfig } from '../../../src/discovery/config.ts';
import { assignAgents, resolveSettings } from '../../../src/discovery/settings.ts';
import type { Flags, ResolvedSettings } from '../../../src/discovery/settings.ts';
import { printed } from './rig.ts';

function resolve(o: { readonly file?: string; readonly env?: Readonly<Record<string, string>>; readonly flags?: Flags } = {}): ResolvedSettings {
  return resolveSettings({ config: parseConfig(o.file).config, env: o.env ?? {}, flags: o.flags ?? {} }).settings;
}

describe('settings', () => {
  test('without anything are the defaults', () => {
    expect(resolve()).toEqual({
      targetBranch: undefined, parallelism: 4, limits: DEFAULT_LIMITS, idleLimitSet: false, conflictRetries: 3, land: DEFAULT_LAND, branchPrefix: 'choo/',
      logLevel: 'info', skipReview: false, wait: true, worktreeBase: undefined, provider: undefined, agentCommands: {}, forceProvider: undefined,
    });
  });

  test('of the file win over defaults', () => {
    const file = 'target_branch: dev\nparallelism: 2\nlimits: {check: 1m, agent_idle: 2m}\nmerge: {max_conflict_retries: 1}\nlog_level: warn\nworktree: {base_path: /w}\nprovider: {type: command, command: x}\nbranch_prefix: c/';
    expect(resolve({ file })).toEqual({
      targetBranch: 'dev', parallelism: 2, limits: { ...DEFAULT_LIMITS, check: 60_000, agentIdle: 120_000 }, idleLimitSet: true, conflictRetries: 1, land: DEFAULT_LAND, branchPrefix: 'c/',
      logLevel: 'warn', skipReview: false, wait: true, worktreeBase: '/w', provider: 'command', agentCommands: {}, forceProvider: undefined,
    });
  });

  test('of the environment win over the file, the new names over the old', () => {
    const file = 'log_level: warn\nworktree: {base_path: /w}\nprovider: {type: command, command: x}';
    expect(resolve({ file, env: { RALPH_LOG_LEVEL: 'ERROR', RALPH_WORKTREE_BASE: '/r', RALPH_PROVIDER: 'script' } })).toMatchObject({ logLevel: 'error', worktreeBase: '/r', provider: 'script' });
    const both = { RALPH_LOG_LEVEL: 'error', CHOO_LOG_LEVEL: 'debug', RALPH_WORKTREE_BASE: '/r', CHOO_WORKTREE_BASE: '/c', RALPH_PROVIDER: 'a', CHOO_PROVIDER: 'b' };
    expect(resolve({ file, env: both })).toMatchObject({ logLevel: 'debug', worktreeBase: '/c', provider: 'b' });
    expect(resolve({ file, env: { CHOO_PROVIDER: '', CHOO_LOG_LEVEL: '' } })).toMatchObject({ logLevel: 'warn', provider: 'command' });
  });

  test('name the programs of two agents, the new names over the old; a blank one counts as not set', () => {
    expect(resolve({ env: { RALPH_CLAUDE_CMD: '/opt/claude', RALPH_CODEX_CMD: '/opt/codex --quiet' } }).agentCommands).toEqual({ claude: '/opt/claude', codex: '/opt/codex --quiet' });
    expect(resolve({ env: { RALPH_CLAUDE_CMD: 'old', CHOO_CLAUDE_CMD: 'new', CHOO_CODEX_CMD: ' ' } }).agentCommands).toEqual({ claude: 'new' });
    expect(resolve({ env: { CHOO_GEMINI_CMD: 'x', CHOO_CLAUDE_CMD: ' ', RALPH_CLAUDE_CMD: 'old' } }).agentCommands).toEqual({ claude: 'old' });
  });

  test('of flags win over all', () => {
    const flags = { parallelism: 9, target: 'main', provider: 'script', forceProvider: 'command' };
    expect(resolve({ file: 'parallelism: 2\ntarget_branch: dev', env: { CHOO_PROVIDER: 'b' }, flags })).toMatchObject({ parallelism: 9, targetBranch: 'main', provider: 'script', forceProvider: 'command' });
  });

  test('that are wrong are told', () => {
    const { diagnostics } = resolveSettings({ config: parseConfig(undefined).config, env: { CHOO_LOG_LEVEL: 'inof' }, flags: { parallelism: 0, target: 'a..b' } });
    expect(printed(diagnostics)).toBe([
      'error: --parallelism must be a whole number from 1 to 1000 [bad-flag]',
      'error: --target: the branch name `a..b` contains `..` or `@{`, which git refuses in a branch name [bad-flag]',
      'error: CHOO_LOG_LEVEL must be one of debug, info, warn, error, not "inof" [bad-variable]',
      '  hint: did you mean `info`?',
    ].join('\n'));
  });
});

describe('agents of units', () => {
  const unit = (id: string, provider?: string): Unit => ({ id, dir: id, planPath: id, dependsOn: [], tasks: [], checks: [], touches: [], ...(provider === undefined ? {} : { provider }) });
  const units = [unit('a'), unit('b', 'script'), unit('constructor', 'script')];

  test('are their own, else the default', () => {
    expect(assignAgents(units, { provider: 'command', forceProvider: undefined })).toEqual({ '*': 'command', b: 'script', constructor: 'script' });
    expect(assignAgents(units, { provider: undefined, forceProvider: undefined })).toEqual({ b: 'script', constructor: 'script' });
  });

  test('are the forced one, whatever their plans say', () => {
    expect(assignAgents(units, { provider: 'command', forceProvider: 'x' })).toEqual({ '*': 'x' });
  });
});
