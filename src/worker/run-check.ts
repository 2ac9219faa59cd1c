// Runs one check: again when it failed and may, and judged by difference where it failed before any work. The one way in which a
// check's result comes to be, wherever it runs. Looks at no commit; whoever asks does that.

import type { Note } from '../core/event.ts';
import type { Failure, Red } from '../core/failure.ts';
import type { Check } from '../core/plan.ts';
import { compareRed, mendedNote } from '../core/red.ts';
import type { RedRun } from '../core/red.ts';
import type { Control } from '../world.ts';
import { checkFailure, endingOf, shell } from './workplace.ts';
import type { Workplace } from './workplace.ts';

/** A check and where it is to run. */
export interface CheckRun {
  readonly check: Check;
  readonly cwd: string;
  readonly log: string;
  readonly unit?: string;
  readonly control: Control;
  /** The known failures that it is compared with: those of the base, or of what has landed since. Absent: none. */
  readonly against?: 'base' | 'landing';
  /** The names of failing tests are wanted, if its recogniser can tell them. */
  readonly record?: true;
  /** Asked before it runs again: whether the runs so far left tracked files and HEAD as they were. */
  readonly untouched: () => Promise<boolean>;
  /** Gets what is worth a note. */
  readonly notes: Note[];
}

/** What came of it. Only one without failure that is neither flaky nor known proves anything about a later run. */
export interface Checked {
  /** Absent: it passed, or it fails as it did before any work. */
  readonly failure?: Failure;
  /** A run before failed in another way. */
  readonly flaky: boolean;
  /** It fails as it did before any work. */
  readonly known: boolean;
  /** The last run. */
  readonly run: RedRun;
}

/** Runs the check, up to its retries again. A missing program, a cut, and a run that changed tracked files are never run again. */
export async function runCheck(place: Workplace, o: CheckRun): Promise<Checked> {
  const { check } = o;
  const red = o.against === undefined || check.task !== undefined ? undefined : place.state.red[o.against].get(check.command);
  const { limits } = place.state.settings;
  // The settings of a run that an older choo began have no such limit.
  const retries = check.retries ?? limits.checkRetries ?? 0;
  const wanted = check.recogniser !== undefined && (red !== undefined || o.record === true);
  for (let failed = 0; ; failed++) {
    const result = await shell(place, { command: check.command, cwd: o.cwd, log: o.log, limitMs: limits.check, control: o.control, ...(o.unit === undefined ? {} : { unit: o.unit }), ...(wanted ? { wantOutput: true } : {}) });
    const failure = await checkFailure(place, { check, cwd: o.cwd, log: o.log, result });
    const run: RedRun = { ending: endingOf(result), ...(result.output === undefined ? {} : { output: result.output }) };
    if (failure === undefined) return settled(o, { failed, run, red, still: undefined });
    if (failure.kind !== 'check-failed') return { failure, flaky: false, known: false, run };
    const compared = red === undefined ? undefined : compareRed(red, check, run);
    if (compared !== undefined && 'still' in compared) return settled(o, { failed, run, red, still: compared.still });
    if (failed < retries && (await o.untouched())) continue;
    return { failure: { ...failure, ...compared }, flaky: false, known: false, run };
  }
}

/** It passed, or fails as it is known to (`still`); `failed` runs before did not. */
function settled(o: CheckRun, s: { readonly failed: number; readonly run: RedRun; readonly red: Red | undefined; readonly still: Red | undefined }): Checked {
  const { check: { command }, notes } = o;
  const known = s.still !== undefined;
  if (s.failed > 0) {
    const before = s.failed === 1 ? 'failed once' : `failed ${s.failed} times`;
    notes.push({ kind: 'flaky-check', text: `the check \`${command}\` ${before} and ${known ? 'then only as it is known to' : 'passed when it was run again'}`, command });
  }
  if (s.still !== undefined) {
    const tests = s.still.failing === undefined ? '' : ` (${s.still.failing.length} ${s.still.failing.length === 1 ? 'test' : 'tests'})`;
    notes.push({ kind: 'known-failure', text: `the baseline check \`${command}\` fails as it does on the base${tests}`, command, ...s.still.failing === undefined ? {} : { failing: s.still.failing } });
  }
  const mended = s.red === undefined || o.against !== 'landing' ? undefined : mendedNote(o.check, { red: s.red, still: s.still });
  if (mended !== undefined) notes.push(mended);
  return { flaky: s.failed > 0, known, run: s.run };
}
