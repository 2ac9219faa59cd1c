// Every graph of up to four units with every outcome of its units (lands, fails), without any other fault. Enumerated, not drawn.

import { isOpen } from '../../src/core/open.ts';
import { fold } from '../../src/core/replay.ts';
import { FAIR } from './gate.ts';
import type { Machine } from './machine.ts';
import { firstFiles, makeUnit } from './scenario.ts';
import type { Scenario } from './scenario.ts';
import { DEFAULT_LIMITS } from '../../src/core/limits.ts';

const IDS = ['a', 'b', 'c', 'd'];

/** One graph with its outcomes. */
interface Case {
  readonly name: string;
  readonly dependsOn: readonly (readonly string[])[];
  readonly fails: ReadonlySet<string>;
}

/** All cases; every graph without a cycle has its units in an order in which arrows only point back. */
export function* allCases(): Generator<Case> {
  for (let size = 1; size <= IDS.length; size++) {
    const pairs = IDS.slice(0, size).flatMap((to, i) => IDS.slice(0, i).map((from) => [from, to] as const));
    for (let graph = 0; graph < 2 ** pairs.length; graph++) {
      const edges = pairs.filter((_, n) => (graph >> n) % 2 === 1);
      const dependsOn = IDS.slice(0, size).map((id) => edges.filter(([, to]) => to === id).map(([from]) => from));
      for (let outcome = 0; outcome < 2 ** size; outcome++) {
        const fails = IDS.slice(0, size).filter((_, n) => (outcome >> n) % 2 === 1);
        yield { name: `${edges.map(([from, to]) => `${from}→${to}`).join(' ')} of ${size}, ${fails.join('') || 'none'} failing`, dependsOn, fails: new Set(fails) };
      }
    }
  }
}

/** The scenario of a case: nothing goes wrong but what is meant to, at that parallelism. */
export function scenarioOf(c: Case, parallelism: number): Scenario {
  const units = c.dependsOn.map((dependsOn, i) => makeUnit(IDS[i] ?? '', { dependsOn, tasks: 1 }));
  return {
    seed: 0, units, overlaps: [], checks: [], files: firstFiles(units), fails: c.fails,
    settings: { parallelism, conflictRetries: 1, agents: { '*': 'sim' }, limits: { ...DEFAULT_LIMITS, attempts: 1, failuresInARow: 100 } },
    setup: false, copies: false, pool: 'always', idleLimitSet: false, checkedOut: true, weather: FAIR, economy: { tells: {}, trouble: 0, generous: false }, mischief: 0, flaky: 0, formatter: 'none', guard: { base: 'ignore', protect: 'report', protected: [] }, old: [], sharing: 0, tags: [''], people: [], remote: [], dooms: [],
  };
}

/** Checks the end of the first session: what does not depend on a failure has landed, a failing unit blocks exactly what needs it. */
export function checkOutcome(m: Machine, c: Case): void {
  const state = fold(m.journal.events());
  const expected = new Map<string, string>();
  for (const [i, dependsOn] of c.dependsOn.entries()) {
    const id = IDS[i] ?? '';
    expected.set(id, dependsOn.some((d) => expected.get(d) !== 'landed') ? 'blocked' : c.fails.has(id) ? 'failed' : 'landed');
  }
  for (const u of state.units) if (u.phase !== expected.get(u.unit.id)) m.violate('outcome', `${u.unit.id} is ${u.phase}, expected ${expected.get(u.unit.id)}, in ${c.name}`);
  if (isOpen(state) === [...expected.values()].every((phase) => phase === 'landed')) m.violate('outcome', `the run is ${isOpen(state) ? 'open' : 'over'} in ${c.name}`);
}
