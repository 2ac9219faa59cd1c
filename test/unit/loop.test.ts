// The main loop over a World of stubs: what observers, escalators and a full disk can and cannot do to it.

import { describe, expect, test } from 'vitest';
import type { Event, EventBody, Pinned, Settings } from '../../src/core/event.ts';
import { evolve } from '../../src/core/evolve.ts';
import { DEFAULT_LIMITS } from '../../src/core/limits.ts';
import type { Unit } from '../../src/core/plan.ts';
import type { State } from '../../src/core/state.ts';
import { RunLoop } from '../../src/orchestrator.ts';
import { Pool } from '../../src/worker/pool.ts';
import type { Session } from '../../src/orchestrator.ts';
import type { Workplace } from '../../src/worker/workplace.ts';
import { FenceLost } from '../../src/world.ts';
import type { Clock, Git, Journal, World } from '../../src/world.ts';

/** Never settles. */
const never = new Promise<never>(() => {});
const clock: Clock = { now: () => 1_000_000, steady: () => 1_000_000, sleep: () => never };

function unit(id: string, dependsOn: readonly string[] = []): Unit {
  const task = { number: 1, title: id, path: `specs/tasks/${id}/01-x.md`, check: 'true', dependsOn: [], complete: false };
  return { id, dir: `specs/tasks/${id}`, planPath: `specs/tasks/${id}/IMPLEMENTATION_PLAN.md`, dependsOn, tasks: [task], checks: [], touches: [] };
}

const settings: Settings = { parallelism: 2, limits: { ...DEFAULT_LIMITS, freeDisk: 0 }, conflictRetries: 3, agents: { '*': 'command' } };

/** A journal in memory; `refuse` makes it fail from that event on. */
class MemoryJournal implements Journal {
  readonly path = '/nowhere/journal.jsonl';
  readonly events: Event[] = [];
  readonly #refuse: number;
  constructor(refuse = Number.POSITIVE_INFINITY) {
    this.#refuse = refuse;
  }
  append(bodies: readonly EventBody[], now: number): Promise<readonly Event[]> {
    if (this.events.length + bodies.length >= this.#refuse) return Promise.reject(new Error('ENOSPC: no space left on device'));
    const stamped = bodies.map((body, i): Event => ({ seq: this.events.length + i + 1, time: new Date(now).toISOString(), run: 1, ...body }));
    this.events.push(...stamped);
    return Promise.resolve(stamped);
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Answers what a run asks whose target branch is gone: everything fails at once. */
function goneTarget(onAsk: () => void = () => undefined): Git {
  const answers: Partial<Git> = {
    resolve: () => {
      onAsk();
      return Promise.resolve(undefined);
    },
    whatStands: () => Promise.resolve('nothing'),
    removeWorktree: () => Promise.resolve(),
    addWorktree: () => Promise.resolve(),
    status: () => Promise.resolve({ head: 'f'.repeat(40), branch: undefined, entries: [] }),
  };
  return answers as Git;
}

function sessionOf(o: { readonly units: readonly Unit[]; readonly journal: MemoryJournal; readonly git: Git }): Session & { readonly state: State } {
  const pinned: Pinned = { base: 'f'.repeat(40), targetRef: 'refs/heads/main', tasksDir: 'specs/tasks', selection: [], mode: 'local', branchPrefix: 'choo/', plan: { units: o.units, complete: [] }, checks: [], digest: '' };
  const state = evolve(undefined, { seq: 0, time: new Date(0).toISOString(), run: 1, type: 'run.pinned', pinned, settings });
  const files = { exists: () => Promise.resolve(false), freeSpace: () => Promise.resolve(1) };
  const world = { clock, journal: o.journal, git: o.git, files } as unknown as World;
  const place = { world, state, runDir: '/nowhere', worktrees: '/nowhere', setup: [], teardown: [], copy: [], agents: new Map(), seen: new Map(), pool: new Pool({ mode: 'never', keep: [] }), fence: { during: (_branch: string, step: () => unknown) => step() } } as unknown as Workplace;
  const first: EventBody = { type: 'orch.started', version: 1, graph: [], target: 'main', base: pinned.base, mode: 'local', parallelism: 2 };
  return { place, state, first: [first], observers: [], escalator: { escalate: () => undefined }, report: () => undefined };
}

describe('people elsewhere', () => {
  const everywhere = ['slack'];
  const tell: NonNullable<Settings['tell']> = { info: everywhere, warning: everywhere, critical: everywhere, blocking: everywhere };
  const telling = (journal: MemoryJournal, sleep: Clock['sleep'] = clock.sleep): Session => {
    const session = sessionOf({ units: [unit('a')], journal, git: goneTarget() });
    session.state.settings = { ...session.state.settings, tell };
    return { ...session, place: { ...session.place, world: { ...session.place.world, clock: { ...clock, sleep } } } };
  };
  const about = (journal: MemoryJournal): readonly string[] => journal.events.flatMap((e) => ('of' in e ? [`${e.type} of ${journal.events[e.of - 1]?.type}`] : []));

  test('who are told at the end are waited for, and what came of it is recorded after the end', async () => {
    const journal = new MemoryJournal();
    let deliver = (): void => undefined;
    const slow = new Promise<void>((resolve) => { deliver = resolve; });
    const running = new RunLoop({
      ...telling(journal),
      escalator: { escalate: (e) => (e.end === true ? (deliver(), slow) : slow).then(() => [{ to: 'slack', tries: 2, ...(e.end === true ? { trouble: 'it answers 500' } : {}) }]) },
    }).run();
    expect(await running).toMatchObject({ failedUnits: 1 });
    expect(about(journal)).toEqual(['escalation.delivered of unit.failed', 'escalation.failed of orch.failed']);
  });

  test('whose messenger never answers are waited for fifteen seconds, and nothing is recorded', async () => {
    const journal = new MemoryJournal();
    const slept: number[] = [];
    const sleep = (ms: number): Promise<void> => { slept.push(ms); return Promise.resolve(); };
    expect(await new RunLoop({ ...telling(journal, sleep), escalator: { escalate: () => never } }).run()).toMatchObject({ failedUnits: 1 });
    expect(slept).toEqual([15_000, 1000]);
    expect(about(journal)).toEqual([]);
  });
});

describe('an escalator', () => {
  test('that never answers does not delay the loop', async () => {
    const told: string[] = [];
    const session = sessionOf({ units: [unit('a'), unit('b', ['a'])], journal: new MemoryJournal(), git: goneTarget() });
    const escalate = (e: { readonly title: string }): Promise<void> => {
      told.push(e.title);
      return never;
    };
    const result = await new RunLoop({ ...session, escalator: { escalate } }).run();
    expect(result).toMatchObject({ totalUnits: 2, failedUnits: 1, blockedUnits: 1, completedUnits: 0 });
    expect(told).toEqual(['unit a failed: the target branch refs/heads/main no longer exists', 'run 1: 0 of 2 units landed (1 unit failed)']);
  });

  test('that throws is reported and changes nothing', async () => {
    const reports: string[] = [];
    const session = sessionOf({ units: [unit('a')], journal: new MemoryJournal(), git: goneTarget() });
    const escalate = (): never => {
      throw new Error('no network');
    };
    const result = await new RunLoop({ ...session, escalator: { escalate }, report: (m) => reports.push(m) }).run();
    await Promise.resolve();
    expect(result.failedUnits).toBe(1);
    expect(reports).toEqual(Array.from({ length: 2 }, () => 'an escalation failed: Error: no network'));
  });
});

describe('an observer', () => {
  test('sees every event in order, after it is in the journal, and cannot stop the loop by throwing', async () => {
    const journal = new MemoryJournal();
    const session = sessionOf({ units: [unit('a')], journal, git: goneTarget() });
    const seen: number[] = [];
    const reports: string[] = [];
    const observer = (event: Event): void => {
      expect(journal.events[event.seq - 1]).toBe(event);
      seen.push(event.seq);
      throw new Error('broken screen');
    };
    await new RunLoop({ ...session, observers: [observer], report: (m) => reports.push(m) }).run();
    expect(seen).toEqual(journal.events.map((e) => e.seq));
    expect(reports).toHaveLength(seen.length);
  });
});

describe('the journal', () => {
  test('that cannot be written ends the run: nothing happens that is not written down', async () => {
    let asked = 0;
    const journal = new MemoryJournal(3);
    const session = sessionOf({ units: [unit('a')], journal, git: goneTarget(() => { asked += 1; }) });
    await expect(new RunLoop(session).run()).rejects.toThrow('ENOSPC');
    expect(journal.events.map((e) => e.type)).toEqual(['orch.started', 'unit.queued']);
    expect(asked).toBe(0);
  });

  test('answers whoever asked something meanwhile', async () => {
    const loop = new RunLoop(sessionOf({ units: [unit('a')], journal: new MemoryJournal(3), git: goneTarget() }));
    await Promise.all([
      expect(loop.request({ do: 'stop', by: 'SIGINT', now: false })).rejects.toThrow('the run has ended'),
      expect(loop.run()).rejects.toThrow('ENOSPC'),
    ]);
  });
});

describe('a defect inside a step', () => {
  test('fails its unit as a bug, is answered once and stops nobody else', async () => {
    const journal = new MemoryJournal();
    const git = { ...goneTarget(), resolve: () => Promise.reject(new TypeError('boom')) };
    const session = sessionOf({ units: [unit('a'), unit('b')], journal, git });
    const result = await new RunLoop(session).run();
    expect(result.failedUnits).toBe(2);
    const answers = journal.events.filter((e) => e.type === 'unit.prepare.failed');
    expect(answers).toMatchObject([{ unit: 'a', failure: { kind: 'bug', message: 'boom' } }, { unit: 'b', failure: { kind: 'bug' } }]);
  });
});

describe('a repository that is no longer ours', () => {
  test('ends the run, is no failure of any unit, and nothing more is recorded', async () => {
    const journal = new MemoryJournal();
    const lost = new FenceLost('another choo has it');
    const git = { ...goneTarget(), resolve: () => Promise.reject(lost) };
    const session = sessionOf({ units: [unit('a'), unit('b')], journal, git });
    const loop = new RunLoop(session);
    await expect(loop.run()).rejects.toBe(lost);
    expect(journal.events.map((e) => e.type)).toEqual(['orch.started', 'unit.queued', 'unit.queued', 'trial.started', 'trial.ok', 'unit.started', 'unit.started']);
    await expect(loop.request({ do: 'stop', by: 'test', now: false })).rejects.toThrow('the run has ended');
  });
});

describe('a request', () => {
  test('after the end is refused, one that makes no sense is refused with the reason', async () => {
    const session = sessionOf({ units: [unit('a')], journal: new MemoryJournal(), git: goneTarget() });
    const loop = new RunLoop(session);
    const early = loop.request({ do: 'retry', units: ['nobody'] });
    const ran = loop.run();
    await expect(early).rejects.toThrow('no unit `nobody`');
    await ran;
    await expect(loop.request({ do: 'stop', by: 'test', now: false })).rejects.toThrow('the run has ended');
  });
});
