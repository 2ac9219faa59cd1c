// Shows that a deliberate defect is one that types and unit tests let through: in a copy of the sources, never in the tree itself.

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TOP } from './bundle.ts';
import type { Mutant } from './mutant.ts';

const run = promisify(execFile);
/** What types and unit tests need. */
const NEEDED = ['src', 'test', 'schema', 'docs', 'package.json', 'tsconfig.json', 'tsconfig.pure.json', 'vitest.config.ts'];

/** Copies the sources once, lays each defect in by turns, and tells what noticed it: nothing, the types or the unit tests. */
export async function proveMutants(mutants: readonly Mutant[], tell: (mutant: Mutant, noticed: 'nothing' | 'types' | 'unit tests') => void): Promise<void> {
  mkdirSync(join(TOP, '.cache'), { recursive: true });
  const copy = mkdtempSync(join(TOP, '.cache', 'mutants-'));
  try {
    for (const path of NEEDED) cpSync(join(TOP, path), join(copy, path), { recursive: true });
    symlinkSync(join(TOP, 'node_modules'), join(copy, 'node_modules'));
    for (const mutant of mutants) {
      const file = join(copy, mutant.file);
      const text = readFileSync(file, 'utf8');
      writeFileSync(file, text.split(mutant.find).join(mutant.replace));
      tell(mutant, await noticed(copy, mutant.file));
      writeFileSync(file, text);
    }
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

async function noticed(copy: string, file: string): Promise<'nothing' | 'types' | 'unit tests'> {
  const passes = async (program: string, args: readonly string[]): Promise<boolean> => {
    try {
      await run(process.execPath, [join(TOP, 'node_modules', program), ...args], { cwd: copy, maxBuffer: 64 * 1024 * 1024 });
      return true;
    } catch (error) {
      if (error instanceof Error && 'code' in error && typeof error.code === 'number') return false;
      throw error;
    }
  };
  const tsc = 'typescript/bin/tsc';
  if (!(await passes(tsc, ['-p', 'tsconfig.json'])) || !(await passes(tsc, ['-p', 'tsconfig.pure.json']))) return 'types';
  // All others do not import what was changed.
  return (await passes('vitest/vitest.mjs', ['related', file, '--run', '--dir', 'test/unit', '--reporter=dot'])) ? 'nothing' : 'unit tests';
}
