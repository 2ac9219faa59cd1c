// The graph as a list: its units in order, level by level, and the lines that makes. Made once a plan; knows no state of a unit.

/** The heading of a level, or a unit. */
export type OutlineLine = { readonly level: number; readonly size: number } | { readonly id: string };

/** All units of a run in the order of the list. */
export interface Outline {
  /** Ids by level, the ones that depend on nothing first. */
  readonly order: readonly string[];
  /** Where each id is in it. */
  readonly place: ReadonlyMap<string, number>;
  readonly lines: readonly OutlineLine[];
  /** The line of each id. */
  readonly lineOf: ReadonlyMap<string, number>;
  /** How many ids there are before each line. */
  readonly unitsBefore: readonly number[];
  /** Length of the longest id. */
  readonly widest: number;
}

/** The outline of a graph by its levels. One level needs no heading. */
export function outlineOf(levels: readonly (readonly string[])[]): Outline {
  const order = levels.flat();
  const lines = levels.length <= 1 ? order.map((id) => ({ id })) : levels.flatMap((ids, level): readonly OutlineLine[] => [{ level, size: ids.length }, ...ids.map((id) => ({ id }))]);
  const lineOf = new Map<string, number>();
  const unitsBefore: number[] = [];
  for (const [at, line] of lines.entries()) {
    unitsBefore.push(lineOf.size);
    if ('id' in line) lineOf.set(line.id, at);
  }
  return { order, place: new Map(order.map((id, i) => [id, i])), lines, lineOf, unitsBefore, widest: order.reduce((most, id) => Math.max(most, id.length), 0) };
}
