// Reads a pull request as PullFacts: everything GitHub has, the rights of those who spoke, and what failed checks printed.

import type { PullFacts } from '../../core/pull-facts.ts';
import { checkName, hasFailed } from './checks.ts';
import type { Client } from './client.ts';
import { factsOf, voices } from './facts.ts';
import { JobLogs } from './job-log.ts';
import type { People } from './people.ts';
import type { RawCheck } from './queries.ts';
import { readRaw } from './raw.ts';

/** One look at a pull request. */
export interface Look {
  readonly facts: PullFacts;
  /** False while GitHub has not found out yet whether it can be merged. */
  readonly settled: boolean;
}

/** Failed checks whose output is fetched; with more, something general is wrong. */
const FAILED_READ = 20;

/** Reads pull requests of one repository. */
export class Reader {
  readonly #client: Client;
  readonly #own: string;
  readonly #emoji: boolean;
  readonly #people: People;
  readonly #logs: JobLogs;

  constructor(client: Client, o: { readonly own: string; readonly emoji: boolean; readonly people: People }) {
    this.#client = client;
    [this.#own, this.#emoji] = [o.own, o.emoji];
    this.#people = o.people;
    this.#logs = new JobLogs(client);
  }

  /** The pull request now. */
  async look(number: number, signal: AbortSignal | undefined): Promise<Look> {
    const raw = await readRaw({ client: this.#client, number, signal });
    const permitted = await this.#people.permitted(voices(raw, this.#emoji), signal);
    const output = new Map<RawCheck, string>();
    if (raw.pull.state === 'OPEN') {
      const failed = raw.checks.filter(hasFailed).toSorted((a, b) => (checkName(a) < checkName(b) ? -1 : 1));
      for (const check of failed.slice(0, FAILED_READ)) output.set(check, await this.#logs.textOf(check, signal));
    }
    const facts = factsOf(raw, { own: this.#own, permitted, redact: this.#client.redact, emoji: this.#emoji, output });
    return { facts, settled: raw.pull.state !== 'OPEN' || raw.pull.mergeable !== 'UNKNOWN' };
  }
}
