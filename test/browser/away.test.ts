// A run of a thousand units whose page is away while 50,000 events pass: offline, or frozen. What comes after is told once, in order, and is
// what the journal says.

import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { BarePage } from '../rig/bare-page.ts';
import { it } from '../rig/bed.ts';
import type { Bed } from '../rig/bed.ts';
import { BigJournal } from '../rig/big-journal.ts';
import { launch } from '../rig/browser.ts';
import { linkOf, Stream } from '../rig/page.ts';
import type { Link } from '../rig/page.ts';
import { Relay } from '../rig/relay.ts';

/** Notes what comes over the stream of the run, and what happens to the page. */
const RECORD = `{
  globalThis.came = [];
  const Real = EventSource;
  globalThis.EventSource = class extends Real {
    constructor(url) {
      super(url);
      for (const event of ['open', 'error']) this.addEventListener(event, () => came.push({ event }));
      for (const event of ['snapshot', 'frame', 'resync']) this.addEventListener(event, ({ data, lastEventId }) => came.push({ event, id: lastEventId, data: JSON.parse(data) }));
    }
  };
  for (const event of ['freeze', 'resume']) document.addEventListener(event, () => came.push({ event }));
}`;
/** Resolves in the page when an expression is true there. */
const once = (expression: string): string => `new Promise((resolve) => { const look = () => { if (${expression}) resolve(true); else requestAnimationFrame(look); }; look(); })`;
/** What the list shows of every unit. */
const SHOWN = `(async () => {
  const shown = {};
  const list = document.querySelector('.list');
  for (list.scrollTop = 0; ; list.scrollTop += list.clientHeight) {
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    for (const line of document.querySelectorAll('.line')) shown[line.dataset.unit] = line.querySelector('.state').className.replace('state ', '');
    if (list.scrollTop + list.clientHeight >= list.scrollHeight) return shown;
  }
})()`;

interface Came { readonly event: string; readonly id?: string; readonly data?: { readonly seq: number; readonly units: readonly { readonly id: string; readonly state: string }[] } }
type States = Readonly<Record<string, string>>;

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

/** Folds what came, and finds nothing in it twice. */
function folded(came: readonly Came[]): { readonly seq: number; readonly states: States } {
  let states: Record<string, string> = {};
  let seq = 0;
  for (const { event, data } of came) {
    if (data === undefined || event === 'resync') continue;
    if (event === 'snapshot') states = {};
    // Nothing comes twice: a number that was told before tells of no unit again.
    expect(data.seq).toBeGreaterThanOrEqual(seq);
    if (data.seq === seq && event === 'frame') expect(data.units).toEqual([]);
    for (const { id, state } of data.units) states[id] = state;
    seq = data.seq;
  }
  return { seq, states };
}

/** How the units of the run stand, as `choo status` says. */
async function standing(bed: Bed): Promise<States> {
  const { units } = JSON.parse((await bed.choo(['status', '--json'])).stdout) as { readonly units: readonly { readonly id: string; readonly state: string }[] };
  return Object.fromEntries(units.map(({ id, state }) => [id, state]));
}

/** A client that asks for the stream and takes nothing of it. */
function neverReads(link: Link): Socket {
  const socket = connect(link.port, '127.0.0.1').on('error', () => undefined).pause();
  socket.write(`GET /api/runs/newest/stream HTTP/1.1\r\nHost: 127.0.0.1:${link.port}\r\nAuthorization: Bearer ${link.token}\r\n\r\n`);
  return socket;
}

/** Writes events until so many are left. */
function pass(journal: BigJournal, left: number): void {
  while (journal.left > left) journal.more(Math.min(1000, journal.left - left));
}

describe('a page that is away while 50,000 events pass', () => {
  it('offline: knows that it is, asks again, and gets what it missed without a gap or a double', async ({ bed }) => {
    const journal = new BigJournal(bed.root, 1000);
    const server = bed.start(['web']);
    const link = await linkOf(server);
    const relay = await Relay.open(link.port);
    const page = await browser.newPage({ viewport: { width: 1300, height: 2400 } });
    await page.addInitScript(RECORD);
    await page.goto(`http://${Relay.host}:${link.port}/?token=${link.token}`);
    await page.locator('.line').first().waitFor();
    const last = journal.more(1000);
    await page.evaluate(once(`came.at(-1)?.data?.seq === ${last}`));
    await page.context().setOffline(true);
    relay.cut();
    await page.locator('.connection.lost').waitFor();
    const before = await page.evaluate<number>('came.length');
    const missed = journal.left - 2000;
    expect(missed).toBeGreaterThan(50_000);
    pass(journal, 2000);
    // It tries again, and nothing comes.
    await page.evaluate(once(`came.filter(({ event }) => event === 'error').length >= 2`));
    expect(await page.evaluate('[came.slice(1).filter(({ data }) => data !== undefined).at(-1).data.seq, came.slice(-1)[0].event]')).toEqual([last, 'error']);
    await page.locator('.connection.lost').waitFor();
    await page.context().setOffline(false);
    await page.evaluate(once(`came.at(-1)?.data?.seq === ${last + missed}`));
    // What changed since comes, and not the whole run; in one piece when the server had read all of it by then. Then it goes on as before.
    const came = (await page.evaluate<Came[]>('came')).slice(before).filter(({ data }) => data !== undefined);
    expect(came.map(({ event }) => event)).toEqual(came.map(() => 'frame'));
    expect(came.at(-1)?.id).toBe(`1:${last + missed}`);
    pass(journal, 500);
    await page.locator('.connection.connected').waitFor();
    await page.evaluate(once(`came.at(-1)?.data?.seq === ${last + missed + 1500}`));
    const expected = await standing(bed);
    expect(new Set(Object.values(expected)).size).toBeGreaterThan(1);
    expect(folded(await page.evaluate<Came[]>('came'))).toEqual({ seq: last + missed + 1500, states: expected });
    expect(await page.evaluate(SHOWN)).toEqual(expected);
    await page.close();
    relay.close();
    server.signal('SIGINT');
    expect((await server.ended).code).toBe(0);
  });

  it('frozen, while others never read: it stands as the run does once it thaws, and the server\'s memory has a bound', async ({ bed }) => {
    const journal = new BigJournal(bed.root, 1000);
    const server = bed.start(['web']);
    const link = await linkOf(server);
    const page = await BarePage.open(browser, { url: `http://127.0.0.1:${link.port}/?token=${link.token}`, before: RECORD });
    await page.evaluate(once(`document.querySelector('.line') !== null`));
    const last = journal.more(1000);
    await page.evaluate(once(`came.at(-1)?.data?.seq === ${last}`));
    const deaf = Array.from({ length: 10 }, () => neverReads(link));
    await page.freeze();
    const missed = journal.left - 500;
    expect(missed).toBeGreaterThan(50_000);
    // Piece by piece, as another reader gets it, so that much of it waits for this one.
    const other = await Stream.open(link);
    while (journal.left > 500) {
      const written = journal.more(Math.min(20_000, journal.left - 500));
      await other.has(({ data }) => (data.seq ?? 0) >= written);
    }
    other.close();
    const held = await page.evaluate<Came[]>('came');
    expect(held.at(-1)?.event).toBe('freeze');
    await page.thaw();
    await page.evaluate(once(`came.at(-1)?.data?.seq === ${last + missed}`));
    const came = await page.evaluate<Came[]>('came');
    expect(came.slice(held.length).map(({ event }) => event)).toContain('resume');
    const expected = await standing(bed);
    expect(new Set(Object.values(expected)).size).toBeGreaterThan(1);
    expect(folded(came)).toEqual({ seq: last + missed, states: expected });
    expect(await page.evaluate(SHOWN)).toEqual(expected);
    // Of each one that never reads 4 MiB wait at most.
    const peak = Math.round(Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);
    process.stdout.write(`choo web had at most ${peak} MiB\n`);
    expect(peak).toBeLessThan(500);
    for (const one of deaf) one.destroy();
    server.signal('SIGINT');
    expect((await server.ended).code).toBe(0);
  });
});
