// Finds the design spec that a plan or task means among the paths of the repository. Reads nothing.

import { foldName } from './names.ts';

/** What the repository holds, asked by path. */
export class SpecIndex {
  readonly #known: ReadonlySet<string>;
  readonly #byUnit = new Map<string, string>();

  /** `knownPaths`: repository paths, at least those of everything a `Design spec:` line may name. */
  constructor(knownPaths: ReadonlySet<string>) {
    this.#known = knownPaths;
    for (const path of knownPaths) {
      const name = /^specs\/([^/]+)\.md$/i.exec(path)?.[1];
      if (name === undefined) continue;
      const key = foldName(name);
      const other = this.#byUnit.get(key);
      if (other === undefined || path < other) this.#byUnit.set(key, path);
    }
  }

  /** The path that `written` means in the file `from`: from the repository's top with a leading `/`, else beside the file or from the top. */
  named(written: string, from: string): string | undefined {
    const folder = from.split('/').slice(0, -1);
    const fromTop = normalise([], written);
    const candidates = written.startsWith('/') ? [fromTop] : [normalise(folder, written), fromTop];
    return candidates.find((path) => path !== undefined && this.#known.has(path));
  }

  /** `specs/<unit>.md` in any case. */
  ofUnit(id: string): string | undefined {
    return this.#byUnit.get(foldName(id));
  }
}

function normalise(folder: readonly string[], written: string): string | undefined {
  const parts = [...folder];
  for (const part of written.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join('/');
}
