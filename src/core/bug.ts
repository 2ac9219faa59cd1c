// The one error class for defects of choo itself. User mistakes are diagnostics and failed work is data; neither is thrown.

/** A broken promise inside choo. Caught at the top, reported as "this is a defect in choo" with the journal's path, exit 3. */
export class Bug extends Error {
  override name = 'Bug';
}

/** For the `default` arm of a switch that must cover a closed union: fails to compile when a case is missing. */
export function unreachable(value: never): never {
  throw new Bug(`unreachable case: ${JSON.stringify(value)}`);
}

/** Gives back `value`, which the caller knows to be there; throws a Bug naming `what` when it is not. */
export function must<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) throw new Bug(`missing: ${what}`);
  return value;
}
