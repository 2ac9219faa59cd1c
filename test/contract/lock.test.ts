// Two supervisors in one repository: exactly one holds the lock, whatever is left of earlier ones.

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { describeUs, MACHINE_NAMESPACE, stateOf } from '../../src/adapters/holder.ts';
import { acquireLock, LockHeld, readLock, removeLock, type LockHolder } from '../../src/adapters/lock.ts';
import { FenceLost } from '../../src/world.ts';
import { bundleProgram } from '../rig/programs/bundle.ts';

const RIVALS = 20;

let top = '';
let common = '';
let program = '';
beforeAll(async () => {
  top = mkdtempSync(join(tmpdir(), 'choo-test-'));
  program = await bundleProgram('locker', top);
});
afterAll(() => rmSync(top, { recursive: true }));
beforeEach(() => {
  common = mkdtempSync(join(top, 'git-'));
});

const file = (): string => join(common, 'choo', 'lock');

/** Puts a lock into place that differs from one of this very process as told. */
async function plant(change: Partial<LockHolder>): Promise<void> {
  const lock = await acquireLock(common);
  await lock.release();
  mkdirSync(join(common, 'choo'), { recursive: true });
  writeFileSync(file(), JSON.stringify({ ...lock.holder, ...change }));
}

const dead = { start: 1 } as const;
const nothing = (): Promise<void> => Promise.resolve();

async function refusal(): Promise<LockHeld> {
  const error: unknown = await acquireLock(common).catch((thrown: unknown) => thrown);
  if (!(error instanceof LockHeld)) throw new Error('not refused', { cause: error });
  return error;
}

/** Starts many at once; gives back what each says, and a way to end them. */
async function race(count: number): Promise<{ readonly said: readonly string[]; end(): Promise<void> }> {
  const children = Array.from({ length: count }, (): ChildProcessWithoutNullStreams => spawn(process.execPath, [program, common]));
  const said = await Promise.all(children.map(async (child) => {
    const [line] = await once(createInterface(child.stdout), 'line') as [string];
    return line;
  }));
  const end = async (): Promise<void> => {
    await Promise.all(children.map(async (child) => {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
    }));
  };
  return { said, end };
}

describe('two supervisors in one repository', () => {
  test('the second is told who holds it and what to type', async () => {
    const lock = await acquireLock(common);
    const error = await refusal();
    expect(error).toMatchObject({ state: 'live', holder: { pid: process.pid }, path: file() });
    expect(error.message).toMatch(new RegExp(`process ${process.pid} on .*, for 0\\.\\ds.*choo status --watch.*choo stop`));
    expect(await readLock(common)).toEqual({ holder: lock.holder, state: 'live' });
    await lock.release();
    expect(await readLock(common)).toBe(undefined);
    expect(readdirSync(join(common, 'choo'))).toEqual([]);
  });

  test('of twenty at once exactly one wins', async () => {
    const { said, end } = await race(RIVALS);
    expect(said.toSorted()).toEqual([...Array.from({ length: RIVALS - 1 }, () => 'live'), 'won']);
    await end();
    expect(readdirSync(join(common, 'choo'))).toEqual([]);
  });

  test('of twenty at once exactly one takes over from a dead one', async () => {
    await plant(dead);
    const { said, end } = await race(RIVALS);
    expect(said.toSorted()).toEqual([...Array.from({ length: RIVALS - 1 }, () => 'live'), 'took over']);
    await end();
    expect(readdirSync(join(common, 'choo'))).toEqual([]);
  });
});

describe('a lock left behind', () => {
  test.each([['whose process is gone', { pid: 2 ** 22 - 1 }], ['whose number is somebody else\'s now', dead], ['from before the machine started', { boot: 'earlier' }]])(
    '%s is taken over, and it is told', async (_, change) => {
      await plant(change);
      const { holder } = await readLock(common) ?? {};
      const lock = await acquireLock(common);
      expect(lock.tookOverFrom).toEqual(holder);
      expect(await readLock(common)).toMatchObject({ state: 'live' });
      await lock.release();
    });

  test.each([['another machine', { host: 'far', boot: 'x', ...dead }], ['a machine of the same name', { machine: 'other', boot: 'x' }], ['another container', { pidNamespace: 'pid:[1]', ...dead }]])(
    'by %s is never presumed dead', async (_, change) => {
      await plant(change);
      const before = readFileSync(file());
      expect(await refusal()).toMatchObject({ state: 'elsewhere' });
      expect(readFileSync(file())).toEqual(before);
    });

  test('by one who died in the middle of a takeover, and another in the middle of that, is still taken over by one', async () => {
    await plant({ ...dead, nonce: 'first' });
    const holder = JSON.parse(readFileSync(file(), 'utf8')) as LockHolder;
    writeFileSync(`${file()}.after-first`, JSON.stringify({ ...holder, nonce: 'second' }));
    writeFileSync(`${file()}.after-second`, JSON.stringify({ ...holder, nonce: 'third' }));
    const { said, end } = await race(RIVALS);
    expect(said.filter((line) => line === 'took over')).toHaveLength(1);
    expect(said.filter((line) => line === 'live')).toHaveLength(RIVALS - 1);
    await end();
    expect(readdirSync(join(common, 'choo'))).toEqual([]);
  });

  test.each(['{}', '', 'null', '[]', '\0'.repeat(300), '{"host":"h","machine":"","boot":"","pidNamespace":"","pid":1,"start":1,"nonce":"../../x"}', '{"host":"h","machine":"","boot":"","pidNamespace":"","pid":-1,"start":1,"nonce":"x"}'])(
    'that cannot be understood (%j) is left alone', async (text) => {
      await plant({});
      writeFileSync(file(), text);
      expect(await refusal()).toMatchObject({ state: 'unreadable', holder: undefined });
      expect((await refusal()).message).toMatch(/choo unlock/);
      expect(readFileSync(file(), 'utf8')).toBe(text);
    });

  test('as a folder is left alone, and can be moved away', async () => {
    mkdirSync(file(), { recursive: true });
    expect(await refusal()).toMatchObject({ state: 'unreadable' });
    expect(await removeLock(common, { evenUnseen: true, first: nothing })).toMatchObject({ state: 'unreadable' });
    await (await acquireLock(common)).release();
  });

  test('what others left who died while they took it is swept up by the next', async () => {
    await plant(dead);
    const text = readFileSync(file(), 'utf8');
    for (const name of ['after-old', 'some-nonce', 'removed-x']) writeFileSync(`${file()}.${name}`, text);
    await (await acquireLock(common)).release();
    expect(readdirSync(join(common, 'choo'))).toEqual(['lock.removed-x']);
  });

  test('and replaced by somebody else\'s is not removed by its first holder', async () => {
    const lock = await acquireLock(common);
    const other = JSON.stringify({ ...lock.holder, nonce: 'other' });
    writeFileSync(file(), other);
    await lock.release();
    expect(readFileSync(file(), 'utf8')).toBe(other);
  });
});

describe('a machine that was started anew', () => {
  const other = { boot: 'earlier', pid: 1, start: 1 } as const;
  test.each([
    ['the machine itself', { machine: 'm', pidNamespace: MACHINE_NAMESPACE }, 'stale'],
    ['a machine without an id, which a container elsewhere may share the name of', { machine: '', pidNamespace: MACHINE_NAMESPACE }, 'elsewhere'],
    ['a container, which may have its name and id from an image', { machine: 'm', pidNamespace: 'pid:[4026532000]' }, 'elsewhere'],
    ['a system without namespaces', { machine: '', pidNamespace: '' }, 'stale'],
  ] as const)('%s', async (_, place, state) => {
    const us = { ...await describeUs(), ...place };
    expect(await stateOf({ ...us, ...other }, us)).toBe(state);
  });
  test('while we are in a container and the holder was not', async () => {
    const us = { ...await describeUs(), machine: 'm', pidNamespace: 'pid:[4026532000]' };
    expect(await stateOf({ ...us, ...other, pidNamespace: MACHINE_NAMESPACE }, us)).toBe('elsewhere');
  });
});

describe('who loses the lock', () => {
  test('notices it at the next question, and is told who has it', async () => {
    const lock = await acquireLock(common);
    lock.check();
    await expect(removeLock(common, { evenUnseen: true, first: nothing })).rejects.toMatchObject({ state: 'live' });
    lock.check();
    const text = readFileSync(file(), 'utf8');
    renameSync(file(), `${file()}.removed-1`);
    expect(lock.check).toThrow(FenceLost);
    expect(lock.check).toThrow(/was given away/);
    rmSync(join(common, 'choo'), { recursive: true });
    expect(lock.check).toThrow(/its lock is gone, .* with the whole folder \(.*\/choo\/lock\).*else `choo run` begins anew/);
    mkdirSync(join(common, 'choo'));
    writeFileSync(file(), text.replace(`"pid":${process.pid}`, '"pid":7').replace(lock.holder.nonce, 'other'));
    expect(lock.check).toThrow(/process 7 on .* has it now/);
    await lock.release();
    expect(existsSync(file())).toBe(true);
  });

  test('notices it although the new file is the only one that came since', async () => {
    for (let i = 0; i < 20; i += 1) {
      const lock = await acquireLock(common);
      rmSync(file());
      writeFileSync(file(), JSON.stringify({ ...lock.holder, nonce: 'other' }));
      expect(lock.check).toThrow(FenceLost);
      await lock.release();
      rmSync(file());
    }
  });
});

describe('giving a lock away', () => {
  test.each([
    { who: 'dead', change: dead, evenUnseen: false, state: 'stale' }, { who: 'in another container', change: { pidNamespace: 'pid:[1]' }, evenUnseen: true, state: 'elsewhere' },
    { who: 'on a far machine', change: { host: 'far' }, evenUnseen: true, state: 'elsewhere' },
  ] as const)(
    'of one who is $who moves its file aside and leaves the place free', async ({ change, evenUnseen, state }) => {
      await plant(change);
      const text = readFileSync(file(), 'utf8');
      const seen: string[] = [];
      const removed = await removeLock(common, {
        evenUnseen,
        first: async (s) => {
          seen.push(s);
          expect(readFileSync(file(), 'utf8')).toBe(text);
          await expect(acquireLock(common)).rejects.toBeInstanceOf(LockHeld);
        },
      });
      expect([seen, removed?.state, readFileSync(removed?.aside ?? '', 'utf8'), existsSync(file())]).toEqual([[state], state, text, false]);
      const lock = await acquireLock(common);
      expect(lock.tookOverFrom).toBe(undefined);
      await lock.release();
      expect(readdirSync(join(common, 'choo'))).toEqual([removed?.aside.slice(file().length - 4)]);
    });

  test('of one who cannot be seen needs to be meant, and a failure on the way changes nothing', async () => {
    await plant({ host: 'far' });
    await expect(removeLock(common, { evenUnseen: false, first: nothing })).rejects.toMatchObject({ state: 'elsewhere' });
    await expect(removeLock(common, { evenUnseen: true, first: () => Promise.reject(new Error('busy')) })).rejects.toThrow('busy');
    expect(readdirSync(join(common, 'choo'))).toEqual(['lock']);
  });

  test('that nobody holds does nothing at all', async () => {
    expect(await removeLock(common, { evenUnseen: true, first: nothing })).toBe(undefined);
    expect(existsSync(join(common, 'choo'))).toBe(false);
  });
});
