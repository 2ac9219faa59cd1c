// The control socket: for this user only, with bounds, and nobody can hold it up.

import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { callControl, ControlError, controlPath, serveControl, type ControlServer } from '../../src/adapters/control.ts';
import { BOUNDS } from '../../src/core/limits.ts';

let folder = '';
let path = '';
let server: ControlServer | undefined;
const clients: Socket[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'choo-test-'));
  path = controlPath(folder, undefined);
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await server?.close();
  server = undefined;
  rmSync(folder, { recursive: true });
});

async function serve(handle: (request: unknown) => unknown): Promise<void> {
  server = await serveControl({ path, handle });
}

async function client(): Promise<Socket> {
  const socket = createConnection({ path });
  clients.push(socket);
  await once(socket, 'connect');
  return socket;
}

async function reasonOf(work: Promise<unknown>): Promise<ControlError['reason']> {
  const error: unknown = await work.catch((thrown: unknown) => thrown);
  if (!(error instanceof ControlError)) throw new Error('no control error', { cause: error });
  return error.reason;
}

describe('the control socket', () => {
  test('carries a request there and its answer back', async () => {
    await serve((request) => ({ got: request }));
    expect(await callControl(path, { do: 'stop', text: 'ü\n' })).toEqual({ got: { do: 'stop', text: 'ü\n' } });
  });

  test('belongs to this user alone', async () => {
    await serve(() => null);
    expect(statSync(path).mode % 0o1000).toBe(0o600);
    expect(statSync(join(folder, 'choo')).mode % 0o1000).toBe(0o700);
  });

  test('is not opened in a folder that others can enter', async () => {
    mkdirSync(join(folder, 'choo'));
    chmodSync(join(folder, 'choo'), 0o755);
    expect(await reasonOf(serve(() => null))).toBe('not-private');
  });

  test('of a dead choo is replaced, and removed at the end', async () => {
    mkdirSync(join(folder, 'choo'), { mode: 0o700 });
    writeFileSync(path, '');
    await serve(() => 'new');
    expect(await callControl(path, {})).toBe('new');
    await server?.close();
    expect(() => statSync(path)).toThrow(/ENOENT/);
    expect(await reasonOf(callControl(path, {}))).toBe('not-running');
  });

  test('says why a request was refused', async () => {
    await serve(() => { throw new Error('no such unit: x'); });
    await expect(callControl(path, {})).rejects.toThrow('no such unit: x');
    expect(await reasonOf(callControl(path, {}))).toBe('refused');
  });

  test('answers what is no JSON with an error and goes on', async () => {
    await serve(() => 'fine');
    const socket = await client();
    const lines = createInterface(socket)[Symbol.asyncIterator]();
    socket.write('hello\n{}\n');
    expect([(await lines.next()).value, (await lines.next()).value]).toEqual(['{"error":"a request is one line of JSON"}', '"fine"']);
  });

  test('answers a client that has closed its sending side', async () => {
    await serve(() => 'late');
    const socket = await client();
    socket.end('{}\n');
    expect(await once(createInterface(socket), 'line')).toEqual(['"late"']);
  });

  test('bounds requests and answers', async () => {
    await serve((request) => (request === 'big' ? 'x'.repeat(BOUNDS.controlMessage) : 'fine'));
    const socket = await client();
    socket.write('x'.repeat(BOUNDS.controlMessage + 1));
    expect(String(await once(createInterface(socket), 'line'))).toContain('error');
    expect(await reasonOf(callControl(path, 'x'.repeat(BOUNDS.controlMessage)))).toBe('too-large');
    await expect(callControl(path, 'big')).rejects.toThrow('too large');
  });

  test('a slow or silent client blocks nobody, nor do a hundred', async () => {
    await serve(() => 'fine');
    for (let count = 0; count < 100; count += 1) (await client()).write('{"half":');
    expect(await callControl(path, {})).toBe('fine');
    await server?.close();
    server = undefined;
  });

  test('a client gives up when told to, and when choo goes away', async () => {
    let asked = (): void => undefined;
    let never = (): void => undefined;
    const waiting = new Promise<void>((resolve) => { asked = resolve; });
    const forever = new Promise<void>((resolve) => { never = resolve; });
    await serve(() => {
      asked();
      return forever;
    });
    expect(await reasonOf(callControl(path, {}, AbortSignal.abort()))).toBe('no-answer');
    const call = reasonOf(callControl(path, {}));
    await waiting;
    await server?.close();
    server = undefined;
    expect(await call).toBe('no-answer');
    never();
  });

  test('goes to the runtime folder where the repository is too deep, and is refused where that is too', () => {
    const deep = `/${'d'.repeat(100)}/.git`;
    expect(controlPath('/r/.git', '/run/user/1')).toBe('/r/.git/choo/control.sock');
    expect(controlPath(deep, '/run/user/1')).toMatch(/^\/run\/user\/1\/choo-[0-9a-f]{16}\.sock$/);
    expect(controlPath(deep, '/run/user/1')).not.toBe(controlPath(`${deep}x`, '/run/user/1'));
    expect(() => controlPath(deep, undefined)).toThrow(ControlError);
    expect(() => controlPath(deep, deep)).toThrow(/XDG_RUNTIME_DIR/);
  });
});
