// Waits for a pull request to change, for the price of one conditional request an interval, which GitHub does not count while nothing changes.
// What changed is never taken from these answers: they only say that it is worth reading.

import { sameFacts, type PullFacts } from '../../core/pull-facts.ts';
import { ForgeError } from '../../forge.ts';
import type { Client } from './client.ts';
import { GitHubError } from './errors.ts';
import type { Reader } from './reader.ts';

/** What is asked about in turn; the older kind of checks half as often. */
const TURNS = ['issue', 'check-runs', 'status', 'issue', 'check-runs'] as const;
type Turn = (typeof TURNS)[number];

/** After so many polls without a change they become rarer. */
const QUIET = 10;
const SLOWER = 1.25;
const SLOWEST = 10;
/** Not all that facts depend on changes these answers (a conflict by a moved base does not): read after so many polls. */
const READ_AFTER = 6;
/** Looks in a row while GitHub does not know whether it can be merged. */
const UNSETTLED = 3;
/** Troubles in a row that are waited out. */
const TROUBLES = 5;

/** What this session knows of a pull request. */
interface Memory {
  /** The last reading. */
  facts?: PullFacts;
  /** Marks of the answers, all of them older than `facts` unless `due`. */
  readonly marks: Map<string, string>;
  /** Counts up when it has to be read before anything else is asked; 0: it has not. */
  due: number;
  /** GitHub said that something changed: when nothing is to be seen, what is read may lag behind what is said. */
  promised: boolean;
  turn: number;
  /** Polls since something changed. */
  quiet: number;
  /** Polls since it was read. */
  unread: number;
  unsettled: number;
  /** When it was last asked about, on the steady clock. */
  askedAt?: number;
}

/** Follows pull requests of one repository. */
export class Follower {
  readonly #client: Client;
  readonly #reader: Reader;
  readonly #pollMs: number;
  readonly #memories = new Map<number, Memory>();

  constructor(client: Client, o: { readonly reader: Reader; readonly pollMs: number }) {
    this.#client = client;
    this.#reader = o.reader;
    this.#pollMs = o.pollMs;
  }

  /** Reads it, and remembers what it was like. */
  async read(number: number, signal: AbortSignal | undefined): Promise<PullFacts> {
    const memory = this.#memory(number);
    const { due } = memory;
    const { facts, settled } = await this.#reader.look(number, signal);
    if (memory.facts !== undefined && !sameFacts(facts, memory.facts)) memory.quiet = 0;
    memory.facts = facts;
    memory.unread = 0;
    if (memory.due === due) memory.due = 0;
    memory.unsettled = settled ? 0 : memory.unsettled + 1;
    return facts;
  }

  /** Resolves with the first reading that differs from `known`. */
  async follow(known: PullFacts, signal: AbortSignal): Promise<PullFacts> {
    signal.throwIfAborted();
    const { number } = known;
    const memory = this.#memory(number);
    if (memory.facts === undefined || !sameFacts(memory.facts, known)) memory.due += 1;
    let troubles = 0;
    for (let first = true; ; first = false) {
      if (!first || memory.due === 0) await this.#wait(number, signal);
      try {
        if (memory.due > 0 || await this.#isWorthReading(memory, { number, signal })) {
          const facts = await this.read(number, signal);
          const { promised } = memory;
          memory.promised = false;
          if (!sameFacts(facts, known)) return facts;
          if (promised) memory.due += 1;
        }
        troubles = 0;
      } catch (error) {
        signal.throwIfAborted();
        troubles += 1;
        if (!isPassing(error) || troubles > TROUBLES) throw error;
        await this.#sitOut(error, { troubles, signal });
      }
    }
  }

  /** One interval since it was last asked about. The first time a part of one, by its number: many pull requests are not asked about all at once. */
  async #wait(number: number, signal: AbortSignal): Promise<void> {
    const memory = this.#memory(number);
    const now = this.#client.clock.steady();
    const interval = this.#pollMs * Math.min(SLOWEST, SLOWER ** Math.max(0, memory.quiet - QUIET));
    const at = memory.askedAt === undefined ? now + this.#pollMs * partOf(number) : Math.max(now, memory.askedAt + interval);
    if (at > now) await this.#client.sleep(at - now, signal);
    memory.askedAt = this.#client.clock.steady();
  }

  async #sitOut(error: ForgeError, o: { readonly troubles: number; readonly signal: AbortSignal }): Promise<void> {
    const patience = this.#pollMs * Math.min(SLOWEST, 2 ** (o.troubles - 1));
    const until = error.until === undefined ? 0 : error.until - this.#client.clock.now();
    await this.#client.sleep(Math.max(patience, until), o.signal);
  }

  async #isWorthReading(memory: Memory, o: { readonly number: number; readonly signal: AbortSignal }): Promise<boolean> {
    memory.quiet += 1;
    memory.unread += 1;
    if (memory.unread > READ_AFTER || (memory.unsettled > 0 && memory.unsettled <= UNSETTLED)) return true;
    const turn = TURNS[memory.turn % TURNS.length] ?? 'issue';
    memory.turn += 1;
    const head = memory.facts?.head ?? '';
    const key = turn === 'issue' ? turn : `${turn} ${head}`;
    const mark = memory.marks.get(key);
    const now = await this.#mark({ turn, head, mark, ...o });
    if (now === mark && mark !== undefined) return false;
    // From here on its old mark is gone: until it is read, nothing else would tell of the change.
    memory.due += 1;
    memory.promised = mark !== undefined;
    for (const old of memory.marks.keys()) if (old.includes(' ') && !old.endsWith(head)) memory.marks.delete(old);
    if (now === undefined) memory.marks.delete(key);
    else memory.marks.set(key, now);
    return true;
  }

  /** The mark of the answer now; the given one when nothing has changed. */
  async #mark(o: { readonly turn: Turn; readonly head: string; readonly mark: string | undefined; readonly number: number; readonly signal: AbortSignal }): Promise<string | undefined> {
    const { octokit, place } = this.#client;
    const headers = o.mark === undefined ? {} : { 'if-none-match': o.mark };
    const ref = { ...place, ref: o.head, headers };
    try {
      const answer = await this.#client.ask({ signal: o.signal }, async (request): Promise<{ readonly headers: { readonly etag?: string | undefined } }> => {
        switch (o.turn) {
          case 'issue': return octokit.request('GET /repos/{owner}/{repo}/issues/{issue_number}', { ...place, issue_number: o.number, headers, request });
          case 'check-runs': return octokit.request('GET /repos/{owner}/{repo}/commits/{ref}/check-runs', { ...ref, request });
          case 'status': return octokit.request('GET /repos/{owner}/{repo}/commits/{ref}/status', { ...ref, request });
        }
      });
      return answer.headers.etag;
    } catch (error) {
      if (error instanceof GitHubError && error.status === 304) return o.mark;
      throw error;
    }
  }

  #memory(number: number): Memory {
    const known = this.#memories.get(number) ?? { marks: new Map<string, string>(), due: 0, promised: false, turn: 0, quiet: 0, unread: 0, unsettled: 0 };
    this.#memories.set(number, known);
    return known;
  }
}

function isPassing(error: unknown): error is ForgeError {
  return error instanceof ForgeError && (error.reason === 'unreachable' || error.reason === 'rate');
}

/** A part of 1 by a number, the same every time; neighbours lie far apart. */
function partOf(number: number): number {
  return (number * 0.618_033_988_749_895) % 1;
}
