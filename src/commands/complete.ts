// `choo __complete`: the names that a completion script asks for while somebody types, one a line. Quick, and never fails aloud: what
// cannot be told is not told.

import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { chooFolder } from '../adapters/runs.ts';
import { cleanLine } from '../core/clean.ts';
import { TASKS_DIR } from '../opening/specs.ts';
import type { Io } from './io.ts';

/** Somebody waits with a finger on the key, ms. */
const PATIENCE = 2000;
/** More names help nobody. */
const MOST = 1000;

/** Prints the names; exit code 0 always. */
export function complete(what: string | undefined, io: Io): number {
  for (const name of namesOf(what, io).slice(0, MOST)) if (name === cleanLine(name)) io.out.write(`${name}\n`);
  return 0;
}

function namesOf(what: string | undefined, io: Io): readonly string[] {
  try {
    switch (what) {
      case 'units': return [...new Set([...unitFolders(io), ...runUnits(io)])].toSorted((a, b) => (a < b ? -1 : 1));
      case 'runs': return runs(io).map(String);
      case 'branches': return git(io, 'for-each-ref', '--format=%(refname:lstrip=2)', 'refs/heads').filter((name) => !name.startsWith('choo/'));
      default: return [];
    }
  } catch (error) {
    if (error instanceof Error) return [];
    throw error;
  }
}

/** Folders of units in the working tree; whether they can be read is for other commands to say. */
function unitFolders(io: Io): readonly string[] {
  const [top = ''] = git(io, 'rev-parse', '--show-toplevel');
  return folders(join(top, TASKS_DIR));
}

/** Units of the newest run that have had an attempt; their specs may be gone. */
function runUnits(io: Io): readonly string[] {
  const newest = runs(io).at(-1);
  return newest === undefined ? [] : folders(join(runsFolder(io), String(newest), 'logs'));
}

function runs(io: Io): readonly number[] {
  return folders(runsFolder(io)).filter((name) => /^[1-9]\d{0,8}$/.test(name)).map(Number).toSorted((a, b) => a - b);
}

function runsFolder(io: Io): string {
  const [common = ''] = git(io, 'rev-parse', '--git-common-dir');
  return join(chooFolder(resolve(io.cwd, common)), 'runs');
}

function folders(path: string): readonly string[] {
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch (error) {
    if (error instanceof Error && 'code' in error) return [];
    throw error;
  }
}

function git(io: Io, ...argv: readonly string[]): readonly string[] {
  const text = execFileSync('git', argv, { cwd: io.cwd, env: io.env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: PATIENCE });
  return text.split('\n').filter((line) => line !== '');
}
