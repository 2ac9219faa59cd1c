// Commits as objects and refs by compare-and-swap. Touches no checkout.

import { Bug } from '../../core/bug.ts';
import { GitError } from '../../world.ts';
import { fenceLine, proveFence } from './fence.ts';
import { failpoint } from '../../failpoint.ts';
import { objectWriter } from './loose.ts';
import { checkId, checkRef, personText } from './names.ts';
import { rememberCommit } from './ancestry.ts';
import { resolve } from './history.ts';
import { ask } from './repository.ts';
import type { Repository } from './repository.ts';

/** A commit to make. */
export interface NewCommit {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
  /** The commit whose author it keeps; absent: the user. */
  readonly authorOf?: string;
}

/** Makes a commit object by the user's identity, signed when the configuration asks for it. */
export async function commitTree(repo: Repository, o: NewCommit): Promise<string> {
  return makeCommit(repo, { ...o, sign: await repo.signing() });
}

/** Makes a commit object; `sign` false never asks for a key. */
export async function makeCommit(repo: Repository, o: NewCommit & { readonly sign: boolean }): Promise<string> {
  const commit = await newCommit(repo, o);
  rememberCommit(repo, { commit, tree: o.tree, parents: [...new Set(o.parents)] });
  return commit;
}

async function newCommit(repo: Repository, o: NewCommit & { readonly sign: boolean }): Promise<string> {
  const plain = o.sign || o.message.includes('\0') ? undefined : await writeCommit(repo, o);
  if (plain !== undefined) return plain;
  const parents = o.parents.flatMap((parent) => ['-p', checkId(parent)]);
  const env = o.authorOf === undefined ? {} : asVariables(await authorOf(repo, o.authorOf));
  const { stdout } = await ask(repo, { args: ['commit-tree', ...(o.sign ? ['-S'] : []), ...parents, '--end-of-options', checkId(o.tree)], input: o.message, env });
  return checkId(stdout.toString('latin1').trim());
}

/** The commit object written out as `commit-tree` would; undefined when git has to do it. */
async function writeCommit(repo: Repository, o: NewCommit): Promise<string | undefined> {
  const write = await objectWriter(repo);
  if (write === undefined || !(await areThere(repo, o))) return undefined;
  const { author, committer } = await repo.identity();
  const now = timeStamp(new Date());
  const by = o.authorOf === undefined ? `${author} ${now}` : await authorOf(repo, o.authorOf);
  const lines = [`tree ${checkId(o.tree)}`, ...new Set(o.parents.map((p) => `parent ${checkId(p)}`)), `author ${by}`, `committer ${committer} ${now}`];
  if (!PERSON.test(by) || !PERSON.test(`${committer} ${now}`)) return undefined;
  return write({ type: 'commit', content: Buffer.from(`${lines.join('\n')}\n\n${o.message}`) });
}

/** Name, address, time and zone as commits have them, also those that other tools than git have made. */
const PERSON = /^[^<>\n\0]*<[^<>\n\0]*> -?\d+ [+-]\d+$/;

/** True when the repository has what the commit names. */
async function areThere(repo: Repository, { tree, parents }: NewCommit): Promise<boolean> {
  const found = await Promise.all([tree, ...parents].map((id) => repo.objects.info(checkId(id))));
  return found.every((object, n) => object?.type === (n === 0 ? 'tree' : 'commit'));
}

/** Author and time of a commit as its object has them. */
async function authorOf(repo: Repository, commit: string): Promise<string> {
  const content = (await repo.objects.contents(checkId(commit)))?.content;
  const end = content?.indexOf('\n\n') ?? -1;
  // A letter for each byte.
  const lines = content?.toString('latin1', 0, end === -1 ? undefined : end).split('\n');
  const value = (of: string): string | undefined => lines?.find((line) => line.startsWith(`${of} `))?.slice(of.length + 1);
  const author = value('author');
  if (author === undefined) throw new GitError(`git cat-file commit ${commit}`, 'it has no author');
  return decoded(Buffer.from(author, 'latin1'), value('encoding'));
}

/** In the encoding that the commit tells, if that makes a person of it. */
function decoded(author: Buffer, encoding: string | undefined): string {
  const plain = personText(author);
  if (encoding === undefined) return plain;
  try {
    const text = new TextDecoder(encoding).decode(author);
    return PERSON.test(text) ? text : plain;
  } catch (error) {
    // No encoding that anybody here knows.
    if (error instanceof RangeError) return plain;
    throw error;
  }
}

/** The same for a command of git's own. */
function asVariables(author: string): Record<string, string> {
  const [, name = '', email = '', date = ''] = /^(.*?) ?<([^>]*)> (.+)$/.exec(author) ?? [];
  return { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_AUTHOR_DATE: `@${date}` };
}

/** Seconds since 1970 and the zone, as git writes them. */
function timeStamp(date: Date): string {
  const zone = -date.getTimezoneOffset();
  const minutes = Math.abs(zone);
  const hhmm = String(Math.floor(minutes / 60) * 100 + (minutes % 60)).padStart(4, '0');
  return `${Math.floor(date.getTime() / 1000)} ${zone < 0 ? '-' : '+'}${hhmm}`;
}

/** One change of a ref: made (`from` undefined), moved or deleted (`to` undefined). */
interface Change {
  readonly ref: string;
  readonly to: string | undefined;
  readonly from: string | undefined;
  /** For the reflog, where a command of its own was needed. */
  readonly reason: string;
}

/**
 * Moves, makes (`from` undefined) or deletes (`to` undefined) exactly this ref, never one it may point to as a symbolic ref,
 * in one transaction with the proof that the fence is still ours. False when it was not at `from`; throws FenceLost, and GitError for anything else.
 */
export async function moveRef(repo: Repository, o: Change): Promise<boolean> {
  const transaction = `${fenceLine(repo)}${changeLine(o)}`;
  const moved = await repo.changingRefs(async () => (await moveQuickly(repo, o, transaction)) || moveSurely(repo, o, transaction));
  if (moved) failpoint('ref-moved');
  return moved;
}

/** By the standing `update-ref`; false when it did not go through. */
async function moveQuickly(repo: Repository, o: Change, transaction: string): Promise<boolean> {
  try {
    await repo.updates.ask(`start\n${transaction}prepare\ncommit\n`, (printed) => (printed.equals(COMMITTED) ? printed.length : undefined));
    return true;
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    await proveFence(repo);
    // It may have died after the deed. A ref that must not exist is somebody else's when it does.
    return o.to !== undefined && o.from !== undefined && o.to !== o.from && (await resolve(repo, o.ref)) === o.to;
  }
}

async function moveSurely(repo: Repository, o: Change, transaction: string): Promise<boolean> {
  try {
    await ask(repo, { args: ['update-ref', '--no-deref', '-m', o.reason, '--stdin'], input: transaction });
    return true;
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    await proveFence(repo);
    // What git printed does not decide: the ref itself tells a lost race from trouble.
    if ((await resolve(repo, o.ref)) !== o.from) return false;
    throw error;
  }
}

const COMMITTED = Buffer.from('start: ok\nprepare: ok\ncommit: ok\n');

function changeLine(o: Change): string {
  const ref = checkRef(o.ref);
  if (o.to !== undefined) return `update ${ref} ${checkId(o.to)} ${o.from === undefined ? '0'.repeat(o.to.length) : checkId(o.from)}\n`;
  if (o.from === undefined) throw new Bug(`moveRef of ${ref} from nothing to nothing`);
  return `delete ${ref} ${checkId(o.from)}\n`;
}
