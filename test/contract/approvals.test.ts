// Approvals over the control socket: from whoever shows a process in choo's own PID namespace, and not from the agents that choo holds in others.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { beside, isBeside } from '../../src/adapters/beside.ts';
import { callControl, controlPath, serveControl, type ControlServer } from '../../src/adapters/control.ts';
import { approvedFromOutside } from '../../src/opening/approvals.ts';
import { availableModes, bench } from './processes.rig.ts';

const APPROVE = { do: 'approve', units: ['a'] };
let folder = '';
let path = '';
let server: ControlServer | undefined;
const handled: unknown[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'choo-test-'));
  path = controlPath(folder, undefined);
  handled.length = 0;
  server = await serveControl({ path, handle: approvedFromOutside((request) => {
    handled.push(request);
    return { ok: 'done' };
  }) });
});
afterEach(async () => {
  await server?.close();
  rmSync(folder, { recursive: true });
});

async function wordFor(): Promise<string> {
  return (await callControl(path, APPROVE) as { readonly prove: string }).prove;
}

it('an approval is taken from who shows the process that was asked for, once; other requests need none', async () => {
  expect(await callControl(path, { do: 'retry', units: [] })).toEqual({ ok: 'done' });
  const nonce = await wordFor();
  expect(handled).toHaveLength(1);
  await beside(nonce, async (pid) => {
    expect(await callControl(path, { ...APPROVE, nonce, pid })).toEqual({ ok: 'done' });
    await expect(callControl(path, { ...APPROVE, nonce, pid })).rejects.toThrow('a person approves in a terminal of their own');
  });
  expect(handled).toHaveLength(2);
});

it.each([['another process', { pid: process.pid }], ['none', { pid: 2 ** 30 }], ['no number', { pid: 'self' }], ['nothing', {}], ['a word of its own', { nonce: 'x', pid: process.pid }]])('who shows %s is refused', async (_, shown) => {
  await expect(callControl(path, { ...APPROVE, nonce: await wordFor(), ...shown })).rejects.toThrow('a person approves');
  expect(handled).toEqual([]);
});

it('a program that was only given the word among others is not that process', async () => {
  await beside(`${await wordFor()}-more`, (pid) => {
    const word = commandLineOf(pid).at(-1)?.replace('choo-asks-', '').replace('-more', '') ?? '';
    expect([isBeside(pid, word), isBeside(pid, `${word}-more`)]).toEqual([false, true]);
    return Promise.resolve();
  });
});

/** Asks, starts what is asked for, and shows it; prints the answer. The second word of an answer tells how choo's side sees that process. */
const ASKS = `
const call = (request) => new Promise((done) => {
  const socket = require('net').connect(process.argv[1], () => socket.write(JSON.stringify(request) + '\\n'));
  socket.once('data', (bytes) => { done(JSON.parse(bytes)); socket.destroy(); });
});
(async () => {
  const { prove: nonce } = await call({ do: 'approve', units: ['a'] });
  const child = require('child_process').spawn('/bin/sh', ['-c', 'read -r _', 'choo-asks-' + nonce], { stdio: ['pipe', 'ignore', 'ignore'] });
  await require('events').once(child, 'spawn');
  await call({ do: 'look', nonce });
  await call({ do: 'approve', units: ['a'], nonce, pid: child.pid });
  child.stdin.end();
})();`;

describe.each(await availableModes())('an agent held by %s', (mode) => {
  const held = bench(mode);

  it('can approve only where no namespace holds it, although it speaks the same words', async () => {
    await server?.close();
    const seen: boolean[] = [];
    server = await serveControl({ path, handle: approvedFromOutside((request) => {
      handled.push(request);
      const { nonce = '' } = request as { readonly nonce?: string };
      for (const pid of readdirSync('/proc').map(Number).filter((n) => n > 0)) if (commandLineOf(pid).at(-1) === `choo-asks-${nonce}`) seen.push(isBeside(pid, nonce));
      return { ok: 'done' };
    }) });
    const { code } = await held.run([process.execPath, '-e', ASKS, path]);
    expect(code).toBe(0);
    expect(handled.map((request) => (request as { readonly do: string }).do)).toEqual(mode === 'group' ? ['look', 'approve'] : ['look']);
    expect(new Set(seen)).toEqual(new Set([mode === 'group']));
  });
});

function commandLineOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}
