// What people said about a pull request, sorted into what an agent has to act on and what is only told of. Pure: who may steer is known already.

import type { Feedback, Ignored } from '../../core/pull-facts.ts';
import { answerWord, hasMarker, markerOf, unmarked } from './marker.ts';
import { loginOf } from './people.ts';
import type { RawComment, RawReview } from './queries.ts';
import type { Raw, WholeThread } from './raw.ts';
import { bounded, plain, webUrl } from './text.ts';

/** How what was said is looked at. */
export interface Hearing {
  /** Login that choo itself writes with. */
  readonly own: string;
  /** Logins of those who may steer. */
  readonly permitted: ReadonlySet<string>;
  readonly redact: (text: string) => string;
}

/** Feedback and what is ignored, each with its moment. */
export interface Heard {
  readonly feedback: readonly (Feedback & { readonly at: string })[];
  readonly ignored: readonly (Ignored & { readonly at: string })[];
}

/** True for a text of choo's own: its marker, under its login. */
export function isOwn(said: Pick<RawComment, 'author' | 'body'>, hearing: Pick<Hearing, 'own'>): boolean {
  return loginOf(said.author) === hearing.own && markerOf(said.body) !== undefined;
}

/** Logins of all who said something in words or by a review. */
export function speakers(raw: Pick<Raw, 'reviews' | 'threads' | 'comments'>): readonly string[] {
  return [...raw.reviews, ...raw.threads.flatMap(({ comments }) => comments), ...raw.comments].map(({ author }) => loginOf(author));
}

/** What was said, of everybody. */
export function hear(raw: Pick<Raw, 'reviews' | 'threads' | 'comments'>, hearing: Hearing): Heard {
  const answered = (id: string): boolean => raw.comments.some((comment) => isOwn(comment, hearing) && hasMarker(comment.body, answerWord(id)));
  const parts = [
    ...raw.threads.map((thread) => ofThread(thread, hearing)),
    ...raw.reviews.map((review) => ofReview(review, { raw, hearing, answered })),
    ...raw.comments.map((comment) => ofComment(comment, { hearing, answered })),
  ];
  return { feedback: parts.flatMap(({ feedback }) => feedback), ignored: parts.flatMap(({ ignored }) => ignored) };
}

const SILENCE: Heard = { feedback: [], ignored: [] };

/** The last comment of a conversation that an answer of choo's is about, as an index; -1: it has answered none. An answer may stand below what it does not answer. */
export function answeredUpTo(thread: WholeThread, hearing: Pick<Hearing, 'own'>): number {
  return thread.comments.reduce((last, comment, i) => {
    if (!isOwn(comment, hearing)) return last;
    const about = thread.comments.findIndex(({ id }) => hasMarker(comment.body, answerWord(`thread:${thread.id}:${id}`)));
    return Math.max(last, about < 0 ? i : about);
  }, -1);
}

function ofThread(thread: WholeThread, hearing: Hearing): Heard {
  const answered = answeredUpTo(thread, hearing);
  // What choo closed itself may hold words that came at the same moment.
  if (thread.isResolved && (answered < 0 || !isBy(thread.resolvedBy, hearing.own))) return SILENCE;
  const seen = thread.comments.filter(isShown);
  const mine = seen.filter((comment) => isOwn(comment, hearing));
  const theirs = seen.filter((comment) => !mine.includes(comment) && hearing.permitted.has(loginOf(comment.author)));
  const ignored = seen.filter((comment) => !mine.includes(comment) && !theirs.includes(comment)).map((comment) => ({
    id: `thread:${thread.id}:${comment.id}`, who: name(comment), what: 'thread' as const, ...webUrl(comment.url), at: comment.createdAt,
  }));
  const last = theirs.at(-1);
  // What a stranger adds makes no other feedback of it: the id is of the last word that counts.
  if (last === undefined || thread.comments.indexOf(last) <= answered) return { feedback: [], ignored };
  const line = thread.line ?? thread.originalLine;
  const texts = seen.filter((comment) => mine.includes(comment) || theirs.includes(comment)).map((comment) => `${name(comment)}: ${words(comment.body, hearing)}`);
  return {
    feedback: [{
      id: `thread:${thread.id}:${last.id}`, kind: 'thread', who: name(last), path: plain(thread.path), ...(line === null ? {} : { line }),
      text: bounded(texts.join('\n\n'), 'end'), ...webUrl(last.url), at: last.createdAt,
    }],
    ignored,
  };
}

interface ReviewContext { readonly raw: Pick<Raw, 'reviews' | 'threads'>; readonly hearing: Hearing; readonly answered: (id: string) => boolean }

function ofReview(review: RawReview, { raw, hearing, answered }: ReviewContext): Heard {
  const id = `review:${review.id}`;
  const at = review.submittedAt ?? '';
  const text = words(review.body, hearing);
  if (review.state === 'PENDING' || review.isMinimized || isOwn(review, hearing) || (review.state === 'COMMENTED' && text === '')) return SILENCE;
  if (!hearing.permitted.has(loginOf(review.author))) return { feedback: [], ignored: [{ id, who: name(review), what: 'review', ...webUrl(review.url), at }] };
  if (review.state === 'APPROVED' || review.state === 'DISMISSED' || answered(id)) return SILENCE;
  // A mere "no" is something to act on by itself only while nothing else says what is wanted.
  if (text === '' && (isWithdrawn(review, raw.reviews) || raw.threads.some((thread) => !thread.isResolved))) return SILENCE;
  const said = text === '' ? 'changes requested' : text;
  return { feedback: [{ id, kind: 'review', who: name(review), text: bounded(said, 'beginning'), ...webUrl(review.url), at }], ignored: [] };
}

/** True when the same person has given another verdict since. */
function isWithdrawn(review: RawReview, reviews: readonly RawReview[]): boolean {
  return reviews.slice(reviews.indexOf(review) + 1).some((later) => (
    loginOf(later.author) === loginOf(review.author) && later.state !== 'COMMENTED' && later.state !== 'PENDING'
  ));
}

function ofComment(comment: RawComment, o: { readonly hearing: Hearing; readonly answered: (id: string) => boolean }): Heard {
  const id = `comment:${comment.id}`;
  const text = words(comment.body, o.hearing);
  if (!isShown(comment) || isOwn(comment, o.hearing) || text === '') return SILENCE;
  const who = name(comment);
  if (!o.hearing.permitted.has(loginOf(comment.author))) return { feedback: [], ignored: [{ id, who, what: 'comment', ...webUrl(comment.url), at: comment.createdAt }] };
  if (o.answered(id)) return SILENCE;
  return { feedback: [{ id, kind: 'comment', who, text: bounded(text, 'beginning'), ...webUrl(comment.url), at: comment.createdAt }], ignored: [] };
}

/** False for what was hidden, and for what only its writer sees as yet. */
function isShown(comment: RawComment): boolean {
  return !comment.isMinimized && comment.state !== 'PENDING';
}

/** An App has no `[bot]` among those who resolve. */
function isBy(who: { readonly login: string } | null, own: string): boolean {
  return who !== null && (who.login === own || `${who.login}[bot]` === own);
}

function name({ author }: { readonly author: RawComment['author'] }): string {
  return plain(loginOf(author));
}

function words(body: string, { redact }: Hearing): string {
  return redact(plain(unmarked(body)));
}
