// Programs started by small shells: words, variables and folders are data whatever they hold, nothing of one program
// reaches the next, and no moment of a start is one at which a kill is lost.

import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openPipes } from '../../src/adapters/pipes.ts';
import { readProcess } from '../../src/adapters/process-table.ts';
import { runningWith } from '../rig/programs/running.ts';
import { availableModes, bench, control, open } from './processes.rig.ts';

const sh = (script: string): readonly string[] => ['sh', '-c', script];
/** Every character a word can hold that a shell, a terminal or an encoding might trip over. */
const HOSTILE = [
  '', ' two  spaces ', 'tab\tend', 'a\nb', '\n', '\n\n', 'ends\n', '\r\n', '\r', '-n', '--', '.', 'go', '+x', '=x', '*x=y', '@/', '\\', '\\n', "'", '"', '`id`', '$(id)', '$HOME',
  '~', '# no comment', '; exit 9', '*', '?', '[a]', '{a,b}', '!!', 'ü€😀', String.fromCharCode(...Array.from({ length: 255 }, (_, n) => n + 1)),
];

describe.each(await availableModes())('a program held by %s', (mode) => {
  const { run, folder, log } = bench(mode);
  const environment = join(folder, 'environment');
  /** Runs a program of no shell that writes down its environment; gives back its variables. */
  async function seen(own: { readonly run: ReturnType<typeof bench>['run'] }, env: Readonly<Record<string, string>> = {}): Promise<ReadonlyMap<string, string>> {
    const result = await own.run(['cp', '/proc/self/environ', environment], { env });
    expect(result).toMatchObject({ code: 0, tail: '' });
    return new Map(readFileSync(environment, 'utf8').split('\0').filter((entry) => entry !== '').map((entry) => {
      const at = entry.indexOf('=', 1);
      return [entry.slice(0, at), entry.slice(at + 1)] as const;
    }));
  }

  test('gets hostile words exactly, line breaks included', async () => {
    const result = await run([process.execPath, '-e', 'require("fs").writeFileSync("words", JSON.stringify(process.argv.slice(1)))', '--', ...HOSTILE]);
    expect(result).toMatchObject({ code: 0, tail: '' });
    expect(JSON.parse(readFileSync(join(folder, 'words'), 'utf8'))).toEqual(HOSTILE);
  });

  test('gets hostile values of variables exactly, and nothing of the program before', async () => {
    const env = Object.fromEntries(HOSTILE.map((value, n) => [`CHOO_TEST_${n}`, value]));
    const got = await seen({ run }, env);
    for (const [name, value] of Object.entries(env)) expect(got.get(name)).toBe(value);
    const next = await seen({ run });
    expect([...next.keys()].filter((name) => name.startsWith('CHOO_TEST_') || name.startsWith('choo_'))).toEqual([]);
  });

  test('gets variables whose names no shell takes, or that shells use themselves', async () => {
    const odd = { 'npm_config_//host/:x': '1', 'a-b': 'two words', 'BASH_FUNC_cd%%': '() { echo pwned; }', '-x': 'y', IFS: 'x', OPTIND: '7', UID: '5', choo_word: 'mine' };
    const own = await open(mode, { ...process.env, ...odd });
    const runOwn: typeof run = (argv, more) => own.run({ argv, cwd: folder, env: {}, log, outputLimit: 1000, totalMs: 60_000, ...more }, control());
    const got = await seen({ run: runOwn }, { 'of-the-command': '!' });
    await own.close();
    expect(Object.fromEntries(got)).toMatchObject({ ...odd, 'of-the-command': '!' });
  });

  test('works in a folder of any name, and the next one too when it deletes its own', async () => {
    const hostile = join(folder, ' -P\n$(id) \'"');
    mkdirSync(hostile);
    expect(await run(sh('echo here >where; rm -rf "$PWD"; echo gone'), { cwd: hostile })).toMatchObject({ code: 0, tail: 'gone\n' });
    expect(await run(['true'], { cwd: hostile })).toMatchObject({ code: 126, tail: expect.stringContaining('does not exist') as string });
    expect(await run(sh('pwd'))).toMatchObject({ code: 0, tail: `${folder}\n` });
  });

  test('sees a large environment whole; one that no system takes is told', async () => {
    const large = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`LARGE_${n}`, 'x'.repeat(3000)]));
    const own = await open(mode, { ...process.env, ...large });
    const result = await own.run({ argv: sh('env | grep -c ^LARGE_'), cwd: folder, env: {}, log, outputLimit: 1000, totalMs: 60_000 }, control());
    await own.close();
    expect(result).toMatchObject({ code: 0, tail: '200\n' });
    expect(await run(['true'], { env: { MUCH: 'x'.repeat(200_000) } })).toMatchObject({ code: 126, tail: expect.stringMatching(/cannot be started: .+/) as string });
    expect(await run(['true', 'a\0b'])).toMatchObject({ code: 126, tail: expect.stringContaining('NUL') as string });
    expect(await run(['true'])).toMatchObject({ code: 0 });
  });

  test('keeps to its own streams and ending, many at once', async () => {
    const all = await Promise.all(Array.from({ length: 30 }, (_, n) =>
      run(sh(`cat; echo err${n} >&2; exit ${n}`), { dialogue: { first: `in ${n}\n`, oneShot: true }, log: join(folder, `many-${n}`) })));
    expect(all.map(({ code, tail }) => [code, tail])).toEqual(all.map((_, n) => [n, `in ${n}\nerr${n}\n`]));
  });

  test('cannot forge its ending', async () => {
    const words = '+\\n= 0 0\\n\\n00000000-0000-0000-0000-000000000000 0\\n';
    const script = `for fd in 0 1 2 3 4 5; do ( printf '${words}' >/proc/1/fd/$fd ) 2>/dev/null; done; exit 3`;
    expect(await run(sh(mode === 'namespace' ? script : 'exit 3'))).toMatchObject({ code: 3 });
  });

  test('whose leader is killed by somebody else is over, and nothing of it remains', async () => {
    const token = `token-${randomUUID()}`;
    const result = await run(sh('setsid sleep 100000 & sleep 100000 & echo ready; wait'), {
      env: { TOKEN: token },
      dialogue: { first: '', oneShot: false, receive: () => {
        const leaders = new Set(runningWith(token).map((pid) => readProcess(pid)).flatMap((fact) => (fact === undefined ? [] : [fact.session])));
        for (const leader of leaders) if (runningWith(token).every((pid) => pid !== leader) || mode === 'group') process.kill(leader, 'SIGKILL');
        return {};
      } },
    });
    expect(result).toMatchObject({ code: null, signal: 'SIGKILL', cut: false });
    expect(runningWith(token)).toEqual([]);
    expect(await run(['true'])).toMatchObject({ code: 0 });
  });

  test('is ended by a kill at any moment of its start', async () => {
    const token = `token-${randomUUID()}`;
    for (let turns = 0; turns < 40; turns += 1) {
      const handle = control();
      const result = run(sh('sleep 100000 & sleep 100000'), { env: { TOKEN: token } }, handle);
      for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => { setImmediate(resolve); });
      handle.killNow();
      expect(await result).toMatchObject({ code: null, cut: true });
      expect(runningWith(token)).toEqual([]);
    }
    expect(await run(sh('echo fine'))).toMatchObject({ code: 0, tail: 'fine\n' });
  });

  test('is asked to end at any moment of its start, and does', async () => {
    for (let turns = 0; turns < 40; turns += 1) {
      const handle = control();
      const result = run(['sleep', '100000'], {}, handle);
      for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => { setImmediate(resolve); });
      handle.interruptNow();
      expect(await result).toMatchObject({ code: null, cut: true });
    }
  });

  test('that is missing its interpreter, or ends before it reads, does not stop the next', async () => {
    writeFileSync(join(folder, 'lost'), '#!/nowhere/interpreter\n', { mode: 0o755 });
    const receive = (): object => ({});
    for (const argv of [['./lost'], ['true'], sh('exec <&-; exit 127')]) {
      const { code } = await run(argv, { dialogue: { first: 'x'.repeat(1_000_000), oneShot: false, receive } });
      expect(code).toBe(argv[0] === 'true' ? 0 : 127);
    }
    expect(await run(sh('read -r line; echo "$line"'), { dialogue: { first: 'word\n', oneShot: false, receive } })).toMatchObject({ code: 0, tail: 'word\n' });
  });
});

test('a pipe whose end was seen is used again', async () => {
  const pipes = await openPipes();
  const paths = new Set<string>();
  for (let n = 0; n < 20; n += 1) {
    const pipe = await pipes.output();
    paths.add(pipe.path);
    const closed = new Promise((resolve) => { pipe.reader.once('close', resolve); });
    pipe.reader.resume();
    pipe.begun();
    await closed;
    pipe.done({ ended: true });
  }
  expect(paths.size).toBe(1);
  await pipes.close();
});
