// When an agent's quota is back, out of its own words. Knows only delays written for people; an agent that tells a moment as
// data has that in its own file.

/** The longest wait that is believed, ms; what names more is a mistake or means "not today". */
const LONGEST_WAIT = 31 * 24 * 3_600_000;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, sec: 1000, second: 1000, m: 60_000, min: 60_000, minute: 60_000, h: 3_600_000, hour: 3_600_000, d: 86_400_000, day: 86_400_000 };

/** The moment named in a text like `try again in 20s` or `resets in 3 hours`, ms since 1970 with `now` the present; undefined when it names none. */
export function resetIn(text: string, now: number): number | undefined {
  const [, number, unit] = /(?:try again|retry|resets?)(?: after| in)? (\d{1,7}(?:\.\d{1,3})?) ?(ms|s|sec|second|m|min|minute|h|hour|d|day)s?\b/i.exec(text) ?? [];
  const wait = Number(number) * (UNITS[unit?.toLowerCase() ?? ''] ?? Number.NaN);
  return wait <= LONGEST_WAIT ? now + wait : undefined;
}
