// `choo status --watch`: every change of a run, from before it began until its session has ended, however it ended.

import { createInterface } from 'node:readline';
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { it } from '../rig/bed.ts';
import type { Bed } from '../rig/bed.ts';
import { expectEnd } from '../rig/facts.ts';

const program = join(import.meta.dirname, '..', '..', 'bin', 'choo');

interface Status {
  readonly version: number;
  readonly at: string;
  readonly run?: number;
  readonly units: readonly { readonly id: string; readonly state: string }[];
}

/** A watcher whose objects can be waited for. */
class Watcher {
  readonly #child: ChildProcessByStdio<null, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  readonly ended: Promise<number | null>;
  last: Status | undefined;

  constructor(bed: Bed, flags: readonly string[] = ['--json']) {
    this.#child = spawn(process.execPath, [program, 'status', '--watch', ...flags], { cwd: bed.root, env: { ...bed.env, XDG_STATE_HOME: bed.state }, stdio: ['ignore', 'pipe', 'ignore'] });
    this.ended = once(this.#child, 'close').then(([code]: unknown[]) => code as number | null);
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** The first status that matches, from here on. */
  async until(matches: (status: Status) => boolean): Promise<Status> {
    for (;;) {
      const line = await this.line();
      if (line === undefined) throw new Error(`the watcher ended; the last was ${JSON.stringify(this.last)}`);
      this.last = JSON.parse(line) as Status;
      if (matches(this.last)) return this.last;
    }
  }

  /** The next line as it is. */
  async line(): Promise<string | undefined> {
    const next = await this.#lines.next();
    return next.done === true ? undefined : next.value;
  }

  /** Reads no more. */
  leave(): void {
    this.#child.stdout.destroy();
  }

  end(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

const is = (unit: string, state: string) => (s: Status): boolean => s.units.some((u) => u.id === unit && u.state === state);

describe('status --watch', () => {
  it('begins before the first run, goes along, and ends with the session; then with the next one, whatever ended the last', async ({ bed }) => {
    bed.specs({ a: {}, b: { dependsOn: ['a'] } }, { agent: bed.hand.agent });
    const first = new Watcher(bed);
    expect(await first.until(() => true)).toMatchObject({ version: 1, at: 'rest', units: [{ id: 'a', state: 'pending' }, { id: 'b' }] });
    const run = bed.start(['run', '--json']);
    const held = await bed.hand.next({ unit: 'a' });
    await first.until(is('a', 'running'));
    await held.finish();
    await first.until(is('b', 'running'));
    await bed.hand.next({ unit: 'b' });
    run.signal('SIGINT');
    expectEnd(await run.ended, 130);
    expect(await first.until((s) => s.at === 'rest')).toMatchObject({ run: 1, at: 'rest' });
    expect(await first.ended).toBe(0);

    const second = new Watcher(bed);
    await second.until((s) => s.at === 'rest' && s.run === 1);
    const crashing = bed.start(['resume', '--json']);
    await bed.hand.next({ unit: 'b', attempt: 2 });
    await second.until((s) => s.at === 'live');
    crashing.signal('SIGKILL');
    await crashing.ended;
    await second.until((s) => s.at === 'rest');
    expect(await second.ended).toBe(0);

    const last = bed.start(['resume', '--json']);
    const third = new Watcher(bed);
    await (await bed.hand.next({ unit: 'b', attempt: 3 })).finish();
    expectEnd(await last.ended, 0);
    await third.until(is('b', 'landed'));
    expect(await third.ended).toBe(0);
    const over = await bed.choo(['status', '--watch']);
    expect([over.code, over.stderr]).toEqual([0, '']);
    expect(over.stdout).toMatch(/^run 1 onto main: over, 2 of 2 units landed\n/);
  });

  it('into a pipe prints one status below the other and says how to go on; Ctrl-C ends it; no folder is taken', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json']);
    await bed.hand.next();
    const plain = new Watcher(bed, []);
    const lines = [await plain.line()];
    const json = new Watcher(bed);
    await json.until(is('a', 'running'));
    json.end('SIGINT');
    expect(await json.ended).toBe(null);
    expectEnd(await bed.choo(['stop']), 0);
    await run.ended;
    expect(lines).toEqual([`run 1 onto main: running (process ${run.pid}), 0 of 1 unit landed`]);
    for (let line = await plain.line(); line !== undefined; line = await plain.line()) lines.push(line);
    expect(await plain.ended).toBe(0);
    expect(lines.join('\n').split(`\n${'-'.repeat(40)}\n`).at(-1)).toMatch(/^run 1 onto main: at rest[^]*to go on: choo resume$/);
    expectEnd(await bed.choo(['status', 'specs/tasks', '--watch']), 2);
  });

  it('ends when nobody reads', async ({ bed }) => {
    bed.specs({ a: { tasks: 2 } }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json']);
    const held = await bed.hand.next({ task: 1 });
    const watcher = new Watcher(bed);
    await watcher.until(is('a', 'running'));
    watcher.leave();
    await held.finish();
    const second = await bed.hand.next({ task: 2 });
    expect(await watcher.ended).toBe(0);
    await second.finish();
    expectEnd(await run.ended, 0);
  });

  it('refuses specs that are wrong, before the first run, and a journal that is damaged or empty', async ({ bed }) => {
    bed.specs({ a: { tasks: [{ check: '' }] } });
    expectEnd(await bed.choo(['status', '--watch']), 2);
    bed.specs({ a: {} });
    expectEnd(await bed.choo(['run']), 0);
    bed.write('.git/choo/runs/1/journal.jsonl', '{"choo":"journal","version":2,"run":1,"created":"x"}\nnonsense\n{}\n');
    const ended = await bed.choo(['status', '--watch']);
    expectEnd(ended, 2);
    expect(ended.stderr).toContain('journal.jsonl');
    bed.write('.git/choo/runs/1/journal.jsonl', '');
    const empty = await bed.choo(['status', '--watch']);
    expectEnd(empty, 2);
    expect(empty.stderr).toBe((await bed.choo(['status'])).stderr);
  });
});
