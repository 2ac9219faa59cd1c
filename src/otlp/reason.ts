// Why something was not sent, in words of ours: a collector's own text could say anything, also what it was sent.

/** A code of the system, or the number of an HTTP answer. */
export function reasonOf(error: unknown): string {
  const codes: unknown[] = [];
  for (let at: unknown = error; at instanceof Error && codes.length < 8; at = at.cause) {
    codes.push('code' in at ? at.code : undefined, ...(at instanceof AggregateError ? at.errors.map((one: unknown) => (one instanceof Error && 'code' in one ? one.code : undefined)) : []));
  }
  const code = codes.find((one) => (typeof one === 'string' && /^[A-Z][A-Z0-9_]{1,40}$/.test(one)) || (typeof one === 'number' && one >= 100 && one < 600));
  return typeof code === 'number' ? `it answers HTTP ${code}` : typeof code === 'string' ? code : 'it does not take them in time';
}
