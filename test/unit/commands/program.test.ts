// The command line as a user meets it: help, mistakes, exit codes. Nothing here starts a run.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { exitCode } from '../../../src/commands/run.ts';
import { buildProgram } from '../../../src/commands/program.ts';
import { main } from '../../../src/main.ts';
import { VERSION } from '../../../src/version.ts';

const nowhere = mkdtempSync(join(tmpdir(), 'choo-nowhere-'));
afterAll(() => rmSync(nowhere, { recursive: true }));

async function choo(...argv: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const code = await main(argv, { stdout, stderr, cwd: nowhere, env: { PATH: process.env['PATH'], HOME: nowhere } });
  return { code, out: String((stdout.read() as Buffer | null) ?? ''), err: String((stderr.read() as Buffer | null) ?? '') };
}

const verbs = buildProgram().commands.map((command) => command.name());

describe('help', () => {
  it('is what choo alone prints', async () => {
    const help = await choo('--help');
    expect(help).toMatchObject({ code: 0, err: '' });
    expect(await choo()).toEqual(help);
    for (const verb of verbs) expect(help.out).toContain(`\n  ${verb} `);
  });

  it.each(verbs)('of %s has examples', async (verb) => {
    const help = await choo(verb, '--help');
    expect(help.code).toBe(0);
    expect(help.out).toMatch(new RegExp(`^Usage: choo ${verb}[^]*\nExamples:\n {2}choo `));
  });
});

describe('version', () => {
  it('is printed by flag and command alike', async () => {
    expect(await choo('--version')).toEqual({ code: 0, out: `choo ${VERSION}\n`, err: '' });
    expect(await choo('version')).toEqual({ code: 0, out: `choo ${VERSION}\n`, err: '' });
  });
});

describe('a mistake on the command line ends 2 and changes nothing', () => {
  it.each([
    [['statsu'], /unknown command 'statsu'\n\(Did you mean status\?\)/],
    [['run', '--dryrun'], /unknown option '--dryrun'\n\(Did you mean --dry-run\?\)/],
    [['run', '-p', 'many'], /'many' is invalid. It must be a whole number/],
    [['run', '-p', '0'], /whole number from 1 on/],
    [['run', '-n', '--format', 'png'], /Allowed choices are text, json, mermaid, dot/],
    [['run', '--format', 'dot'], /--format belongs to --dry-run/],
    [['run', 'one', 'two'], /too many arguments/],
    [['retry'], /name units, or give --failed/],
    [['retry', 'a', '--failed'], /name units, or give --failed/],
    [['logs'], /missing required argument 'unit'/],
    [['run', '--unit'], /argument missing/],
  ] as const)('%j', async (argv, says) => {
    const ended = await choo(...argv);
    expect(ended.code).toBe(2);
    expect(ended.err).toMatch(says);
    expect(ended.out).toBe('');
  });

  it.each(['run', 'resume', 'status', 'stop', 'init'])('%s outside a repository', async (verb) => {
    const ended = await choo(verb);
    expect(ended.code).toBe(2);
    expect(ended.err).toMatch(/is not inside a git repository \[not-a-repository\]\n {2}hint: /);
  });

  it('is told as data, too, with --json', async () => {
    const ended = await choo('run', '--json');
    expect(ended.code).toBe(2);
    expect(JSON.parse(ended.out)).toMatchObject({ version: 1, diagnostics: [{ code: 'not-a-repository', severity: 'error' }] });
  });
});

describe('exit codes', () => {
  const ended = { nothing: false, complete: false, bug: false };
  it.each([
    [{ ...ended, complete: true }, 0],
    [{ ...ended, complete: true, nothing: true }, 0],
    [{ ...ended, complete: true, stoppedBy: 'SIGINT' }, 0],
    [ended, 1],
    [{ ...ended, stoppedBy: 'choo stop' }, 1],
    [{ ...ended, stoppedBy: 'SIGINT' }, 130],
    [{ ...ended, stoppedBy: 'SIGTERM' }, 143],
    [{ ...ended, stoppedBy: 'SIGHUP' }, 129],
    [{ ...ended, bug: true, stoppedBy: 'SIGINT' }, 3],
  ])('%j ends %d', (how, code) => expect(exitCode(how)).toBe(code));
});
