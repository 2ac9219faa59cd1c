// `choo web` of the built program: follows runs of other processes, replays, cuts who is slow, and lets nobody in who has no business here.

import { createHash, createHmac } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { it } from '../rig/bed.ts';
import type { Bed } from '../rig/bed.ts';
import { expectEnd } from '../rig/facts.ts';
import { fetchFrom, linkOf, Stream } from '../rig/page.ts';
import type { Sent } from '../rig/page.ts';

const is = (unit: string, state: string) => ({ data }: Sent): boolean => data.units?.some((u) => u.id === unit && u.state === state) === true;
const atRest = ({ data }: Sent): boolean => data.head?.at === 'rest';

async function end(running: ReturnType<Bed['start']>): Promise<void> {
  running.signal('SIGINT');
  expect((await running.ended).code).toBe(0);
}

describe('choo web', () => {
  it('attaches to a live run and follows it to its end; what a reader missed comes with the next stream, also from a server started anew', async ({ bed }) => {
    bed.specs({ a: {}, b: { dependsOn: ['a'] } }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json']);
    const held = await bed.hand.next({ unit: 'a' });
    const first = bed.start(['web']);
    const link = await linkOf(first);
    // It gives way to the run where both want the processor.
    expect(getPriority(first.pid)).toBeGreaterThanOrEqual(10);
    const stream = await Stream.open(link);
    expect(await stream.until(() => true)).toMatchObject({ event: 'snapshot', data: { run: 1, head: { at: 'live' }, units: [{ id: 'a', state: 'running' }, { id: 'b', state: 'pending' }] } });
    const away = stream.all[0]?.id ?? '';
    await held.finish();
    const second = await bed.hand.next({ unit: 'b' });
    await stream.has(is('b', 'running'));
    // Only what is another now goes out, in order.
    expect(stream.all.slice(1).every(({ event }) => event === 'frame')).toBe(true);
    const seqs = stream.all.map(({ data }) => data.seq ?? 0);
    expect(seqs).toEqual(seqs.toSorted((x, y) => x - y));
    const late = await Stream.open(link, { after: away });
    expect(await late.until(() => true)).toMatchObject({ event: 'frame', data: { units: [{ id: 'a' }, { id: 'b', state: 'running' }] } });

    // The server goes and comes back with the same port and token; what it cannot tell piece by piece comes as a whole.
    await end(first);
    expect(await stream.until(() => false)).toBeUndefined();
    const again = bed.start(['web']);
    expect(await linkOf(again)).toEqual(link);
    const back = await Stream.open(link, { after: stream.all.at(-1)?.id ?? '' });
    await second.finish();
    await back.until(is('b', 'landed'));
    expectEnd(await run.ended, 0);
    await back.has(atRest);
    expect(await (await Stream.open(link, { after: '1:1' })).until(() => true)).toMatchObject({ event: 'snapshot', data: { head: { at: 'rest', closed: true, counts: { landed: 2 } } } });
    await end(again);
  });

  it('shows a finished run: its units, attempts, logs and changes, and nothing that the journal does not name', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: 'echo "<script>alert(1)</script>"; echo "$CHOO_TASK in attempt $CHOO_ATTEMPT" > "$CHOO_UNIT-$CHOO_TASK.txt"' });
    expectEnd(await bed.choo(['run']), 0);
    const server = bed.start(['web', '--port', '0']);
    const link = await linkOf(server);
    expect(JSON.parse((await fetchFrom(link, '/api/runs')).text)).toEqual([{ run: 1 }]);
    const detail = JSON.parse((await fetchFrom(link, '/api/runs/1/units/a')).text) as { readonly attempts: readonly { readonly seq: number; readonly state: string; readonly check?: number }[]; readonly diff: boolean };
    expect(detail).toMatchObject({ diff: true, attempts: [{ what: 'task 1', attempt: 1, state: 'passed' }] });
    const [attempt] = detail.attempts;
    const log = await fetchFrom(link, `/api/runs/1/units/a/logs/${attempt?.seq ?? 0}`);
    expect(log).toMatchObject({ status: 200, text: '<script>alert(1)</script>\n', headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' } });
    expect((await fetchFrom(link, `/api/runs/1/units/a/logs/${attempt?.seq ?? 0}?from=20`)).text).toBe('ript>\n');
    expect((await fetchFrom(link, '/api/runs/1/units/a/diff')).text).toContain('+1 in attempt 1');
    expect(JSON.parse((await fetchFrom(link, '/api/runs/1/report')).text)).toMatchObject({ run: 1, at: 'rest', counts: { landed: 1 }, units: [{ id: 'a', state: 'landed', attempts: 1, critical: true }], criticalPath: [{ unit: 'a', because: 'start' }] });
    const own = JSON.parse((await fetchFrom(link, '/api/runs/newest/report/a')).text) as { readonly bars: readonly { readonly kind: string; readonly name: string; readonly result: string }[] };
    expect(own.bars.map(({ kind, name, result }) => `${kind} ${name} ${result}`)).toEqual(expect.arrayContaining(['attempt task 1, attempt 1 passed', 'check check of task 1 passed', 'landing land passed']));
    for (const path of [
      '/api/runs/1/report/nobody', '/api/runs/1/report/a/b', '/api/runs/1/report/..%2f..%2fjournal.jsonl', '/api/runs/1/report/__proto__', '/api/runs/1/report/', '/api/runs/99/report',
      '/api/runs/1/units/a/logs/1', '/api/runs/1/units/a/logs/..%2f..%2fjournal.jsonl', '/api/runs/1/units/a/logs/%2e%2e/%2e%2e/journal.jsonl', '/api/runs/1/units/..%2f..%2f/logs/1',
      '/api/runs/..%2f1/units/a', '/api/runs/99', '/../../package.json', '/..%2fmain.js', '/%2e%2e/main.js', '/main.js', '/web/../main.js', '/%', '/api/runs/1/units/%00/logs/1', '/constructor', '/__proto__',
    ]) expect([path, (await fetchFrom(link, path)).status]).toEqual([path, 404]);
    expect((await fetchFrom(link, `/api/runs/1/units/a/logs/${attempt?.seq ?? 0}?from=-1`)).status).toBe(400);
    await end(server);
  });

  it('lets in only who bears the token, asks for it by its name, and comes from its own page', async ({ bed }) => {
    bed.specs({ a: {} });
    expectEnd(await bed.choo(['run']), 0);
    const server = bed.start(['web', '--port', '0']);
    const link = await linkOf(server);
    const status = async (path: string, headers: Readonly<Record<string, string | undefined>>, method = 'GET'): Promise<number> => (await fetchFrom(link, path, { headers, method })).status;
    const host = `127.0.0.1:${link.port}`;
    for (const path of ['/', '/app.js', '/api/runs', '/api/runs/newest/stream', '/api/runs/newest/report', '/nothing']) {
      expect([path, await status(path, { authorization: undefined })]).toEqual([path, 401]);
      expect([path, await status(path, { authorization: 'Bearer wrong' })]).toEqual([path, 401]);
      expect([path, await status(path, { authorization: undefined, cookie: `choo=${link.token}` })]).toEqual([path, 401]);
      // A name that was made to lead here, the right name with another port, none at all.
      for (const name of [`evil.example:${link.port}`, '127.0.0.1', 'localhost:1', `localhost.evil.example:${link.port}`, `0.0.0.0:${link.port}`, 'x', `user@${host}`]) {
        expect([path, name, await status(path, { host: name })]).toEqual([path, name, 421]);
      }
      for (const origin of ['http://evil.example', 'null', `https://${host}`, `http://127.0.0.1:${link.port + 1}`, `http://localhost:${link.port}`]) {
        expect([path, origin, await status(path, { origin })]).toEqual([path, origin, 403]);
      }
    }
    // What is no address says so to whoever asks, and nothing to the terminal.
    expect(await status('//', { authorization: undefined, 'sec-fetch-site': 'cross-site' })).toBe(400);
    expect(server.output).not.toContain('Invalid URL');
    // Who asks only for the head of a stream gets it, and takes no place among those who follow.
    expect(await status('/api/runs/newest/stream', {}, 'HEAD')).toBe(200);
    expect(await status('/api/runs', { 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await status('/api/runs', { 'sec-fetch-site': 'same-site' })).toBe(403);
    expect(await status('/api/runs', { host: `localhost:${link.port}`, origin: `http://localhost:${link.port}` })).toBe(200);
    expect(await status(`/?token=${link.token.slice(1)}x`, { authorization: undefined })).toBe(401);
    // Whoever asks for a proof learns nothing by it, and no page of somebody else may ask.
    const nonce = 'n'.repeat(32);
    const proof = await fetchFrom(link, `/proof?of=${nonce}`, { headers: { authorization: undefined } });
    expect(proof).toMatchObject({ status: 200, text: createHmac('sha256', link.token).update(`choo web\n${link.port}\n${nonce}`).digest('base64url') });
    for (const [path, headers, expected] of [
      [`/proof?of=${nonce}`, { host: `evil.example:${link.port}` }, 421], [`/proof?of=${nonce}`, { 'sec-fetch-site': 'cross-site' }, 403], ['/proof?of=short', {}, 400], ['/proof', {}, 400],
    ] as const) expect([path, headers, await status(path, { authorization: undefined, ...headers })]).toEqual([path, headers, expected]);
    // The link makes the cookie, and the cookie opens the rest.
    const page = await fetchFrom(link, `/?token=${link.token}`, { headers: { authorization: undefined } });
    expect(page.status).toBe(200);
    const [cookie = ''] = page.headers['set-cookie'] ?? [];
    expect(cookie).toMatch(/; Path=\/; HttpOnly; SameSite=Strict; /);
    expect(await status('/api/runs', { authorization: undefined, cookie: cookie.split(';')[0] })).toBe(200);
    expect(page.headers).toMatchObject({
      'content-security-policy': expect.stringMatching(/^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; .*frame-ancestors 'none'/) as string,
      'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'cross-origin-opener-policy': 'same-origin', 'cross-origin-resource-policy': 'same-origin', 'cache-control': 'no-store',
    });
    expect(page.text).not.toMatch(/<script(?! type="module" src="\/app\.js">)|https?:\/\//);
    const kept = join(bed.root, '.git', 'choo', 'web.json');
    expect(statSync(kept).mode % 0o1000).toBe(0o600);
    expect(await status('/api/runs', { authorization: `Bearer ${createHash('sha256').update(readFileSync(kept)).digest('base64url')}` })).toBe(401);
    await end(server);
  });

  it('is found by a run as long as it serves, whoever came and went meanwhile; and opens no run that is not there', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const first = bed.start(['web']);
    const link = await linkOf(first);
    const second = bed.start(['web']);
    expect((await linkOf(second)).port).not.toBe(link.port);
    await end(second);
    const run = bed.start(['run', '--json', '--web']);
    expect((await linkOf(run)).port).toBe(link.port);
    await (await bed.hand.next({ unit: 'a' })).finish();
    expectEnd(await run.ended, 0);
    await end(first);
    const none = await bed.choo(['web', '--run', '9']);
    expectEnd(none, 2);
    expect(none.stderr).toContain('there is no run 9 in this repository');
    const nowhere = await bed.choo(['web', '--listen', '192.0.2.1']);
    expectEnd(nowhere, 2);
    expect(nowhere.stderr).toContain('an address of this machine');
  });

  it('acts for its own page alone, and never by GET', async ({ bed }) => {
    bed.specs({ a: { tasks: [{ check: 'test -e ../mended' }] } }, { limits: { attempts: 1 } });
    expectEnd(await bed.choo(['run']), 1);
    const server = bed.start(['web', '--port', '0']);
    const link = await linkOf(server);
    const act = (wish: unknown, headers: Readonly<Record<string, string | undefined>> = {}, method = 'POST') => fetchFrom(link, '/api/actions', {
      method, ...(method === 'GET' ? {} : { body: JSON.stringify(wish) }), headers: { 'content-type': 'application/json', origin: `http://127.0.0.1:${link.port}`, ...headers },
    });
    const retry = { do: 'retry', units: ['a'] };
    const journal = (): string => readFileSync(join(bed.root, '.git', 'choo', 'runs', '1', 'journal.jsonl'), 'utf8');
    const before = journal();
    for (const [headers, expected] of [
      [{ origin: undefined }, 403], [{ origin: 'http://evil.example' }, 403], [{ authorization: undefined }, 401], [{ 'content-type': 'text/plain' }, 415],
      [{ 'content-type': 'application/x-www-form-urlencoded' }, 415], [{ host: `evil.example:${link.port}` }, 421], [{ 'sec-fetch-site': 'cross-site' }, 403],
    ] as const) expect([headers, (await act(retry, headers)).status]).toEqual([headers, expected]);
    expect((await act(retry, {}, 'GET')).status).toBe(404);
    expect((await act(retry, {}, 'PUT')).status).toBe(405);
    expect((await fetchFrom(link, '/api/actions?do=retry&units=a')).status).toBe(404);
    expect((await act({ do: 'drop' })).status).toBe(400);
    expect((await act('x'.repeat(100_000))).status).toBe(413);
    expect(await act({ do: 'retry', units: ['nobody'] })).toMatchObject({ status: 409, text: expect.stringContaining('has no unit') as string });
    expect(await act({ do: 'stop', now: false })).toMatchObject({ status: 409, text: expect.stringContaining('no run is live') as string });
    expect(journal()).toBe(before);
    expect(JSON.parse((await act(retry)).text)).toMatchObject({ ok: 'attempts given back to a' });
    expect(journal()).toContain('"unit.retried"');
    await end(server);
  });

  it('says what listening for others means, gives agents nothing, and shows before the first run that there is none', async ({ bed }) => {
    bed.specs({ a: {} });
    expect(await bed.choo(['web'], { env: { CHOO_ATTEMPT: '1' } })).toMatchObject({ code: 2, stdout: '' });
    const server = bed.start(['web', '--port', '0', '--listen', '0.0.0.0']);
    const link = await linkOf(server);
    expect(server.output).toContain('whoever has this link');
    expect((await fetchFrom(link, '/api/runs', { headers: { authorization: undefined } })).status).toBe(401);
    expect((await fetchFrom(link, '/api/runs', { headers: { host: `evil.example:${link.port}` } })).status).toBe(421);
    expect((await fetchFrom(link, '/api/runs')).text).toBe('[]');
    expect((await fetchFrom(link, '/api/runs/newest')).status).toBe(404);
    await end(server);
    expect(existsSync(join(bed.root, '.git', 'choo', 'lock'))).toBe(false);
  });
});
