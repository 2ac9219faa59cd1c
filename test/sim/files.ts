// Files in memory: those inside a checkout are the checkout's, all others lie on one disk.

import type { Files } from '../../src/world.ts';
import { isIgnored } from './checkout.ts';
import type { Checkout } from './checkout.ts';
import type { CallOptions, Gate } from './gate.ts';
import { JOURNAL_PATH, type JournalFile } from './journal.ts';
import type { Repository } from './repository.ts';
import type { Rng } from './rng.ts';

/** What is on the disk beside the repository's checkouts: absolute path → text. */
export type Disk = Map<string, string>;

/** Files as one session of choo has them. `free` tells the free space in bytes. */
export function simFiles(o: { readonly repo: Repository; readonly disk: Disk; /** What the journal's path holds. */ readonly journal?: JournalFile; readonly gate: Gate; readonly free: () => number }): Files {
  const { repo, disk, gate } = o;
  return {
    readText: (path) => gate('readText', () => {
      if (path === JOURNAL_PATH) return o.journal?.text();
      const inside = within(repo, path);
      return inside === undefined ? disk.get(path) : inside.checkout.present ? inside.checkout.files.get(inside.path) : undefined;
    }, QUIET),
    writeText: (path, text) => gate('writeText', () => {
      const inside = within(repo, path);
      if (inside === undefined) disk.set(path, text);
      else if (inside.checkout.present) inside.checkout.files.set(inside.path, text);
    }, { error: diskError }),
    writeBelow: (top, path, text) => gate('writeText', () => {
      const inside = within(repo, `${top}/${path}`);
      if (inside === undefined) disk.set(`${top}/${path}`, text);
      else if (inside.checkout.present) inside.checkout.files.set(inside.path, text);
      return true;
    }, { error: diskError }),
    exists: (path) => gate('exists', () => {
      const inside = within(repo, path);
      if (inside === undefined) return disk.has(path);
      if (!inside.checkout.present || inside.path === '') return inside.checkout.present;
      return inside.path === '.git' ? inside.checkout.linked : inside.checkout.files.has(inside.path);
    }, QUIET),
    remove: (path) => gate('remove', () => {
      const gone = (each: string): boolean => each === path || each.startsWith(`${path}/`);
      const inside = within(repo, path);
      for (const each of inside === undefined || inside.path === '' ? [] : inside.checkout.files.keys()) if (each === inside?.path || each.startsWith(`${inside?.path}/`)) inside?.checkout.files.delete(each);
      for (const held of [disk, repo.folders, repo.indexes]) for (const each of held.keys()) if (gone(each)) held.delete(each);
    }, { error: diskError }),
    freeSpace: () => gate('freeSpace', o.free, QUIET),
    copyIgnored: ({ globs, to }) => gate('copyIgnored', () => {
      const target = repo.at(to);
      const found = [...repo.main.files].filter(([path]) => isIgnored(path) && globs.includes(path) && !target.files.has(path));
      for (const [path, text] of found) target.files.set(path, text);
      return found.map(([path]) => path);
    }, { error: diskError }),
    canExecute: () => gate('canExecute', () => true, QUIET),
  };
}

const QUIET: CallOptions = { sound: true };

/** What the operating system says when a file cannot be written. */
export function diskError(rng: Rng): Error {
  const code = rng.pick(['ENOSPC', 'EACCES', 'EROFS']);
  return Object.assign(new Error(`${code}: a fault of the simulation`), { code, path: '/state' });
}

function within(repo: Repository, path: string): { readonly checkout: Checkout; readonly path: string } | undefined {
  for (const checkout of [repo.main, ...repo.linked.values()]) {
    if (path === checkout.path) return { checkout, path: '' };
    if (path.startsWith(`${checkout.path}/.git/`)) return undefined;
    if (path.startsWith(`${checkout.path}/`)) return { checkout, path: path.slice(checkout.path.length + 1) };
  }
  return undefined;
}
