// From the output of a test runner to the names of the tests that failed. Which runner it was is told, never guessed; what cannot
// be told for certain (output cut off, runs that ended early, counts that do not match) is said to be unclear.

import { cleanLine } from './clean.ts';
import { BOUNDS } from './limits.ts';
import { cargoTest, goTest, jest, junit, pytest, tap, vitest } from './recognisers.ts';
import type { Recognised } from './recognisers.ts';

/** The runners whose output can be read, as `baseline_checks[].recogniser` names them. */
export const RECOGNISERS = ['tap', 'junit', 'vitest', 'jest', 'pytest', 'go-test', 'cargo-test'] as const;

/** One of them. */
export type Recogniser = (typeof RECOGNISERS)[number];

/** Output of a command without escape sequences; `whole`: nothing of it was left out. */
export interface CommandOutput {
  readonly text: string;
  readonly whole: boolean;
}

const PARSERS: { readonly [K in Recogniser]: (text: string) => Recognised } = { tap, junit, vitest, jest, pytest, 'go-test': goTest, 'cargo-test': cargoTest };

/** Reads what the runner printed (undefined: it was not kept): at least one failing test and each once, the second of one name as `name #2`, or why they cannot be told. */
export function recognise(recogniser: Recogniser, output: CommandOutput | undefined): Recognised {
  if (output === undefined) return { unclear: 'its output could not be kept' };
  if (!output.whole) return { unclear: 'its output is longer than limits.output' };
  const found = PARSERS[recogniser](output.text.replaceAll('\r\n', '\n'));
  if ('unclear' in found) return found;
  if (found.failing.length === 0) return { unclear: `it names no failing test that \`${recogniser}\` can read` };
  if (found.failing.length > BOUNDS.failingTests) return { unclear: `more than ${BOUNDS.failingTests} tests fail` };
  const names = found.failing.map((name) => cleanLine(name.trim()));
  if (names.some((name) => name.length > BOUNDS.testName)) return { unclear: `a test's name is longer than ${BOUNDS.testName} characters` };
  return { failing: numbered(names) };
}

/** So that one more failing test of the same name is a new one. */
function numbered(names: readonly string[]): readonly string[] {
  const seen = new Map<string, number>();
  return names.map((name) => {
    const n = (seen.get(name) ?? 0) + 1;
    seen.set(name, n);
    return n === 1 ? name : `${name} #${n}`;
  });
}
