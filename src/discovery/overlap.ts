// Which units may change the same files, from the globs they name, the files that are there, and what commits changed together.
// Pure; bounded in work and in what it gives, and it says when a bound was met.

import type { Graph } from '../core/graph.ts';
import type { Overlap, OverlapReason } from '../core/overlap.ts';
import { byCodeUnit } from '../core/plan.ts';
import type { Unit } from '../core/plan.ts';
import { meet, shapeOf } from './globs.ts';
import type { Shape } from './globs.ts';
import { Order } from './order.ts';
import { changedTogether } from './together.ts';
import type { Together } from './together.ts';

/** Fixed bounds; what is beyond them is not predicted, and said. */
export const OVERLAP_BOUNDS = {
  /** Units with `touches` that are compared, by id. */
  units: 5000,
  /** Pairs that are kept. */
  pairs: 10_000,
  /** Comparisons of two globs. */
  comparisons: 500_000,
  /** Matches of one path against one glob. */
  matches: 1_000_000,
  /** Paths that are looked at for one that two globs match. */
  pathsForPair: 2000,
  /** Meetings of two units at one file. */
  meetings: 2_000_000,
} as const;

/** What overlaps are predicted from. */
export interface OverlapSources {
  readonly graph: Pick<Graph, 'units' | 'order' | 'deps'>;
  /** Paths of the files that are there. */
  readonly paths: Iterable<string>;
  /** The newest commits, newest first, each by the paths that it changed. */
  readonly commits: readonly (readonly string[])[];
  /** Makes the matcher of a glob, or undefined for one that is none. */
  readonly matcher: (glob: string) => ((path: string) => boolean) | undefined;
}

/** The pairs, by their units' ids; and which bound was met, in words. */
export interface Prediction {
  readonly overlaps: readonly Overlap[];
  readonly incomplete?: string;
}

/** Predicts which units may change the same files, of those that do not wait for each other anyway. Units without `touches` cost nothing. */
export function predictOverlaps(o: OverlapSources): Prediction {
  const touching = [...o.graph.units.keys()].filter((i) => (o.graph.units[i]?.touches.length ?? 0) > 0);
  if (touching.length < 2) return { overlaps: [] };
  const looked = touching.toSorted((a, b) => byCodeUnit(o.graph.units[a]?.id ?? '', o.graph.units[b]?.id ?? '')).slice(0, OVERLAP_BOUNDS.units);
  const search = new Search(o, looked);
  if (looked.length < touching.length) search.incomplete ??= `only the first ${OVERLAP_BOUNDS.units} units with touches were compared`;
  search.byTouches();
  search.byHistory();
  return search.result();
}

interface Glob {
  readonly text: string;
  readonly shape: Shape;
  /** Places in the list of units that are looked at, ascending. */
  readonly owners: number[];
}

/** Globs by the literal folders that they begin with. */
interface Folder {
  readonly folders: Map<string, Folder>;
  readonly globs: Glob[];
}

class Search {
  incomplete: string | undefined;
  readonly #o: OverlapSources;
  readonly #units: readonly Unit[];
  readonly #order: Order;
  readonly #globs: readonly Glob[];
  readonly #matchers = new Map<string, ((path: string) => boolean) | undefined>();
  readonly #pairs = new Map<number, Overlap>();
  readonly #sorted: readonly string[];
  #matches = 0;

  constructor(o: OverlapSources, looked: readonly number[]) {
    this.#o = o;
    this.#units = looked.map((i) => o.graph.units[i]).filter((u) => u !== undefined);
    this.#order = new Order(o.graph, looked);
    this.#globs = this.#collect();
    this.#sorted = [...o.paths].toSorted(byCodeUnit);
  }

  result(): Prediction {
    const overlaps = [...this.#pairs].toSorted(([a], [b]) => a - b).map(([, pair]) => pair);
    return { overlaps, ...(this.incomplete === undefined ? {} : { incomplete: this.incomplete }) };
  }

  #collect(): readonly Glob[] {
    const globs = new Map<string, Glob>();
    this.#units.forEach((unit, owner) => {
      for (const text of new Set(unit.touches)) {
        if (this.#matcher(text) === undefined) continue;
        const glob = globs.get(text) ?? { text, shape: shapeOf(text), owners: [] };
        globs.set(text, glob);
        glob.owners.push(owner);
      }
    });
    return [...globs.values()];
  }

  #matcher(glob: string): ((path: string) => boolean) | undefined {
    if (!this.#matchers.has(glob)) this.#matchers.set(glob, this.#o.matcher(glob));
    return this.#matchers.get(glob);
  }

  /** Two globs can only meet when the literal folders of one begin with those of the other: each is compared with those on its way from the top. */
  byTouches(): void {
    const top: Folder = { folders: new Map(), globs: [] };
    for (const glob of this.#globs) folderOf(top, glob).globs.push(glob);
    let comparisons = 0;
    for (const glob of this.#globs) {
      for (const other of above(top, glob)) {
        if (++comparisons > OVERLAP_BOUNDS.comparisons) return this.#stop(`more than ${OVERLAP_BOUNDS.comparisons} pairs of globs`);
        if (glob !== other && !meet(glob.shape, other.shape)) continue;
        if (!this.#meeting(glob, other)) return this.#stop(`more than ${OVERLAP_BOUNDS.pairs} pairs of units`);
      }
    }
  }

  #stop(why: string): void {
    this.incomplete ??= why;
  }

  /** Pairs every owner of one with every owner of the other; false when there is no room for more. */
  #meeting(glob: Glob, other: Glob): boolean {
    let path: string | undefined | null = null;
    for (const a of glob.owners) {
      for (const b of other.owners) {
        if (!this.#isNew(a, b)) continue;
        if (this.#pairs.size >= OVERLAP_BOUNDS.pairs) return false;
        if (path === null) path = glob === other ? undefined : this.#common(glob, other);
        const globs = a < b ? [glob.text, other.text] as const : [other.text, glob.text] as const;
        this.#add(a, b, { by: 'touches', globs, ...(path === undefined ? {} : { path }) });
      }
    }
    return true;
  }

  #isNew(a: number, b: number): boolean {
    return a !== b && !this.#order.ordered(a, b) && !this.#pairs.has(this.#key(a, b));
  }

  #key(a: number, b: number): number {
    return Math.min(a, b) * OVERLAP_BOUNDS.units + Math.max(a, b);
  }

  /** `a` and `b` in any order, the reason in that of their ids. */
  #add(a: number, b: number, reason: OverlapReason): void {
    const [first, second] = [this.#units[Math.min(a, b)], this.#units[Math.max(a, b)]];
    if (first !== undefined && second !== undefined) this.#pairs.set(this.#key(a, b), { units: [first.id, second.id], reason });
  }

  /** A file that is there and that both match, if one is soon found. */
  #common(a: Glob, b: Glob): string | undefined {
    const [x, y] = [this.#matcher(a.text), this.#matcher(b.text)];
    const deeper = a.shape.literal >= b.shape.literal ? a : b;
    let looked = 0;
    for (const path of within(this.#sorted, deeper.shape)) {
      this.#matches += 2;
      if (++looked > OVERLAP_BOUNDS.pathsForPair || this.#matches > OVERLAP_BOUNDS.matches) return undefined;
      if (x?.(path) === true && y?.(path) === true) return path;
    }
    return undefined;
  }

  /** Units meet where one means to change a file that changed together with one of the other's. */
  byHistory(): void {
    const known = new Set(this.#sorted);
    const together = changedTogether(this.#o.commits, known);
    if (together.size === 0) return;
    const owners = this.#ownersOf([...together.keys()].toSorted(byCodeUnit));
    let meetings = 0;
    for (const [path, others] of together) {
      for (const other of others) {
        for (const a of owners.get(path) ?? []) {
          for (const b of owners.get(other.path) ?? []) {
            if (++meetings > OVERLAP_BOUNDS.meetings) return this.#stop(`more than ${OVERLAP_BOUNDS.meetings} meetings in the history`);
            if (!this.#isNew(a, b)) continue;
            if (this.#pairs.size >= OVERLAP_BOUNDS.pairs) return this.#stop(`more than ${OVERLAP_BOUNDS.pairs} pairs of units`);
            this.#add(a, b, historyOf(a < b ? [path, other.path] : [other.path, path], other));
          }
        }
      }
    }
  }

  /** Who means to change each of these files. */
  #ownersOf(paths: readonly string[]): ReadonlyMap<string, readonly number[]> {
    const owners = new Map<string, Set<number>>();
    for (const glob of this.#globs) {
      const matches = this.#matcher(glob.text);
      for (const path of within(paths, glob.shape)) {
        if (++this.#matches > OVERLAP_BOUNDS.matches) {
          this.#stop(`more than ${OVERLAP_BOUNDS.matches} matches of paths`);
          return ofSets(owners);
        }
        if (matches?.(path) !== true) continue;
        const set = owners.get(path) ?? new Set();
        owners.set(path, set);
        for (const owner of glob.owners) set.add(owner);
      }
    }
    return ofSets(owners);
  }
}

function ofSets(sets: ReadonlyMap<string, ReadonlySet<number>>): ReadonlyMap<string, readonly number[]> {
  return new Map([...sets].map(([path, set]) => [path, [...set].toSorted((a, b) => a - b)]));
}

function historyOf(paths: readonly [string, string], { together, of }: Together): OverlapReason {
  return { by: 'history', paths, together, of };
}

function literalOf(shape: Shape): readonly string[] {
  return shape.segments.slice(0, shape.literal);
}

function folderOf(top: Folder, glob: Glob): Folder {
  let at = top;
  for (const name of literalOf(glob.shape)) {
    const next = at.folders.get(name) ?? { folders: new Map<string, Folder>(), globs: [] };
    at.folders.set(name, next);
    at = next;
  }
  return at;
}

/** The globs from the top to the glob's own folder, there only those up to itself: so each two are compared once. */
function* above(top: Folder, glob: Glob): Generator<Glob> {
  let at = top;
  for (const name of literalOf(glob.shape)) {
    yield* at.globs;
    const next = at.folders.get(name);
    if (next === undefined) return;
    at = next;
  }
  for (const other of at.globs) {
    yield other;
    if (other === glob) return;
  }
}

/** Of sorted paths those that begin with the literal folders of a glob. */
function* within(sorted: readonly string[], shape: Shape): Generator<string> {
  const start = literalOf(shape).join('/');
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? '') < start) low = middle + 1;
    else high = middle;
  }
  for (let path = sorted[low]; path?.startsWith(start) === true; path = sorted[++low]) {
    if (start === '' || path.length === start.length || path[start.length] === '/') yield path;
  }
}
