// Durations and sizes as people write them. Knows no keys.

const HOUR = 3_600_000;
const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: HOUR };
const DURATION_PART = '(?:\\d+(?:\\.\\d+)?(?:ms|s|m|h))';
/** Source of the regular expression for a duration. */
export const DURATION_PATTERN = `^(?:0|${DURATION_PART}+)$`;
const DURATION = new RegExp(DURATION_PATTERN);

/** Longest duration that is accepted, ms: 20 days, below what a timer can hold. */
export const LONGEST_DURATION = 20 * 24 * HOUR;

/** Milliseconds of a duration as Go writes it (`90s`, `1h30m`, `500ms`, `1.5h`, `0`); undefined when it is none or longer than `LONGEST_DURATION`. */
export function parseDuration(text: string): number | undefined {
  if (text.length > 50 || !DURATION.test(text)) return undefined;
  let ms = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) ms += Number(amount) * (UNITS_MS[unit ?? ''] ?? 0);
  return ms > LONGEST_DURATION ? undefined : Math.round(ms);
}

/** Source of the regular expression for an amount of a budget. */
export const AMOUNT_PATTERN = '^(?:\\$\\s?\\d+(?:\\.\\d+)?|\\d+(?:\\.\\d+)?\\s?USD|\\d+(?:\\.\\d+)?\\s?[kKM]?\\s?tokens)$';
const AMOUNT = new RegExp(AMOUNT_PATTERN);

/** An amount of money or tokens (`20 USD`, `$0.50`, `300k tokens`); undefined when it is none. */
export function parseAmount(text: string): { readonly in: 'usd' | 'tokens'; readonly amount: number } | undefined {
  if (text.length > 50 || !AMOUNT.test(text)) return undefined;
  const number = Number(/\d+(?:\.\d+)?/.exec(text)?.[0]);
  if (!text.endsWith('tokens')) return { in: 'usd', amount: number };
  const factor = /[kK]\s?tokens$/.test(text) ? 1000 : /M\s?tokens$/.test(text) ? 1_000_000 : 1;
  return { in: 'tokens', amount: Math.round(number * factor) };
}

const UNITS_BYTES: Readonly<Record<string, number>> = {
  B: 1, KB: 1000, MB: 1000 ** 2, GB: 1000 ** 3, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3,
};
/** Source of the regular expression for a size. */
export const SIZE_PATTERN = '^\\d+(?:\\.\\d+)?(?:B|KB|MB|GB|KiB|MiB|GiB)$';
const SIZE = new RegExp(SIZE_PATTERN);

/** Bytes of a size (`10MiB`, `1.5GB`, `512B`); undefined when it is none or beyond exact numbers. */
export function parseSize(text: string): number | undefined {
  if (text.length > 50 || !SIZE.test(text)) return undefined;
  const unit = /[A-Za-z]+$/.exec(text)?.[0] ?? '';
  const bytes = Math.round(Number(text.slice(0, -unit.length)) * (UNITS_BYTES[unit] ?? 0));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
