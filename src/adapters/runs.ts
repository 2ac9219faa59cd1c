// Where a repository's runs live under its common git folder. Names and folders only; what is in them is journal.ts.

import { chmod, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from './errno.ts';

/** choo's folder in the repository with the given common git folder; nothing else of choo is in there. */
export function chooFolder(commonDir: string): string {
  return join(commonDir, 'choo');
}

/** Makes choo's folder and closes it to other users; the control socket relies on that. Gives back its path. */
export async function makeChooFolder(commonDir: string): Promise<string> {
  const folder = chooFolder(commonDir);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  return folder;
}

/** Folder of one run. */
export function runFolder(commonDir: string, run: number): string {
  return join(chooFolder(commonDir), 'runs', String(run));
}

/** Journal of one run. */
export function journalPath(commonDir: string, run: number): string {
  return join(runFolder(commonDir, run), 'journal.jsonl');
}

/** Folder of the logs of one unit in one run. */
export function logFolder(commonDir: string, o: { readonly run: number; readonly unit: string }): string {
  return join(runFolder(commonDir, o.run), 'logs', o.unit);
}

/** Numbers of all runs that have a folder, ascending. */
export async function listRuns(commonDir: string): Promise<readonly number[]> {
  const names = await readdir(join(chooFolder(commonDir), 'runs')).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  });
  return names.filter((name) => /^[1-9]\d{0,8}$/.test(name)).map(Number).toSorted((a, b) => a - b);
}

/** Number of the newest run, or undefined when there was none. */
export async function newestRun(commonDir: string): Promise<number | undefined> {
  return (await listRuns(commonDir)).at(-1);
}

/** Makes the folder (0700) of a new run and gives back its number, which is higher than `above`; two callers at once get two numbers. */
export async function makeRun(commonDir: string, above = 0): Promise<number> {
  await mkdir(join(await makeChooFolder(commonDir), 'runs'), { recursive: true, mode: 0o700 });
  for (let run = Math.max(above, (await newestRun(commonDir)) ?? 0) + 1; ; run += 1) {
    try {
      await mkdir(runFolder(commonDir, run), { mode: 0o700 });
      return run;
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
  }
}
