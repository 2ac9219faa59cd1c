// `choo demo`: writes a repository into the temporary folder and calls the ordinary run on it. Nothing else in the program
// knows of it.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { DemoAgent } from './demo-agent.ts';
import { demoFiles, scriptedFiles } from './demo-files.ts';
import { report } from './errors.ts';
import type { Io } from './io.ts';
import { run } from './run.ts';

const exec = promisify(execFile);

/** What `choo demo` was asked for. */
export interface DemoOptions {
  /** The repository stays. */
  readonly keep: boolean;
  /** A real agent instead of the scripted one. */
  readonly agent?: string;
  /** Its program, where that is not its name on PATH. */
  readonly command?: string;
}

/** Runs the demo; the exit code is that of the run. */
export async function demo(o: DemoOptions, io: Io): Promise<number> {
  let folder: string | undefined;
  let agent: DemoAgent | undefined;
  try {
    agent = await agentFor(o, io);
    folder = await realpath(await mkdtemp(join(tmpdir(), 'choo-demo-')));
    const place = await makePlace(folder, agent);
    const say = (text: string): void => io.out.write(`${text}\n`);
    say(`A repository with six units of work is in ${place.repository}:`);
    say('\n             ┌─► prices ─┐\n    dishes ──┼─► order  ─┴─► bill ─┐\n             └─► search ───────────┴─► welcome\n');
    say('`prices` and `search` change the same file; the agent of `order` gets its first attempt wrong.');
    say(`${agent.about}\nThis is what runs now:\n\n    cd ${place.repository}\n    choo run -p 3\n`);
    const code = await run({ how: 'run', parallelism: 3, tui: false }, { ...io, cwd: place.repository, env: place.env });
    if (code === 0) await tellWhatLanded(place, say);
    else for (const complaint of agent.complaints()) io.err.write(`choo: ${complaint}\n`);
    return code;
  } catch (error) {
    return report(error, { io, json: false, journal: undefined });
  } finally {
    await agent?.close();
    if (folder !== undefined) await leave(folder, o.keep, io);
  }
}

async function agentFor({ agent, command }: DemoOptions, io: Io): Promise<DemoAgent> {
  if (agent === undefined) return scriptedAgent(io.env);
  const { realAgent } = await import('./demo-agent.ts');
  return realAgent({ agent, command }, io);
}

/** The built-in agent, in the environment of somebody without any git or choo configuration. */
function scriptedAgent(env: NodeJS.ProcessEnv): DemoAgent {
  const kept = Object.entries(env).filter(([name]) => !/^(GIT_|CHOO_|RALPH_|XDG_)/.test(name));
  return {
    files: scriptedFiles(), home: {}, env: { ...Object.fromEntries(kept), GIT_CONFIG_NOSYSTEM: '1' },
    about: 'The agent is a script, everything else is real.',
    complaints: () => [], close: () => Promise.resolve(),
  };
}

interface Place {
  readonly repository: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Makes repository, HOME and temporary folder; everything that choo and the agent keep goes into the demo's own folder. */
async function makePlace(folder: string, agent: DemoAgent): Promise<Place> {
  const [repository, home, temporary] = [join(folder, 'inn'), join(folder, 'home'), join(folder, 'tmp')];
  await mkdir(home);
  await mkdir(temporary);
  await writeFiles(home, agent.home);
  await writeFiles(repository, { ...demoFiles(), ...agent.files });
  const place = { repository, env: { ...agent.env, HOME: home, TMPDIR: temporary } };
  for (const args of [
    ['init', '--quiet', '--initial-branch=main'],
    ['config', 'user.name', 'choo demo'],
    ['config', 'user.email', 'demo@example.invalid'],
    ['add', '--all'],
    ['commit', '--quiet', '--message', 'An inn, and the specs of what it lacks'],
  ]) await git(place, args);
  return place;
}

async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

async function git(place: Place, args: readonly string[]): Promise<string> {
  const { stdout } = await exec('git', args, { cwd: place.repository, env: place.env });
  return stdout;
}

async function tellWhatLanded(place: Place, say: (text: string) => void): Promise<void> {
  const log = await git(place, ['log', '--graph', '--oneline', '--no-decorate', '--max-count=20', 'main']);
  const { stdout } = await exec('sh', ['inn.sh'], { cwd: place.repository, env: place.env });
  say(`\nWhat landed on main: a commit a task, a merge a unit.\n\n${log.trimEnd().replaceAll(/^/gm, '    ')}\n`);
  say(`    $ sh inn.sh\n    ${stdout.trim()}\n`);
  say('In a repository of your own:\n\n    choo init');
}

async function leave(folder: string, keep: boolean, io: Io): Promise<void> {
  if (keep) io.out.write(`\nKept in ${folder}; look around: cd ${join(folder, 'inn')} && git log --graph\nRemove it: rm -r ${folder}\n`);
  else await rm(folder, { recursive: true, force: true });
}
