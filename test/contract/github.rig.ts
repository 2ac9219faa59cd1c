// A GitHub of the test's own, a repository behind it, and a clock on which only short waits pass by themselves. Asserts nothing.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openGitHub, type GitHub as Forge, type GitHubOptions } from '../../src/adapters/github/github.ts';
import { BOUNDS } from '../../src/core/limits.ts';
import type { PullFacts } from '../../src/core/pull-facts.ts';
import { ForgeError, type PullDraft } from '../../src/forge.ts';
import type { Clock } from '../../src/world.ts';
import { startGitHub, type GitHub } from '../rig/github/index.ts';

/** The interval between polls here, ms; longer than every wait that passes by itself. */
export const POLL = 100_000;
/** Waits up to this long pass by themselves, ms. */
const SHORT = 5000;

/** A pull request to be. */
export const DRAFT: PullDraft = { branch: 'choo/a', base: 'main', title: 'A', body: 'What and why', draft: false, labels: [], reviewers: [] };
/** How one is merged. */
export const WORDS = { method: 'merge', title: 'A', message: 'why' } as const;

/** The ForgeError that something ends with. Throws when it ends otherwise, or when its words are not one line without secrets and addresses. */
export async function failureOf(promise: Promise<unknown>): Promise<ForgeError> {
  const error = await promise.then((value) => value, (why: unknown) => why);
  if (!(error instanceof ForgeError)) throw new Error('it does not end with a ForgeError', { cause: error });
  if (/\n|https?:|gh[ps]_/.test(error.message)) throw new Error('its words are not for people', { cause: error });
  return error;
}

interface Sleeper { readonly until: number; readonly ms: number; readonly wake: () => void }

/** Time by the hand: waits of more than five seconds are over when the test says so. */
export class HandClock implements Clock {
  #now = Date.now() + 60_000;
  #sleepers: Sleeper[] = [];
  #watchers: (() => void)[] = [];
  readonly #origin = this.#now;
  /** Waits that passed by themselves, ms. */
  readonly passed: number[] = [];

  now(): number {
    return this.#now;
  }

  steady(): number {
    return this.#now - this.#origin;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    if (ms <= SHORT) {
      this.#now += Math.max(0, ms);
      this.passed.push(ms);
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const sleeper = { until: this.#now + ms, ms, wake: resolve };
      this.#sleepers.push(sleeper);
      signal?.addEventListener('abort', () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        resolve();
      }, { once: true });
      for (const watcher of this.#watchers.splice(0)) watcher();
    });
  }

  /** Resolves with its length when somebody waits for other things than the answer of a request. */
  async asleep(count = 1): Promise<number> {
    for (;;) {
      const waiting = this.#sleepers.filter(({ ms }) => ms !== BOUNDS.forgeRequest);
      const [last] = waiting.slice(-1);
      if (last !== undefined && waiting.length >= count) return last.ms;
      await new Promise<void>((resolve) => { this.#watchers.push(resolve); });
    }
  }

  /** Time goes on; who has waited for long enough is woken. */
  advance(ms: number): void {
    this.#now += ms;
    const due = this.#sleepers.filter(({ until }) => until <= this.#now);
    this.#sleepers = this.#sleepers.filter((sleeper) => !due.includes(sleeper));
    for (const { wake } of due) wake();
  }

  /** Waits until somebody waits, and lets that time pass; gives how long it was. */
  async pass(): Promise<number> {
    const ms = await this.asleep();
    this.advance(Math.min(...this.#sleepers.filter((sleeper) => sleeper.ms !== BOUNDS.forgeRequest).map(({ until }) => until)) - this.#now);
    return ms;
  }
}

/** What a test of the adapter has. */
export interface Rig {
  readonly github: GitHub;
  readonly clock: HandClock;
  /** Opens the adapter as `choo-bot`. */
  open(o?: Partial<GitHubOptions>): Promise<Forge>;
  /** Commits on a branch that begins at `main` and pushes it; gives the commit. */
  push(branch: string, files: Readonly<Record<string, string>>): string;
  /** A pull request of a pushed branch, made by `choo-bot`; gives its facts. */
  pull(forge: Forge, branch?: string): Promise<PullFacts>;
  /** Requests of one operation (`graphql` with a part of its body). */
  asked(operation: string, part?: string): number;
  close(): Promise<void>;
}

/** Starts all of it, with the people ann (may write), bob (admin) and eve (may read). */
export async function makeRig(o: { readonly isPrivate?: boolean } = {}): Promise<Rig> {
  const base = mkdtempSync(join(tmpdir(), 'choo-github-'));
  const [bare, work] = [join(base, 'shop.git'), join(base, 'work')];
  const env = { PATH: process.env['PATH'], HOME: base, GIT_CONFIG_NOSYSTEM: '1', GIT_AUTHOR_NAME: 'T', GIT_AUTHOR_EMAIL: 't@example.com', GIT_COMMITTER_NAME: 'T', GIT_COMMITTER_EMAIL: 't@example.com' };
  const git = (...args: readonly string[]): string => execFileSync('git', args, { cwd: args[0] === 'init' ? base : work, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  git('init', '-q', '--bare', '-b', 'main', bare);
  git('init', '-q', '-b', 'main', work);
  const commit = (files: Readonly<Record<string, string>>): string => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(work, name), text);
    git('add', '-A');
    git('commit', '-q', '-m', 'change');
    return git('rev-parse', 'HEAD');
  };
  commit({ README: 'shop\n' });
  git('push', '-q', bare, 'main');
  const clock = new HandClock();
  const github = await startGitHub({ bare, now: () => clock.now(), ...o });
  github.addUser('ann', 'write');
  github.addUser('bob', 'admin');
  github.addUser('eve', 'read');
  const opened: Forge[] = [];
  const rig: Rig = {
    github, clock,
    open: async (o = {}) => {
      const forge = await openGitHub({
        owner: 'acme', repo: 'shop', apiUrl: github.url, auth: { token: github.token }, clock, redact: (text) => text.replaceAll('hunter2', '[redacted]'), pollMs: POLL, paceMs: 0, emoji: true, ...o,
      });
      opened.push(forge);
      return forge;
    },
    push: (branch, files) => {
      git('checkout', '-q', '-B', branch, git('for-each-ref', '--format=%(refname)', `refs/heads/${branch}`) === '' ? 'main' : branch);
      const id = commit(files);
      git('push', '-q', '-f', bare, branch);
      return id;
    },
    pull: async (forge, branch = 'choo/a') => {
      rig.push(branch, { [`${branch.replaceAll('/', '-')}.txt`]: 'one\ntwo\nthree\n' });
      const { number } = await forge.open({ ...DRAFT, branch });
      return forge.read(number);
    },
    asked: (operation, part = '') => github.requests.filter((request) => request.operation === operation && request.body.includes(part)).length,
    close: async () => {
      for (const forge of opened) forge.close();
      await github.close();
      rmSync(base, { recursive: true });
    },
  };
  return rig;
}
