// Where a repository on GitHub is: every form of a remote's address, and what of it must not be kept.

import { describe, expect, it } from 'vitest';
import { apiUrlOf, hostOf, repositoryOf } from '../../../src/adapters/github/address.ts';

describe('the address of a remote', () => {
  it.each([
    ['https://github.com/acme/shop.git', 'github.com'],
    ['https://github.com/acme/shop', 'github.com'],
    ['https://github.com/acme/shop/', 'github.com'],
    ['HTTPS://GitHub.com/acme/shop.git', 'github.com'],
    ['https://www.github.com/acme/shop', 'github.com'],
    ['git@github.com:acme/shop.git', 'github.com'],
    ['github.com:acme/shop', 'github.com'],
    ['git@github.com:/acme/shop.git', 'github.com'],
    ['ssh://git@github.com/acme/shop.git', 'github.com'],
    ['ssh://git@ssh.github.com:443/acme/shop.git', 'github.com'],
    ['git://github.com/acme/shop.git', 'github.com'],
    ['https://git.example.com/acme/shop.git', 'git.example.com'],
    ['https://git.example.com:8443/acme/shop.git', 'git.example.com:8443'],
    ['ssh://git@git.example.com:2222/acme/shop.git', 'git.example.com'],
    ['git@acme.ghe.com:acme/shop.git', 'acme.ghe.com'],
    ['  https://github.com/acme/shop.git\n', 'github.com'],
  ])('%s', (url, host) => {
    expect(repositoryOf(url)).toEqual({ host, owner: 'acme', repo: 'shop' });
  });

  it('keeps no login and no password', () => {
    const found = repositoryOf('https://bot:ghp_secretsecretsecretsecret@github.com/acme/shop.git');
    expect(found).toEqual({ host: 'github.com', owner: 'acme', repo: 'shop' });
  });

  it.each([
    '', '/srv/git/shop.git', '../shop', 'file:///srv/git/shop.git', 'https://github.com/acme', 'https://github.com/acme/shop/tree/main', 'C:/repos/shop', 'https://github.com/acme/..',
    'https://github.com/-acme/shop', 'git@github.com:acme/sh op', 'https://git hub.com/acme/shop', 'git@-oProxyCommand=x:acme/shop', 'https://exa%20mple.com/a/b',
  ])('no repository: %s', (url) => {
    expect(repositoryOf(url)).toBeUndefined();
  });

  it('names with dots', () => {
    expect(repositoryOf('git@github.com:acme/shop.github.io.git')?.repo).toBe('shop.github.io');
  });
});

describe('the API of a host', () => {
  it.each([
    ['github.com', 'https://api.github.com'],
    ['acme.ghe.com', 'https://api.acme.ghe.com'],
    ['git.example.com', 'https://git.example.com/api/v3'],
    ['git.example.com:8443', 'https://git.example.com:8443/api/v3'],
  ])('%s and back', (host, api) => {
    expect(apiUrlOf(host)).toBe(api);
    expect(hostOf(api)).toBe(host);
  });
});
