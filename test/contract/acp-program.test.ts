// The program between choo and ACP agents, as built, with agents of ours that behave well, badly or not at all.

import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { createInterface } from 'node:readline';
import { afterEach, expect, it } from 'vitest';
import { acpAgent } from '../../src/agents/acp.ts';
import type { Activity, AgentTask, Verdict } from '../../src/agents/agent.ts';

const top = join(import.meta.dirname, '..', '..');
const runner = [process.execPath, join(top, 'dist', 'acp-agent.js')];
const stranger = (how: string): readonly string[] => [process.execPath, join(top, 'test', 'rig', 'programs', 'acp-agent.mjs'), how];

const folders: string[] = [];
afterEach(() => { for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true }); });

function folder(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'choo-acp-')));
  folders.push(path);
  return path;
}

interface Came {
  readonly code: number | null;
  readonly verdict: Verdict;
  readonly activity: readonly Activity[];
  readonly lines: readonly string[];
}

/** Runs one session to its end; `onLine` may say what to write. */
async function session(o: { readonly program: readonly string[]; readonly mode?: string; readonly task?: Partial<AgentTask>; readonly onLine?: (line: string) => 'interrupt' | 'close' | undefined }): Promise<Came> {
  const agent = acpAgent({ program: o.program, runner, ...(o.mode === undefined ? {} : { mode: o.mode }) });
  const opening = agent.open({ prompt: 'Work.', promptFile: '/p', worktree: o.task?.worktree ?? folder(), gitPaths: [], scratch: '/s', permissions: 'workspace', args: [], session: 'u', cap: {}, ...o.task });
  const [program = '', ...args] = opening.argv;
  const child = spawn(program, args, { stdio: 'pipe', env: { PATH: process.env['PATH'] } });
  const ended = new Promise<number | null>((resolve) => { child.once('close', resolve); });
  const stderr = text(child.stderr);
  child.stdin.on('error', () => child.stdin.destroy());
  child.stdin.write(opening.first);
  let { state } = opening;
  const activity: Activity[] = [];
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    const received = agent.receive(line, state, 0);
    state = received.state;
    activity.push(...received.activity ?? []);
    const order = o.onLine?.(line);
    if (order === 'interrupt') child.stdin.write(agent.interrupt(state) ?? '');
    if (order === 'close' || received.close === true) child.stdin.end();
  }
  const code = await ended;
  return { code, lines, activity, verdict: agent.conclude({ ending: { code }, state, tail: await stderr, now: 0 }) };
}

/** What an agent that asks to edit the path in its prompt is answered. */
async function answered(path: string, task: Partial<AgentTask>): Promise<string | undefined> {
  const came = await session({ program: stranger('asks'), task: { ...task, prompt: path } });
  expect(came.verdict).toEqual({});
  return came.activity.findLast(({ kind }) => kind === 'text')?.text;
}

it('lets an agent change what is in the worktree, and nothing else unless it may do everything', async () => {
  const base = folder();
  const worktree = join(base, 'worktree');
  mkdirSync(worktree);
  symlinkSync(base, join(worktree, 'way-out'));
  for (const inside of [`${worktree}/a.txt`, 'b/c.txt', worktree, `${worktree}/..hidden`]) expect(await answered(inside, { worktree })).toBe('answer: yes');
  for (const outside of [`${base}/a.txt`, `${worktree}/../a.txt`, `${worktree}-2/a`, 'way-out/a.txt', '/etc/passwd', 'nul\0']) expect(await answered(outside, { worktree })).toBe('answer: no');
  expect(await answered('/etc/passwd', { worktree, permissions: 'full' })).toBe('answer: yes');
});

it('sets the mode before the prompt, the configured one first', async () => {
  const { lines } = await session({ program: stranger('asks') });
  const told = lines.findIndex((line) => line.includes('"choo":"session"'));
  expect(lines[told]).toContain('"mode":"acceptEdits"');
  expect(lines.findIndex((line) => line.includes('"choo":"prompted"'))).toBeGreaterThan(told);
  expect((await session({ program: stranger('asks'), mode: 'plan' })).lines[told]).toContain('"mode":"plan"');
});

it.each([
  ['old', { trouble: { kind: 'setup', text: 'the agent speaks version 0 of the protocol; choo speaks 1' } }],
  ['login', { trouble: { kind: 'login', text: 'Authentication required' } }],
  ['strange-modes', { trouble: { kind: 'setup', text: "none of the agent's modes is known to work unattended: plan, odd; name the one to use in the configuration" } }],
  ['dies', { failed: 'the agent ended before its work was over' }],
  ['babbles', {}],
])('judges an agent that is %s', async (how, verdict) => {
  expect((await session({ program: stranger(how) })).verdict).toEqual(verdict);
});

it('says which mode and model there is not', async () => {
  expect((await session({ program: stranger('asks'), mode: 'fly' })).verdict.trouble?.text).toBe('the agent has no mode fly; it has plan, acceptEdits');
  expect((await session({ program: stranger('asks'), task: { model: 'large' } })).verdict.trouble?.text).toMatch(/offers no choice of model/);
});

it('ends 127 for a program that is missing and 126 for one that cannot be started', async () => {
  expect(await session({ program: ['/nowhere/at-all'] })).toMatchObject({ code: 127, verdict: { failed: 'the agent cannot be started' } });
  expect(await session({ program: [folder()] })).toMatchObject({ code: 126, verdict: { failed: 'the agent cannot be started' } });
});

it.each(['interrupt', 'close'] as const)('cancels the turn on %s', async (order) => {
  const came = await session({ program: stranger('waits'), onLine: (line) => (line === '{"choo":"prompted"}' ? order : undefined) });
  expect(came).toMatchObject({ code: 1, verdict: { failed: 'the agent was interrupted' } });
});
