// A room for one real agent: a repository with a worktree, an emptied environment, the scripted model server; and the way
// to drive an agent's machine through one session there. Records what the agent printed when CHOO_RECORD_STREAMS is set.

import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';
import { openProcesses, type OpenProcesses } from '../../src/adapters/processes.ts';
import type { Activity, Agent, AgentTask, Received, Trouble, Verdict } from '../../src/agents/agent.ts';
import type { Usage } from '../../src/core/usage.ts';
import { endingOf } from '../../src/worker/workplace.ts';
import type { CommandResult } from '../../src/world.ts';
import { control, type Handle } from '../contract/processes.rig.ts';
import { openModelServer, type ModelServer, type ModelServerOptions } from '../../src/model-server/server.ts';
import { makeRepository, type TestRepository } from '../rig/repo.ts';
import { recordStream } from './streams.ts';

/** Also what whole.test.ts or a cheaper agent shows already: an agent takes up to 13 s of a processor to start. Always when streams are recorded. */
export const THOROUGH = process.env['CHOO_TEST_LONG'] !== undefined || process.env['CHOO_RECORD_STREAMS'] !== undefined;

/** A session that takes longer has hung, ms. */
const LONGEST = 90_000;

/** Between asking an agent to end and killing it, ms. */
const GRACE = 5000;

/** What one session came to. */
export interface Session {
  readonly task: AgentTask;
  readonly result: CommandResult;
  readonly verdict: Verdict;
  /** Every line of stdout. */
  readonly lines: readonly string[];
  readonly activity: readonly Activity[];
  /** The last that was told. */
  readonly usage: Usage | undefined;
  readonly session: string | undefined;
  readonly done: boolean;
  readonly stop: Trouble | undefined;
}

/** How to drive. `task` overrides what the room would ask. */
export interface Drive extends Partial<AgentTask> {
  readonly prompt: string;
  /** Added to the agent's environment: the dummy key, the server's address. */
  readonly env: Readonly<Record<string, string>>;
  readonly control?: Handle;
  /** Each line, as it comes. */
  readonly onLine?: (line: string) => void;
  readonly totalMs?: number;
  /** `<agent>/<case>`: where the stream is kept when streams are recorded. */
  readonly record?: string;
  /** Lines that are not kept in the recording: noise that the machine does not know. */
  readonly leaveOut?: RegExp;
}

/** One agent's workplace. */
export interface Room {
  readonly repository: TestRepository;
  /** On the branch `choo/unit/u/1`. */
  readonly worktree: string;
  readonly home: string;
  readonly scratch: string;
  /** Starts the server; once in a room. */
  serve(o: Pick<ModelServerOptions, 'protocols' | 'scenario' | 'spent'>): Promise<ModelServer>;
  drive<S>(agent: Agent<S>, o: Drive): Promise<Session>;
  /** Subjects of the commits that the agent made, newest first. */
  commits(): readonly string[];
}

/** `it` with a room: `it('…', async ({ room }) => …)`. At its end no process may be left and no request may have been bad. */
export const it = test.extend<{ readonly room: Room }>({
  room: async ({ task }, use) => {
    const room = await openRoom();
    let end: Awaited<ReturnType<typeof room.end>> | undefined;
    try {
      await use(room);
    } finally {
      end = await room.end();
    }
    expect({ test: task.name, ...end }).toEqual({ test: task.name, left: [], bad: [] });
  },
});

interface OpenRoom extends Room {
  end(): Promise<{ readonly left: readonly string[]; readonly bad: readonly string[] }>;
}

async function openRoom(): Promise<OpenRoom> {
  const repository = makeRepository();
  const { base } = repository;
  const home = join(base, 'home');
  const scratch = join(base, 'scratch');
  const worktree = join(base, 'worktree');
  const temporary = join(base, 'temporary');
  for (const folder of [scratch, temporary]) mkdirSync(folder);
  repository.git('worktree', 'add', '-q', '-b', 'choo/unit/u/1', worktree);
  const env = { PATH: [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(':'), HOME: home, TMPDIR: temporary };
  const processes = await openProcesses({ contain: 'auto', env, clock: systemClock(), killGraceMs: GRACE, marker: `test-${randomUUID()}` });
  let server: ModelServer | undefined;
  return {
    repository, worktree, home, scratch,
    serve: async (o) => {
      server = await openModelServer({ ...o, clock: systemClock() });
      return server;
    },
    drive: async (agent, o) => {
      const session = await drive({ processes, repository, worktree, scratch }, agent, o);
      if (o.record !== undefined) {
        const { task: { session: asked, goOn = asked }, result } = session;
        const secrets = Object.values(o.env).filter((value) => value.length > 8 && !value.startsWith('http'));
        const lines = session.lines.filter((line) => o.leaveOut?.test(line) !== true);
        recordStream(o.record, { base, task: session.task, lines, result, secrets, sessions: [asked, goOn, session.session ?? asked] });
      }
      return session;
    },
    commits: () => repository.git('log', '--format=%s', 'main..choo/unit/u/1').split('\n').filter((line) => line !== ''),
    end: async () => {
      await processes.close();
      await server?.close();
      const left = leftProcesses(home);
      await repository.close();
      return { left, bad: server?.bad ?? [] };
    },
  };
}

interface Place {
  readonly processes: OpenProcesses;
  readonly repository: TestRepository;
  readonly worktree: string;
  readonly scratch: string;
}

/** Drives the machine as the worker does: lines in, words out, ended when it says that there is no use in waiting. */
async function drive<S>(place: Place, agent: Agent<S>, o: Drive): Promise<Session> {
  const { env, control: handle = control(), onLine, totalMs = LONGEST, record: _, leaveOut: _noise, ...asked } = o;
  const { worktree, scratch, repository } = place;
  const promptFile = join(repository.base, 'prompt.md');
  repository.write('prompt.md', o.prompt, repository.base);
  const task: AgentTask = { promptFile, worktree, gitPaths: gitPaths(repository), scratch, permissions: 'workspace', args: [], session: randomUUID(), cap: {}, ...asked };
  const opening = agent.open(task);
  for (const [path, text] of Object.entries(opening.files ?? {})) repository.write(path.slice(scratch.length + 1), text, scratch);
  const told = new Told();
  let { state } = opening;
  const result = await place.processes.run({
    argv: opening.argv, cwd: worktree, env: { ...opening.env, ...env }, log: join(repository.base, 'agent.log'), outputLimit: 10 * 1024 * 1024, totalMs,
    dialogue: {
      first: opening.first, oneShot: opening.oneShot,
      receive: (line) => {
        const received = agent.receive(line, state, Date.now());
        state = received.state;
        told.take(line, received);
        onLine?.(line);
        const end = told.stop !== undefined ? 'stop' : received.done === true ? 'done' : undefined;
        return { ...received, ...(end === undefined ? {} : { end }) };
      },
      interrupt: () => agent.interrupt(state),
    },
  }, handle);
  const verdict = agent.conclude({ ending: endingOf(result), state, tail: result.tail, now: Date.now() });
  return { task, result, verdict, lines: told.lines, activity: told.activity, usage: told.usage, session: told.session, done: told.done, stop: told.stop };
}

/** Gathers what a session tells. */
class Told {
  readonly lines: string[] = [];
  readonly activity: Activity[] = [];
  usage: Usage | undefined;
  session: string | undefined;
  done = false;
  stop: Trouble | undefined;

  take(line: string, received: Received<unknown>): void {
    this.lines.push(line);
    this.activity.push(...received.activity ?? []);
    this.usage = received.usage ?? this.usage;
    this.session = received.session ?? this.session;
    this.done ||= received.done === true;
    this.stop ??= received.stop;
  }
}

/** What git writes outside the worktree for a commit on its branch; as the worker names it. */
function gitPaths({ root }: TestRepository): readonly string[] {
  const git = join(root, '.git');
  return [join(git, 'objects'), join(git, 'worktrees', 'worktree'), join(git, 'refs/heads/choo/unit/u'), join(git, 'logs/refs/heads/choo/unit/u')];
}

/** Processes with this HOME, as `pid command`. */
function leftProcesses(home: string): readonly string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    const of = (file: string): readonly string[] => procText(`/proc/${pid}/${file}`).split('\0');
    return of('environ').includes(`HOME=${home}`) ? [`${pid} ${of('cmdline').join(' ')}`] : [];
  });
}

function procText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // The process has ended since, or is somebody else's.
    if (['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}
