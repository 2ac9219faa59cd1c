// Reading values out of an agent's JSON, where anything may be anything. Gives a harmless value instead of throwing.

/** The value as a map; an empty one when it is something else. */
export function mapOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** The value as a list; an empty one when it is something else. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value as readonly unknown[] : [];
}

/** The value as a text; empty when it is something else. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The value as a number of tokens or the like: whole, not negative, exact; undefined when it is something else. */
export function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** The value as an amount of money; undefined when it is none. */
export function amountOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** A number of tokens; 0 for what is none. */
export function tokensIn(value: unknown): number {
  return countOf(value) ?? 0;
}

/** A session's id as the field of the same name, when it is fit for an argument on a later day. */
export function sessionOf(id: unknown): { readonly session?: string } {
  return typeof id === 'string' && /^\w[\w-]{0,99}$/.test(id) ? { session: id } : {};
}
