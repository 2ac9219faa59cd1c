// Specs that a run does not see, with real git: which are told, and that what is advised can be typed where the user is and leads out.

import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';
import { unseenByResume, unseenSpecs } from '../../src/opening/preflight.ts';
import { findRepository, wordFromHere } from '../../src/opening/repository.ts';
import type { Repository } from '../../src/opening/repository.ts';
import { makeRepository, type TestRepository } from '../rig/repo.ts';

const TASK = 'specs/tasks/a/01-part.md';
let at: TestRepository;

beforeEach(() => {
  at = makeRepository({ init: ['-b', 'main'] });
  at.commit({ [TASK]: 'one\n', '.choo.yaml': 'parallelism: 2\n' });
});
afterEach(() => at.close());

/** The repository as choo finds it from a folder of it. */
async function from<T>(folder: string, look: (repository: Repository) => Promise<T>): Promise<T> {
  mkdirSync(join(at.root, folder), { recursive: true });
  const repository = await findRepository({ cwd: join(at.root, folder), env: at.env, clock: systemClock() });
  try {
    return await look(repository);
  } finally {
    await repository.git.close();
  }
}

/** Types a command in a folder of the repository. */
const type = (command: string, folder: string): string => execFileSync('sh', ['-c', command], { cwd: join(at.root, folder), env: at.env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

const main = (): { readonly ref: string; readonly commit: string } => ({ ref: 'refs/heads/main', commit: at.git('rev-parse', 'main') });

interface Asked { readonly folder?: string; readonly tasksDir?: string; readonly forge?: boolean }

/** What is told, `code: hint`. */
const beforeRun = ({ folder = '', tasksDir = 'specs/tasks' }: Asked = {}): Promise<readonly string[]> => from(folder, async (r) => (await unseenSpecs(r, { tasksDir, target: main() })).map((d) => `${d.code}: ${d.hint ?? ''}`));
const beforeResume = ({ folder = '', tasksDir = 'specs/tasks', forge = false }: Asked = {}): Promise<readonly string[]> => from(folder, async (r) => (await unseenByResume(r, { tasksDir, target: main(), forge })).map((d) => `${d.code}: ${d.hint ?? ''}`));

describe('the command that commits specs', () => {
  const hintOf = (told: readonly string[]): string => (told[0] ?? '').replace('uncommitted-specs: ', '').replace(/, then: .*/, '');

  test.each([['specs/tasks', '', 'git add specs/tasks && '], ['my specs', '', "git add 'my specs' && "], ['specs/tasks', 'deep/er', 'git add ../../specs/tasks && '], ['a;b', 'deep', "git add '../a;b' && "], ['my specs', 'my specs', 'git add . && '], ['-x', '', 'git add ./-x && '], [':y', '', "git add './:y' && "]])('of %s works as it is typed in the folder %j', async (tasksDir, folder, begins) => {
    for (const look of [beforeRun, beforeResume]) {
      at.write(`${tasksDir}/a/01-part.md`, `${look.name}\n`);
      const hint = hintOf(await look({ folder, tasksDir }));
      expect(hint).toContain(begins);
      type(hint, folder);
      expect(at.git('status', '--porcelain')).toBe('');
      expect(await look({ folder, tasksDir })).toEqual([]);
    }
  });

  test('names the configuration from where the user is, too', async () => {
    at.write('.choo.yaml', 'parallelism: 3\n');
    expect(await beforeRun({ folder: 'deep' })).toEqual(['uncommitted-config: git add ../.choo.yaml && git commit']);
    expect(await from('', (r) => Promise.resolve(wordFromHere(r, '.choo.yaml')))).toBe('.choo.yaml');
  });
});

describe('where another branch than the target is checked out', () => {
  test('edited specs have to be committed on the target', async () => {
    at.git('switch', '-q', '-c', 'other');
    at.write(TASK, 'two\n');
    const on = 'uncommitted-specs: the branch checked out here is not main: commit that on main';
    expect(await beforeResume()).toEqual([`${on}, then: choo resume --accept-plan`]);
    expect(await beforeResume({ forge: true })).toEqual([`${on} and push it, then: choo resume --accept-plan`]);
    expect(await beforeRun()).toEqual([on]);
  });

  test('specs that only this branch has are told before a run and before it goes on, with what brings them there', async () => {
    at.git('switch', '-q', '-c', 'other');
    const head = at.commit({ 'specs/tasks/b/01-part.md': 'new\n' }).slice(0, 10);
    const hint = `target-lacks-specs: git switch main && git merge ${head}`;
    expect(await beforeRun()).toEqual([hint]);
    expect(await beforeResume()).toEqual([`${hint}, then: choo resume --accept-plan`]);
    expect(await beforeResume({ forge: true })).toEqual([`${hint} && git push, then: choo resume --accept-plan`]);
    type(hint.replace('target-lacks-specs: ', ''), '');
    expect([await beforeRun(), await beforeResume()]).toEqual([[], []]);
  });

  test('specs that the target has done away with since are not missed there', async () => {
    at.git('branch', 'older');
    at.git('rm', '-q', TASK);
    at.git('commit', '-qm', 'archived');
    at.git('switch', '-q', 'older');
    expect([await beforeRun(), await beforeResume()]).toEqual([[], []]);
  });
});

test('what was committed and not pushed is told to be pushed where specs come from the remote', async () => {
  const pushed = main().commit;
  at.commit({ 'specs/tasks/b/01-part.md': 'new\n' });
  const told = await from('', (r) => unseenByResume(r, { tasksDir: 'specs/tasks', target: { ref: 'refs/heads/main', commit: pushed }, forge: true }));
  expect(told.map(({ code, hint }) => [code, hint])).toEqual([['target-lacks-specs', 'git push, then: choo resume --accept-plan']]);
});

describe('a configuration that differs from the committed one', () => {
  test.each(['# yaml-language-server: $schema=/here/choo.schema.json\n\nparallelism: 2\n', 'parallelism:   2 # units\n'])('only in how it is written is not told: %j', async (text) => {
    at.write('.choo.yaml', text);
    expect(await beforeRun()).toEqual([]);
  });

  test.each(['parallelism: 3\n', '# none\n', 'paralelism: 2\n', 'parallelism: [\n'])('in what it says is told: %j', async (text) => {
    at.write('.choo.yaml', text);
    expect(await beforeRun()).toEqual(['uncommitted-config: git add .choo.yaml && git commit']);
  });

  test('by being away or new is told', async () => {
    at.git('rm', '-q', '--cached', '.choo.yaml');
    at.git('commit', '-qm', 'gone');
    expect(await beforeRun()).toEqual(['uncommitted-config: git add .choo.yaml && git commit']);
  });
});
