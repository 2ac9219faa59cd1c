// Choo's own comments below a pull request, and its answers in conversations: found again by their markers, so that none is there twice.

import { isRefusal } from './errors.ts';
import { answerWord, hasMarker, marked } from './marker.ts';
import { loginOf, type People } from './people.ts';
import { MUTATIONS } from './queries.ts';
import { readThreads, type Reading, type WholeThread } from './raw.ts';
import { bodyFor, pagesOf } from './rest.ts';
import { answeredUpTo, isOwn } from './said.ts';

/** Where something is written, and under which login. */
export interface Writing extends Reading { readonly own: string; readonly people: People }

interface Found { readonly id: number; readonly body: string }

/** Writes the one comment with this marker, or changes its text. */
export async function writeComment(writing: Writing, o: { readonly marker: string; readonly body: string }): Promise<void> {
  const body = bodyFor(marked(o.marker, writing.client.redact(o.body)));
  const there = await once(writing, { marker: o.marker, body });
  if (there.body.replaceAll('\r\n', '\n') === body) return;
  const { client, signal } = writing;
  await client.ask({ signal, change: true }, (request) => (
    client.octokit.request('PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}', { ...client.place, comment_id: there.id, body, request })
  ));
}

/** Answers feedback where it was given; see `Forge.answer`. */
export async function answerFeedback(writing: Writing, o: { readonly id: string; readonly body: string }): Promise<void> {
  const [kind, id] = o.id.split(':');
  const marker = answerWord(o.id);
  const body = bodyFor(marked(marker, writing.client.redact(o.body)));
  if (kind === 'thread' && id !== undefined) await answerThread(writing, { id, marker, body });
  else if (kind === 'review' || kind === 'comment') await once(writing, { marker, body });
}

async function answerThread(writing: Writing, o: { readonly id: string; readonly marker: string; readonly body: string }): Promise<void> {
  const { client, signal, own } = writing;
  const find = async (): Promise<WholeThread | undefined> => (await readThreads(writing)).find(({ id }) => id === o.id);
  await client.once({
    signal,
    look: async () => {
      const thread = await find();
      const answered = thread === undefined || thread.comments.some((comment) => isOwn(comment, { own }) && hasMarker(comment.body, o.marker));
      return answered ? true : undefined;
    },
    make: async () => {
      await client.query({ signal, change: true }, { text: MUTATIONS.reply, variables: { thread: o.id, body: o.body } });
      return true;
    },
  });
  const thread = await find();
  if (thread === undefined || thread.isResolved || await isOpen(writing, thread)) return;
  try {
    await client.query({ signal, change: true }, { text: MUTATIONS.resolve, variables: { thread: o.id } });
  } catch (error) {
    // Not everybody who may answer may also close a conversation.
    if (!isRefusal(error)) throw error;
  }
}

/** True when somebody who may steer has said something that is not answered. */
async function isOpen({ people, own, signal }: Writing, thread: WholeThread): Promise<boolean> {
  const later = thread.comments.slice(answeredUpTo(thread, { own }) + 1).filter((comment) => !isOwn(comment, { own }));
  return (await people.permitted(later.map(({ author }) => loginOf(author)), signal)).size > 0;
}

/** The comment with this marker, which is made when there is none. */
function once(writing: Writing, o: { readonly marker: string; readonly body: string }): Promise<Found> {
  const { client, number, signal } = writing;
  return client.once({
    signal,
    look: () => find(writing, o.marker),
    make: async () => {
      const { data } = await client.ask({ signal, change: true }, (request) => (
        client.octokit.request('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', { ...client.place, issue_number: number, body: o.body, request })
      ));
      return { id: data.id, body: data.body ?? o.body };
    },
  });
}

async function find(writing: Writing, marker: string): Promise<Found | undefined> {
  const { client, number, signal, own } = writing;
  const comments = await pagesOf((page) => client.ask({ signal }, (request) => (
    client.octokit.request('GET /repos/{owner}/{repo}/issues/{issue_number}/comments', { ...client.place, issue_number: number, per_page: 100, page, request })
  )));
  const mine = comments.find(({ user, body }) => user?.login === own && hasMarker(body ?? '', marker));
  return mine && { id: mine.id, body: mine.body ?? '' };
}
