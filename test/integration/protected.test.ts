// Paths that units should not change: reported, held for a person's approval, or sent back to the agent.

import { describe, expect } from 'vitest';
import { availableModes } from '../contract/processes.rig.ts';
import { DOES_IT, it, type Bed } from '../rig/bed.ts';
import type { Ended, Running } from '../rig/choo.ts';
import { expectEnd, expectNothingLeft, fileAt } from '../rig/facts.ts';
import type { Held } from '../rig/hand.ts';

const MODES = await availableModes();
/** Asks for an approval without choo's own command, and prints the answer. */
const ASKS = 'require("net").connect(process.argv[1], function () { this.write(JSON.stringify({ do: "approve", units: ["a"] }) + "\\n"); }).once("data", function (bytes) { console.log(String(bytes)); this.destroy(); })';
const EDITS_CI = `mkdir -p ci; echo "by $CHOO_UNIT, $CHOO_TASK, $CHOO_ATTEMPT" > ci/check.sh; ${DOES_IT}`;

describe('protected paths', () => {
  it('are reported with the command that shows the change; the configuration always is one', async ({ bed }) => {
    bed.specs({ a: {}, b: {} }, { agent: `if [ $CHOO_UNIT = a ]; then printf '\\n# more\\n' >> .choo.yaml; fi; ${DOES_IT}` });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    const verified = ended.events.filter((e) => e.type === 'unit.verified');
    expect(verified.find((e) => e.unit === 'a')?.protected).toMatchObject({ paths: ['.choo.yaml'], approved: false });
    expect(verified.find((e) => e.unit === 'b')).not.toHaveProperty('protected');
    expect(ended.stderr).toMatch(/changes of protected paths:\n {2}a changes what is protected: \.choo\.yaml\n {4}git diff [0-9a-f]{12} [0-9a-f]{12} -- \.choo\.yaml/);
    const command = /git diff [^\n]*/.exec(ended.stderr)?.[0] ?? '';
    expect(bed.git(...command.split(' ').slice(1))).toContain('+# more');
  });

  it('hold their unit for approval while the others go on; an approved one lands after resume', async ({ bed }) => {
    const base = bed.specs({ a: {}, b: { dependsOn: ['a'] }, c: {} }, { agent: `if [ $CHOO_UNIT = a ]; then ${EDITS_CI}; else ${DOES_IT}; fi`, land: { protect: 'approve', protected: ['ci/**'] } });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 1);
    expect(ended.events.find((e) => e.type === 'unit.waiting')).toMatchObject({ unit: 'a', for: 'approval', change: { paths: ['ci/check.sh'] } });
    expect(ended.events.at(-1)).toMatchObject({ type: 'orch.failed', result: { completedUnits: 1, waitingUnits: 2, error: '1 unit waits for approval' } });
    expect(ended.stderr).toContain('allow:  choo approve a && choo resume');
    expect(bed.git('diff', '--name-only', base, 'main')).not.toContain('ci/check.sh');
    const status = (await bed.choo(['status'])).stdout;
    expect(status).toContain('choo approve a');
    expect(status).toMatch(/git diff [0-9a-f]{12} [0-9a-f]{12} -- ci\/check\.sh/);
    const approved = await bed.choo(['approve', 'a']);
    expectEnd(approved, 0);
    expect(approved.stdout).toBe('approved: a (ci/check.sh); to go on: choo resume\n');
    expectEnd(await bed.choo(['resume']), 0);
    expect(fileAt(bed, 'main', 'ci/check.sh')).toContain('by a');
    expectNothingLeft(bed);
  });

  describe('approved in a live run', () => {
    const together = 'test "$(cat a-1.txt z-1.txt 2>/dev/null | wc -l)" -le 1 || test -f peace';

    /** Unit a changes a protected path and waits, z lands, so that a has to be mended once it is approved; k keeps the run alive. */
    async function untilMending(bed: Bed): Promise<{ readonly run: Running; readonly mending: Held; readonly end: () => Promise<Ended> }> {
      bed.specs({ a: {}, k: {}, z: {} }, { agent: bed.hand.agent, parallelism: 3, land: { protect: 'approve', protected: ['ci/**'] }, baseline_checks: [together] });
      const run = bed.start(['run', '--json']);
      const [a, k, z] = [await bed.hand.next({ unit: 'a' }), await bed.hand.next({ unit: 'k' }), await bed.hand.next({ unit: 'z' })];
      await a.write('ci/check.sh', 'first\n');
      await a.finish();
      await run.event('unit.waiting', { unit: 'a' });
      await z.finish();
      await run.event('unit.merged', { unit: 'z' });
      expect((await bed.choo(['approve', 'a'])).stdout).toBe('approved: a (ci/check.sh); the run goes on with it\n');
      const mending = await bed.hand.next({ unit: 'a', task: 'proof' });
      return { run, mending, end: async () => { await k.finish(); return run.ended; } };
    }

    it('they land, and need no second approval when something else is mended', async ({ bed }) => {
      const { run, mending, end } = await untilMending(bed);
      await mending.write('peace');
      await mending.exit();
      await run.event('unit.merged', { unit: 'a' });
      const ended = await end();
      expectEnd(ended, 0);
      expect(ended.events.filter((e) => e.type === 'unit.waiting')).toHaveLength(1);
      expectNothingLeft(bed);
    });

    it('they have to be approved again when they are changed afterwards', async ({ bed }) => {
      const { run, mending, end } = await untilMending(bed);
      const approved = await run.event('unit.approved', { unit: 'a' });
      await mending.write('peace');
      await mending.write('ci/check.sh', 'second\n');
      await mending.exit();
      const again = await run.event('unit.waiting', { unit: 'a', after: approved.seq });
      expect(again.change?.paths).toEqual(['ci/check.sh']);
      expectEnd(await bed.choo(['approve', 'a']), 0);
      await run.event('unit.merged', { unit: 'a' });
      expectEnd(await end(), 0);
      expect(fileAt(bed, 'main', 'ci/check.sh')).toBe('second\n');
    });
  });

  it.for(MODES)('are not approved by an agent that asks over the control socket itself, where a namespace holds it (%s)', async (mode, { bed }) => {
    bed.specs({ a: {}, k: {} }, { agent: bed.hand.agent, parallelism: 2, land: { protect: 'approve', protected: ['ci/**'] }, process: { contain: mode } });
    const run = bed.start(['run', '--json']);
    const [a, k] = [await bed.hand.next({ unit: 'a' }), await bed.hand.next({ unit: 'k' })];
    await a.write('ci/check.sh', 'mine\n');
    await a.finish();
    await run.event('unit.waiting', { unit: 'a' });
    const tried = await k.sh(`'${process.execPath}' -e '${ASKS}' '${bed.root}/.git/choo/control.sock'`);
    expect([mode, ...Object.keys(JSON.parse(tried.stdout) as object)]).toEqual([mode, mode === 'namespace' ? 'prove' : 'ok']);
    if (mode === 'namespace') expectEnd(await bed.choo(['approve', 'a']), 0);
    await run.event('unit.approved', { unit: 'a' });
    await k.finish();
    expectEnd(await run.ended, 0);
  });

  it('when refused go back to the agent, told which and what they were', async ({ bed }) => {
    const base = bed.specs({ a: {} }, { agent: bed.hand.agent, land: { protect: 'refuse', protected: ['ci/**'] } });
    const run = bed.start(['run', '--json']);
    const first = await bed.hand.next({ task: 1 });
    await first.write('ci/check.sh', 'mine\n');
    await first.finish();
    const mending = await bed.hand.next({ task: 'baseline' });
    expect(mending.prompt).toContain('The unit changes paths that land.protected protects: ci/check.sh');
    expect(mending.prompt).toContain(`git checkout ${base} -- PATH`);
    await mending.remove('ci/check.sh');
    await mending.exit();
    expectEnd(await run.ended, 0);
    expect(fileAt(bed, 'main', 'ci/check.sh')).toBeUndefined();
    expect(fileAt(bed, 'main', 'a-1.txt')).toBeDefined();
    expectNothingLeft(bed);
  });

  it('when refused as often as there are attempts fail their unit, and nothing lands', async ({ bed }) => {
    const base = bed.specs({ a: {} }, { agent: EDITS_CI, limits: { attempts: 1 }, land: { protect: 'refuse', protected: ['ci/**'] } });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 1);
    expect(ended.events.find((e) => e.type === 'unit.failed')).toMatchObject({ failure: { kind: 'protected-paths', paths: ['ci/check.sh'], base } });
    expect(ended.events.filter((e) => e.type === 'rework.started')).toHaveLength(1);
    expect(bed.git('rev-parse', 'main')).toBe(base);
  });

  it('are those of the pinned commit, whatever a unit or a person makes of the configuration meanwhile', async ({ bed }) => {
    const opens = `sed -i 's/"refuse"/"report"/' .choo.yaml; mkdir -p ci; echo x > ci/x; ${DOES_IT}`;
    const base = bed.specs({ a: {} }, { agent: opens, limits: { attempts: 1 }, land: { protect: 'refuse', protected: ['ci/**'] } });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 1);
    expect(ended.events.find((e) => e.type === 'unit.failed')).toMatchObject({ failure: { paths: ['.choo.yaml', 'ci/x'] } });
    expect(bed.git('rev-parse', 'main')).toBe(base);
  });
});
