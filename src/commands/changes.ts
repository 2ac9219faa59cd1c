// Waits for news from outside (a file, a socket) without losing any that comes meanwhile. Says that something changed, not what.

/** One who waits, many who tell. */
export class Changes {
  #told = false;
  #wake: (() => void) | undefined;

  /** Something changed. */
  tell(): void {
    this.#told = true;
    this.#wake?.();
  }

  /** Resolves when something has changed since the last call. */
  async next(): Promise<void> {
    if (!this.#told) await new Promise<void>((resolve) => { this.#wake = resolve; });
    this.#told = false;
    this.#wake = undefined;
  }
}
