// What agents need: versions read from what the real programs print, compared, and paths of logins.

import { describe, expect, test } from 'vitest';
import { installCommand, isTooOld, loginPaths, readVersion, requirementsOf } from '../../../src/agents/requirements.ts';
import type { Requirements } from '../../../src/agents/requirements.ts';
import { AGENT_NAMES } from '../../../src/discovery/providers.ts';

function of(name: string): Requirements {
  const found = requirementsOf(name);
  expect(found).toBeDefined();
  return found as Requirements;
}

test('are there for every agent that is a program of its own, and for no other', () => {
  const without = ['acp', 'command', 'script'];
  expect(AGENT_NAMES.filter((name) => requirementsOf(name) === undefined)).toEqual(without);
  for (const name of ['constructor', '__proto__', 'toString']) expect(requirementsOf(name)).toBeUndefined();
});

describe('versions', () => {
  // As printed by the real programs in an empty HOME.
  test.each([
    ['claude', '2.1.330 (Claude Code)\n', '2.1.330'],
    ['codex', 'WARNING: proceeding, even though we could not create PATH aliases: "/tmp/home.1.2.3/.codex"\ncodex-cli 0.169.0\n', '0.169.0'],
    ['gemini', '0.61.0\n', '0.61.0'],
    ['gemini', 'Loaded cached credentials.\n0.62.0-nightly.20261101.abcdef\n', '0.62.0'],
    ['opencode', '1.18.33\n', '1.18.33'],
    ['copilot', 'GitHub Copilot CLI 1.0.102.\nRun \'copilot update\' to check for updates.\n', '1.0.102'],
  ])('of %s in %j', (name, printed, version) => {
    const needs = of(name);
    expect(readVersion(needs, printed)).toBe(version);
    expect(isTooOld(needs, version)).toBe(false);
  });

  test.each(['', 'error: 2.1', 'hello', '{"version":"9.9.9"}', 'Node.js v20.20.0 is too old\n'])('in %j there is none', (printed) => {
    for (const name of ['claude', 'codex', 'gemini', 'opencode', 'copilot']) expect(readVersion(of(name), printed)).toBeUndefined();
  });

  test.each([['2.1.197', false], ['2.1.196', true], ['2.0.999', true], ['1.99.99', true], ['2.2.0', false], ['10.0.0', false], ['2.1.1000', false], ['99999999999999999999.0.0', false]])('%s of claude is too old: %s', (version, old) => {
    expect(isTooOld(of('claude'), version)).toBe(old);
  });

  test('are looked for in time that does not grow beyond what was printed', () => {
    const printed = `${'1.2.3'.repeat(20_000)}\n`.repeat(10);
    for (const name of ['claude', 'codex', 'gemini', 'opencode', 'copilot']) expect(typeof readVersion(of(name), printed)).not.toBe('number');
  });
});

test('the minimum is a version, the package can be installed by a command', () => {
  for (const name of AGENT_NAMES) {
    const needs = requirementsOf(name);
    if (needs === undefined) continue;
    expect(needs.minimum).toMatch(/^\d+\.\d+\.\d+$/);
    expect(installCommand(needs)).toBe(`npm install -g ${needs.npm}`);
  }
});

describe('logins', () => {
  const at = { home: '/home/me', root: '/repo' };

  test('are below HOME, or where the agent\'s own variable says', () => {
    expect(loginPaths(of('claude'), { ...at, env: {} })).toEqual({
      files: ['/home/me/.claude/.credentials.json'],
      settings: ['/home/me/.claude/settings.json', '/etc/claude-code', '/repo/.claude/settings.json', '/repo/.claude/settings.local.json'],
    });
    expect(loginPaths(of('codex'), { ...at, env: { CODEX_HOME: '/keys' } }).files).toEqual(['/keys/auth.json']);
    expect(loginPaths(of('codex'), { ...at, env: { CODEX_HOME: '' } }).files).toEqual(['/home/me/.codex/auth.json']);
    expect(loginPaths(of('opencode'), { ...at, env: { XDG_DATA_HOME: '/data' } })).toEqual({ files: ['/data/opencode/auth.json'], settings: undefined });
  });

  test('by variables that agents do not get from choo do not count', () => {
    for (const name of ['claude', 'codex', 'gemini', 'opencode', 'copilot']) {
      expect(of(name).login.variables.length).toBeGreaterThan(0);
      expect(of(name).login.variables).not.toEqual(expect.arrayContaining(['GITHUB_TOKEN']));
    }
  });
});
