// What `Files` promises, and what a person is told in the terminal.

import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { realFiles } from '../../src/adapters/files.ts';
import { removeBelow } from '../../src/adapters/folders.ts';
import { terminalEscalator } from '../../src/escalation/terminal.ts';
import { GitError } from '../../src/world.ts';

const files = realFiles(process.env);

let top = '';
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'choo-test-'));
});
afterEach(() => rmSync(top, { recursive: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(top, path)), { recursive: true });
  writeFileSync(join(top, path), text);
}

describe('files', () => {
  test('are read, or known to be missing', async () => {
    put('a', 'ü');
    expect(await files.readText(join(top, 'a'))).toBe('ü');
    expect(await files.readText(join(top, 'b'))).toBe(undefined);
    expect(await files.readText(join(top, 'a/b'))).toBe(undefined);
    expect([await files.exists(join(top, 'a')), await files.exists(join(top, 'b'))]).toEqual([true, false]);
  });

  test('are not waited for where a pipe stands, and not read beyond a bound', async () => {
    execFileSync('mkfifo', [join(top, 'pipe')]);
    expect(await files.readText(join(top, 'pipe'))).toBeUndefined();
    put('a', 'four');
    expect([await files.readText(join(top, 'a'), 4), await files.readText(join(top, 'a'), 3)]).toEqual(['four', undefined]);
  });

  test('are none where a link stands, or where no name is', async () => {
    symlinkSync('itself', join(top, 'itself'));
    put('a', 'text');
    symlinkSync('a', join(top, 'link'));
    expect([await files.readText(join(top, 'itself')), await files.readText(join(top, 'itself/x')), await files.readText(join(top, 'x'.repeat(300))), await files.readText(join(top, 'link'))]).toEqual([undefined, undefined, undefined, undefined]);
    put('huge', '');
    truncateSync(join(top, 'huge'), 3 * 1024 ** 3);
    expect(await files.readText(join(top, 'huge'))).toBeUndefined();
  });

  test('are written whole with their mode, leaving nothing beside them', async () => {
    put('a.sh', 'old');
    chmodSync(join(top, 'a.sh'), 0o751);
    await files.writeText(join(top, 'a.sh'), 'new');
    await files.writeText(join(top, 'deep/er/b'), 'fresh');
    expect(readFileSync(join(top, 'a.sh'), 'utf8')).toBe('new');
    expect(statSync(join(top, 'a.sh')).mode % 0o1000).toBe(0o751);
    expect([readdirSync(top), readdirSync(join(top, 'deep/er'))]).toEqual([['a.sh', 'deep'], ['b']]);
  });

  test('are written below a folder through real folders only', async () => {
    mkdirSync(join(top, 'mine'));
    mkdirSync(join(top, 'choo'));
    symlinkSync(join(top, 'mine'), join(top, 'choo/prompts'));
    symlinkSync(join(top, 'mine'), join(top, 'linked'));
    expect([await files.writeBelow(join(top, 'choo'), 'prompts/a', 'x'), await files.writeBelow(join(top, 'linked'), 'a', 'x'), await files.writeBelow(join(top, 'linked/deeper'), 'a', 'x')]).toEqual([false, false, false]);
    expect(readdirSync(join(top, 'mine'))).toEqual([]);
    mkdirSync(join(top, 'choo/taken'));
    expect([await files.writeBelow(join(top, 'choo'), 'taken', 'x'), await files.writeBelow(join(top, 'choo'), 'new/er/a', 'x')]).toEqual([false, true]);
    put('mine/text', 'mine');
    symlinkSync(join(top, 'mine/text'), join(top, 'choo/link'));
    expect(await files.writeBelow(join(top, 'choo'), 'link', 'x')).toBe(true);
    expect([readFileSync(join(top, 'mine/text'), 'utf8'), readFileSync(join(top, 'choo/link'), 'utf8')]).toEqual(['mine', 'x']);
  });

  test('are written side by side below a folder that none of them found', async () => {
    const written = Array.from({ length: 20 }, (_, n) => files.writeBelow(top, `new/er/${n}`, 'x'));
    expect(new Set(await Promise.all(written))).toEqual(new Set([true]));
  });

  test('are removed with what is below them, but never through a link', async () => {
    put('mine/prompts/a', 'x');
    symlinkSync(join(top, 'mine'), join(top, 'place'));
    await files.remove(join(top, 'place/prompts'));
    expect(existsSync(join(top, 'mine/prompts/a'))).toBe(true);
    await files.remove(join(top, 'place'));
    expect([existsSync(join(top, 'place')), existsSync(join(top, 'mine/prompts/a'))]).toEqual([false, true]);
  });

  test('are removed below a folder, also out of folders that are read-only', async () => {
    put('ro/deep/file', 'x');
    for (const path of ['ro/deep', 'ro']) chmodSync(join(top, path), 0o555);
    const other = 65_534;
    // Rights bind everybody but root.
    const root = process.geteuid?.() === 0;
    if (root) for (const path of ['ro/deep/file', 'ro/deep', 'ro', '.']) chownSync(join(top, path), other, other);
    if (root) process.seteuid?.(other);
    try {
      await expect(rm(join(top, 'ro/deep/file'), { force: true })).rejects.toThrow('EACCES');
      await removeBelow(top, 'ro/deep/file');
      expect(readdirSync(join(top, 'ro/deep'))).toEqual([]);
    } finally {
      if (root) process.seteuid?.(0);
    }
  });

  test('a write that cannot be finished leaves nothing behind', async () => {
    mkdirSync(join(top, 'taken/full'), { recursive: true });
    await expect(files.writeText(join(top, 'taken'), 'x')).rejects.toThrow();
    expect(readdirSync(top)).toEqual(['taken']);
  });

  test('free space is that of the nearest folder that exists', async () => {
    const free = await files.freeSpace(join(top, 'not/yet/there'));
    expect(free).toBeGreaterThan(0);
  });

  test('a program is found on PATH or seen from a folder, if it can be executed', async () => {
    put('tool', '#!/bin/sh\n');
    chmodSync(join(top, 'tool'), 0o755);
    put('text', '');
    const answers = ['sh', './tool', join(top, 'tool'), './text', 'tool', '.', ''].map((program) => files.canExecute(program, top));
    expect(await Promise.all(answers)).toEqual([true, true, true, false, false, false, false]);
  });
});

describe('environment missing: copying ignored files into a worktree', () => {
  const copy = (...globs: string[]): Promise<readonly string[]> => files.copyIgnored({ globs, from: join(top, 'main'), to: join(top, 'tree') });
  beforeEach(() => {
    mkdirSync(join(top, 'tree'));
    mkdirSync(join(top, 'outside'));
    put('main/.gitignore', '.env*\n/config/\nlink\n');
    execFileSync('git', ['init', '-q', join(top, 'main')]);
  });

  test('copies what is ignored and matches, modes and links kept, and nothing else', async () => {
    put('main/.env', 'A=1');
    chmodSync(join(top, 'main/.env'), 0o600);
    put('main/sub/.env.local', 'B=2');
    put('main/config/key', 'k');
    put('main/other', 'untracked, not ignored');
    symlinkSync('.env', join(top, 'main/link'));
    expect(await copy('.env', 'config/**', 'link', 'other')).toEqual(['.env', 'config/key', 'link']);
    expect(await copy('**/.env.*')).toEqual(['sub/.env.local']);
    expect(statSync(join(top, 'tree/.env')).mode % 0o1000).toBe(0o600);
    expect(lstatSync(join(top, 'tree/link')).isSymbolicLink()).toBe(true);
    expect(existsSync(join(top, 'tree/other'))).toBe(false);
  });

  test('never writes through a link in the worktree, and never over what is there', async () => {
    put('main/config/key', 'secret');
    put('main/.env', 'secret');
    put('main/.env2', 'secret');
    put('tree/.env2', 'tracked');
    put('outside/target', 'mine');
    symlinkSync(join(top, 'outside'), join(top, 'tree/config'));
    symlinkSync(join(top, 'outside/target'), join(top, 'tree/.env'));
    expect(await copy('config/**', '.env', '.env2')).toEqual([]);
    expect(readdirSync(join(top, 'outside'))).toEqual(['target']);
    expect(readFileSync(join(top, 'outside/target'), 'utf8')).toBe('mine');
    expect(readFileSync(join(top, 'tree/.env2'), 'utf8')).toBe('tracked');
  });

  test('copies names that a shell or git would take for something else', async () => {
    put('main/config/a b\n$(id)', 'x');
    put('main/config/-rf', 'y');
    expect((await copy('config/*')).toSorted()).toEqual(['config/-rf', 'config/a b\n$(id)']);
    expect(await copy()).toEqual([]);
  });

  test('tells when git refuses', async () => {
    rmSync(join(top, 'main/.git'), { recursive: true });
    await expect(copy('.env')).rejects.toThrow(GitError);
  });
});

describe('an escalation in the terminal', () => {
  test('is one piece: severity, unit, title, details; hostile names cannot draw on the screen', async () => {
    const shown: string[] = [];
    const escalation = { severity: 'blocking', run: 1, seq: 7, unit: 'app', title: 'conflict in a\u001b[2Jb', detail: ['see /w', 'choo retry app\nthen\u202e more'] } as const;
    await terminalEscalator((text) => shown.push(text), { color: false }).escalate(escalation);
    await terminalEscalator((text) => shown.push(text), { color: true }).escalate({ severity: 'warning', run: 1, seq: 8, title: 't', detail: [] });
    await terminalEscalator((text) => shown.push(text), { color: true }).escalate({ severity: 'info', run: 1, seq: 9, title: 'the end', detail: [], end: true });
    await terminalEscalator((text) => shown.push(text), { color: true }).escalate({ severity: 'warning', run: 1, seq: 8, title: 't', detail: [] }, { only: new Set(['slack']) });
    expect(shown).toEqual(['BLOCKING app: conflict in a[2Jb\n  see /w\n  choo retry app; then more\n', '\u001b[33mWARNING\u001b[0m t\n']);
  });
});
