// Events without secrets. What a program, a remote or a person said is cleaned before it is recorded; what the plan itself says is recorded
// as it is, because it is run by that, and is cleaned where it is shown.

/** Fields that hold words from outside. */
const SAID: ReadonlySet<string> = new Set(['detail', 'text', 'tail', 'activity']);
/** And those that hold the plan's. */
const SHOWN: ReadonlySet<string> = new Set([...SAID, 'title', 'command', 'check', 'name']);
/** What a forge says is clean when it comes, and is compared with what it says next. */
const CLEAN: ReadonlySet<string> = new Set(['facts', 'feedback']);

type Redact = (text: string) => string;

/** For the journal: nothing that decides what is done is changed. */
export function toRecord<T extends object>(event: T, redact: Redact): T {
  return cleaned(event, { fields: SAID, redact });
}

/** For whoever looks at the run. */
export function toShow<T extends object>(event: T, redact: Redact): T {
  return cleaned(event, { fields: SHOWN, redact });
}

function cleaned<T extends object>(value: T, o: { readonly fields: ReadonlySet<string>; readonly redact: Redact }): T {
  if (Array.isArray(value)) return value.map((entry: unknown) => (isObject(entry) ? cleaned(entry, o) : entry)) as unknown as T;
  return Object.fromEntries(Object.entries(value).map(([key, entry]: [string, unknown]) => {
    if (typeof entry === 'string') return [key, o.fields.has(key) ? o.redact(entry) : entry];
    return [key, isObject(entry) && !CLEAN.has(key) ? cleaned(entry, o) : entry];
  })) as T;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
