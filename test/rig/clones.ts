// Fresh clones of a bed's remote, each a machine that may go away, and what a test asks of them. Runs git directly.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Bed, ChooOptions } from './bed.ts';
import type { Running } from './choo.ts';
import { makeRemote, type TestRemote } from './remote.ts';

/** A clone of the remote, to be used like the bed itself. */
export interface Clone extends Bed {
  readonly remote: TestRemote;
}

/** Makes a fresh clone of the remote; programs of it start in its own folder. */
export function freshClone(bed: Bed, remote: TestRemote, name: string): Clone {
  const root = join(bed.base, name);
  execFileSync('git', ['clone', '-q', remote.path, root], { env: bed.env });
  const here = (o: ChooOptions = {}): ChooOptions => ({ cwd: root, ...o });
  return {
    ...bed, root, remote,
    git: (...args) => bed.git('-C', root, ...args),
    tryGit: (...args) => bed.tryGit('-C', root, ...args),
    start: (argv, o) => bed.start(argv, here(o)),
    choo: (argv, o) => bed.choo(argv, here(o)),
  };
}

/** Waits until the run is saved with everything up to that event. */
export async function savedUpTo(run: Running, seq: number): Promise<string> {
  for (let after = 0; ;) {
    const saved = await run.event('run.saved', { after });
    if (saved.upTo >= seq) return saved.commit;
    after = saved.seq;
  }
}

/** Refs of choo's own at the remote. */
export function savedRefs(remote: TestRemote): readonly string[] {
  return remote.git('for-each-ref', '--format=%(refname)', 'refs/choo').split('\n').filter((ref) => ref !== '');
}

/** Two clones of one remote with a unit `a` of two tasks and, where it is asked for, `b` that has one. */
export function machines(bed: Bed, more: object = {}, units: Parameters<Bed['specs']>[0] = { a: { tasks: 2 } }): { readonly remote: TestRemote; readonly one: Clone; readonly two: Clone } {
  bed.specs(units, { agent: bed.hand.agent, ...more });
  const remote = makeRemote(bed);
  return { remote, one: freshClone(bed, remote, 'one'), two: freshClone(bed, remote, 'two') };
}

/** Starts a run, has task 1 of `a` done and saved, and kills the machine in the middle of task 2. */
export async function killedInTheSecondTask(one: Clone): Promise<void> {
  const run = one.start(['run', '--ci', '--json']);
  await (await one.hand.next({ unit: 'a', task: 1 })).finish();
  await savedUpTo(run, (await run.event('task.committed', { unit: 'a' })).seq);
  const held = await one.hand.next({ unit: 'a', task: 2 });
  await held.write('half', 'half of it\n');
  await kill(run);
  await held.gone;
}

/** The machine of a run goes away. */
export async function kill(run: Running): Promise<void> {
  run.signal('SIGKILL');
  await run.ended;
}
