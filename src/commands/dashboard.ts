// The dashboard beside a run: the one that serves the repository already, or `choo web` as a process of its own, which ends with this one
// however that ends. The run never waits for it once it is there, and never fails by it.

import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../adapters/clock.ts';
import { isHidden } from '../adapters/environment.ts';
import { makeChooFolder } from '../adapters/runs.ts';
import { holdsSecret } from '../adapters/secrets.ts';
import { cleanLine } from '../core/clean.ts';
import { Refusal } from '../opening/refusal.ts';
import { findRepository } from '../opening/repository.ts';
import type { Io } from './io.ts';
import { besideEnvironment } from './start.ts';

/** It has so much time to begin, and to end, ms. */
const BEGIN = 20_000;
const END = 3000;

/** What it needs of what is kept from other children. */
const NEEDED: ReadonlySet<string> = new Set(['CHOO_GITHUB_WEBHOOK_SECRET', 'GIT_CONFIG_GLOBAL', 'GIT_CONFIG_SYSTEM', 'GIT_CONFIG_NOSYSTEM']);

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** At most one; what was started is to be ended. */
export class Dashboard {
  readonly #io: Pick<Io, 'cwd' | 'env' | 'err'>;
  readonly #clock = systemClock();
  #child: Child | undefined;
  #asked: Promise<{ readonly link: string; readonly folder: string }> | undefined;
  #over = false;

  constructor(io: Pick<Io, 'cwd' | 'env' | 'err'>) {
    this.#io = io;
  }

  /** Its link, once it answers. Rejects with why there is none. */
  async link(): Promise<string> {
    return (await this.#ask()).link;
  }

  /** The same, and opens it in a browser. */
  async show(): Promise<string> {
    const { link, folder } = await this.#ask();
    const { showLink } = await import('./browser.ts');
    await showLink(link, { folder, env: this.#io.env });
    return link;
  }

  /** Ends what was started, after its pages were told the last news. */
  async end(): Promise<void> {
    this.#over = true;
    const child = this.#child;
    if (child !== undefined) {
      const ended = new AbortController();
      const closed = once(child, 'close').finally(() => ended.abort());
      child.stdin.end();
      void this.#clock.sleep(END, ended.signal).then(() => (ended.signal.aborted ? undefined : child.kill('SIGKILL')));
      await closed;
    }
    await this.#asked?.catch(() => undefined);
  }

  #ask(): Promise<{ readonly link: string; readonly folder: string }> {
    if (this.#asked !== undefined) return this.#asked;
    const asked = this.#find();
    this.#asked = asked;
    // What somebody else started may be gone the next time.
    const forget = (): void => { if (this.#child === undefined) this.#asked = undefined; };
    asked.then(forget, forget);
    return asked;
  }

  async #find(): Promise<{ readonly link: string; readonly folder: string }> {
    const { cwd, env } = this.#io;
    const { facts: { commonDir }, git } = await findRepository({ cwd, env, clock: this.#clock });
    await git.close();
    const folder = await makeChooFolder(commonDir);
    const { findServing } = await import('../web/serving.ts');
    return { link: await findServing(commonDir, this.#clock) ?? await this.#start(), folder };
  }

  /** In a session of its own no Ctrl-C reaches it; that its stdin ends is how it notices that this process has ended. */
  async #start(): Promise<string> {
    if (this.#over) throw new Error('the run has ended');
    const { cwd, env, err } = this.#io;
    const program = join(dirname(fileURLToPath(import.meta.url)), 'choo.cjs');
    const child = spawn(process.execPath, [...process.execArgv, program, 'web'], { cwd, env: besideEnvironment(withoutSecrets(env)), detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    // One that has ended takes nothing more.
    child.stdin.on('error', () => child.stdin.destroy());
    child.once('close', () => { this.#child = this.#asked = undefined; });
    const said: string[] = [];
    let linked = false;
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (linked) err.write(`${cleanLine(line)}\n`);
      else said.push(cleanLine(line));
    });
    const link = await this.#firstLine(child);
    if (link === undefined) throw new Error(said.join(' ').slice(0, 500) || 'it ended without a word');
    linked = true;
    for (const line of said.splice(0)) err.write(`${line}\n`);
    return link;
  }

  /** Undefined when it ends without one. */
  async #firstLine(child: Child): Promise<string | undefined> {
    const begun = new AbortController();
    const lines = createInterface({ input: child.stdout });
    const first = new Promise<string>((resolve) => { lines.once('line', resolve); });
    const failed = new Promise<undefined>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', () => resolve(undefined));
    });
    void this.#clock.sleep(BEGIN, begun.signal).then(() => (begun.signal.aborted ? undefined : child.kill('SIGKILL')));
    try {
      return await Promise.race([first, failed]);
    } finally {
      begun.abort();
    }
  }
}

/** The link; undefined when there is none, which is a warning. */
export async function linkOrWarning(dashboard: Dashboard, { err }: Pick<Io, 'err'>): Promise<string | undefined> {
  try {
    return await dashboard.link();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // What keeps it from this folder keeps the run from it, too, which says so.
    if (error instanceof Refusal) return undefined;
    err.write(`choo: there is no dashboard, the run goes on without it: ${cleanLine(error.message)}\n`);
    return undefined;
  }
}

function withoutSecrets(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name, value = '']) => NEEDED.has(name) || (!holdsSecret(name, value) && !isHidden(name, value))));
}
