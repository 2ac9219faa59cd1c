// Agents that cannot work, budgets, money and the doings of agents, in status, summary, progress and escalations.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import type { EventBody, EventOf } from '../../../src/core/event.ts';
import type { Failure, TroubleKind } from '../../../src/core/failure.ts';
import type { Budget, Usage } from '../../../src/core/usage.ts';
import { viewOf } from '../../../src/core/view.ts';
import { escalationOf } from '../../../src/core/escalation.ts';
import { plainActivity, plainObserver } from '../../../src/show/plain.ts';
import { renderStatus, statusData } from '../../../src/show/status.ts';
import type { Standing } from '../../../src/show/status.ts';
import { renderSummary } from '../../../src/show/summary.ts';
import { Game, settings, unit } from '../core/rig.ts';

const schema = JSON.parse(readFileSync(join(import.meta.dirname, '../../../schema/status.schema.json'), 'utf8')) as object;
const USED: Usage = { input: 1000, output: 200, cacheRead: 0, cacheWrite: 0, usd: 0.5 };
const at = new Date(2026, 4, 5, 12, 0).getTime();
const output = { tail: 'x', log: '/log', activity: 'command: npm test' };

function trouble(kind: TroubleKind, until?: number): Failure {
  return { kind: 'agent-trouble', agent: 'claude', trouble: kind, text: 'as it says', output, ...(until === undefined ? {} : { until }) };
}

/** A run at noon, by claude with a model, whose attempts of unit `b` meet this failure. */
function game(o: { readonly failure?: Failure; readonly budget?: Budget } = {}): Game {
  const g = new Game([unit('a'), unit('b')], settings({ agents: { '*': 'claude' }, rules: { claude: { model: 'big' } }, parallelism: 1, ...(o.budget === undefined ? {} : { budget: o.budget }) }));
  g.now = at;
  return g;
}

function play(g: Game, failure: Failure | undefined): Game {
  return g.play((b): EventBody | undefined => {
    if (b.type !== 'task.started' && b.type !== 'task.retry') return undefined;
    if (b.unit === 'b' && failure !== undefined) return { type: 'task.attempt.failed', unit: 'b', task: 1, attempt: b.attempt, failure, notes: [], usage: USED };
    return { type: 'task.attempted', unit: b.unit, task: 1, attempt: b.attempt, ending: { code: 0 }, passedBefore: false, notes: [], usage: USED };
  });
}

function standing(g: Game, more: Partial<Standing> = {}): Standing {
  return { view: viewOf(g.state), at: 'rest', now: g.now, ...more };
}

function text(g: Game, more: Partial<Standing> = {}): string {
  const validate = new Ajv2020({ allErrors: true }).compile(schema);
  validate(JSON.parse(JSON.stringify(statusData(standing(g, more)))));
  expect(validate.errors ?? []).toEqual([]);
  return renderStatus(standing(g, more), { color: false });
}

function summary(g: Game): string {
  return renderSummary({ view: viewOf(g.state), result: { totalUnits: 2, completedUnits: 1, failedUnits: 0, blockedUnits: 0, waitingUnits: 1, cancelledUnits: 0, durationMs: 0 }, color: false, now: g.now });
}

function lines(g: Game): string {
  const printed: string[] = [];
  const observe = plainObserver({ write: (line) => printed.push(line), color: false, level: 'info' });
  for (const event of g.events) observe(event, g.state);
  return printed.join('');
}

describe('an agent that waits for its quota', () => {
  const g = play(game(), trouble('quota', at + 90 * 60_000));

  it('is told by status, with the moment of the next try', () => {
    const told = text(g, { at: 'live', pid: 1 });
    expect(told).toContain('\nthe agent claude has used up its quota: as it says; next try in 1h30m (13:30)\n');
    expect(told).toMatch(/waiting +b +task 1, attempt 2 · \$0\.50, 1,200 tokens\n {2}· 1 Part 1 \(\$0\.50, 1,200 tokens\)\n {4}waits for the agent claude, next try in 1h30m \(13:30\): as it says\n/);
  });

  it('is told by summary and progress', () => {
    expect(summary(g)).toContain('waiting  b     for the agent claude\n');
    expect(summary(g)).toContain('the agent claude has used up its quota: as it says; next try in 1h30m (13:30)');
    expect(lines(g)).toContain('the agent claude has used up its quota: as it says; next try in 1h30m (13:30)');
    expect(lines(g)).toContain('waits for the agent claude, next try in 1h30m (13:30)');
  });

  it('and then goes on', () => {
    const later = play(game(), trouble('quota', at + 60_000));
    later.now += 61_000;
    play(later, undefined);
    expect(lines(later)).toContain('the agent claude is tried again');
    expect(text(later)).not.toContain('quota');
    expect(text(later)).toContain('landed    b     b-candi · $1.00, 2,400 tokens\n');
  });
});

describe('an agent that nobody is logged in to', () => {
  const g = play(game(), trouble('login'));

  it('is told with what a person has to do', () => {
    expect(text(g)).toContain('the agent claude is not logged in: as it says; mend that, then: choo resume');
    expect(text(g)).toContain('    waits for the agent claude: as it says\n    mend the agent claude (log in, or what it asks for), then: choo retry b, or choo resume when the run has ended\n');
    expect(JSON.stringify(statusData(standing(g)))).toContain('"command":"mend the agent claude');
    expect(summary(g)).toContain('is not logged in: as it says; mend that, then: choo resume');
    expect(lines(g)).toContain('nothing of it is begun until it is mended');
  });
});

describe('escalations', () => {
  const held = (reason: TroubleKind, more: Partial<EventOf<'agent.held'>> = {}): EventOf<'agent.held'> => ({ type: 'agent.held', agent: 'claude', reason, text: 'as it says', tries: 1, seq: 9, run: 1, time: new Date(at).toISOString(), ...more });
  const { state } = game();

  it.each(['login', 'setup'] as const)('a held agent is critical: %s', (reason) => {
    expect(escalationOf(state, held(reason))).toMatchObject({ severity: 'critical', title: expect.stringContaining('the agent claude') as unknown, detail: [expect.anything(), expect.stringContaining('choo resume')] as unknown });
  });

  it.each(['quota', 'overload'] as const)('one that comes back is a warning, once: %s', (reason) => {
    expect(escalationOf(state, held(reason, { until: '2026-05-05T12:00:00.000Z' }))).toMatchObject({ severity: 'warning', detail: [expect.stringContaining('2026-05-05T12:00:00.000Z')] as unknown });
    expect(escalationOf(state, held(reason, { tries: 2 }))).toBeUndefined();
  });
});

describe('a budget', () => {
  it('is told in the headline and for what waits for it', () => {
    const g = play(game({ budget: { in: 'usd', run: 1, attempt: 0.8 } }), undefined);
    expect(text(g)).toMatch(/^run 1 onto main: at rest, 1 of 2 units landed, used \$0\.50 of \$1\.00, 1,200 tokens\n/);
    expect(text(g)).toContain('waits for the budget: the run has used $0.50 of budget.run ($1.00)');
    expect(text(g)).toContain('    raise the budget in .choo.yaml and commit it, then: choo resume\n');
    expect(summary(g)).toContain(', used $0.50 of $1.00, 1,200 tokens');
    expect(summary(g)).toContain('raise the budget in .choo.yaml and commit it, then: choo resume');
    expect(lines(g)).toContain('waits for the budget: the run has used');
  });

  it('tells what is set aside while attempts run', () => {
    const g = game({ budget: { in: 'tokens', run: 1_000_000, attempt: 300_000 } }).play(undefined, (b) => b.type === 'task.started');
    expect(text(g, { at: 'live', pid: 1 })).toContain('used 0 tokens of 1,000,000 tokens, 300,000 tokens set aside for running attempts');
  });

  it('without one, money is told when there was some', () => {
    expect(text(play(game(), undefined))).toContain(', used $1.00, 2,400 tokens\n');
    expect(text(game())).toMatch(/^run 1 onto main: at rest, 0 of 2 units landed\n/);
  });
});

describe('what an agent is doing', () => {
  const g = game().play(undefined, (b) => b.type === 'task.started');
  const seen = new Map([['a', { kind: 'command', text: 'npm\u001b test', ageMs: 4200 } as const], ['b', { kind: 'text', text: 'idle', ageMs: 0 } as const]]);

  it('is told of a live run, with agent, model and age', () => {
    const told = text(g, { at: 'live', pid: 1, seen });
    expect(told).toContain('running   a     task 1, attempt 1 · claude (big)\n  › 1 Part 1\n    command  npm\ufffd test (4.2s ago)\n');
    expect(told).not.toContain('idle');
    expect(text(g, { seen })).not.toContain('4.2s ago');
  });

  it('is a line of its own only when all is wanted', () => {
    for (const [level, expected] of [['debug', /^\d\d:\d\d:\d\d {2}a\/1 {2}file {5}src\/x\.ts\n$/], ['info', /^$/]] as const) {
      const printed: string[] = [];
      plainActivity({ write: (line) => printed.push(line), color: false, level, now: () => at })({ unit: 'a', subject: '1', activity: { kind: 'file', text: 'src/x.ts' } });
      expect(printed.join('')).toMatch(expected);
    }
  });

  it('is the last thing told of a failure', () => {
    const failed = play(game(), { kind: 'agent-idle', agent: 'claude', afterMs: 60_000, output });
    expect(text(failed)).toContain('    last  command: npm test\n    log   /log\n');
    expect(summary(failed)).toContain('last  command: npm test\n');
    expect(lines(failed)).toContain('printed nothing for 1m and was ended (last seen: command: npm test)');
    const escalation = escalationOf(failed.state, failed.of('unit.failed')[0] ?? failed.record({ type: 'orch.killing' }));
    expect(escalation?.detail).toContain('last seen: command: npm test');
  });

  it('is told once where it is also the last line of the output, and a failure without output is told in the title alone', () => {
    const told = (failure: Failure): readonly string[] => {
      const failed = play(game(), failure);
      const escalation = escalationOf(failed.state, failed.of('unit.failed')[0] ?? failed.record({ type: 'orch.killing' }));
      return [escalation?.title ?? '', ...escalation?.detail ?? []];
    };
    const twice = told({ kind: 'agent-idle', agent: 'claude', afterMs: 60_000, output: { ...output, tail: 'reads\ncommand: npm test' } });
    expect(twice.filter((line) => line.includes('command: npm test'))).toEqual(['| command: npm test']);
    expect(told({ kind: 'history-rewritten', detail: 'no ancestor', kept: 'refs/x' }).filter((line) => line.includes('no ancestor'))).toHaveLength(1);
  });
});
