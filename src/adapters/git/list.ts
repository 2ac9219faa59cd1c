// Lists refs. Changes nothing.

import { ask } from './repository.ts';
import type { Repository } from './repository.ts';

/** Every ref of the repository that points to a commit by itself: full name → id. Symbolic refs are left out. */
export async function listRefs(repo: Repository): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await ask(repo, { args: ['for-each-ref', '--format=%(objectname) %(refname) %(symref)'] });
  const refs = new Map<string, string>();
  for (const line of stdout.toString('utf8').split('\n')) {
    const [id, name, points] = line.split(' ');
    if (id !== undefined && name !== undefined && (points ?? '') === '') refs.set(name, id);
  }
  return refs;
}
