// Logs told again by an agent's own machine: the same whatever the pieces, and no line is the end of it.

import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { jsonLine, oneShotAgent } from '../../../src/agents/agent.ts';
import type { Agent } from '../../../src/agents/agent.ts';
import { Replay } from '../../../src/agents/replay.ts';
import type { Told } from '../../../src/agents/replay.ts';
import { listeningAgent } from '../../../src/commands/listening.ts';
import { lastSeen } from '../../../src/commands/seen.ts';
import type { RunView } from '../../../src/core/view.ts';

/** An agent whose messages are `{"run":…}`, `{"used":…}`, `{"refuse":…}`. */
const agent: Agent = {
  ...oneShotAgent({ name: 'talker', argv: ['talker'] }), listens: true,
  receive: (line, state) => {
    const { run, used, refuse } = jsonLine(line) ?? {};
    return {
      state,
      ...(typeof run === 'string' ? { activity: [{ kind: 'command' as const, text: run }] } : {}),
      ...(typeof used === 'number' ? { usage: { input: used, output: 0, cacheRead: 0, cacheWrite: 0 } } : {}),
      ...(typeof refuse === 'string' ? { stop: { kind: 'quota' as const, text: refuse } } : {}),
    };
  },
};

const LOG = '{"run":"ls"}\r\nan error of the program\n\n{"new":1}\n{"used":5}\n[choo left out 7 bytes here]\n{"refuse":"no more"}\n{"run":"last"}';

function told(pieces: readonly string[]): { readonly told: readonly Told[]; readonly replay: Replay } {
  const replay = new Replay(agent);
  return { told: [...pieces.flatMap((piece) => replay.feed(piece, 0)), ...replay.end(0)], replay };
}

describe('a log', () => {
  it('is told with its activities, its plain lines and its trouble; other messages are counted', () => {
    const { told: all, replay } = told([LOG]);
    expect(all).toEqual([
      { what: 'activity', activity: { kind: 'command', text: 'ls' } },
      { what: 'output', text: 'an error of the program' },
      { what: 'output', text: '[choo left out 7 bytes here]' },
      { what: 'trouble', trouble: { kind: 'quota', text: 'no more' } },
      { what: 'activity', activity: { kind: 'command', text: 'last' } },
    ]);
    expect(replay.leftOut).toBe(2);
    expect(replay.usage?.input).toBe(5);
  });

  it('is told the same in any two pieces', () => {
    const { told: all } = told([LOG]);
    for (let cut = 0; cut <= LOG.length; cut += 1) expect(told([LOG.slice(0, cut), LOG.slice(cut)]).told).toEqual(all);
  });

  it('may have a line of many megabytes', () => {
    const piece = 'x'.repeat(1024 * 1024);
    const { told: all, replay } = told(['{"run":"', ...Array.from({ length: 17 }, () => piece), '"}\n{"run":"after"}\n']);
    expect(all).toEqual([{ what: 'activity', activity: { kind: 'command', text: 'after' } }]);
    expect(replay.leftOut).toBe(1);
  });
});

describe('the agents that are read', () => {
  it('are those that write messages', () => {
    expect(listeningAgent('claude')?.name).toBe('claude');
    for (const name of ['command', 'script', 'nobody', 'constructor', '']) expect(listeningAgent(name)).toBeUndefined();
  });
});

describe('what an agent was last seen doing', () => {
  const view = { units: ['a', 'b', 'c'].map((id) => ({ id, ...(id === 'c' ? {} : { attempt: { agent: 'talker', log: `${id}.log`, since: '' } }) })) } as unknown as RunView;

  async function seen(log: string, beside?: string): Promise<unknown> {
    const runDir = mkdtempSync(join(tmpdir(), 'choo-test-'));
    try {
      writeFileSync(join(runDir, 'a.log'), log);
      if (beside !== undefined) writeFileSync(join(runDir, 'a.log.now'), beside);
      utimesSync(join(runDir, 'a.log'), 100, 100);
      return Object.fromEntries(await lastSeen(view, { runDir, now: 103_000, agentNamed: () => agent, redact: (text) => text.replace('secret', '[redacted]') }));
    } finally {
      rmSync(runDir, { recursive: true });
    }
  }

  it('is the last whole message of its log, without secrets, with its age', async () => {
    expect(await seen('{"run":"one"}\n{"run":"two secret"}\n{"run":"thr')).toEqual({ a: { kind: 'command', text: 'two [redacted]', ageMs: 3000 } });
    expect(await seen('')).toEqual({});
  });

  it('is looked for at the end of a long log only', async () => {
    expect(await seen(`{"run":"early"}\n${'{"x":"é"}\n'.repeat(20_000)}`)).toEqual({});
    expect(await seen(`${'{"x":"é"}\n'.repeat(20_000)}{"run":"late"}\n`)).toMatchObject({ a: { text: 'late' } });
  });

  it('is looked for beside a log whose head is full', async () => {
    expect(await seen('{"run":"one"}\n', '4711\nthe rest of a line\n{"run":"two"}\n')).toMatchObject({ a: { text: 'two' } });
  });
});
