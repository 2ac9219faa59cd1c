// `choo completion bash` in a real bash, and the names that scripts ask for. zsh and fish, and all three as somebody types: test/shells.mjs.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { it } from '../rig/bed.ts';
import type { Bed } from '../rig/bed.ts';
import { expectEnd } from '../rig/facts.ts';

const HOSTILE = 'x$(touch${IFS}pwned)';

/** As it is without `compopt`, which is not to be had here, nor in the bash of macOS; with it: test/shells.mjs. */
const CASES: readonly (readonly [words: readonly string[], offered: readonly string[]])[] = [
  [['st'], ['status', 'stop']],
  [['nonsense', ''], []],
  [['__'], []],
  [['run', '--form'], ['--format']],
  [['run', '--format', ''], ['text', 'json', 'mermaid', 'dot']],
  [['run', '--format', '=', 't'], ['text']],
  [['run', '--format', '='], ['text', 'json', 'mermaid', 'dot']],
  [['run', '--format=t'], ['--format=text']],
  [['run', '--unit', 'a', '--unit', 'p'], ['page']],
  [['run', '--provider', 'cod'], ['codex']],
  [['run', '-t', ''], ['main', 'topic']],
  [['run', '-p', '4', 'my'], ['my\\ folder']],
  [['run', 'my\\ f'], ['my\\ folder']],
  [['run', '"m'], []],
  [['run', '--', '-'], []],
  [['run', '--', 'my'], ['my\\ folder']],
  [['stop', ''], ['--now', '-h', '--help']],
  [['retry', ''], ['a', 'page', 'x\\$\\(touch\\$\\{IFS\\}pwned\\)']],
  [['retry', '"x'], []],
  [['retry', '--', 'p'], ['page']],
  [['logs', '--task', '2', 'p'], ['page']],
  [['logs', 'a', '-'], ['--task', '--attempt', '-f', '--follow', '--raw', '-h', '--help']],
  [['mcp', '--allow', 'run', 're'], ['resume', 'retry']],
  [['mcp', '--allow', 'run', '--allow-'], ['--allow-approve']],
  [['mcp', '--repository=my'], ['--repository=my\\ folder']],
  [['demo', '--agent', 'c'], ['claude', 'codex', 'copilot']],
  [['help', 'comp'], ['completion']],
  [['completion', ''], ['bash', 'zsh', 'fish']],
  [['resume', '--from-remote', ''], ['1', '2']],
  [['resume', '--from-remote', '--acc'], ['--accept-plan']],
];

function fixture(bed: Bed): void {
  bed.specs({ a: {}, page: {}, [HOSTILE]: {} });
  bed.git('branch', 'topic');
  mkdirSync(join(bed.root, 'my folder'));
  for (const run of ['1', '2']) mkdirSync(join(bed.root, '.git/choo/runs', run, 'logs', 'page'), { recursive: true });
}

it('bash offers what fits, cut at equals signs or not, quoted, and runs nothing of it', async ({ bed }) => {
  fixture(bed);
  const bin = join(bed.base, 'bin');
  mkdirSync(bin);
  symlinkSync(join(import.meta.dirname, '..', '..', 'bin', 'choo'), join(bin, 'choo'));
  const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
  const script = [
    'source <(choo completion bash) || exit 1',
    'try() { COMP_WORDS=(choo "$@") COMP_CWORD=$#; _choo 2> /dev/null; printf "%s\\n" "${#COMPREPLY[@]}" ${COMPREPLY[0]+"${COMPREPLY[@]}"}; }',
    ...CASES.map(([words]) => `try ${words.map(quote).join(' ')}`),
  ].join('\n');
  const printed = execFileSync('bash', ['--noprofile', '--norc', '-c', script], { cwd: bed.root, env: { ...bed.env, PATH: `${bin}:${bed.env['PATH'] ?? ''}` }, encoding: 'utf8' });
  const lines = printed.split('\n');
  for (const [words, offered] of CASES) expect([words, lines.splice(0, 1 + Number(lines[0])).slice(1)]).toEqual([words, offered]);
  expect(existsSync(join(bed.root, 'pwned'))).toBe(false);
});

it('names are asked for quickly, and never told of in vain', async ({ bed }) => {
  fixture(bed);
  const ask = async (what: readonly string[], cwd = bed.root): Promise<readonly string[]> => {
    const ended = await bed.choo(['__complete', ...what], { cwd });
    expectEnd(ended, 0);
    expect(ended.stderr).toBe('');
    return ended.stdout.split('\n').filter((line) => line !== '');
  };
  expect(await ask(['units'])).toEqual(['a', 'page', HOSTILE]);
  expect(await ask(['units'], join(bed.root, 'my folder'))).toEqual(['a', 'page', HOSTILE]);
  expect(await ask(['runs'])).toEqual(['1', '2']);
  expect(await ask(['branches'])).toEqual(['main', 'topic']);
  expect(await ask(['units'], bed.base)).toEqual([]);
  expect(await ask(['secrets'])).toEqual([]);
  expect(await ask([])).toEqual([]);
  mkdirSync(join(bed.root, 'specs/tasks/odd\u001b[2J'));
  expect(await ask(['units'])).toEqual(['a', 'page', HOSTILE]);
});

it('a shell that is not known ends 2', async ({ bed }) => {
  const ended = await bed.choo(['completion', 'csh']);
  expectEnd(ended, 2);
  expect(ended.stderr).toContain('Allowed choices are bash, zsh, fish');
});
