// A binary heap for the units that are ready. Knows no units; the order is the caller's.

/** Holds different items and gives back the first by the comparator; each change takes time logarithmic in the size. */
export class ReadyHeap<T> {
  readonly #items: T[] = [];
  readonly #compare: (a: T, b: T) => number;
  /** Where each item is; made when one is first looked for, as most heaps only give their first. */
  #at: Map<T, number> | undefined;

  /** `compare` gives less than 0 when `a` comes before `b`; it must order any two different items. */
  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  /** How many items it holds. */
  get size(): number {
    return this.#items.length;
  }

  /** The first item, left in place; undefined when empty. */
  peek(): T | undefined {
    return this.#items[0];
  }

  /** Whether it holds the item. */
  has(item: T): boolean {
    return this.#index().has(item);
  }

  /** Adds an item. */
  push(item: T): void {
    this.#items.push(item);
    this.#up(this.#items.length - 1, item);
  }

  /** Takes an item out wherever it is; does nothing when it is not there. */
  remove(item: T): void {
    const at = this.#index().get(item);
    if (at !== undefined) this.#take(at);
  }

  /** Takes the first item out; undefined when empty. */
  pop(): T | undefined {
    const first = this.#items[0];
    if (this.#items.length > 0) this.#take(0);
    return first;
  }

  #index(): Map<T, number> {
    return (this.#at ??= new Map(this.#items.map((item, i) => [item, i])));
  }

  #take(at: number): void {
    const items = this.#items;
    const taken = items[at] as T;
    const last = items.pop() as T;
    this.#at?.delete(taken);
    if (at === items.length) return;
    // The last one goes where the taken one was, then to its place above or below.
    if (at > 0 && this.#compare(last, items[(at - 1) >> 1] as T) < 0) this.#up(at, last);
    else this.#down(at, last);
  }

  #up(from: number, item: T): void {
    const items = this.#items;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = items[parent] as T;
      if (this.#compare(item, above) >= 0) break;
      this.#put(at, above);
      at = parent;
    }
    this.#put(at, item);
  }

  #down(from: number, item: T): void {
    const items = this.#items;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && this.#compare(items[child + 1] as T, items[child] as T) < 0) child++;
      if (this.#compare(items[child] as T, item) >= 0) break;
      this.#put(at, items[child] as T);
      at = child;
    }
    this.#put(at, item);
  }

  #put(at: number, item: T): void {
    this.#items[at] = item;
    this.#at?.set(item, at);
  }
}
