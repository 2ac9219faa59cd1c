// Which faults met the engine in which state: a table of counts, so that coverage and not the number of seeds decides.

/** Counts by fault and window. */
export class Coverage {
  readonly cells = new Map<string, number>();

  /** A fault happened while these steps were in flight (none: `between`). */
  hit(fault: string, windows: Iterable<string>): void {
    let any = false;
    for (const window of windows) {
      any = true;
      this.#add(`${fault}|${window}`);
    }
    if (!any) this.#add(`${fault}|between`);
  }

  /** Takes over what another table has counted. */
  merge(cells: Iterable<readonly [string, number]>): void {
    for (const [cell, count] of cells) this.cells.set(cell, (this.cells.get(cell) ?? 0) + count);
  }

  #add(cell: string): void {
    this.cells.set(cell, (this.cells.get(cell) ?? 0) + 1);
  }
}
