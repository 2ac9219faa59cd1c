// Units that are expected to change the same files: told before the run, and begun one after the other when that is wanted.

import { describe, expect } from 'vitest';
import { it, type Bed } from '../rig/bed.ts';
import { expectEnd, expectNothingLeft } from '../rig/facts.ts';

const touches = (...globs: readonly string[]): { readonly front: readonly string[] } => ({ front: [`touches: ${JSON.stringify(globs)}`] });

/** `a` and `b` mean to change the same folder, `c` a file that always changed with one of `a`'s, `d` says nothing. */
function specs(bed: Bed, overlap: string): void {
  bed.commit({ '-z/--api\n.ts': '0', 'web.ts': '0' }, 'files');
  for (let n = 1; n < 4; n++) bed.commit({ '-z/--api\n.ts': String(n), 'web.ts': String(n) }, `change ${n}`);
  bed.specs({ a: touches('src/api/**', '-z/*'), b: touches('src/api/**'), c: touches('web.ts'), d: {} }, { agent: bed.hand.agent, schedule: { overlap } });
}

describe('units that are expected to change the same files', () => {
  it('are told by the dry run, with the reason, in every form', async ({ bed }) => {
    specs(bed, 'wait');
    const text = (await bed.choo(['run', '-n'])).stdout;
    expect(text).toContain('\nOverlaps (one waits until the other has landed):\n  - a and b both mean to change src/api/**\n  - a and c: -z/--api\uFFFD.ts and web.ts changed together in 4 of the last 4 commits that touched either\n');
    const data = JSON.parse((await bed.choo(['run', '-n', '--format', 'json'])).stdout) as unknown;
    expect(data).toMatchObject({ overlap: { mode: 'wait', pairs: [{ units: ['a', 'b'], by: 'touches', globs: ['src/api/**', 'src/api/**'] }, { units: ['a', 'c'], by: 'history', together: 4, of: 4 }] } });
    expect((await bed.choo(['run', '-n', '--format', 'mermaid'])).stdout).toContain('\n  u1 -.- u2\n  u1 -.- u3\n');
    expect((await bed.choo(['run', '-n', '--format', 'dot'])).stdout).toContain('"a" -> "b" [dir=none, style=dashed, constraint=false];');
  });

  it('wait for each other with `wait`, which `status` explains, and land', async ({ bed }) => {
    specs(bed, 'wait');
    const run = bed.start(['run', '--json']);
    const a = await bed.hand.next({ unit: 'a' });
    const d = await bed.hand.next({ unit: 'd' });
    const waits = await run.event('unit.waiting', { unit: 'c' });
    expect(waits).toMatchObject({ for: 'overlap', other: 'a' });
    const status = (await bed.choo(['status'])).stdout;
    expect(status).toMatch(/waiting +b[^]*waits for a: both mean to change src\/api\/\*\*/);
    await d.finish();
    await a.finish();
    const [b, c] = [await bed.hand.next({ unit: 'b' }), await bed.hand.next({ unit: 'c' })];
    await b.finish();
    await c.finish();
    const ended = await run.ended;
    expectEnd(ended, 0);
    const order = ended.events.filter((e) => e.type === 'unit.started' || e.type === 'unit.merged').map((e) => `${e.type} ${e.unit}`);
    expect(order.indexOf('unit.merged a')).toBeLessThan(Math.min(order.indexOf('unit.started b'), order.indexOf('unit.started c')));
    expectNothingLeft(bed);
  });

  it('are begun after others with `order`', async ({ bed }) => {
    specs(bed, 'order');
    const run = bed.start(['run', '--json', '-p', '2']);
    const [a, d] = [await bed.hand.next({ unit: 'a' }), await bed.hand.next({ unit: 'd' })];
    await d.finish();
    await (await bed.hand.next({ unit: 'b' })).finish();
    await (await bed.hand.next({ unit: 'c' })).finish();
    await a.finish();
    const ended = await run.ended;
    expectEnd(ended, 0);
    expect(ended.events.some((e) => e.type === 'unit.waiting')).toBe(false);
  });

  it('are predicted anew when changed specs are taken', async ({ bed }) => {
    specs(bed, 'wait');
    const run = bed.start(['run', '--json', '-p', '1']);
    await bed.hand.next({ unit: 'a' });
    run.signal('SIGTERM');
    expectEnd(await run.ended, 143);
    bed.specs({ a: touches('src/api/**'), b: touches('src/b/**'), c: touches('web.ts'), d: touches('src/api/d.ts') }, { agent: bed.hand.agent, schedule: { overlap: 'wait' } });
    const again = bed.start(['resume', '--accept-plan', '--json', '-p', '4']);
    const [a, b, c] = [await bed.hand.next({ unit: 'a' }), await bed.hand.next({ unit: 'b' }), await bed.hand.next({ unit: 'c' })];
    expect(await again.event('unit.waiting', { unit: 'd' })).toMatchObject({ for: 'overlap', other: 'a', text: 'both may change the same files (src/api/** and src/api/d.ts)' });
    for (const held of [a, b, c]) await held.finish();
    await (await bed.hand.next({ unit: 'd' })).finish();
    expectEnd(await again.ended, 0);
  });
});
