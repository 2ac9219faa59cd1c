// What agents use: tokens, and money where it is known. Pure arithmetic; who told it is the agents' business.

/** What a session, an attempt, a unit or a run has used. Tokens as the model's interface counts them; the four do not overlap. */
export interface Usage {
  /** Tokens read anew. */
  readonly input: number;
  /** Tokens written, with hidden reasoning. */
  readonly output: number;
  /** Tokens read from a cache. */
  readonly cacheRead: number;
  /** Tokens put into a cache. */
  readonly cacheWrite: number;
  /** US dollars as the agent reported them, or by the table of prices; absent: not known. */
  readonly usd?: number;
  /** The model, where the agent named it; for the table of prices. */
  readonly model?: string;
}
