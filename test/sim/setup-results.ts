// What setup commands made, in memory: an entry a key, which outlives the engine.

import type { SetupResults } from '../../src/world.ts';
import { diskError } from './files.ts';
import type { Gate } from './gate.ts';
import type { Repository } from './repository.ts';

/** Kept results: key → path → text. */
export type Shelf = Map<string, ReadonlyMap<string, string>>;

/** Setup results as one session of choo has them. */
export function simSetupResults(o: { readonly repo: Repository; readonly shelf: Shelf; readonly gate: Gate }): SetupResults {
  const { shelf, gate } = o;
  const under = (path: string, tops: readonly string[]): boolean => tops.some((top) => path === top || path.startsWith(`${top}/`));
  return {
    key: ({ worktree, command, by }) => gate('readText', () => {
      const { files } = o.repo.at(worktree);
      return [command, ...by.map((path) => files.get(path) ?? 'missing')].join('\n');
    }, { sound: true }),
    take: (key, { worktree, paths }) => gate('take', () => {
      const { files } = o.repo.at(worktree);
      const kept = shelf.get(key);
      if (kept === undefined || [...files.keys()].some((path) => under(path, paths))) return false;
      for (const [path, text] of kept) files.set(path, text);
      return true;
    }, { error: diskError }),
    keep: (key, { worktree, paths }) => gate('keep', () => {
      const made = [...o.repo.at(worktree).files].filter(([path]) => under(path, paths));
      if (made.length === 0) return 'it made nothing';
      shelf.set(key, new Map(made));
      return undefined;
    }, { error: diskError }),
  };
}
