// Runs that outlive their terminal: `--detach`, hangups that were ignored and such that were not, and `--until`.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { DOES_IT, it } from '../rig/bed.ts';
import type { Bed } from '../rig/bed.ts';
import type { Ended } from '../rig/choo.ts';
import { commits, expectEnd, expectNothingLeft } from '../rig/facts.ts';

/** What the foreground told of the run in the background. Agents may be waited for again. */
function toldBy(bed: Bed, ended: Ended): { readonly pid: number; readonly log: string } {
  expectEnd(ended, 0);
  bed.hand.over(undefined);
  const [, pid = '', log = ''] = /^run \d+ goes on in the background, process (\d+)\nits output: {2}(.+)\nto watch it: choo status --watch\n/.exec(ended.stdout) ?? [];
  return { pid: Number(pid), log };
}

/** Resolves when a process that is not our child has ended. */
async function gone(pid: number): Promise<void> {
  await once(spawn('tail', ['-s', '0.1', `--pid=${pid}`, '-f', '/dev/null'], { stdio: 'ignore' }), 'close');
}

const leftOutputs = (bed: Bed): readonly string[] => readdirSync(join(bed.root, '.git/choo')).filter((name) => name.startsWith('detached'));

describe('--detach', () => {
  it('leaves the run in a session of its own, its output in the run\'s folder; hangups pass it by, choo stop and resume work', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const { pid, log } = toldBy(bed, await bed.choo(['run', '--detach']));
    const held = await bed.hand.next();
    expect(log).toBe(join(bed.root, '.git/choo/runs/1/detached-1.log'));
    expect(statSync(log).mode % 0o1000).toBe(0o600);
    expect([0, 1, 2].map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))).toEqual(['/dev/null', log, log]);
    expect(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ').slice(2, 4)).toEqual([String(pid), String(pid)]);
    expect(Object.keys(held.env).filter((name) => /HANGUP|DETACHED/.test(name))).toEqual([]);
    process.kill(pid, 'SIGHUP');
    expect((await bed.choo(['status'])).stdout).toContain(`running (process ${pid})`);
    expectEnd(await bed.choo(['stop']), 0);
    await gone(pid);
    expect(readFileSync(log, 'utf8')).toContain('to go on:  choo resume');
    const again = toldBy(bed, await bed.choo(['resume', '--detach', '-p', '2']));
    expect(again.log).toBe(join(bed.root, '.git/choo/runs/1/detached-2.log'));
    await (await bed.hand.next({ attempt: 2 })).finish();
    await gone(again.pid);
    expect(readFileSync(again.log, 'utf8')).toContain('run 1: 1 of 1 unit landed');
    expectNothingLeft(bed);
    expect(leftOutputs(bed)).toEqual([]);
  });

  it('refuses with the words and the exit code of the run itself, and leaves nothing', async ({ bed }) => {
    bed.specs({ a: { tasks: [{ check: '' }] } });
    const plain = await bed.choo(['run']);
    const detached = await bed.choo(['run', '--detach']);
    expect([detached.code, detached.stdout, detached.stderr]).toEqual([2, '', plain.stderr]);
    expect(leftOutputs(bed)).toEqual([]);
    expectEnd(await bed.choo(['resume', '--detach']), 2);
    expectEnd(await bed.choo(['run', '--detach', '--json']), 2);
    expectEnd(await bed.choo(['run', '--detach', '-n']), 2);
    expectEnd(await bed.choo(['run', '--detach'], { cwd: bed.base }), 2);
    bed.specs({ a: { tasks: [{ status: 'complete' }] } });
    const nothing = await bed.choo(['run', '--detach']);
    expect([nothing.code, nothing.stdout]).toEqual([0, 'nothing to do: the one unit is complete\n']);
  });

  it('beside a live run is refused by name', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json']);
    const held = await bed.hand.next();
    const second = await bed.choo(['run', '--detach']);
    expectEnd(second, 2);
    expect(second.stderr).toContain(String(run.pid));
    await held.finish();
    expectEnd(await run.ended, 0);
  });
});

describe('a hangup', () => {
  it.for([
    ['sh', 'exec nohup "$0" "$@"'], ['bash', 'exec nohup "$0" "$@"'], ['sh', 'trap "" HUP; exec "$0" "$@"'], ['bash', 'trap "" HUP; exec "$0" "$@"'],
  ] as const)('that was ignored when choo started passes by: %s -c %s', async (through, { bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json'], { through });
    const held = await bed.hand.next();
    expect(held.env).not.toHaveProperty('CHOO_HANGUP');
    run.signal('SIGHUP');
    expect((await bed.choo(['status'])).stdout).toContain('running (process');
    await held.finish();
    const ended = await run.ended;
    expectEnd(ended, 0);
    expect(ended.events.some((e) => e.type === 'orch.stopping')).toBe(false);
  });

  it.for([['sh', 'exec "$0" "$@"'], ['sh', 'exec setsid "$0" "$@"'], ['bash', 'CHOO_HANGUP=ignored exec "$0" "$@"']] as const)('else stops gracefully: %s -c %s', async (through, { bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json'], { through });
    const held = await bed.hand.next();
    run.signal('SIGHUP');
    await held.gone;
    const ended = await run.ended;
    expectEnd(ended, 129);
    expect(ended.events.find((e) => e.type === 'orch.stopping')).toMatchObject({ by: 'SIGHUP' });
  });
});

describe('--until', () => {
  it('stops as choo stop does, says when and how to go on, and exits 1', async ({ bed }) => {
    const go = join(bed.base, 'go');
    bed.specs({ a: {} }, { agent: `if [ -e ${go} ]; then ${DOES_IT}; else exec sleep 1000; fi` });
    const ended = await bed.choo(['run', '--json', '--until', '1s']);
    expectEnd(ended, 1);
    const stopping = ended.events.find((e) => e.type === 'orch.stopping');
    expect(stopping).toMatchObject({ by: expect.stringMatching(/^--until \d{4}-\d\d-\d\d \d\d:\d\d$/) as string, now: false });
    expect(ended.stderr).toMatch(/stopped by --until [^]*to go on: {2}choo resume/);
    writeFileSync(go, '');
    expectEnd(await bed.choo(['resume', '--until', '8h']), 0);
    expect(commits(bed).filter((c) => c.task !== '')).toHaveLength(1);
  });

  it('that is past or no time ends 2 and starts nothing', async ({ bed }) => {
    bed.specs({ a: {} });
    for (const [until, says] of [['2020-01-01T00:00', 'in the past'], ['0', 'in the past'], ['25:00', '07:30'], ['tomorrow', '2026-11-23T07:30'], ['2026-02-30T07:30', '8h'], ['-1h', '8h'], ['', '8h']] as const) {
      const ended = await bed.choo(['run', '--until', until]);
      expectEnd(ended, 2);
      expect(ended.stderr).toContain(says);
    }
    expectEnd(await bed.choo(['run', '-n', '--until', '8h']), 2);
    expect(existsSync(join(bed.root, '.git/choo'))).toBe(false);
  });
});
