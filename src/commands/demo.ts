// `choo demo`: writes a repository into the temporary folder and calls the ordinary run on it. Nothing else in the program
// knows of it.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { demoFiles } from './demo-files.ts';
import { report } from './errors.ts';
import type { Io } from './io.ts';
import { run } from './run.ts';

const exec = promisify(execFile);

/** Runs the demo; the exit code is that of the run. `keep`: the repository stays. */
export async function demo(o: { readonly keep: boolean }, io: Io): Promise<number> {
  let folder: string | undefined;
  try {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'choo-demo-')));
    const place = { repository: join(folder, 'inn'), env: demoEnvironment(io.env, folder) };
    const say = (text: string): void => io.out.write(`${text}\n`);
    await makeRepository(place);
    say(`A repository with six units of work is in ${place.repository}:`);
    say('\n             ┌─► prices ─┐\n    dishes ──┼─► order  ─┴─► bill ─┐\n             └─► search ───────────┴─► welcome\n');
    say('`prices` and `search` change the same file; the agent of `order` gets its first attempt wrong.');
    say(`The agent is a script, everything else is real. This is what runs now:\n\n    cd ${place.repository}\n    choo run -p 3\n`);
    const code = await run({ how: 'run', parallelism: 3 }, { ...io, cwd: place.repository, env: place.env });
    if (code === 0) await tellWhatLanded(place, say);
    return code;
  } catch (error) {
    return report(error, { io, json: false, journal: undefined });
  } finally {
    if (folder !== undefined) await leave(folder, o.keep, io);
  }
}

interface Place {
  readonly repository: string;
  readonly env: NodeJS.ProcessEnv;
}

/** The environment of somebody without any git or choo configuration; everything choo keeps goes into the demo's own folder. */
function demoEnvironment(env: NodeJS.ProcessEnv, folder: string): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !/^(GIT_|CHOO_|RALPH_|XDG_)/.test(name));
  return { ...Object.fromEntries(kept), HOME: join(folder, 'home'), GIT_CONFIG_NOSYSTEM: '1' };
}

async function makeRepository(place: Place): Promise<void> {
  await mkdir(place.env['HOME'] ?? place.repository, { recursive: true });
  for (const [path, text] of demoFiles()) {
    const file = join(place.repository, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  for (const args of [
    ['init', '--quiet', '--initial-branch=main'],
    ['config', 'user.name', 'choo demo'],
    ['config', 'user.email', 'demo@example.invalid'],
    ['add', '--all'],
    ['commit', '--quiet', '--message', 'An inn, and the specs of what it lacks'],
  ]) await git(place, args);
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
