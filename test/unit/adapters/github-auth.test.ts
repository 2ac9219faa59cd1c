// What choo logs in to GitHub with: which variable counts before which, and that no secret gets into a message.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findAuth, ghToken, type GhToken } from '../../../src/adapters/github/auth.ts';

const KEY = '-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n';
const nobody: GhToken = () => Promise.resolve(undefined);
let folder = '';

beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'choo-auth-')); });
afterEach(() => { rmSync(folder, { recursive: true }); });

describe('the order', () => {
  const everything = { GH_ENTERPRISE_TOKEN: 'e1', GITHUB_ENTERPRISE_TOKEN: 'e2', GITHUB_TOKEN: 't1', GH_TOKEN: 't2', CHOO_GITHUB_APP_ID: '7', CHOO_GITHUB_APP_PRIVATE_KEY: KEY };
  const without = (...names: string[]): Record<string, string | undefined> => ({ ...everything, ...Object.fromEntries(names.map((name) => [name, ' '])) });

  it('github.com: GITHUB_TOKEN, GH_TOKEN, the App, gh; blank is unset', async () => {
    const find = (env: Record<string, string | undefined>) => findAuth(env, { host: 'github.com', gh: (host) => Promise.resolve(`gh of ${host}`.replaceAll(' ', '-')) });
    expect(await find(everything)).toEqual({ token: 't1' });
    expect(await find(without('GITHUB_TOKEN'))).toEqual({ token: 't2' });
    expect(await find(without('GITHUB_TOKEN', 'GH_TOKEN'))).toEqual({ app: { appId: '7', privateKey: KEY.trim() } });
    expect(await find(without('GITHUB_TOKEN', 'GH_TOKEN', 'CHOO_GITHUB_APP_ID'))).toEqual({ token: 'gh-of-github.com' });
  });

  it('another host that the environment names: the variables for enterprise first; a tenant of ghe.com is none', async () => {
    const find = (env: Record<string, string | undefined>) => findAuth({ ...env, GH_HOST: 'git.example.com' }, { host: 'git.example.com', gh: nobody });
    expect(await find(everything)).toEqual({ token: 'e1' });
    expect(await find(without('GH_ENTERPRISE_TOKEN'))).toEqual({ token: 'e2' });
    expect(await find(without('GH_ENTERPRISE_TOKEN', 'GITHUB_ENTERPRISE_TOKEN'))).toEqual({ token: 't1' });
    expect(await findAuth({ ...everything, GITHUB_API_URL: 'https://git.example.com/api/v3' }, { host: 'git.example.com', gh: nobody })).toEqual({ token: 'e1' });
    expect(await findAuth(everything, { host: 'acme.ghe.com', gh: nobody })).toEqual({ token: 't1' });
  });

  it.each(['evil.example', 'github.com.evil.example', 'ghe.com', '127.0.0.1.evil.example', 'github.com:8443'])('%s, which only the repository names, gets nothing but what gh has for it', async (host) => {
    expect(await findAuth(everything, { host, gh: (of) => Promise.resolve(`gh-of-${of}`) })).toEqual({ token: `gh-of-${host}` });
    for (const env of [everything, { ...everything, GH_HOST: 'git.example.com', GITHUB_API_URL: 'https://api.github.com', GITHUB_SERVER_URL: 'nonsense' }, { GITHUB_TOKEN: 't1' }, { CHOO_GITHUB_APP_ID: '7', CHOO_GITHUB_APP_PRIVATE_KEY: KEY }]) {
      const error = await findAuth(env, { host, gh: nobody }).then(() => undefined, (why: unknown) => why);
      expect(error).toMatchObject({ name: 'ForgeError', reason: 'login', message: expect.stringContaining(`is not given to ${host}`) as string });
    }
    expect(await findAuth({}, { host, gh: nobody })).toBeUndefined();
  });

  it('nothing', async () => {
    expect(await findAuth({}, { host: 'github.com', gh: nobody })).toBeUndefined();
  });
});

describe('an App', () => {
  it('has its key in a file, or in a variable with the line breaks written out', async () => {
    const file = join(folder, 'key.pem');
    writeFileSync(file, KEY);
    expect(await findAuth({ CHOO_GITHUB_APP_ID: '7', CHOO_GITHUB_APP_PRIVATE_KEY_FILE: file, CHOO_GITHUB_APP_INSTALLATION: '12' }, { host: 'github.com', gh: nobody }))
      .toEqual({ app: { appId: '7', privateKey: KEY, installationId: 12 } });
    expect(await findAuth({ CHOO_GITHUB_APP_ID: '7', CHOO_GITHUB_APP_PRIVATE_KEY: KEY.replaceAll('\n', '\\n') }, { host: 'github.com', gh: nobody }))
      .toEqual({ app: { appId: '7', privateKey: KEY } });
  });

  it.each([
    [{ CHOO_GITHUB_APP_ID: '7' }, 'neither'],
    [{ CHOO_GITHUB_APP_ID: '7', CHOO_GITHUB_APP_PRIVATE_KEY: 'hunter2hunter2' }, 'holds no private key'],
    [{ CHOO_GITHUB_APP_ID: '7', CHOO_GITHUB_APP_PRIVATE_KEY_FILE: '/nowhere/key.pem' }, 'ENOENT'],
    [{ CHOO_GITHUB_APP_ID: '7', CHOO_GITHUB_APP_PRIVATE_KEY: KEY, CHOO_GITHUB_APP_INSTALLATION: 'x' }, 'is no number'],
    [{ GITHUB_TOKEN: 'hunter2 hunter2' }, 'GITHUB_TOKEN is no token'],
  ])('what cannot be used is told, without the secret %#', async (env, words) => {
    const error = await findAuth(env, { host: 'github.com', gh: nobody }).then(() => undefined, (why: unknown) => why);
    expect(error).toMatchObject({ name: 'ForgeError', reason: 'login', message: expect.stringContaining(words) as string });
    expect(String(error)).not.toContain('hunter2');
  });
});

describe('the gh program', () => {
  const program = (text: string): Record<string, string> => {
    writeFileSync(join(folder, 'gh'), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, 'gh'), 0o755);
    return { PATH: `${folder}:/usr/bin:/bin`, MINE: 'yes' };
  };

  it('is asked for a host, with the variables it was given and nothing to read', async () => {
    expect(await ghToken(program('cat; echo "$1-$2-$3-$4-$MINE"'))('git.example.com')).toBe('auth-token---hostname-git.example.com-yes');
  });

  it('does not see the variables, which it would give to any host', async () => {
    const env = { ...program('echo "x$GITHUB_TOKEN$GH_TOKEN$GH_ENTERPRISE_TOKEN$GITHUB_ENTERPRISE_TOKEN"'), GITHUB_TOKEN: 'a', GH_TOKEN: 'b', GH_ENTERPRISE_TOKEN: 'c', GITHUB_ENTERPRISE_TOKEN: 'd' };
    expect(await ghToken(env)('evil.example')).toBe('x');
  });

  it('that is not logged in gives nothing', async () => {
    expect(await ghToken(program('echo "no oauth token found" >&2; exit 1'))('github.com')).toBeUndefined();
  });

  it('that is not there gives nothing', async () => {
    expect(await ghToken({ PATH: folder })('github.com')).toBeUndefined();
  });
});
