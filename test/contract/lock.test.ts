// Two supervisors in one repository: exactly one holds the lock, whatever is left of earlier ones.

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { acquireLock, LockHeld, readLock, type LockHolder } from '../../src/adapters/lock.ts';
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
    expect(error.message).toMatch(/choo status.*choo stop/);
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

  test('that cannot be understood is left alone', async () => {
    await plant({});
    writeFileSync(file(), '{}');
    expect(await refusal()).toMatchObject({ state: 'unreadable', holder: undefined });
    expect(readFileSync(file(), 'utf8')).toBe('{}');
  });

  test('and replaced by somebody else\'s is not removed by its first holder', async () => {
    const lock = await acquireLock(common);
    const other = JSON.stringify({ ...lock.holder, nonce: 'other' });
    writeFileSync(file(), other);
    await lock.release();
    expect(readFileSync(file(), 'utf8')).toBe(other);
  });
});
