// The library as a program would use it: the built package, real git, events and results as data.

import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
import { describe, expect } from 'vitest';
import type * as Library from '../../src/index.ts';
import { DOES_IT, it } from '../rig/bed.ts';
import { completedTasks, expectNothingLeft, fileAt, refs } from '../rig/facts.ts';

const { Orchestrator, Refusal } = await import(pathToFileURL(resolve(import.meta.dirname, '../../dist/index.js')).href) as typeof Library;

describe('the library', () => {
  it('runs a repository and tells every event and the result', async ({ bed }) => {
    bed.specs({ a: {}, b: { dependsOn: ['a'], tasks: 2 } });
    const seen: string[] = [];
    const env = { ...bed.env, XDG_STATE_HOME: bed.state };
    const orchestrator = new Orchestrator({ repoRoot: bed.root, parallelism: 2, env }, { events: (e) => seen.push(e.type) });
    const result = await orchestrator.run();
    expect(result).toMatchObject({ totalUnits: 2, completedUnits: 2, failedUnits: 0, blockedUnits: 0, waitingUnits: 0, cancelledUnits: 0 });
    expect(result.error).toBeUndefined();
    expect(orchestrator.ended).toEqual({ nothing: false, complete: true, bug: false });
    expect(seen[0]).toBe('orch.started');
    expect(seen.at(-1)).toBe('orch.completed');
    expect(seen.filter((t) => t === 'unit.merged')).toHaveLength(2);
    expect(completedTasks(bed)).toEqual(['a#1', 'b#1', 'b#2']);
    expectNothingLeft(bed);
  });

  it('works where it is told: target, worktrees, tasks dir, one unit with what it depends on', async ({ bed }) => {
    bed.specs({ a: {}, b: { dependsOn: ['a'] }, c: {} });
    bed.git('mv', 'specs/tasks', 'work');
    bed.git('commit', '-qm', 'moved');
    bed.git('branch', 'next');
    const config = { repoRoot: bed.root, tasksDir: 'work', targetBranch: 'next', worktreeBase: `${bed.state}/elsewhere`, singleUnit: 'b', env: { ...bed.env, XDG_STATE_HOME: bed.state } };
    const places: string[] = [];
    const result = await new Orchestrator(config, { events: (e) => { if (e.type === 'unit.prepared') places.push(e.worktree); } }).run();
    expect(result).toMatchObject({ totalUnits: 2, completedUnits: 2 });
    expect(completedTasks(bed, 'next')).toEqual(['a#1', 'b#1']);
    expect(completedTasks(bed, 'main')).toEqual([]);
    expect(places.every((p) => p.startsWith(`${bed.state}/elsewhere/`))).toBe(true);
  });

  it('plans only with dryRun, and changes nothing', async ({ bed }) => {
    bed.specs({ a: {}, b: {} });
    const before = refs(bed);
    const result = await new Orchestrator({ repoRoot: bed.root, dryRun: true, env: bed.env }).run();
    expect(result).toMatchObject({ totalUnits: 2, completedUnits: 0 });
    expect(refs(bed)).toEqual(before);
  });

  it('refuses wrong specs with diagnostics as data', async ({ bed }) => {
    bed.specs({ a: { dependsOn: ['nobody'] } });
    const refused: unknown = await new Orchestrator({ repoRoot: bed.root, env: bed.env }).run().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Refusal);
    expect((refused as Library.Refusal).diagnostics.map((d) => d.severity)).toEqual(['error']);
    expect(refs(bed)).toEqual(['refs/heads/main']);
  });

  it('stops by its signal, keeps the work, and resumes', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: `test -f go || { touch started; sleep 1000; }; ${DOES_IT}` });
    const env = { ...bed.env, XDG_STATE_HOME: bed.state };
    const stop = new AbortController();
    const first = new Orchestrator({ repoRoot: bed.root, env, shutdownTimeoutMs: 60_000 }, { events: (e) => { if (e.type === 'task.started') stop.abort(); } });
    const stopped = await first.run(stop.signal);
    expect(stopped).toMatchObject({ cancelledUnits: 1, completedUnits: 0, error: 'stopped by abort' });
    expect(first.ended.stoppedBy).toBe('abort');
    bed.write('.choo.yaml', bed.read('.choo.yaml').replace('test -f go', 'true'));
    bed.git('commit', '-qam', 'let it go');
    const second = await new Orchestrator({ repoRoot: bed.root, env, how: 'resume' }).run();
    expect(second).toMatchObject({ completedUnits: 1 });
    expect(fileAt(bed, 'main', 'a-1.txt')).toMatch(/^1 in attempt/);
  });

  it('refuses inside an agent of choo', async ({ bed }) => {
    bed.specs({ a: {} });
    const env = { ...bed.env, XDG_STATE_HOME: bed.state, CHOO_ATTEMPT: '1', CHOO_UNIT: 'u', CHOO_RUN: '3' };
    for (const how of ['run', 'resume'] as const) {
      await expect(new Orchestrator({ repoRoot: bed.root, env, how }).run()).rejects.toThrow('choo was started by an agent of choo (unit `u` of run 3)');
    }
  });

  it('close ends a run at once and waits until nothing of it is left', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: 'trap "" TERM INT; sleep 1000' });
    let began = (): void => undefined;
    const begun = new Promise<void>((go) => { began = go; });
    const orchestrator = new Orchestrator({ repoRoot: bed.root, env: { ...bed.env, XDG_STATE_HOME: bed.state } }, { events: (e) => { if (e.type === 'task.started') began(); } });
    const result = orchestrator.run();
    await begun;
    await orchestrator.close();
    await expect(result).resolves.toMatchObject({ cancelledUnits: 1 });
  });
});
