// What a command does besides in GitHub Actions: a summary of the job, annotations of what kept it from running. Does nothing elsewhere.

import { appendFileSync } from 'node:fs';
import { cleanLine } from '../core/clean.ts';
import type { Result } from '../core/event.ts';
import type { State } from '../core/state.ts';
import { viewOf } from '../core/view.ts';
import type { Diagnostic } from '../discovery/diagnostic.ts';
import { diagnosticAnnotation, unitGroups, workflowCommand } from '../show/actions.ts';
import { renderJobSummary, renderRefused } from '../show/job-summary.ts';
import type { Io, Printer } from './io.ts';

/** Annotates a diagnostic. */
export function annotate(d: Diagnostic, io: Io): void {
  io.err.command?.(diagnosticAnnotation(d));
}

/** Annotates an error that is no diagnostic. */
export function annotateError(message: string, io: Io): void {
  io.err.command?.(workflowCommand('error', message, { title: 'choo' }));
}

/** Nothing ran: annotations, and the summary that says so. */
export function tellRefused(diagnostics: readonly Diagnostic[], io: Io): void {
  for (const d of diagnostics) annotate(d, io);
  summarise(renderRefused(diagnostics), io);
}

/** The end of a session: a group of lines a unit where progress is printed, and the summary. */
export function tellSession(o: { readonly state: State; readonly result: Result; readonly printer: Printer }, io: Io): void {
  const { command, write } = o.printer;
  if (command === undefined) return;
  unitGroups(o.state, { write, command });
  summarise(renderJobSummary({ view: viewOf(o.state), result: o.result }), io);
}

function summarise(markdown: string, io: Io): void {
  const file = io.env['GITHUB_STEP_SUMMARY'];
  if (io.err.command === undefined || file === undefined || file === '') return;
  try {
    appendFileSync(file, markdown);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    io.err.write(`choo: the job has no summary: ${cleanLine(error.message)}\n`);
  }
}
