// Commits as objects and refs by compare-and-swap. Touches no checkout.

import { Bug } from '../../core/bug.ts';
import { GitError } from '../../world.ts';
import { checkId, checkRef } from './names.ts';
import { resolve } from './history.ts';
import { ask } from './repository.ts';
import type { Repository } from './repository.ts';

/** A commit to make. */
export interface NewCommit {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
}

/** Makes a commit object by the user's identity, signed when the configuration asks for it. */
export async function commitTree(repo: Repository, o: NewCommit): Promise<string> {
  return makeCommit(repo, { ...o, sign: await repo.signing() });
}

/** Makes a commit object; `sign` false never asks for a key. */
export async function makeCommit(repo: Repository, o: NewCommit & { readonly sign: boolean }): Promise<string> {
  const parents = o.parents.flatMap((parent) => ['-p', checkId(parent)]);
  const { stdout } = await ask(repo, { args: ['commit-tree', ...(o.sign ? ['-S'] : []), ...parents, '--end-of-options', checkId(o.tree)], input: o.message });
  return checkId(stdout.toString('latin1').trim());
}

/**
 * Moves, makes (`from` undefined) or deletes (`to` undefined) exactly this ref, never one it may point to as a symbolic ref.
 * False when it was not at `from`; GitError for anything else.
 */
export async function moveRef(repo: Repository, o: { readonly ref: string; readonly to: string | undefined; readonly from: string | undefined; readonly reason: string }): Promise<boolean> {
  const ref = checkRef(o.ref);
  try {
    await ask(repo, { args: ['update-ref', '--no-deref', '-m', o.reason, ...change(ref, o)] });
    return true;
  } catch (error) {
    // What git printed does not decide: the ref itself tells a lost race from trouble.
    if (error instanceof GitError && (await resolve(repo, ref)) !== o.from) return false;
    throw error;
  }
}

function change(ref: string, o: { readonly to: string | undefined; readonly from: string | undefined }): string[] {
  if (o.to === undefined) {
    if (o.from === undefined) throw new Bug(`moveRef of ${ref} from nothing to nothing`);
    return ['-d', '--end-of-options', ref, checkId(o.from)];
  }
  const to = checkId(o.to);
  return ['--end-of-options', ref, to, o.from === undefined ? '0'.repeat(to.length) : checkId(o.from)];
}
