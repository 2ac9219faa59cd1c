// What `Processes.run` promises about endings, input, output and limits, in every way of holding programs.

import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { availableModes, bench, control, open } from './processes.rig.ts';

const MEGABYTE = 1024 * 1024;
const sh = (script: string): readonly string[] => ['sh', '-c', script];

describe.each(await availableModes())('a program held by %s', (mode) => {
  const { run, folder, log, processes } = bench(mode);

  test('is held the way that was asked for', () => {
    expect(processes().mode).toBe(mode);
  });

  test.each([0, 1, 7, 129, 255])('that exits %i is reported so', async (code) => {
    expect(await run(sh(`exit ${code}`))).toEqual({ code, cut: false, leftovers: false, tail: '' });
  });

  test.each(['TERM', 'KILL', 'HUP', 'SEGV', 'INT', 'PIPE'])('that dies of SIG%s is reported by the signal', async (name) => {
    const result = await run(sh(`kill -${name} $$`));
    expect(result.signal).toBe(`SIG${name}`);
    expect(result.code).toBe(null);
  });

  test('that is missing ends 127, one that cannot be executed 126, a missing folder 126, each with a word why', async () => {
    writeFileSync(join(folder, 'plain'), 'text');
    writeFileSync(join(folder, 'lost'), '#!/nowhere/interpreter\n', { mode: 0o755 });
    expect(await run(['choo-no-such-program'])).toMatchObject({ code: 127, tail: expect.stringContaining('not found') as string });
    expect(await run(['./plain'])).toMatchObject({ code: 126 });
    expect(await run(['./lost'])).toMatchObject({ code: 127 });
    expect(await run(['true'], { cwd: join(folder, 'nowhere') })).toMatchObject({ code: 126, tail: expect.stringContaining('does not exist') as string });
  });

  test('gets its arguments as they are, spaces, quotes, dashes and shell words included', async () => {
    const hostile = ['a b', "'", '"$(id)"', '-e', '--', ';exit 9', '*'];
    const result = await run(['printf', '%s|', ...hostile]);
    expect(result.tail).toBe(`${hostile.join('|')}|`);
  });

  test('is never process 1 and is not its own leftover', async () => {
    const result = await run(sh('test $$ -ne 1 && echo fine'));
    expect(result).toMatchObject({ code: 0, tail: 'fine\n', leftovers: false });
  });

  test('without a dialogue finds its standard input empty', async () => {
    expect(await run(['wc', '-c'])).toMatchObject({ tail: '0\n' });
  });

  test('can open /dev/stdout, /dev/stderr and /dev/stdin by name', async () => {
    const script = 'echo one >/dev/stdout; echo two >/dev/stderr; cat /dev/stdin';
    expect(await run(sh(script), { dialogue: { first: 'three\n', oneShot: true } })).toMatchObject({ code: 0, tail: 'one\ntwo\nthree\n' });
  });

  test('that was stopped before it began is not started', async () => {
    const handle = control();
    handle.interruptNow();
    expect(await run(sh(`echo x >${folder}/started`), {}, handle)).toEqual({ code: null, cut: true, leftovers: false, tail: '' });
    expect(() => statSync(join(folder, 'started'))).toThrow(/ENOENT/);
  });

  test('prompt too long for argv: a megabyte arrives whole, read slowly or not at all', async () => {
    const first = 'x'.repeat(MEGABYTE);
    for (const oneShot of [true, false]) {
      const receive = (): { close: boolean } => ({ close: true });
      expect(await run(sh('echo go; dd bs=1 count=9 2>/dev/null | wc -c; cat | wc -c'), { dialogue: { first, oneShot, receive } }))
        .toMatchObject({ code: 0, tail: expect.stringMatching(/go\n9\n\d+\n/) as string });
      expect(await run(['true'], { dialogue: { first, oneShot } })).toMatchObject({ code: 0, cut: false });
    }
    expect(await run(['wc', '-c'], { dialogue: { first, oneShot: true } })).toMatchObject({ tail: `${MEGABYTE}\n` });
  });

  test('talks line by line both ways, the last line without its end included', async () => {
    const heard: string[] = [];
    const result = await run(sh('read a; echo "got $a"; read b; echo "got $b"; cat; printf end'), {
      dialogue: {
        first: 'one\n', oneShot: false,
        receive: (line) => {
          heard.push(line);
          return line === 'got one' ? { send: 'two\n' } : { close: true };
        },
      },
    });
    expect(heard).toEqual(['got one', 'got two', 'end']);
    expect(result).toMatchObject({ code: 0 });
  });

  test('a defect in the dialogue ends the program and is not swallowed', async () => {
    const receive = (): never => { throw new Error('our defect'); };
    await expect(run(sh('echo x; sleep 100000'), { dialogue: { first: '', oneShot: false, receive } })).rejects.toThrow('our defect');
  });

  test('silent or stuck agent: ended after its idle limit with its last lines', async () => {
    const result = await run(sh('echo last words; sleep 100000'), { idleMs: 60 });
    expect(result).toMatchObject({ limit: 'idle', cut: false, signal: 'SIGTERM', tail: 'last words\n' });
  });

  test('a check that never ends: ended at its total limit however much it prints', async () => {
    const result = await run(sh('while :; do echo again; done'), { totalMs: 60, idleMs: 60_000, outputLimit: 1000 });
    expect(result).toMatchObject({ limit: 'total', cut: false });
  });

  test('megabytes of output leave head, tail and the number of bytes between in the log', async () => {
    rmSync(log, { force: true });
    await run(sh('echo first; head -c 30000000 /dev/zero | tr "\\0" a; echo; echo last'), { outputLimit: 100_000 });
    const text = readFileSync(log, 'latin1');
    expect(text.startsWith('first\naaa')).toBe(true);
    expect(text.endsWith('aaa\nlast\n')).toBe(true);
    expect(text).toContain(`\n[choo left out ${30_000_000 + 12 - 100_000} bytes here]\n`);
    expect(text.length).toBeLessThan(100_100);
    expect(statSync(log).mode % 0o1000).toBe(0o600);
  });

  test('output within the limit is kept whole, in order, and appended', async () => {
    rmSync(log, { force: true });
    await run(sh('for i in 1 2 3 4; do echo "out $i"; echo "err $i" >&2; done'), { outputLimit: 64 });
    await run(sh('echo more'));
    expect(readFileSync(log, 'utf8')).toBe('out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\nout 4\nerr 4\nmore\n');
  });

  test('the tail is clean text: no colours, no control characters, progress lines as they ended, whole characters', async () => {
    const raw = String.raw`\033[31mred\033[0m\n10%%\r20%%\r100%%\r\n\033]0;title\007bell\007 a\303\244\377z\n`;
    expect(await run(sh(`printf '${raw}'`))).toMatchObject({ tail: 'red\n100%\nbell aä\ufffdz\n' });
    const { tail } = await run(sh('i=0; while [ $i -lt 3000 ]; do printf "ääää"; i=$((i+1)); done'));
    expect(tail).toMatch(/^ä+$/);
    expect(Buffer.byteLength(tail)).toBeLessThanOrEqual(8192);
  });

  test('sees the user\'s environment without GIT_*, forge tokens and messenger secrets', async () => {
    const secret = { GIT_DIR: '/x', GH_TOKEN: 'x', GITLAB_TOKEN: 'x', SLACK_BOT_TOKEN: 'x', CHOO_UNIT: 'outer' };
    const own = await open(mode, { ...process.env, ...secret, KEPT: 'yes' });
    const result = await own.run(
      { argv: ['env'], cwd: folder, env: { CHOO_TASK: '3' }, log, outputLimit: MEGABYTE, totalMs: 60_000 }, control());
    await own.close();
    const names = result.tail.split('\n').map((line) => line.slice(0, line.indexOf('=')));
    expect(names).toEqual(expect.arrayContaining(['KEPT', 'CHOO_TASK', 'PATH']));
    for (const name of Object.keys(secret)) expect(names).not.toContain(name);
  });
});

test('the strongest way that works here is taken when nothing is asked for', async () => {
  const opened = await open('auto');
  expect(opened.mode).toBe((await availableModes()).at(-1));
  await opened.close();
});
