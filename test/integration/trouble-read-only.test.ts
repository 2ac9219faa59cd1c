// The folder of choo's state made read-only in the middle of a run: no agent keeps running, the message names the place, and the
// run goes on when it can be written again. As root a mode binds nobody, so there choo runs without root's capabilities.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { it, type Bed } from '../rig/bed.ts';
import { completedTasks, expectNothingLeft } from '../rig/facts.ts';

const program = join(import.meta.dirname, '..', '..', 'bin', 'choo');
const bound = process.getuid?.() === 0 ? ['setpriv', '--inh-caps=-all', '--bounding-set=-all', '--'] : ['env'];

/** Runs the program as somebody whom modes bind. */
async function choo(bed: Bed, ...argv: readonly string[]): Promise<{ readonly code: number | null; readonly text: string }> {
  const [command = '', ...rest] = [...bound, process.execPath, program, ...argv];
  const env = { ...bed.env, XDG_STATE_HOME: bed.state, TMPDIR: join(bed.base, 'temporary'), RIG_BED: bed.base };
  const child = spawn(command, rest, { cwd: bed.root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  const hear = (chunk: string): void => { text += chunk; };
  child.stdout.setEncoding('utf8').on('data', hear);
  child.stderr.setEncoding('utf8').on('data', hear);
  const [code] = await once(child, 'close') as [number | null];
  bed.hand.over(new Error(`choo ended ${code}:\n${text}`));
  return { code, text };
}

/** Makes every folder and file below writable for its owner, or not. */
function setWritable(path: string, writable: boolean): void {
  const folder = statSync(path).isDirectory();
  chmodSync(path, folder ? 0o700 : 0o600);
  if (folder) for (const name of readdirSync(path)) setWritable(join(path, name), writable);
  if (!writable) chmodSync(path, folder ? 0o500 : 0o400);
}

it('a state folder that becomes read-only in the middle of a run ends it, and resume goes on', async ({ bed }) => {
  bed.specs({ a: {}, b: {} }, { agent: bed.hand.agent });
  const running = choo(bed, 'run');
  const [a, b] = await Promise.all([bed.hand.next({ unit: 'a' }), bed.hand.next({ unit: 'b' })]);
  const state = join(bed.root, '.git', 'choo');
  setWritable(state, false);
  await a.finish();
  await b.finish();
  const ended = await running;
  expect(ended.code, `${ended.text}`).toBe(1);
  expect(ended.text).toContain(`${state}/`);
  expect(ended.text).toContain('EACCES');
  setWritable(state, true);
  bed.hand.over(undefined);
  const retried = await choo(bed, 'retry', '--failed');
  expect(retried.code, `${retried.text}`).toBe(0);
  bed.hand.over(undefined);
  const resumed = choo(bed, 'resume');
  await Promise.all(['a', 'b'].map(async (unit) => (await bed.hand.next({ unit, attempt: 2 })).exit()));
  const { code, text } = await resumed;
  expect(code, `${text}`).toBe(0);
  expect(completedTasks(bed)).toEqual(['a#1', 'b#1']);
  expectNothingLeft(bed);
});
