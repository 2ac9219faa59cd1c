// The program of the `script` agent: plays its part of a scenario file in the current folder. A program of its own; the
// orchestrator starts it like any other agent and never loads it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parse } from 'yaml';
import { systemClock } from '../adapters/clock.ts';
import { unreachable } from '../core/bug.ts';
import { ScenarioError, stepsFor } from './scenario.ts';
import type { Step } from './scenario.ts';

/** Plays all steps; resolves with the exit code of the agent. */
async function play(steps: readonly Step[]): Promise<number> {
  for (const step of steps) {
    const code = await perform(step);
    if (code !== undefined) return code;
  }
  return 0;
}

/** Performs one step; gives back an exit code when it is the last one. */
async function perform(step: Step): Promise<number | undefined> {
  switch (step.do) {
    case 'write': case 'append': return put(step.files, step.do === 'write' ? writeFile : appendFile);
    case 'say': process.stdout.write(`${step.text}\n`); return undefined;
    case 'pause': await systemClock().sleep(step.ms); return undefined;
    case 'exit': return step.code;
    case 'run': return shell(step.command);
    default: return unreachable(step);
  }
}

async function put(files: Readonly<Record<string, string>>, how: (path: string, text: string) => Promise<void>): Promise<undefined> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(path), { recursive: true });
    await how(path, text);
  }
}

/** A command that fails ends the agent with its exit code. */
async function shell(command: string): Promise<number | undefined> {
  const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = await once(child, 'close') as [number | null];
  return code === 0 ? undefined : code ?? 1;
}

async function main(path: string | undefined, env: NodeJS.ProcessEnv): Promise<number> {
  const { CHOO_UNIT: unit, CHOO_TASK: task, CHOO_ATTEMPT: attempt } = env;
  if (path === undefined || unit === undefined || task === undefined) throw new ScenarioError('usage: script-agent SCENARIO, with CHOO_UNIT, CHOO_TASK and CHOO_ATTEMPT in the environment');
  const scenario: unknown = parse(await readFile(path, 'utf8'), { maxAliasCount: 50 });
  return play(stepsFor(scenario, { unit, task, attempt: Math.max(1, Number(attempt ?? '1')) }));
}

main(process.argv[2], process.env).then((code) => { process.exitCode = code; }, (error: unknown) => {
  process.stderr.write(`script agent: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
