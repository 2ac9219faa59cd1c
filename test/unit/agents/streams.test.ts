// Recorded streams of the real agents, played through their machines: whole, byte by byte, cut anywhere, and with what a
// next version, a bad disk or somebody hostile might put into them. A new agent is a line in AGENTS and its recordings.

import { describe, expect, it } from 'vitest';
import type { Agent, Received, Trouble } from '../../../src/agents/agent.ts';
import { acpAgent } from '../../../src/agents/acp.ts';
import { claudeAgent } from '../../../src/agents/claude.ts';
import { codexAgent } from '../../../src/agents/codex.ts';
import { copilotAgent } from '../../../src/agents/copilot.ts';
import { geminiAgent } from '../../../src/agents/gemini.ts';
import { opencodeAgent } from '../../../src/agents/opencode.ts';
import { talk } from '../../../src/adapters/dialogue.ts';
import { readExpected, readStream, type Recording } from '../../agents/streams.ts';

const AGENTS: Readonly<Record<string, Agent>> = {
  claude: claudeAgent({ program: ['claude'] }),
  codex: codexAgent({ program: ['codex'] }),
  copilot: copilotAgent({ program: ['copilot'] }),
  acp: acpAgent({ program: ['gemini', '--acp'], runner: ['node', 'acp-agent.js'] }),
  gemini: geminiAgent({ program: ['gemini'] }),
  opencode: opencodeAgent({ program: ['opencode'] }),
};

const CASES = Object.entries(AGENTS).flatMap(([name, agent]) => Object.entries(readExpected(name)).map(([stream, expected]) => ({
  name: `${name}/${stream}`, agent, recording: readStream(`${name}/${stream}`), expected,
})));

/** At each change a cut at every seventh byte and every seventh hostile value will do; `npm run test:all` tries them all. */
const STEP = process.env['CHOO_TEST_LONG'] === undefined ? 7 : 1;

/** Lines that no machine knows; a machine that does must not change its mind by them. */
const UNKNOWN = [
  '', 'plain words', '{', '}', '[]', '[1]', 'null', '42', '"text"', '{}', '{"type":7}', '{"type":"from-the-future","value":[{"deep":null}]}',
  '{"jsonrpc":"2.0","method":"from/the/future","params":{}}', '{"__proto__":{"type":"result"}}',
].map((text) => Buffer.from(text));

const MEGABYTE = 'x'.repeat(1024 * 1024);
const LONG = [Buffer.from(MEGABYTE), Buffer.from(`{"type":"from-the-future","text":"${MEGABYTE}"}`), Buffer.from(`{"type":"from-the-future","text":"${MEGABYTE}`)];

const INVALID = [Buffer.from([0xff, 0xfe, 0xc0, 0x80]), Buffer.concat([Buffer.from('{"type":"from-the-future","text":"'), Buffer.from([0xed, 0xa0, 0x80, 0xf8]), Buffer.from('"}')])];

/** What may stand where a machine expects something else. */
const HOSTILE = [null, true, -1, 1e308, 0.5, '', 'x', '../../etc', '2'.repeat(400), [], [null], {}, { type: 'text' }];

interface Outcome {
  readonly activity: readonly string[];
  readonly sent: readonly string[];
  readonly usage?: Received<unknown>['usage'];
  readonly session?: string;
  readonly done?: true;
  readonly close?: true;
  readonly stop?: Received<unknown>['stop'];
  readonly verdict: ReturnType<Agent['conclude']>;
}

/** Plays bytes through the real cutting of lines. */
function play(agent: Agent, recording: Recording, chunks: Iterable<Buffer>): Outcome {
  let { state } = agent.open(recording.task);
  let told: Omit<Outcome, 'verdict'> = { activity: [], sent: [] };
  let failure: Error | undefined;
  const wrong: string[] = [];
  const conversation = talk({
    stdin: null,
    dialogue: {
      first: '', oneShot: false,
      receive: (line) => {
        const received = agent.receive(line, state, recording.now);
        wrong.push(...wrongWith(received));
        state = received.state;
        told = join(told, received);
        return {};
      },
    },
    progress: () => undefined, end: () => undefined,
    failed: (error) => { failure = error; },
  });
  for (const chunk of chunks) conversation.hear(chunk);
  conversation.finish();
  if (failure !== undefined) throw failure;
  expect(wrong).toEqual([]);
  return { ...told, verdict: agent.conclude({ ending: recording.ending, state, tail: recording.tail, now: recording.now }) };
}

function join(told: Omit<Outcome, 'verdict'>, { activity = [], send, usage, session, done, close, stop }: Received<unknown>): Omit<Outcome, 'verdict'> {
  return {
    ...told, activity: [...told.activity, ...activity.map(({ kind, text }) => `${kind}: ${text}`)], sent: [...told.sent, ...(send === undefined ? [] : [send])],
    ...(usage === undefined ? {} : { usage }), ...(session === undefined ? {} : { session }), ...(done === true ? { done } : {}), ...(close === true ? { close } : {}),
    ...(told.stop === undefined && stop !== undefined ? { stop } : {}),
  };
}

/** What is wrong with an answer of a machine, whatever the line was: numbers that cannot be added, texts that are no short line. */
function wrongWith({ usage, activity = [], send, stop, session }: Received<unknown>): readonly string[] {
  const { model: _, ...numbers } = usage ?? { model: '' };
  return [
    ...Object.entries(numbers).filter(([, n]) => !Number.isFinite(n) || n < 0).map(([name, n]) => `usage.${name} is ${n}`),
    ...activity.filter(({ text }) => !isLine(text, 200)).map(({ text }) => `activity is ${text.slice(0, 300)}`),
    ...wrongWithTrouble(stop),
    ...(send === undefined || send.endsWith('\n') ? [] : [`sends no line: ${send}`]),
    ...(session === undefined || /^\w[\w-]{0,199}$/.test(session) ? [] : [`session is ${session}`]),
  ];
}

function wrongWithTrouble(trouble: Trouble | undefined): readonly string[] {
  if (trouble === undefined) return [];
  return [...(isLine(trouble.text, 1000) ? [] : [`trouble is ${trouble.text.slice(0, 1100)}`]), ...(Number.isFinite(trouble.until ?? 0) ? [] : ['trouble ends never'])];
}

function isLine(text: string, longest: number): boolean {
  return text.length <= longest && !text.includes('\n');
}

function bytesOf(lines: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(lines.flatMap((line) => [Buffer.from(line), Buffer.from('\n')]));
}

/** The strangers before each line of the recording and at its end; long ones only here and there. */
function amid(recording: Recording, strangers: readonly Buffer[]): Buffer {
  const places = strangers === LONG ? Math.ceil(recording.lines.length / 3) : 1;
  return bytesOf([...recording.lines.flatMap((line, i) => (i % places === 0 ? [...strangers, line] : [line])), ...strangers]);
}

function* oneByOne(bytes: Buffer): Iterable<Buffer> {
  for (let i = 0; i < bytes.length; i += 1) yield bytes.subarray(i, i + 1);
}

/** The state before each line. */
function statesOf(agent: Agent, recording: Recording): readonly unknown[] {
  const states = [agent.open(recording.task).state];
  for (const line of recording.lines) states.push(agent.receive(line, states.at(-1), recording.now).state);
  return states;
}

/** A line with a broken byte, with its first long text a megabyte, and with one of its values at a time replaced. */
function* mangled(line: string): Iterable<string> {
  const bytes = Buffer.from(line);
  bytes[bytes.length >> 1] = 0xff;
  yield bytes.toString('utf8');
  yield line.replace(/"(?:[^"\\]|\\.){20,}"/, () => `"${MEGABYTE}"`);
  const value = parse(line);
  if (value === undefined) return;
  for (const path of pathsOf(value)) {
    for (const hostile of HOSTILE) yield JSON.stringify(replaced(value, path, hostile));
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function pathsOf(value: unknown): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [[]];
  return [[], ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner).map((path) => [key, ...path]))];
}

function replaced(value: unknown, path: readonly string[], by: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return by;
  if (Array.isArray(value)) return value.map((inner: unknown, i) => (String(i) === key ? replaced(inner, rest, by) : inner));
  const data = value as Readonly<Record<string, unknown>>;
  return { ...data, [key]: replaced(data[key], rest, by) };
}

/** Gives a line to the machine in a state and lets it judge a killed session after it; neither may throw. Gives back what was wrong. */
function tried(agent: Agent, o: { readonly line: string; readonly state: unknown; readonly recording: Recording }): readonly string[] {
  const received = agent.receive(o.line, o.state, o.recording.now);
  agent.interrupt(received.state);
  const { trouble } = agent.conclude({ ending: { code: null, signal: 'SIGKILL' }, state: received.state, tail: o.line.slice(-8000), now: o.recording.now });
  return [...wrongWith(received), ...wrongWithTrouble(trouble)].map((what) => `${what} by ${o.line.slice(0, 500)}`);
}

describe.each(CASES)('$name', ({ agent, recording, expected }) => {
  const whole = bytesOf(recording.lines);

  it('is understood', () => {
    const outcome = play(agent, recording, [whole]);
    expect(JSON.parse(JSON.stringify(outcome))).toEqual(expected);
  });

  it('is understood byte by byte, and without its last line end', () => {
    expect(play(agent, recording, oneByOne(whole))).toEqual(play(agent, recording, [whole]));
    expect(play(agent, recording, [whole.subarray(0, -1)])).toEqual(play(agent, recording, [whole]));
  });

  it('may stop at every byte', () => {
    const states = statesOf(agent, recording);
    const wrong = recording.lines.flatMap((line, i) => {
      const bytes = Buffer.from(line);
      return Array.from({ length: Math.ceil((bytes.length + 1) / STEP) }, (_, n) => tried(agent, { line: bytes.subarray(0, n * STEP).toString('utf8'), state: states[i], recording })).flat();
    });
    expect(wrong).toEqual([]);
  });

  it.each([['unknown lines', UNKNOWN], ['lines of a megabyte', LONG], ['invalid UTF-8', INVALID]] as const)('means the same with %s in between', (_what, strangers) => {
    expect(play(agent, recording, [amid(recording, strangers)])).toEqual(play(agent, recording, [whole]));
  });

  it('may hold anything anywhere', () => {
    const states = statesOf(agent, recording);
    const wrong = recording.lines.flatMap((line, i) => [...mangled(line)].filter((_, n) => n % STEP === 0).flatMap((bad) => tried(agent, { line: bad, state: states[i], recording })));
    expect(wrong).toEqual([]);
  });

  it('leaves its states as they were', () => {
    const states = statesOf(agent, recording);
    const before = JSON.stringify(states);
    for (const [i, line] of recording.lines.entries()) {
      expect(agent.receive(line, states[i], recording.now)).toEqual(agent.receive(line, states[i], recording.now));
    }
    expect(JSON.stringify(states)).toBe(before);
  });
});
