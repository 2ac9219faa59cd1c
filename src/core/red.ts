// Baseline checks that fail before any work: what is remembered of such a failure, and whether another one is the same. Runs nothing.

import { must } from './bug.ts';
import type { Note, TrialCheck } from './event.ts';
import type { Beyond, Ending, Red } from './failure.ts';
import { recognise } from './recognise.ts';
import type { CommandOutput } from './recognise.ts';
import type { Check } from './plan.ts';
import type { State } from './state.ts';

/** A run of a check that failed. */
export interface RedRun {
  readonly ending: Ending;
  readonly output?: CommandOutput;
}

/** Takes a check and how it failed, gives what is to be remembered of it: only a failure that another one can be compared with. */
export function redOf(check: Check, run: RedRun): Pick<TrialCheck, 'failing' | 'unclear'> {
  if (check.recogniser === undefined) return codeOf(run.ending) === undefined ? { unclear: 'it did not end by itself' } : {};
  return recognise(check.recogniser, run.output);
}

/** Compares a failure with the one that was there before: the same (with the tests that still fail), or what is beyond it. */
export function compareRed(red: Red, check: Check, run: RedRun): { readonly still: Red } | { readonly beyond: Beyond } {
  const was = red.code;
  if (codeOf(run.ending) !== was) return { beyond: { was } };
  if (check.recogniser === undefined) return { still: { code: was } };
  const found = recognise(check.recogniser, run.output);
  if ('unclear' in found) return { beyond: { was, unclear: found.unclear } };
  const before = new Set(red.failing);
  const fresh = found.failing.filter((name) => !before.has(name));
  return fresh.length > 0 ? { beyond: { was, fresh } } : { still: { code: was, failing: found.failing } };
}

/** The exit code of a program that failed by itself. */
function codeOf(e: Ending): number | undefined {
  return e.limit === undefined && e.signal === undefined && e.code !== null && e.code !== 0 ? e.code : undefined;
}

/** The trial has told: what fails already is known from now on, where the run is to judge by difference. */
export function rememberReds(s: State, checks: readonly TrialCheck[]): void {
  s.red.base.clear();
  s.red.landing.clear();
  if (s.pinned.guard?.base !== 'record') return;
  for (const { command, ending, failing, unclear } of checks) {
    const code = codeOf(ending);
    if (code === undefined || unclear !== undefined) continue;
    const red: Red = { code, ...(failing === undefined ? {} : { failing }) };
    s.red.base.set(command, red);
    s.red.landing.set(command, red);
  }
}

/** A batch landed: what its proof found mended is not known as failing any more, so that it cannot come back unseen. */
export function forgetMended(s: State, notes: readonly Note[]): void {
  for (const note of notes) {
    if (note.kind !== 'mended' || note.command === undefined) continue;
    const red = s.red.landing.get(note.command);
    if (red === undefined) continue;
    if (note.failing === undefined) s.red.landing.delete(note.command);
    else s.red.landing.set(note.command, { ...red, failing: (red.failing ?? []).filter((name) => must(note.failing, 'names').includes(name)) });
  }
}

/** Whether everything that a proof let pass for a known failure is still known to fail. */
export function isStillKnown(s: State, notes: readonly Note[]): boolean {
  return notes.every((note) => {
    if (note.kind !== 'known-failure') return true;
    const failing = s.red.landing.get(note.command ?? '')?.failing;
    return s.red.landing.has(note.command ?? '') && (note.failing ?? []).every((name) => failing === undefined || failing.includes(name));
  });
}

/** What is worth a note when a check that was known to fail passes, or fails in fewer tests; undefined: nothing. */
export function mendedNote(check: Check, o: { readonly red: Red; readonly still: Red | undefined }): Note | undefined {
  const command = check.command;
  if (o.still === undefined) return { kind: 'mended', text: `the baseline check \`${command}\`, which fails on the base, passes`, command };
  const { failing } = o.still;
  const fewer = (o.red.failing?.length ?? 0) - (failing?.length ?? 0);
  return failing === undefined || fewer <= 0 ? undefined : { kind: 'mended', text: `of the baseline check \`${command}\`, ${fewer} ${fewer === 1 ? 'test that fails' : 'tests that fail'} on the base ${fewer === 1 ? 'passes' : 'pass'}`, command, failing };
}
