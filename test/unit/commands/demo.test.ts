// The demo for real agents: what the scripted model asks for, played by sh against the checks; its configuration; what it refuses.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { commandFrom } from '../../../src/commands/demo-agent.ts';
import { agentFiles, demoFiles, demoParts } from '../../../src/commands/demo-files.ts';
import { demoScenario } from '../../../src/commands/demo-turns.ts';
import { parseConfig } from '../../../src/discovery/config.ts';
import { main } from '../../../src/main.ts';
import { CLIENTS } from '../../../src/model-server/clients.ts';
import { play } from '../../../src/model-server/scenario.ts';
import type { Turn } from '../../../src/model-server/turn.ts';
import { buildPrompt } from '../../../src/worker/prompt.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'choo-demo-test-')));
afterAll(() => rmSync(folder, { recursive: true }));

interface At {
  readonly unit: string;
  readonly task: number;
  readonly check: string;
  readonly attempt: number;
}

/** The prompt that choo would write. */
function promptAt({ unit, task, check, attempt }: At): string {
  const one = { number: task, title: 'a title', path: `specs/tasks/${unit}/0${task}-x.md`, check, dependsOn: [], complete: false };
  return buildPrompt({
    unit: { id: unit, dir: `specs/tasks/${unit}`, planPath: `specs/tasks/${unit}/IMPLEMENTATION_PLAN.md`, dependsOn: [], tasks: [one], checks: [], touches: [] },
    task: { task: one, text: '# a title\n' }, tasksDir: 'specs/tasks', checks: [check], attempt,
    ...(attempt === 1 ? {} : { because: { kind: 'check-failed', check, command: check, ending: { code: 1 }, output: { tail: 'no\n', log: '/log' } } }),
  });
}

/** All turns of an attempt, until the model has done with it. */
function turnsAt(at: At): readonly Turn[] {
  const scenario = play(demoScenario());
  const prompt = promptAt(at);
  const turns: Turn[] = [];
  while (turns.at(-1)?.do !== 'say') turns.push(scenario.next({ prompt, results: turns.map(() => ''), tools: ['shell'], model: 'scripted', stream: true }));
  return turns;
}

function commandsOf(turns: readonly Turn[]): readonly string[] {
  return turns.flatMap((turn) => (turn.do === 'run' ? [turn.command] : []));
}

function write(top: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(top, path)), { recursive: true });
    writeFileSync(join(top, path), text);
  }
}

describe('what the scripted model asks for', () => {
  it('passes every check in the last attempt and in none before', () => {
    const cwd = join(folder, 'inn');
    write(cwd, demoFiles());
    for (const { unit, task, check, attempts } of demoParts()) {
      for (const [i, steps] of attempts.entries()) {
        for (const command of commandsOf(turnsAt({ unit, task, check, attempt: i + 1 }))) execFileSync('sh', ['-c', command], { cwd });
        for (const [path, text] of steps.flatMap((step) => ('write' in step ? Object.entries(step.write) : []))) expect(readFileSync(join(cwd, path), 'utf8')).toBe(text);
        const passes = spawnSync('sh', ['-c', check], { cwd }).status === 0;
        expect(passes, `${unit}/${task}, attempt ${i + 1}`).toBe(i + 1 === attempts.length);
      }
    }
    execFileSync('sh', ['tests/all.sh'], { cwd });
    expect(execFileSync('sh', ['inn.sh'], { cwd, encoding: 'utf8' })).toBe('welcome; a stew is 9\n');
  });

  it('goes on like the last attempt', () => {
    for (const { unit, task, check, attempts } of demoParts()) {
      const last = turnsAt({ unit, task, check, attempt: attempts.length });
      for (const attempt of [attempts.length + 1, 12]) expect(turnsAt({ unit, task, check, attempt })).toEqual(last);
    }
  });

  it('has nothing in its commands that an agent refuses', () => {
    const commands = demoParts().flatMap((part) => part.attempts.flatMap((_, i) => commandsOf(turnsAt({ ...part, attempt: i + 1 }))));
    expect(commands.length).toBeGreaterThan(8);
    expect(commands.filter((command) => /\$\(|`|<\(/.test(command))).toEqual([]);
  });
});

describe('its configuration', () => {
  it.each(Object.entries(CLIENTS))('is one for %s', (agent, client) => {
    for (const command of [undefined, '/opt/x y/it\'s "here"']) {
      const { '.choo.yaml': text } = agentFiles({ agent, command: agent === 'acp' ? command ?? 'acp' : command, settings: client.settings('http://127.0.0.1:1') });
      const { config, diagnostics } = parseConfig(text);
      expect(diagnostics).toEqual([]);
      expect(config.provider.type).toBe(agent);
    }
  });

  it('names a program as it is seen from where the user stands', () => {
    const program = join(folder, 'a program', 'it\'s');
    write(folder, { 'a program/it\'s': '', 'bin/plain': '', plain: '' });
    expect(commandFrom('./bin/plain', folder)).toBe(join(folder, 'bin', 'plain'));
    expect(execFileSync('sh', ['-c', `printf %s ${commandFrom('a program/it\'s', folder)}`], { encoding: 'utf8' })).toBe(program);
    for (const command of ['plain', 'node ./bin/plain', './bin/none', '/none/at all']) expect(commandFrom(command, folder)).toBe(command);
  });
});

async function choo(...argv: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const code = await main(argv, { stdout, stderr, cwd: folder, env: { PATH: process.env['PATH'], HOME: folder } });
  return { code, out: String((stdout.read() as Buffer | null) ?? ''), err: String((stderr.read() as Buffer | null) ?? '') };
}

describe('choo demo refuses', () => {
  it.each([
    [['--agent', 'cluade'], /there is no agent `cluade`[^]*did you mean `claude`/],
    [['--agent', '\u001b[2Jx'], /there is no agent `[^]*one of claude, codex/],
    [['--agent', 'toString'], /there is no agent `toString`/],
    [['--agent', 'script'], /`script` asks no model[^]*without --agent/],
    [['--agent', 'command', '--command', 'x'], /what model a `command` asks[^]*one of claude/],
    [['--agent', 'acp'], /behind the agent `acp`[^]*--command "gemini --acp"/],
    [['--agent', 'claude', '--command', ' '], /--command names no program/],
    [['--command', 'claude'], /--command belongs to --agent/],
    [['--agent'], /argument missing/],
  ] as const)('%j', async (argv, says) => {
    const ended = await choo('demo', ...argv);
    expect(ended).toMatchObject({ code: 2, out: '' });
    expect(ended.err).toMatch(says);
    expect(ended.err).not.toContain('\u001b');
  });
});
