// Recorded streams: what an agent printed in one session, a line of ours with the ending before it. Made by session.ts
// when CHOO_RECORD_STREAMS is set, played by test/unit/agents/streams.test.ts.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { AgentTask } from '../../src/agents/agent.ts';
import type { Ending } from '../../src/core/failure.ts';
import type { CommandResult } from '../../src/world.ts';

const folder = join(import.meta.dirname, 'streams');

/** Longer texts and lists are cut in recordings, characters and entries. */
const LONGEST_TEXT = 600;
const LONGEST_LIST = 8;

/** What sessions are called in recordings, so that a new one differs only in what matters. */
const SESSION = '11111111-1111-4111-8111-111111111111';

/** One recorded session. */
export interface Recording {
  /** What was asked; the prompt is cut. */
  readonly task: AgentTask;
  readonly ending: Ending;
  /** The last of what was printed on stdout and stderr. */
  readonly tail: string;
  /** When it was recorded, ms since 1970; what `receive` and `conclude` take for the present. */
  readonly now: number;
  readonly lines: readonly string[];
}

/** Writes `streams/<name>.jsonl` when recording is asked for. Folders of the test, the server's port, secrets and the names of sessions are replaced. */
export function recordStream(name: string, o: { readonly base: string; readonly task: AgentTask; readonly lines: readonly string[]; readonly result: CommandResult; readonly secrets: readonly string[]; readonly sessions: readonly string[] }): void {
  if (process.env['CHOO_RECORD_STREAMS'] === undefined) return;
  const { code, signal, limit, tail } = o.result;
  const names = [...o.secrets.map((secret) => [secret, 'KEY'] as const), ...o.sessions.map((session) => [session, SESSION] as const)];
  const clean = (text: string): string => names.reduce((t, [name, by]) => t.replaceAll(name, by), text)
    .replaceAll(o.base, '/tmp/work').replaceAll(o.base.replaceAll('/', '-'), '-tmp-work').replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:8080');
  const head = { recorded: { now: Date.now(), ending: { code, signal, limit }, task: o.task, tail: tail.slice(-LONGEST_TEXT) } };
  const path = join(folder, `${name}.jsonl`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${[JSON.stringify(head), ...o.lines].map((line) => clean(shorten(line))).join('\n')}\n`);
}

/** Names of all recordings of an agent, without `.jsonl`, as its expected.json lists them. */
export function readExpected(agent: string): Readonly<Record<string, unknown>> {
  return JSON.parse(readFileSync(join(folder, agent, 'expected.json'), 'utf8')) as Record<string, unknown>;
}

/** Reads `streams/<name>.jsonl`. */
export function readStream(name: string): Recording {
  const [head = '', ...lines] = readFileSync(join(folder, `${name}.jsonl`), 'utf8').split('\n').slice(0, -1);
  const { recorded } = JSON.parse(head) as { recorded: Omit<Recording, 'lines'> };
  return { ...recorded, lines };
}

/** A line with its long texts and lists cut; one that is no JSON is cut as a whole. */
function shorten(line: string): string {
  if (!line.startsWith('{')) return line.slice(0, LONGEST_TEXT);
  return JSON.stringify(JSON.parse(line, (_key, value: unknown) => {
    if (typeof value === 'string' && value.length > LONGEST_TEXT) return `${value.slice(0, LONGEST_TEXT)}…`;
    return Array.isArray(value) ? value.slice(0, LONGEST_LIST) : value;
  }));
}
