// Reading a file that may be anything: nothing is waited for, and no more is read than was asked for.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { smallFile } from '../../src/adapters/small-file.ts';
import { realFiles } from '../../src/adapters/files.ts';

let top: string;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'choo-small-'));
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

const at = (name: string): string => join(top, name);
const read = (path: string, o: { readonly most?: number; readonly links?: 'odd' } = {}): string => {
  const file = smallFile(path, { most: 1 << 20, ...o });
  return typeof file === 'string' ? file : `<${file.content.toString('utf8')}>`;
};

describe('a small file', () => {
  it('is read up to the byte that is one too many, with its stat', () => {
    writeFileSync(at('a'), 'über');
    expect(read(at('a'))).toBe('<über>');
    expect(read(at('a'), { most: 5 })).toBe('<über>');
    expect(read(at('a'), { most: 4 })).toBe('odd');
    expect(smallFile(Buffer.from(at('a')), { most: 9 })).toMatchObject({ stat: { ino: statSync(at('a')).ino, size: 5 } });
    writeFileSync(at('empty'), '');
    expect(read(at('empty'), { most: 0 })).toBe('<>');
  });

  it('is missing where nothing is, also below a file and behind a link that leads nowhere', () => {
    writeFileSync(at('a'), '');
    symlinkSync(at('nowhere'), at('away'));
    expect(['nothing', 'a/below', 'away'].map((name) => read(at(name)))).toEqual(['missing', 'missing', 'missing']);
  });

  it('is read through links only where they are followed', () => {
    writeFileSync(at('a'), 'x');
    symlinkSync('a', at('link'));
    symlinkSync('circle', at('circle'));
    expect([read(at('link')), read(at('link'), { links: 'odd' })]).toEqual(['<x>', 'odd']);
    expect(read(at('circle'))).toBe('odd');
  });

  it('is no pipe, folder, socket or device, and none of them is waited for', async () => {
    execFileSync('mkfifo', [at('pipe')]);
    mkdirSync(at('folder'));
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(at('socket'), resolve);
    });
    expect([at('pipe'), at('folder'), at('socket'), '/dev/null', '/dev/zero'].filter((path) => read(path) !== 'odd')).toEqual([]);
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });

  it('that tells no size is measured by what it gives: nothing endless, nothing that refuses', () => {
    expect(read('/proc/self/status')).toContain('Name:');
    expect(read('/proc/self/status', { most: 10 })).toBe('odd');
    symlinkSync('/proc/self/pagemap', at('endless'));
    symlinkSync('/proc/self/mem', at('refusing'));
    expect([read(at('endless')), read(at('refusing'))]).toEqual(['odd', 'odd']);
  });
});

it('a worker reads no more of a file that tells no size than it asked for', async () => {
  const files = realFiles(process.env);
  expect(await files.readText('/proc/self/status')).toContain('Name:');
  expect(await files.readText('/proc/self/status', 10)).toBeUndefined();
});
