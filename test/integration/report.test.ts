// `choo report` on real runs: live and at rest, as page and as data, to where it was asked for; and that it changes nothing.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect } from 'vitest';
import type { Report } from '../../src/report/data.ts';
import { DOES_IT, it } from '../rig/bed.ts';
import { expectEnd, expectRefusal } from '../rig/facts.ts';

const validate = new Ajv2020({ allErrors: true }).compile(JSON.parse(readFileSync(join(import.meta.dirname, '../../schema/report.schema.json'), 'utf8')) as object);

function read(stdout: string): Report {
  const data: unknown = JSON.parse(stdout);
  validate(data);
  expect(validate.errors ?? []).toEqual([]);
  return data as Report;
}

const SECRET = 'a-password-that-nobody-sees';

describe('choo report', () => {
  it('tells a failed run with its last lines and times as its events have them, and hides secrets; an earlier run by its number', async ({ bed }) => {
    expectRefusal(bed, await bed.choo(['report']), /there was no run yet/);
    const agent = `[ $CHOO_UNIT = b ] && { echo "<i>$MY_TOKEN</i> is wrong"; exit 3; }; ${DOES_IT}`;
    bed.specs({ a: {}, b: {}, c: { dependsOn: ['b'] } }, { agent, limits: { attempts: 2 } });
    const env = { MY_TOKEN: SECRET };
    const ended = await bed.choo(['run', '--json'], { env });
    expectEnd(ended, 1);
    const status = bed.git('status', '--porcelain');
    const data = read((await bed.choo(['report', '--format', 'json'], { env })).stdout);
    expect(data).toMatchObject({ run: 1, at: 'rest', closed: false, counts: { landed: 1, failed: 1, blocked: 1 }, failures: [{ unit: 'b', kind: 'agent-failed' }] });
    expect(data.failures[0]?.tail?.join('\n')).toBe('<i>[redacted]</i> is wrong');
    const tried = data.units.find((u) => u.id === 'b')?.tasks[0]?.attempts ?? [];
    const begun = ended.events.filter((e) => (e.type === 'task.started' || e.type === 'task.retry') && e.unit === 'b');
    const over = ended.events.filter((e) => e.type === 'task.attempt.failed' && e.unit === 'b');
    expect(tried.map((one) => [one.number, one.from, one.to])).toEqual(begun.map((e, i) => [i + 1, e.time, over[i]?.time]));
    expect(data.asOf >= (ended.events.at(-1)?.time ?? '')).toBe(true);
    const page = await bed.choo(['report'], { env });
    expectEnd(page, 0);
    expect(page.stdout).toMatch(/^<!doctype html>[^]*<\/html>\n$/);
    expect(page.stdout).toContain('&lt;i&gt;[redacted]&lt;/i&gt; is wrong');
    expect(page.stdout + JSON.stringify(data)).not.toContain(SECRET);
    const file = join(bed.base, 'report.html');
    expect((await bed.choo(['report', '1', '-o', file], { env })).stdout).toBe(`${file}\n`);
    expect(readFileSync(file, 'utf8')).toBe(page.stdout);
    bed.specs({ d: {} });
    expectEnd(await bed.choo(['run', '--new', '--unit', 'd'], { env }), 0);
    expect(read((await bed.choo(['report', '1', '--format', 'json'])).stdout)).toMatchObject({ run: 1, closed: true });
    const [ninth, nowhere] = [await bed.choo(['report', '9']), await bed.choo(['report', '-o', join(bed.base, 'nowhere', 'report.html')])];
    expect([ninth.code, ninth.stderr, nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining('there is no run 9'), 2, expect.stringContaining('cannot be written: ENOENT')]);
    expect(bed.git('status', '--porcelain')).toBe(status);
  });

  it('tells a live run up to now', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json']);
    const held = await bed.hand.next({ unit: 'a' });
    const data = read((await bed.choo(['report', '--format', 'json'])).stdout);
    expect(data).toMatchObject({ at: 'live', sessions: [{ ended: 'running', to: data.asOf }], units: [{ id: 'a', state: 'running', tasks: [{ attempts: [{ number: 1, result: 'running', agent: 'command', to: data.asOf }] }] }] });
    await held.finish();
    expectEnd(await run.ended, 0);
    expect(read((await bed.choo(['report', '--format', 'json'])).stdout)).toMatchObject({ at: 'rest', closed: true, criticalPath: [{ unit: 'a', because: 'start' }] });
  });
});
