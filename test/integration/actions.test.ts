// GitHub Actions: what a run prints there, what it keeps from agents, and the action itself: its definition, its script, the documented workflow.

import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { describe, expect } from 'vitest';
import { buildProgram } from '../../src/commands/program.ts';
import { it, type Bed } from '../rig/bed.ts';
import { expectEnd } from '../rig/facts.ts';

const top = join(import.meta.dirname, '..', '..');

interface Step { readonly name?: string; readonly uses?: string; readonly run?: string; readonly shell?: string; readonly env?: Record<string, string>; readonly with?: Record<string, string> }
interface Action { readonly inputs: Record<string, { readonly description: string; readonly default: string }>; readonly runs: { readonly using: string; readonly steps: readonly Step[] } }

const action = parse(readFileSync(join(top, 'action.yml'), 'utf8')) as Action;
const script = action.runs.steps.find((step) => step.name === 'Run choo');
const flagsOfRun = new Set(buildProgram().commands.find((c) => c.name() === 'run')?.options.map((o) => o.long));

/** What the runner takes for a command in a line of output. */
function commandsIn(text: string): readonly string[] {
  return text.split(/[\r\n]+/).filter((line) => line.trimStart().startsWith('::') || line.includes('##['));
}

function inActions(bed: Bed): Record<string, string> {
  return { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: join(bed.base, 'summary.md'), GITHUB_ENV: join(bed.base, 'env') };
}

describe('a run', () => {
  it('annotates what failed at the line of its check, and lets no output be a command', async ({ bed }) => {
    bed.specs({ a: { tasks: [{ title: '##[error]a | <b>', check: 'printf "::error::owned\\n##[group]x\\n$GITHUB_ENV\\n"; false' }] }, b: { dependsOn: ['a'] } }, { limits: { attempts: 1 } });
    const ended = await bed.choo(['run'], { env: inActions(bed) });
    expectEnd(ended, 1);
    const commands = commandsIn(ended.stdout);
    expect(commands).toEqual([
      expect.stringMatching(/^::error file=specs\/tasks\/a\/01-part\.md,line=4,title=choo%3A a%2C task 1::/),
      '::group::a: failed, 1 attempt', '::endgroup::', '::group::b: blocked, 0 attempts', '::endgroup::',
    ]);
    expect(commands[0]).toContain('%0A| ::error::owned');
    expect(commandsIn(ended.stderr)).toEqual([]);
    expect(ended.stdout).toContain('| ::error::owned\n| ##\\u005bgroup]x');
    expect(ended.stdout + ended.stderr).not.toContain(`${bed.base}/env`);
    const summary = readFileSync(join(bed.base, 'summary.md'), 'utf8');
    expect(summary).toContain('| a | failed | 0 of 1 | 1 |');
    expect(summary).not.toMatch(/<b>|::|##\[/);
  });

  it('with --json leaves stdout to the events', async ({ bed }) => {
    bed.specs({ a: {} });
    const ended = await bed.choo(['run', '--json'], { env: inActions(bed) });
    expectEnd(ended, 0);
    for (const line of ended.stdout.trimEnd().split('\n')) expect(JSON.parse(line)).toHaveProperty('type');
    expect(commandsIn(ended.stderr)).toEqual([expect.stringMatching(/^::group::a: landed \(\w{7}\), 1 attempt$/), '::endgroup::']);
  });

  it('annotates why nothing ran, at its place; wrong flags, too', async ({ bed }) => {
    bed.specs({ a: { tasks: [{ check: '' }] } });
    const ended = await bed.choo(['run'], { env: inActions(bed) });
    expectEnd(ended, 2);
    expect(commandsIn(ended.stderr)).toEqual([expect.stringMatching(/^::error file=specs\/tasks\/a\/01-part\.md,line=4,col=15,title=choo%3A empty-check::.*%0Ahint: /)]);
    expect(readFileSync(join(bed.base, 'summary.md'), 'utf8')).toContain('nothing ran');
    const wrong = await bed.choo(['run', '--nonsense'], { env: inActions(bed) });
    expectEnd(wrong, 2);
    expect(commandsIn(wrong.stderr)).toEqual([expect.stringMatching(/^::error title=choo::error: unknown option '--nonsense'/)]);
    expect(commandsIn((await bed.choo(['run'])).stderr)).toEqual([]);
  });
});

describe('action.yml', () => {
  it('splices nothing into a script; every input is used, and every one that is used exists', () => {
    const { steps, using } = action.runs;
    expect(using).toBe('composite');
    for (const step of steps.filter(({ run }) => run !== undefined)) {
      expect(step.run).not.toContain('${{');
      expect(step.shell).toBe('bash');
      const own = new Set([...Object.keys(step.env ?? {}), 'ACTION_PATH']);
      for (const [, name = ''] of (step.run ?? '').matchAll(/\$\{?([A-Z_]+)/g)) expect(own).toContain(name);
    }
    const used = [...JSON.stringify(steps).matchAll(/inputs\.([\w-]+)/g)].map((m) => m[1] ?? '');
    expect([...new Set(used)].toSorted()).toEqual(Object.keys(action.inputs).toSorted());
    for (const input of Object.values(action.inputs)) expect(input).toMatchObject({ description: expect.any(String) as string, default: expect.any(String) as string });
  });

  it('gives flags that `choo run` has', () => {
    const flags = [...(script?.run ?? '').matchAll(/"\$@" (--[a-z-]+)|-- run (--[a-z-]+)/g)].map((m) => m[1] ?? m[2] ?? '');
    expect(flags).toEqual(expect.arrayContaining(['--ci', '--continue', '--new', '--target', '--parallelism']));
    for (const flag of flags) expect(flagsOfRun).toContain(flag);
  });

  const cases: readonly (readonly [inputs: Record<string, string>, given: readonly string[] | 2])[] = [
    [{}, ['run', '--ci', '--continue']],
    [{ INPUT_CONTINUE: 'false' }, ['run', '--ci']],
    [{ INPUT_CONTINUE: 'new', INPUT_TARGET: 'a b', INPUT_PARALLELISM: '3', INPUT_TASKS_DIR: '-x' }, ['run', '--ci', '--new', '--target', 'a b', '--parallelism', '3', '--', '-x']],
    [{ INPUT_ARGS: '--no-pr\n\n--unit\n$(touch owned) "; touch owned' }, ['run', '--ci', '--continue', '--no-pr', '--unit', '$(touch owned) "; touch owned']],
    [{ INPUT_CONTINUE: 'perhaps' }, 2],
  ];
  it.for(cases)('gives choo its inputs as they are: %j', ([inputs, given], { bed }) => {
    const path = join(bed.base, 'action');
    mkdirSync(join(path, 'bin'), { recursive: true });
    writeFileSync(join(path, 'bin', 'choo'), '#!/bin/sh\nprintf \'%s\\n\' "$@"\n');
    chmodSync(join(path, 'bin', 'choo'), 0o755);
    const defaults = Object.fromEntries(Object.entries(script?.env ?? {}).map(([name, value]) => [name, action.inputs[/inputs\.([\w-]+)/.exec(value)?.[1] ?? '']?.default ?? '']));
    bed.write('home/.gitconfig', '', bed.base);
    const env = { ...bed.env, ...defaults, ...inputs, ACTION_PATH: path };
    const ran = spawnSync('bash', ['-c', script?.run ?? 'exit 9'], { cwd: bed.root, env, encoding: 'utf8' });
    expect(ran.status, `${ran.stdout}${ran.stderr}`).toBe(given === 2 ? 2 : 0);
    if (given !== 2) expect(ran.stdout.trimEnd().split('\n')).toEqual(given);
    expect(execFileSync('git', ['config', 'user.name'], { cwd: bed.root, env: bed.env, encoding: 'utf8' }).trim()).toBe('github-actions[bot]');
    expect(bed.git('status', '--porcelain')).toBe('');
  });
});

describe('docs/ci.md', () => {
  const text = readFileSync(join(top, 'docs/ci.md'), 'utf8');
  const [, block = ''] = /```yaml\n([\s\S]*?)```/.exec(text) ?? [];

  it('has a workflow that fits the action: permissions, concurrency, secrets as environment, inputs and flags that exist', () => {
    const workflow = parse(block) as { readonly permissions: unknown; readonly concurrency: unknown; readonly jobs: { readonly choo: { readonly steps: readonly Step[] } } };
    expect(workflow.permissions).toEqual({ contents: 'write' });
    expect(workflow.concurrency).toEqual({ 'group': 'choo-${{ github.ref }}', 'cancel-in-progress': false });
    const { steps } = workflow.jobs.choo;
    expect(steps.map((step) => step.uses)).toEqual(['actions/checkout@v4', 'OWNER/choo@COMMIT']);
    const given = steps[1]?.with ?? {};
    for (const name of Object.keys(given)) expect(Object.keys(action.inputs)).toContain(name);
    for (const [flag] of (given['args'] ?? '').matchAll(/^--[a-z-]+/gm)) expect(flagsOfRun).toContain(flag);
    expect(JSON.stringify(steps[1]?.with)).not.toContain('secrets.');
    expect(steps[1]?.env?.['ANTHROPIC_API_KEY']).toContain('secrets.');
  });

  it('lists exactly the inputs of the action', () => {
    const rows = [...text.slice(text.indexOf('Inputs of the action'), text.indexOf('### What it shows')).matchAll(/^\| (`[^|]+`) \|/gm)].flatMap((m) => [...(m[1] ?? '').matchAll(/`([^`]+)`/g)].map((n) => n[1] ?? ''));
    expect(rows.toSorted()).toEqual(Object.keys(action.inputs).toSorted());
  });
});
