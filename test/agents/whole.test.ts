// choo with each real agent against the scripted model server, from prompt to landed commit, and in its worst hours. What
// passed becomes the table in docs/agents.md when CHOO_RECORD_MATRIX is set.

import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';
import { tokensOf } from '../../src/core/usage.ts';
import { openModelServer, type ModelServer } from '../../src/model-server/server.ts';
import type { Scenario } from '../../src/model-server/scenario.ts';
import type { Turn } from '../../src/model-server/turn.ts';
import { it as withBed, type Bed, type BedConfig } from '../rig/bed.ts';
import { completedTasks, commits, expectEnd, expectNothingLeft, fileAt } from '../rig/facts.ts';
import { recordMatrix } from './matrix.ts';
import { ROWS, type Row } from './rows.ts';

/** A real agent takes seconds, and the machine may be busy, ms. */
const PATIENCE = 180_000;

/** A bed with a model server. */
interface Stage {
  readonly bed: Bed;
  readonly server: ModelServer;
  readonly env: Readonly<Record<string, string>>;
}

const it = withBed.extend<{ readonly open: (row: Row, scenario: Scenario, config?: BedConfig) => Promise<Stage> }>({
  open: async ({ bed }, use) => {
    const servers: ModelServer[] = [];
    await use(async (row, scenario, config = {}) => {
      const server = await openModelServer({ protocols: row.protocols, scenario, clock: systemClock() });
      servers.push(server);
      bed.configure(merge(row.config(server.url), config));
      for (const [path, text] of Object.entries(row.home(server.url))) bed.write(path, text, bed.env['HOME']);
      // Not every agent lets the commands it runs see the git configuration of its user.
      bed.git('config', 'user.name', 'Tess Ter');
      bed.git('config', 'user.email', 'tess@example.com');
      return { bed, server, env: { PATH: [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(':'), ...row.env(server.url) } };
    });
    for (const server of servers) {
      await server.close();
      expect(server.bad).toEqual([]);
    }
  },
});

/** Maps are merged, everything else is replaced. */
function merge(a: BedConfig, b: BedConfig): BedConfig {
  const isMap = (value: unknown): value is BedConfig => typeof value === 'object' && value !== null && !Array.isArray(value);
  const entries = Object.entries(b).map(([key, value]) => [key, isMap(value) && isMap(a[key]) ? merge(a[key], value) : value] as const);
  return { ...a, ...Object.fromEntries(entries) };
}

/** The specs beside the configuration that `open` wrote. */
function specs(bed: Bed, tasks: Parameters<Bed['specs']>[0]): void {
  const config = bed.read('.choo.yaml');
  bed.specs(tasks);
  bed.commit({ '.choo.yaml': config }, 'configuration');
}

const run = (command: string): Turn => ({ do: 'run', command });
const say = (text: string): Turn => ({ do: 'say', text });

/** Heading of a task's prompt. */
const TASK_1 = 'Task 1 of unit `u`';
const TASK_2 = 'Task 2 of unit `u`';
const AGAIN = /Task 1 of unit `u`[^]{0,400}This is attempt \d/;

describe.concurrent.each(ROWS.map((row) => [row.name, row] as const))('%s', (name, row) => {
  it('two tasks, landed', async ({ open }) => {
    const { bed, env } = await open(row, [
      // Commands of the agent's are known as such, so that a choo among them refuses.
      { when: TASK_1, turns: [run('test "$CHOO_UNIT-$CHOO_ATTEMPT" = u-1 && echo one > u-1.txt'), run('git add u-1.txt && git commit -qm "my own"'), say('One is done.')] },
      { when: TASK_2, turns: [run('echo two > u-2.txt'), say('Two is done.')] },
    ]);
    specs(bed, { u: { tasks: 2 } });
    const ended = await bed.choo(['run', '--json'], { env });
    expectEnd(ended, 0);
    expect(completedTasks(bed)).toEqual(['u#1', 'u#2']);
    expect(commits(bed).map((c) => c.subject)).toContain('my own');
    expect(fileAt(bed, 'main', 'u-2.txt')).toBe('two\n');
    const usage = ended.events.flatMap((e) => (e.type === 'task.attempted' ? [e.usage === undefined ? 0 : tokensOf(e.usage)] : []));
    // Those that tell it only in their last words may not be heard to the end.
    if (row.seen) expect(usage.every((tokens) => tokens > 0)).toBe(true);
    // What an agent keeps in the temporary folder is its own.
    rmSync(join(bed.base, 'temporary'), { recursive: true });
    mkdirSync(join(bed.base, 'temporary'));
    expectNothingLeft(bed);
  }, PATIENCE);

  it('a red check fed back, mended', async ({ open }) => {
    const { bed, env, server } = await open(row, [
      { when: AGAIN, turns: [run('echo right > u-1.txt'), say('Mended.')] },
      { when: TASK_1, turns: [run('echo wrong > u-1.txt'), say('Done.')] },
    ]);
    specs(bed, { u: { tasks: [{ check: 'echo "line 41: expected right"; grep -qx right u-1.txt' }] } });
    const ended = await bed.choo(['run', '--json'], { env });
    expectEnd(ended, 0);
    expect(ended.events.filter((e) => e.type === 'task.retry')).toHaveLength(1);
    expect(server.seen.some(({ asked }) => asked?.prompt.includes('line 41: expected right') === true)).toBe(true);
    expect(fileAt(bed, 'main', 'u-1.txt')).toBe('right\n');
  }, PATIENCE);

  it('quota, no attempt counted', async ({ open }) => {
    const { bed, env } = await open(row, [{ when: TASK_1, turns: [...Array.from({ length: 3 }, (): Turn => ({ do: 'quota', resetSeconds: 3600 })), run('echo one > u-1.txt'), say('Done.')] }], { limits: { attempts: 1 } });
    specs(bed, { u: {} });
    const running = bed.start(['run', '--json'], { env });
    // A person who knows better does not wait for the hour; each try takes some of the refusals.
    for (let waiting = await running.event('unit.waiting', { unit: 'u' }); ;) {
      expect(waiting).toMatchObject({ for: 'quota', agent: row.agent });
      expect(await bed.choo(['retry', 'u'])).toMatchObject({ code: 0 });
      const next = await running.event('unit.waiting', { unit: 'u', after: waiting.seq }).catch(() => undefined);
      if (next === undefined) break;
      waiting = next;
    }
    const ended = await running.ended;
    expectEnd(ended, 0);
    expect(ended.events.filter((e) => e.type === 'task.retry')).toEqual([]);
    expect(ended.events.find((e) => e.type === 'agent.held')).toMatchObject({ agent: row.agent, reason: 'quota' });
    expect(completedTasks(bed)).toEqual(['u#1']);
  }, PATIENCE);

  it('a hang, ended by the idle limit', async ({ open }) => {
    const { bed, env } = await open(row, [{ when: TASK_1, turns: [run('tail -f /dev/null'), say('Done.')] }], { agents: { [row.agent]: { agent_idle: '12s' } }, limits: { attempts: 1 } });
    specs(bed, { u: {} });
    const ended = await bed.choo(['run', '--json'], { env });
    expectEnd(ended, 1);
    // That no process is left is what the bed asserts at the end of every test.
    expect(ended.events.find((e) => e.type === 'unit.failed')).toMatchObject({ failure: { kind: 'agent-idle', agent: row.agent } });
  }, PATIENCE);

  it('choo killed in mid-attempt, resumed', async ({ open }) => {
    const { bed, env, server } = await open(row, [{ when: TASK_1, turns: [run('echo half > u-1.txt'), { do: 'hang' }, run('echo whole > u-1.txt'), say('Done.')] }]);
    specs(bed, { u: { tasks: [{ check: 'grep -qx whole u-1.txt' }] } });
    const first = bed.start(['run', '--json'], { env });
    await server.arrived(({ turn }) => turn?.do === 'hang');
    first.signal('SIGKILL');
    await first.ended;
    const ended = await bed.choo(['resume', '--json'], { env });
    expectEnd(ended, 0);
    expect(completedTasks(bed)).toEqual(['u#1']);
    expect(fileAt(bed, 'main', 'u-1.txt')).toBe('whole\n');
  }, PATIENCE);

  it('a prompt of 1 MB, intact', async ({ open }) => {
    const { bed, env, server } = await open(row, [{ when: TASK_1, turns: [run('echo one > u-1.txt'), say('Done.')] }]);
    const body = `${'0123456789abcde\n'.repeat(62_500)}"quotes" \\ ünïcödé 🦉 the end`;
    specs(bed, { u: { tasks: [{ body }] } });
    const ended = await bed.choo(['run', '--json'], { env });
    expectEnd(ended, 0);
    expect(server.seen.some(({ asked }) => asked?.prompt.includes(body) === true)).toBe(true);
  }, PATIENCE);

  if (!row.seen) it('a budget is refused: its spending is not seen', async ({ open }) => {
    const { bed, env } = await open(row, [], { budget: { attempt: '5000 tokens' } });
    specs(bed, { u: {} });
    const ended = await bed.choo(['run'], { env });
    expectEnd(ended, 2);
    expect(ended.stderr).toMatch(/cannot be seen/);
  }, PATIENCE);

  if (row.seen) it('ended at its cap', async ({ open }) => {
    const { bed, env, server } = await open(row, [{ when: TASK_1, turns: [run('true')], forever: true }], { budget: { attempt: '5000 tokens', run: '12k tokens' }, limits: { attempts: 9 } });
    specs(bed, { u: {} });
    const ended = await bed.choo(['run', '--json'], { env });
    expectEnd(ended, 1);
    const spent = ended.events.flatMap((e) => ('usage' in e && e.usage !== undefined ? [tokensOf(e.usage)] : []));
    expect(spent.length).toBeGreaterThan(0);
    // What the server gave is what was really spent: an answer is 1,050 tokens.
    const really = server.seen.filter(({ turn }) => turn?.do === 'run').length * 1050;
    const over = Math.max(0, really - 12_000);
    console.log(`${name}: ${spent.length} attempts, ${really} tokens for a budget of 12000; beyond it: ${over}`);
    expect(over).toBeLessThanOrEqual(2 * 1050);
    expect(ended.events.findLast((e) => e.type === 'unit.waiting')).toMatchObject({ for: 'budget' });
  }, PATIENCE);
});

// Vitest reads the text of the parameter, and wants a pattern.
// oxlint-disable-next-line no-empty-pattern -- Vitest wants one
afterAll(({}, suite) => recordMatrix(suite.tasks));
