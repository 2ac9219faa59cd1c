// Shells that start git: words are data, whatever they hold, and nothing is run twice.

import { afterEach, expect, test } from 'vitest';
import { openForker, ShellEnded } from '../../src/adapters/git/forker.ts';
import type { Fork, Forker } from '../../src/adapters/git/forker.ts';

const opened: Forker[] = [];
afterEach(() => {
  for (const forker of opened.splice(0)) forker.close();
});

function forker(): Forker {
  const made = openForker({ PATH: process.env['PATH'] ?? '', BASE: 'base' });
  opened.push(made);
  return made;
}

function fork(argv: readonly string[], more: Partial<Fork> = {}): Fork {
  return { argv, env: {}, input: '', started: () => undefined, ...more };
}

test('hostile words arrive as they are', async () => {
  const words = ['$(touch pwned)', '`id`', '"', "'", '; exit 3', '* ?', '\\n', '-n', '', ' two  spaces ', 'ü€'];
  const got = await forker().run(fork(['printf', '%s\\n', ...words]));
  expect(got).toMatchObject({ code: 0, stderr: '' });
  expect(got?.stdout.toString('utf8')).toBe(`${words.join('\n')}\n`);
});

test('a word with a line break is not given to a shell', async () => {
  await expect(forker().run(fork(['printf', 'a\nb']))).resolves.toBeUndefined();
});

test('variables of one command are not those of the next', async () => {
  const one = forker();
  const print = ['sh', '-c', 'echo "$BASE-$MORE"'];
  expect((await one.run(fork(print, { env: { MORE: 'x y' } })))?.stdout.toString()).toBe('base-x y\n');
  expect((await one.run(fork(print)))?.stdout.toString()).toBe('base-\n');
});

test('input, both outputs and the exit code belong to their command, many at once', async () => {
  const one = forker();
  const ran = await Promise.all(Array.from({ length: 20 }, (_, n) => one.run(fork(['sh', '-c', `cat; echo err${n} >&2; exit ${n}`], { input: `in ${n}` }))));
  expect(ran.map((r) => [r?.code, r?.stdout.toString(), r?.stderr])).toEqual(ran.map((_, n) => [n, `in ${n}`, `err${n}\n`]));
});

test('input of one command is not left for the next', async () => {
  const one = forker();
  await one.run(fork(['cat'], { input: 'secret' }));
  expect((await one.run(fork(['cat'])))?.stdout.toString()).toBe('');
});

test('a command whose shell is killed is an error, not run again', async () => {
  const running = forker().run(fork(['sleep', '1000'], { started: (kill) => kill('SIGKILL') }));
  await expect(running).rejects.toBeInstanceOf(ShellEnded);
});
