// Whether the files by which git knows a worktree are whole, as they may not be after a power cut or an agent's hand. Mends nothing.

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { smallFile } from '../small-file.ts';
import { placeOf, textOf } from './repository.ts';
import type { Repository } from './repository.ts';

/** More is not read at once, bytes. */
const LARGEST_INDEX = 2 ** 31 - 1;

/** True when HEAD names neither a ref nor a commit, or the index is not what git wrote (gitformat-index(5): `DIRC` at its head, a checksum or zeros at its end). */
export async function isBroken(repo: Repository, worktree: string): Promise<boolean> {
  const { gitDir = '' } = await placeOf(repo, worktree);
  const head = await textOf(join(gitDir, 'HEAD'));
  if (head === undefined || !/^(ref: refs\/[^\0\n]+|[0-9a-f]{40}(?:[0-9a-f]{24})?)\n?$/.test(head)) return true;
  const index = smallFile(join(gitDir, 'index'), { most: LARGEST_INDEX });
  return index !== 'missing' && (index === 'odd' || !isWhole(index.content));
}

function isWhole(index: Buffer): boolean {
  if (index.toString('latin1', 0, 4) !== 'DIRC') return false;
  return ([['sha1', 20], ['sha256', 32]] as const).some(([algorithm, bytes]) => {
    const end = index.subarray(-bytes);
    return end.every((byte) => byte === 0) || createHash(algorithm).update(index.subarray(0, -bytes)).digest().equals(end);
  });
}
