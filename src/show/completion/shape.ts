// The command line as data: what completions and the man page are made of. Made from the program's own definitions (commands/shape.ts).

/** What a value is: one of some words; something that `choo __complete` knows (`units`, `runs`, `branches`); a folder; a program; or anything. */
export type Kind = { readonly words: readonly string[] } | 'units' | 'runs' | 'branches' | 'folder' | 'file' | 'program' | 'free';

/** The value of a flag, or an argument. */
export interface Value {
  /** As the help names it, without brackets. */
  readonly name: string;
  readonly kind: Kind;
  readonly required: boolean;
  readonly variadic: boolean;
}

/** A flag. */
export interface Flag {
  /** With dashes; the short one first. */
  readonly names: readonly string[];
  readonly about: string;
  readonly value?: Value;
  /** It may be given again. */
  readonly repeats: boolean;
}

/** A command. */
export interface Verb {
  readonly name: string;
  readonly summary: string;
  readonly about: string;
  readonly flags: readonly Flag[];
  readonly args: readonly (Value & { readonly about: string })[];
  readonly examples: readonly (readonly [command: string, what: string])[];
}

/** The whole command line. */
export interface Shape {
  readonly about: string;
  readonly flags: readonly Flag[];
  readonly verbs: readonly Verb[];
  readonly examples: Verb['examples'];
}

/** The value as a usage line shows it. */
export function placeholder(v: Value): string {
  const name = `${v.name}${v.variadic ? '...' : ''}`;
  return v.required ? `<${name}>` : `[${name}]`;
}
