// Texts that are saved as a chain of commits, and refs of choo's own at a remote. Moves no ref of this repository, signs nothing.

import { GitError } from '../../world.ts';
import type { Git, PushOutcome, RemoteCall } from '../../world.ts';
import { proveFence } from './fence.ts';
import { checkId, checkRef, isId, isRef } from './names.ts';
import { makeCommit } from './refs.ts';
import { clean, talk, whyRefused } from './remote.ts';
import { ask } from './repository.ts';
import type { Repository } from './repository.ts';
import { readFiles, readTree } from './tree.ts';

/** Digits of a file's name: enough for every line that a journal may have, so that the names sort as the lines do. */
const DIGITS = 9;

/** A commit upon `parent` with one more file, the lines from number `first` on. */
export async function makeSave(repo: Repository, o: Parameters<Git['makeSave']>[0]): Promise<string> {
  const before = o.parent === undefined ? [] : await readTree(repo, { commit: o.parent, prefix: '' });
  const entries = before.map((e) => `${e.mode} blob ${e.id}\t${e.path}\0`);
  if (o.text !== '') entries.push(`100644 blob ${await writeBlob(repo, o.text)}\t${String(o.first).padStart(DIGITS, '0')}.jsonl\0`);
  const { stdout } = await ask(repo, { args: ['mktree', '-z'], input: entries.join('') });
  const parents = [...(o.parent === undefined ? [] : [o.parent]), ...o.keeps];
  return makeCommit(repo, { tree: checkId(stdout.toString('latin1').trim()), parents: [...new Set(parents)], message: o.message, sign: false });
}

async function writeBlob(repo: Repository, text: string): Promise<string> {
  const { stdout } = await ask(repo, { args: ['hash-object', '-w', '--no-filters', '--stdin'], input: text });
  return checkId(stdout.toString('latin1').trim());
}

/** All files of such a commit, in order, as one text. */
export async function readSave(repo: Repository, commit: string): Promise<string> {
  const entries = await readTree(repo, { commit, prefix: '' });
  const texts = await readFiles(repo, entries.filter((e) => e.mode.startsWith('100')).map((e) => e.id));
  return Buffer.concat([...texts]).toString('utf8');
}

/** Refs of this repository below a prefix, with the commits they point to. */
export async function refsBelow(repo: Repository, prefix: string): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await ask(repo, { args: ['for-each-ref', '--format=%(objecttype) %(objectname) %(refname)', checkRef(prefix.replace(/\/$/, ''))] });
  return new Map(stdout.toString('utf8').split('\n').flatMap((line) => {
    const [type, id = '', ref = ''] = line.split(' ');
    return type === 'commit' && isId(id) && isRef(ref) ? [[ref, id] as const] : [];
  }));
}

/** Refs of a remote that match a pattern of `git ls-remote`. Throws GitError when it cannot be reached. */
export async function remoteRefs(repo: Repository, o: Omit<RemoteCall, 'ref'> & { readonly pattern: string }): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await talk(repo, { ...o, args: ['ls-remote', '--quiet', '--end-of-options', o.name, o.pattern] });
  return new Map(stdout.toString('utf8').split('\n').flatMap((line) => {
    const [id = '', ref = ''] = line.split('\t');
    return isId(id) && isRef(ref) ? [[ref, id] as const] : [];
  }));
}

/** Gives all these refs to the remote or none of them, only forward. The user's `pre-push` hook is for their branches and is not run. */
export async function pushAll(repo: Repository, o: Parameters<Git['pushAll']>[0]): Promise<PushOutcome> {
  await proveFence(repo);
  const refs = [...o.refs].map(([ref, commit]) => `${checkId(commit)}:${checkRef(ref)}`);
  const { code, stdout, stderr } = await talk(repo, { ...o, args: ['push', '--porcelain', '--atomic', '--no-verify', '--no-follow-tags', '--no-force', '--end-of-options', o.name, ...refs], accept: [0, 1, 128] });
  if (code !== 128) return code === 0 ? { kind: 'pushed' } : { kind: 'refused', detail: whyRefused({ stdout, stderr }) };
  throw new GitError(`git push ${clean(o.name)}`, whyRefused({ stdout, stderr }));
}
