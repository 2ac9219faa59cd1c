// `choo run --web`: a dashboard of its own process that is there before the run begins and gone after it, however the run ends; one that
// serves already is used, and what only pretends to be one is told nothing.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { it } from '../rig/bed.ts';
import { expectEnd } from '../rig/facts.ts';
import { fetchFrom, linkOf, Stream } from '../rig/page.ts';
import type { Link, Sent } from '../rig/page.ts';

const SECRET = 'nobody-gives-this-to-a-dashboard';
const is = (unit: string, state: string) => ({ data }: Sent): boolean => data.units?.some((u) => u.id === unit && u.state === state) === true;

/** The dashboard that this process has started. */
function dashboardOf(parent: number): { readonly pid: number; readonly session: number; readonly environment: string } {
  const found = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const [, ppid, , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(ppid) === parent && readFileSync(`/proc/${pid}/cmdline`, 'utf8').endsWith('\0web\0') ? [{ pid: Number(pid), session: Number(session), environment: readFileSync(`/proc/${pid}/environ`, 'utf8') }] : [];
    } catch (error) {
      if (error instanceof Error && 'code' in error) return [];
      throw error;
    }
  });
  expect(found).toHaveLength(1);
  return found[0] as (typeof found)[number];
}

function untilGone(pid: number): void {
  execFileSync('tail', ['-s', '0.05', `--pid=${pid}`, '-f', '/dev/null'], { timeout: 20_000 });
}

const answers = (link: Link): Promise<unknown> => fetchFrom(link, '/api/runs').then(({ status }) => status, (error: unknown) => (error as NodeJS.ErrnoException).code);

describe('choo run --web', () => {
  it('prints the link before the run begins, follows it to its end in a session without its secrets, and is gone with it', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json', '--web'], { env: { MY_SERVICE_TOKEN: SECRET, CHOO_GITHUB_WEBHOOK_SECRET: 'by-which-webhooks-are-known' } });
    const link = await linkOf(run);
    expect(run.output).not.toContain('"seq"');
    const held = await bed.hand.next({ unit: 'a' });
    const stream = await Stream.open(link);
    await stream.until(is('a', 'running'));
    const { pid, session, environment } = dashboardOf(run.pid);
    expect(session).toBe(pid);
    expect(environment).not.toContain(SECRET);
    expect(environment).toContain('by-which-webhooks-are-known');
    await held.finish();
    const ended = await run.ended;
    expectEnd(ended, 0);
    expect(ended.stdout).not.toContain(link.token);
    expect(ended.stderr.split(link.token)).toHaveLength(2);
    expect(ended.stderr).not.toContain('Ctrl-C');
    // The last news went out before it ended.
    expect(await stream.until(({ data }) => data.head?.at === 'rest' && data.head.closed)).toMatchObject({ data: { head: { counts: { landed: 1 } } } });
    expect(await stream.until(() => false)).toBeUndefined();
    expect(await answers(link)).toBe('ECONNREFUSED');
  });

  it('has a dashboard that survives Ctrl-C until the run has ended, and ends when the run is killed', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--web']);
    const link = await linkOf(run);
    const held = await bed.hand.next({ unit: 'a' });
    await held.ignore('SIGTERM', 'SIGINT');
    const stream = await Stream.open(link);
    run.signal('SIGINT');
    await stream.until(({ data }) => data.head !== undefined && 'stopping' in data.head);
    expect(await answers(link)).toBe(200);
    run.signal('SIGINT');
    expect((await run.ended).code).toBe(130);
    await held.gone;
    expect(await answers(link)).toBe('ECONNREFUSED');

    const again = bed.start(['resume', '--web']);
    expect(await linkOf(again)).toEqual(link);
    const second = await bed.hand.next({ unit: 'a' });
    const { pid } = dashboardOf(again.pid);
    again.signal('SIGKILL');
    await again.ended;
    untilGone(pid);
    expect(await answers(link)).toBe('ECONNREFUSED');
    await second.gone;
  });

  it('uses one that serves this repository already; in the background the foreground tells the link', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const web = bed.start(['web']);
    const link = await linkOf(web);
    const run = bed.start(['run', '--web']);
    expect(await linkOf(run)).toEqual(link);
    const held = await bed.hand.next({ unit: 'a' });
    run.signal('SIGINT');
    await run.ended;
    await held.gone;
    expect(await answers(link)).toBe(200);
    web.signal('SIGINT');
    await web.ended;

    const front = bed.start(['resume', '--detach', '--web']);
    expect(await linkOf(front)).toEqual(link);
    expectEnd(await front.ended, 0);
    bed.hand.over(undefined);
    const second = await bed.hand.next({ unit: 'a' });
    const stream = await Stream.open(link);
    await stream.until(is('a', 'running'));
    const pid = Number(/process (\d+)/.exec(front.output)?.[1]);
    const dashboard = dashboardOf(pid);
    await second.finish();
    await stream.until(is('a', 'landed'));
    for (const gone of [pid, dashboard.pid]) untilGone(gone);
    const log = /its output: +(\S+)/.exec(front.output)?.[1] ?? '';
    expect(readFileSync(log, 'utf8')).not.toContain(link.token);
  });

  it('tells the token to nobody who has the port meanwhile', async ({ bed }) => {
    bed.specs({ a: {} });
    const web = bed.start(['web']);
    const link = await linkOf(web);
    web.signal('SIGINT');
    await web.ended;
    const asked: string[] = [];
    const other = createServer((request, response) => {
      asked.push(`${request.url ?? ''} ${request.rawHeaders.join(' ')}`);
      response.end('x'.repeat(43));
    }).listen(link.port, '127.0.0.1');
    await once(other, 'listening');
    const ended = await bed.choo(['run', '--web']);
    expectEnd(ended, 0);
    other.close();
    // The run asks, and so does the dashboard that it starts.
    expect(asked).toEqual([expect.stringMatching(/^\/proof\?of=/), expect.stringMatching(/^\/proof\?of=/)]);
    expect(asked.join('')).not.toContain(link.token);
    expect(ended.stderr).toMatch(/the dashboard: http:\/\/127\.0\.0\.1:\d+\//);
    expect(ended.stderr).not.toContain(`:${link.port}/`);
  });

  it('goes on with a warning where there can be none', async ({ bed }) => {
    bed.specs({ a: {} });
    mkdirSync(join(bed.root, '.git', 'choo', 'web.json'), { recursive: true, mode: 0o755 });
    const ended = await bed.choo(['run', '--web']);
    expectEnd(ended, 0);
    expect(ended.stderr).toMatch(/there is no dashboard, the run goes on without it: error: .*web\.json/);
  });
});
