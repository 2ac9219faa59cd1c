// What a scenario of the scripted agent may say, and what a wrong one is told.

import { describe, expect, it } from 'vitest';
import { ScenarioError, stepsFor } from '../../../src/agents/scenario.ts';

const first = { unit: 'a', task: '1', attempt: 1 };

describe('a scenario', () => {
  const scenario = {
    a: {
      1: [
        [{ say: 'hello' }, { write: { 'x.txt': 'x' } }, { append: { 'x.txt': 'y' } }, { run: 'true' }, { pause: '300ms' }, { pause: '2s' }, { exit: 1 }],
        [{ say: 'again' }],
      ],
      conflict: [[]],
    },
  };

  it('gives the steps of an attempt in order', () => {
    expect(stepsFor(scenario, first)).toEqual([
      { do: 'say', text: 'hello' }, { do: 'write', files: { 'x.txt': 'x' } }, { do: 'append', files: { 'x.txt': 'y' } }, { do: 'run', command: 'true' },
      { do: 'pause', ms: 300 }, { do: 'pause', ms: 2000 }, { do: 'exit', code: 1 },
    ]);
  });

  it('repeats the last attempt', () => {
    expect(stepsFor(scenario, { ...first, attempt: 2 })).toEqual([{ do: 'say', text: 'again' }]);
    expect(stepsFor(scenario, { ...first, attempt: 9 })).toEqual([{ do: 'say', text: 'again' }]);
  });

  it('knows what is to be mended by its name', () => expect(stepsFor(scenario, { ...first, task: 'conflict' })).toEqual([]));
});

describe('a scenario that cannot be played says why', () => {
  it.each([
    ['a text', /maps units to tasks/],
    [{}, /has nothing for a$/],
    [{ a: {} }, /has nothing for a, task 1$/],
    [{ a: { 1: 'x' } }, /a, task 1: must be a list of attempts/],
    [{ a: { 1: ['x'] } }, /attempt 1: must be a list of steps/],
    [{ a: { 1: [['x']] } }, /step 1: must be a map with one key/],
    [{ a: { 1: [[{ say: 'x', run: 'y' }]] } }, /must have exactly one key/],
    [{ a: { 1: [[{ sing: 'x' }]] } }, /`sing` is none of write, append/],
    [{ a: { 1: [[{ write: { x: 1 } }]] } }, /step 1, x: must be a text/],
    [{ a: { 1: [[{ pause: '3 hours' }]] } }, /a pause is like 300ms or 2s/],
    [{ a: { 1: [[{ pause: '9999s' }]] } }, /a pause is like 300ms or 2s/],
    [{ a: { 1: [[{ exit: 256 }]] } }, /a whole number from 0 to 255/],
  ])('%j', (scenario, says) => {
    expect(() => stepsFor(scenario, first)).toThrow(ScenarioError);
    expect(() => stepsFor(scenario, first)).toThrow(says);
  });
});
