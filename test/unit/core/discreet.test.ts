// Events without secrets: what was said is cleaned when it is recorded, what the plan says when it is shown, and what decides never.

import { describe, expect, it } from 'vitest';
import { toRecord, toShow } from '../../../src/core/discreet.ts';
import type { EventBody } from '../../../src/core/event.ts';
import { pullFacts } from './rig.ts';

const redact = (text: string): string => text.replaceAll('hunter2', '[redacted]');
const FAILED: EventBody = { type: 'unit.failed', unit: 'hunter2', worktree: '/hunter2', failure: { kind: 'git', command: 'git push hunter2', detail: 'remote: hunter2' } };

describe('an event', () => {
  it('to be recorded keeps names, paths and commands', () => {
    expect(toRecord(FAILED, redact)).toEqual({ ...FAILED, failure: { kind: 'git', command: 'git push hunter2', detail: 'remote: [redacted]' } });
  });

  it('to be shown keeps names and paths', () => {
    expect(toShow(FAILED, redact)).toEqual({ ...FAILED, failure: { kind: 'git', command: 'git push [redacted]', detail: 'remote: [redacted]' } });
    const graph = [{ id: 'hunter2', dependsOn: ['hunter2'], tasks: [{ number: 1, title: 'Say hunter2', complete: false }] }];
    expect(toShow({ graph }, redact)).toEqual({ graph: [{ ...graph[0], tasks: [{ number: 1, title: 'Say [redacted]', complete: false }] }] });
  });

  it('with what a forge says keeps that: it is compared with what it says next', () => {
    const seen: EventBody = { type: 'pr.seen', unit: 'a', facts: pullFacts({ feedback: [{ id: 'x', kind: 'comment', who: 'ann', text: 'hunter2' }] }) };
    expect(toRecord(seen, redact)).toEqual(seen);
  });
});
