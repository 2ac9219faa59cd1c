// Files that changed together, counted over the newest commits. Says nothing of why.

/** Fixed bounds of what is read of the history. */
export const HISTORY_BOUNDS = {
  /** Newest commits that are read. */
  commits: 500,
  /** A commit that changed more files says nothing of any two of them. */
  files: 50,
  /** Commits that must have changed both files. */
  least: 3,
} as const;

/** A file that changed together with another one. */
export interface Together {
  readonly path: string;
  /** Commits that changed both. */
  readonly together: number;
  /** Commits that changed either. */
  readonly of: number;
}

/** For each known file those that came after it by code unit and changed in at least half of the commits that changed either. Commits newest first. */
export function changedTogether(commits: readonly (readonly string[])[], known: ReadonlySet<string>): ReadonlyMap<string, readonly Together[]> {
  const alone = new Map<string, number>();
  const both = new Map<string, Map<string, number>>();
  for (const commit of commits.slice(0, HISTORY_BOUNDS.commits)) {
    if (commit.length > HISTORY_BOUNDS.files) continue;
    const paths = [...new Set(commit)].filter((path) => known.has(path)).toSorted();
    paths.forEach((path, i) => {
      alone.set(path, (alone.get(path) ?? 0) + 1);
      const partners = both.get(path) ?? new Map<string, number>();
      both.set(path, partners);
      for (const other of paths.slice(i + 1)) partners.set(other, (partners.get(other) ?? 0) + 1);
    });
  }
  const found = new Map<string, Together[]>();
  for (const [path, partners] of both) {
    for (const [other, together] of partners) {
      const of = (alone.get(path) ?? 0) + (alone.get(other) ?? 0) - together;
      if (together < HISTORY_BOUNDS.least || together * 2 < of) continue;
      found.set(path, [...found.get(path) ?? [], { path: other, together, of }]);
      found.set(other, found.get(other) ?? []);
    }
  }
  return found;
}
