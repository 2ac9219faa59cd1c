// The time that is left, from what was heard of the run's own tasks.

import { describe, expect, it } from 'vitest';
import { estimate, History } from '../../../src/core/estimate.ts';
import type { Event } from '../../../src/core/event.ts';
import { Game, settings, unit } from './rig.ts';

const at = (history: History, second: number, e: object): void => history.event({ seq: 1, time: '', ...e } as Event, second * 1000);

describe('the estimate', () => {
  it('knows nothing before a task is done, then the longest way or the work by all hands, whichever is more', () => {
    const { state } = new Game([unit('a', { tasks: 2 }), unit('b', { dependsOn: ['a'] }), unit('c')], settings({ parallelism: 1 }));
    const history = new History();
    expect(estimate(state, history)).toEqual({ left: undefined, critical: 3 });
    at(history, 0, { type: 'task.started', unit: 'x', task: 1 });
    at(history, 10, { type: 'task.completed', unit: 'x', task: 1 });
    expect(estimate(state, history)).toEqual({ left: 40_000, critical: 3 });
    expect(estimate({ ...state, settings: settings({ parallelism: 4 }) }, history).left).toBe(30_000);
  });

  it('does not take the night between two sessions for work', () => {
    const history = new History();
    at(history, 0, { type: 'task.started', unit: 'x', task: 1 });
    at(history, 20_000, { type: 'orch.resumed' });
    at(history, 20_001, { type: 'task.started', unit: 'x', task: 1 });
    at(history, 20_011, { type: 'task.completed', unit: 'x', task: 1 });
    expect(history.task).toBe(10_000);
    at(history, 40_000, { type: 'orch.resumed' });
    at(history, 40_010, { type: 'unit.merged', unit: 'x' });
    expect(history.landing).toBe(0);
  });
});
