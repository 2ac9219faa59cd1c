// The state of everything an agent has no business with: refs and the user's checkouts. Compared elsewhere; changes nothing.

import { createHash } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { FenceSnapshot } from '../../world.ts';
import { FENCE_REF } from './fence.ts';
import { errnoOf, isMissing } from '../errno.ts';
import { smallFile } from '../small-file.ts';
import type { SmallFile } from '../small-file.ts';
import { ask, checkoutOf, namesIn } from './repository.ts';
import type { Repository } from './repository.ts';
import { isId, pathBytes } from './names.ts';
import { readRefFiles } from './ref-files.ts';
import { statusAt } from './status.ts';
import type { DetailedStatus } from './memory.ts';

/** Takes one snapshot. Paths of watched worktrees other than the main one are absolute; where their HEAD points is told as `<worktree> (HEAD)`. */
export async function snapshot(repo: Repository): Promise<FenceSnapshot> {
  const [refs, main, ...watched] = await Promise.all([
    readRefs(repo),
    repo.mainRoot === undefined ? undefined : checkout(repo, repo.mainRoot),
    ...repo.watch.filter((path) => path !== repo.mainRoot).map((path) => checkout(repo, path)),
  ]);
  const dirty = new Map(main?.stamps);
  for (const tree of watched) {
    dirty.set(`${tree.path} (HEAD)`, tree.head);
    for (const [path, stamp] of tree.stamps) dirty.set(`${tree.path}/${path}`, stamp);
  }
  for (const [path, stamp] of await settingsStamps(repo)) dirty.set(path, stamp);
  return { refs, head: main?.head ?? '', dirty, stash: await stashed(repo, refs.get(STASH)) };
}

const STASH = 'refs/stash';
/** A hundred thousand entries and more, bytes. */
const LARGEST_LOG = 64 * 1024 * 1024;

/** The entries of the stash are its ref's log; git removes both together. `tip`: where the ref points. */
async function stashed(repo: Repository, tip: string | undefined): Promise<FenceSnapshot['stash']> {
  const stash = new Map<string, string | undefined>();
  if (tip === undefined) return stash;
  const log = smallFile(join(repo.commonDir, 'logs', STASH), { most: LARGEST_LOG });
  // What stands there instead is no log: every entry that was known is gone.
  if (log === 'odd') return stash;
  // `<old> <new> <who> <when>\t<what>`; another ref storage keeps it elsewhere.
  const lines = log === 'missing'
    ? (await ask(repo, { args: ['log', '-g', '--no-show-signature', '--format=%H %gs', STASH, '--'] })).stdout.toString('utf8').split('\n')
    : log.content.toString('utf8').split('\n').map((line) => `${line.split(' ')[1] ?? ''} ${line.slice(line.indexOf('\t') + 1)}`);
  for (const line of lines) {
    const [, id = '', what = ''] = /^(\S+) (.*)$/.exec(line) ?? [];
    const [, branch] = /^(?:WIP on|On) ([^:]+):/.exec(what) ?? [];
    if (isId(id)) stash.set(id, branch === undefined || branch === '(no branch)' ? undefined : `refs/heads/${branch}`);
  }
  return stash;
}

/** The files in `info/` by which git changes what it does; its housekeeping writes others there. */
const INFO = ['exclude', 'attributes', 'grafts', 'sparse-checkout'];
/** Which commits have no parents for git, and where it finds more objects: what is changed there is changed for everybody. */
const ELSEWHERE = ['shallow', 'objects/info/alternates'];
/** Of a larger file the stamp is compared, bytes. */
const LARGEST_READ = 1 << 20;

/** What steers git in this repository: its configuration, hooks and excludes, and what it takes for the history. */
async function settingsStamps(repo: Repository): Promise<readonly (readonly [string, string])[]> {
  const hooks = await namesIn(join(repo.commonDir, 'hooks'));
  const paths = ['config', 'config.worktree', ...ELSEWHERE, ...hooks.map((name) => `hooks/${name}`), ...INFO.map((name) => `info/${name}`)];
  const stamps = paths.map((path) => [`.git/${path}`, contentOf(repo.commonDir, path)] as const);
  return stamps.filter(([, stamp]) => stamp !== 'missing');
}

/** What a file says and whether it may be run, not when it was written: git and npm write settings anew that stay what they were. */
function contentOf(folder: string, path: string): string {
  const full = bytesOf(folder, path);
  const file = unlessRefused(full);
  const own = typeof file === 'string' ? undefined : lstatSync(full, { throwIfNoEntry: false });
  if (typeof file === 'string' || own === undefined) return stampOf(folder, path);
  return `${own.mode} ${file.stat.mode} ${createHash('sha256').update(file.content).digest('hex')}`;
}

/** An agent may put anything there, also what we may not read. */
function unlessRefused(path: Buffer): SmallFile | 'missing' | 'odd' {
  try {
    return smallFile(path, { most: LARGEST_READ });
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return 'odd';
  }
}

/** All but remote-tracking refs, as editors fetch on their own, and the fence, which is choo's business with other choos. */
async function readRefs(repo: Repository): Promise<ReadonlyMap<string, string>> {
  const files = (await repo.settings.read()).ordinary ? readRefFiles(repo.commonDir, repo.packed) : undefined;
  const refs = files ?? await listRefs(repo);
  refs.delete(FENCE_REF);
  return refs;
}

async function listRefs(repo: Repository): Promise<Map<string, string>> {
  const { stdout } = await ask(repo, { args: ['for-each-ref', '--format=%(objectname) %(refname) %(symref)'] });
  const refs = new Map<string, string>();
  for (const line of stdout.toString('utf8').split('\n')) {
    const [id, name, points] = line.split(' ');
    if (id !== undefined && name !== undefined && !name.startsWith('refs/remotes/')) refs.set(name, points === undefined || points === '' ? id : `ref: ${points}`);
  }
  return refs;
}

async function checkout(repo: Repository, path: string): Promise<{ readonly path: string; readonly head: string; readonly stamps: ReadonlyMap<string, string> }> {
  const now: DetailedStatus = await statusAt(repo, await checkoutOf(repo, path));
  const stamps = now.entries.map((entry) => [entry.path, `${entry.code} ${stampOf(path, entry.path)}`] as const);
  return { path, head: now.branch ?? now.head, stamps: new Map(stamps) };
}

/** Asked directly: a dozen of these a snapshot, each a few microseconds. */
function stampOf(worktree: string, path: string): string {
  try {
    const stat = lstatSync(bytesOf(worktree, path), { bigint: true });
    return `${stat.mtimeNs} ${stat.size} ${stat.ino} ${stat.mode}`;
  } catch (error) {
    if (isMissing(error)) return 'missing';
    throw error;
  }
}

function bytesOf(folder: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${folder}/`), pathBytes(path)]);
}
