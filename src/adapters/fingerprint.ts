// What a check's result depends on besides the tree it runs in: this machine, the programs it names, variables, copied files.

import { createHash } from 'node:crypto';
import { readFile, realpath, stat } from 'node:fs/promises';
import { arch, platform, release } from 'node:os';
import { programsOf } from '../core/programs-of.ts';
import { findProgram } from './program.ts';

/** What to look at. `commands` are shell commands; `env` names of variables; `files` absolute paths whose content counts. */
export interface Depends {
  readonly commands: readonly string[];
  readonly env: readonly string[];
  readonly files: readonly string[];
}

/** A digest (hex) of all that; equal digests mean that nothing of it has changed. `environment` is what the commands would see, `cwd` where they run. */
export async function fingerprint(o: Depends & { readonly environment: NodeJS.ProcessEnv; readonly cwd: string }): Promise<string> {
  const hash = createHash('sha256');
  const add = (...parts: readonly string[]): void => { hash.update(`${JSON.stringify(parts)}\n`); };
  add(platform(), arch(), release(), process.version);
  for (const name of new Set(['PATH', ...o.env])) add('variable', name, o.environment[name] ?? '');
  for (const command of o.commands) add('command', command);
  for (const word of new Set(o.commands.flatMap(programsOf))) add('program', word, await stampOf(word, o));
  for (const path of o.files) add('file', path, createHash('sha256').update(await readFile(path)).digest('hex'));
  return hash.digest('hex');
}

/** Which file a program is and when it was changed: a new version of a tool is another program. */
async function stampOf(word: string, o: { readonly environment: NodeJS.ProcessEnv; readonly cwd: string }): Promise<string> {
  const found = findProgram(word, { cwd: o.cwd, path: o.environment['PATH'] });
  // One within the worktree is part of the tree.
  if ('code' in found || (word.includes('/') && !word.startsWith('/'))) return '';
  try {
    const path = await realpath(found.path);
    const { size, mtimeMs } = await stat(path);
    return `${path} ${size} ${mtimeMs}`;
  } catch (error) {
    // Gone in this moment; then its next run will say so.
    return error instanceof Error ? error.message : '';
  }
}
