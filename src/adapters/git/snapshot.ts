// The state of everything an agent has no business with: refs and the user's checkouts. Compared elsewhere; changes nothing.

import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { FenceSnapshot } from '../../world.ts';
import { FENCE_REF } from './fence.ts';
import { isMissing } from '../errno.ts';
import { ask, checkoutOf, namesIn } from './repository.ts';
import type { Repository } from './repository.ts';
import { pathBytes } from './names.ts';
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
  return { refs, head: main?.head ?? '', dirty };
}

/** What steers git in this repository: its configuration, hooks and excludes. */
async function settingsStamps(repo: Repository): Promise<readonly (readonly [string, string])[]> {
  const folders = await Promise.all(['hooks', 'info'].map(async (folder) => (await namesIn(join(repo.commonDir, folder))).map((name) => `${folder}/${name}`)));
  const paths = ['config', 'config.worktree', ...folders.flat()];
  const stamps = paths.map((path) => [`.git/${path}`, stampOf(repo.commonDir, path)] as const);
  return stamps.filter(([, stamp]) => stamp !== 'missing');
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
    const stat = lstatSync(Buffer.concat([Buffer.from(`${worktree}/`), pathBytes(path)]), { bigint: true });
    return `${stat.mtimeNs} ${stat.size} ${stat.ino} ${stat.mode}`;
  } catch (error) {
    if (isMissing(error)) return 'missing';
    throw error;
  }
}
