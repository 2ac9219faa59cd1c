// What agents use and what it may cost: tokens, money, caps. Pure arithmetic; who told it is the agents' business.

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

/** What a budget is counted in. */
export type Currency = 'usd' | 'tokens';

/** Caps on what may be spent, all in one currency. `attempt` is what an attempt may use at most: it is ended there. */
export interface Budget {
  readonly in: Currency;
  readonly run?: number;
  readonly unit?: number;
  readonly attempt: number;
}

/** US dollars for a million tokens of each kind. */
export interface Price {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

/** What was charged to a unit or a run, in both currencies. */
export interface Spent {
  readonly usd: number;
  readonly tokens: number;
}

/** What a session used that did nothing. */
export const NOTHING_USED: Usage = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, usd: 0 };

/** Nothing spent. */
export const NOTHING_SPENT: Spent = { usd: 0, tokens: 0 };

/** All tokens of a usage, read and written. */
export function tokensOf(u: Usage): number {
  return u.input + u.output + u.cacheRead + u.cacheWrite;
}

/** The usage with its money by a price, where the agent reported none. */
export function priced(u: Usage, price: Price | undefined): Usage {
  if (u.usd !== undefined || price === undefined) return u;
  const usd = (u.input * price.input + u.output * price.output + u.cacheRead * price.cacheRead + u.cacheWrite * price.cacheWrite) / 1_000_000;
  return { ...u, usd };
}

/** What a usage comes to in a currency; undefined when that cannot be seen, or is no amount. */
export function amountOf(u: Usage | undefined, currency: Currency): number | undefined {
  if (u === undefined) return undefined;
  const tokens = tokensOf(u);
  // Money without a token is from an agent that does not count them.
  const amount = currency === 'usd' ? u.usd : tokens === 0 && (u.usd ?? 0) > 0 ? undefined : tokens;
  return amount !== undefined && Number.isFinite(amount) && amount >= 0 ? amount : undefined;
}

/**
 * What an attempt is charged: what it was seen to use, and in a currency in which nothing could be seen its whole cap, because
 * it may have used that much. `cap`: what it was allowed, in its currency.
 */
export function charged(before: Spent, o: { readonly usage: Usage | undefined; readonly cap: { readonly in: Currency; readonly amount: number } | undefined }): Spent {
  const in_ = (currency: Currency): number => before[currency] + (amountOf(o.usage, currency) ?? (o.cap?.in === currency ? o.cap.amount : 0));
  return { usd: in_('usd'), tokens: in_('tokens') };
}

/** An amount for people: `$1.25`, `1,200 tokens`. */
export function describeAmount(amount: number, currency: Currency): string {
  return currency === 'usd' ? `$${amount.toFixed(amount < 0.1 && amount > 0 ? 4 : 2)}` : `${Math.round(amount).toLocaleString('en-US')} tokens`;
}

/** What was spent, for people; empty when nothing was seen. */
export function describeSpent(s: Spent): string {
  return [s.usd > 0 ? describeAmount(s.usd, 'usd') : '', s.tokens > 0 ? describeAmount(s.tokens, 'tokens') : ''].filter((part) => part !== '').join(', ');
}
