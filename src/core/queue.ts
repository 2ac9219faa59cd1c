// First in, first out, in constant time. `Array.shift` moves every item of a large array, which made a wide graph's start quadratic.

/** A queue; only the first item can be looked at or taken. Iterating leaves it as it is. */
export class Queue<T> {
  #items: T[] = [];
  /** Where the first item is; what is before it has been taken. */
  #head = 0;

  /** How many items wait. */
  get length(): number {
    return this.#items.length - this.#head;
  }

  /** The first item, left in place; undefined when empty. */
  get first(): T | undefined {
    return this.#items[this.#head];
  }

  /** Adds an item at the end. */
  push(item: T): void {
    this.#items.push(item);
  }

  /** Adds an item before the last ones that come after it by `isAfter`; at the end this costs nothing. */
  insert(item: T, isAfter: (other: T) => boolean): void {
    let at = this.#items.length;
    while (at > this.#head && isAfter(this.#items[at - 1] as T)) at--;
    this.#items.splice(at, 0, item);
  }

  /** Takes the first item out; undefined when empty. */
  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const item = this.#items[this.#head++];
    if (this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Takes every item out that `matches`; the others keep their order. */
  remove(matches: (item: T) => boolean): void {
    this.#items = [...this].filter((item) => !matches(item));
    this.#head = 0;
  }

  /** The items, first to last. */
  [Symbol.iterator](): Iterator<T> {
    return this.#items.slice(this.#head).values();
  }
}
