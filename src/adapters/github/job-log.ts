// What a failed check has to say: the end of its job's log, else its annotations, else its title. Each is bounded and without secrets.

import { BOUNDS } from '../../core/limits.ts';
import { checkName, jobOf } from './checks.ts';
import { unreadable, type Client } from './client.ts';
import { isLost, isRefusal } from './errors.ts';
import { logTail } from './log-tail.ts';
import type { RawCheck, RawCheckRun } from './queries.ts';
import { bounded, plain } from './text.ts';

/** Bytes of the end of a log that are looked at. */
const TAIL = 256 * 1024;
/** Jobs whose logs are remembered. */
const REMEMBERED = 200;
const ANNOTATIONS = 50;
const UTF8_CUT = /^\uFFFD+/;

/** Reads and remembers what failed checks printed. */
export class JobLogs {
  readonly #client: Client;
  /** A job that has ended prints nothing more. */
  readonly #known = new Map<number, string>();

  constructor(client: Client) {
    this.#client = client;
  }

  /** What a failed check says, at most `BOUNDS.feedback` characters. */
  async textOf(check: RawCheck, signal: AbortSignal | undefined): Promise<string> {
    const text = this.#client.redact(check.__typename === 'CheckRun' ? await this.#ofRun(check, signal) : plain(check.description ?? ''));
    return bounded(text === '' ? `${checkName(check)} failed` : text, 'end');
  }

  async #ofRun(check: RawCheckRun, signal: AbortSignal | undefined): Promise<string> {
    const job = jobOf(check);
    const log = job === undefined ? '' : await this.#log(job, signal);
    if (log !== '') return log;
    const annotations = check.databaseId === null ? '' : await this.#annotations(check.databaseId, signal);
    return annotations === '' ? plain([check.title, check.summary].filter((text) => text !== null && text !== '').join('\n\n')) : annotations;
  }

  async #log(job: number, signal: AbortSignal | undefined): Promise<string> {
    const known = this.#known.get(job);
    if (known !== undefined) return known;
    const { octokit, place } = this.#client;
    const text = await this.#orNothing(signal, () => this.#client.ask({ signal, maybeMissing: true }, async (request) => {
      const answer: { readonly status: number; readonly headers: { readonly location?: string | undefined }; readonly data: unknown } = await octokit.request(
        'GET /repos/{owner}/{repo}/actions/jobs/{job_id}/logs', { ...place, job_id: job, request: { ...request, redirect: 'manual', parseSuccessResponseBody: false } },
      );
      return answer.status === 200 ? tailOf(answer.data) : elsewhere(answer, request.signal);
    }));
    const tail = logTail(text);
    if (tail !== '') {
      const [oldest] = this.#known.keys();
      if (this.#known.size >= REMEMBERED && oldest !== undefined) this.#known.delete(oldest);
      this.#known.set(job, tail);
    }
    return tail;
  }

  async #annotations(run: number, signal: AbortSignal | undefined): Promise<string> {
    const { octokit, place } = this.#client;
    return this.#orNothing(signal, async () => {
      const { data } = await this.#client.ask({ signal, maybeMissing: true }, (request) => (
        octokit.request('GET /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations', { ...place, check_run_id: run, per_page: ANNOTATIONS, request })
      ));
      if (!Array.isArray(data)) throw unreadable();
      return plain(data.map(({ path, start_line, message }) => `${path}:${start_line}: ${message ?? ''}`).join('\n'));
    });
  }

  /** A log that is not shown, or is too slow, is no reason to know nothing of the pull request. */
  async #orNothing(signal: AbortSignal | undefined, ask: () => Promise<string>): Promise<string> {
    try {
      return await ask();
    } catch (error) {
      signal?.throwIfAborted();
      if (isRefusal(error) || isLost(error)) return '';
      throw error;
    }
  }
}

/** Logs are kept by another host, which must not get the token; its address is itself one for a minute. */
async function elsewhere(answer: { readonly headers: { readonly location?: string | undefined }; readonly data: unknown }, signal: AbortSignal): Promise<string> {
  if (answer.data instanceof ReadableStream) await answer.data.cancel();
  const { location } = answer.headers;
  if (location === undefined || !/^https?:\/\//.test(location)) return '';
  try {
    const log = await fetch(location, { signal, headers: { 'user-agent': 'choo' } });
    if (log.ok) return await tailOf(log.body);
    await log.body?.cancel();
    return '';
  } catch {
    signal.throwIfAborted();
    return '';
  }
}

/** The end of a stream, of which no more than that is held. */
async function tailOf(body: unknown): Promise<string> {
  if (typeof body === 'string') return body.length <= TAIL ? body : fromLine(body.slice(-TAIL));
  if (!(body instanceof ReadableStream)) return '';
  let [kept, seen]: [Uint8Array[], number] = [[], 0];
  let held = 0;
  for await (const chunk of body as ReadableStream<Uint8Array>) {
    kept.push(chunk);
    [seen, held] = [seen + chunk.length, held + chunk.length];
    if (held > 2 * TAIL) {
      const end = Buffer.concat(kept).subarray(-TAIL);
      [kept, held] = [[end], end.length];
    }
    if (seen > BOUNDS.jobLog) break;
  }
  const end = Buffer.concat(kept).subarray(-TAIL).toString('utf8').replace(UTF8_CUT, '');
  return seen <= TAIL ? end : fromLine(end);
}

/** Without what is left of a line, or of a word, that was cut: half a secret is not known as one. */
function fromLine(text: string): string {
  return text.slice(Math.max(0, text.search(text.includes('\n') ? /\n/ : /\s/)) + 1);
}
