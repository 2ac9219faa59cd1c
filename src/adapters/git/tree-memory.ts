// Tree objects as data, as many as are worth remembering. They never change, so what was read or written once need not be asked for again.

/** One line of a tree. */
export interface TreeItem {
  /** Its bytes, a letter each (latin1). */
  readonly name: string;
  /** 0o40000 for a folder. */
  readonly mode: number;
  readonly id: string;
}

/** The lines of a tree by name. */
export type Items = ReadonlyMap<string, TreeItem>;

/** Lines of all trees that are remembered together. */
const REMEMBERED = 50_000;

/** Trees as last read or written, the oldest forgotten first. */
export class TreeMemory {
  readonly #trees = new Map<string, Items>();
  #lines = 0;

  /** What is remembered of a tree. */
  get(id: string): Items | undefined {
    return this.#trees.get(id);
  }

  /** Remembers a tree. */
  set(id: string, items: Items): void {
    if (this.#trees.has(id)) return;
    this.#trees.set(id, items);
    this.#lines += items.size;
    for (const [old, { size }] of this.#trees) {
      if (this.#lines <= REMEMBERED) return;
      this.#trees.delete(old);
      this.#lines -= size;
    }
  }
}
