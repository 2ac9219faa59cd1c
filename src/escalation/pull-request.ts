// The comment of choo's on a unit's pull request: one, which says what is so now. Names, output and words of others in it are quoted.

import { plainLines, plainText, quoted } from '../core/markdown.ts';
import type { Escalation } from '../core/told.ts';
import { ForgeError } from '../forge.ts';
import type { Forge } from '../forge.ts';
import { cut, SIGNS, type Channel, type Sent } from './channel.ts';

/** By which the comment is known again. */
const MARKER = 'told';
/** Characters of the title, and of the lines below it; forges refuse long texts (GitHub: 65,536). */
const [LONGEST_TITLE, LONGEST_DETAIL] = [1000, 20_000];
/** Nobody is waited for longer because he asks for it, ms. */
const LONGEST_WAIT = 60_000;

interface Options {
  readonly forge: Pick<Forge, 'comment'>;
  /** Whose home folder a path is in is nobody's business there: it is shown as `~`. */
  readonly home: string | undefined;
  /** ms since 1970. */
  readonly now: () => number;
}

/** Writes the comment of the pull request that an escalation is about. Of two about the same one the newer stands, whichever comes last. */
export function pullRequestChannel(o: Options): Channel {
  const newest = new Map<number, number>();
  const turns = new Map<number, Promise<unknown>>();
  return {
    send: async (e, signal) => {
      const { pull, seq } = e;
      if (pull === undefined) return { ok: false, why: 'the unit has no pull request', final: true };
      newest.set(pull, Math.max(newest.get(pull) ?? 0, seq));
      const before = turns.get(pull);
      const turn = (async (): Promise<Sent> => {
        await before;
        // The comment says what is newer, or will.
        return newest.get(pull) === seq ? write(e, { ...o, pull, signal }) : { ok: true };
      })();
      turns.set(pull, turn.catch(() => undefined));
      return turn;
    },
  };
}

async function write(e: Escalation, o: Options & { readonly pull: number; readonly signal: AbortSignal }): Promise<Sent> {
  try {
    await o.forge.comment(o.pull, { marker: MARKER, body: commentText(e, o.home) }, o.signal);
    return { ok: true };
  } catch (error) {
    if (o.signal.aborted) return { ok: false, why: 'it does not answer in time' };
    if (!(error instanceof ForgeError)) throw error;
    if (error.reason === 'login' || error.reason === 'refused') return { ok: false, why: error.message, final: true };
    return { ok: false, why: error.message, ...(error.until === undefined ? {} : { after: Math.min(Math.max(0, error.until - o.now()), LONGEST_WAIT) }) };
  }
}

/** The comment, Markdown. */
export function commentText(e: Escalation, home: string | undefined): string {
  const detail = cut(plainLines(homeless(e.detail.join('\n'), home)), LONGEST_DETAIL);
  return [
    `${SIGNS[e.severity]} ${plainText(homeless(e.title, home), LONGEST_TITLE)}`,
    ...(detail === '' ? [] : [quoted('text', detail)]),
    `Run ${e.run}, event ${e.seq}. This comment is changed in place.`,
  ].join('\n\n');
}

function homeless(text: string, home: string | undefined): string {
  return home === undefined || home.length < 2 ? text : text.replaceAll(`${home.replace(/\/+$/, '')}/`, '~/');
}
