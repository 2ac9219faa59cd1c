// How what is thrown reaches the user, and with which exit code. Handles the three kinds that never mix.

import { errnoOf } from '../adapters/errno.ts';
import { ControlError } from '../adapters/control.ts';
import { LockHeld } from '../adapters/lock.ts';
import { Bug } from '../core/bug.ts';
import { cleanLine } from '../core/clean.ts';
import { renderDiagnostic } from '../discovery/diagnostic.ts';
import { Refusal } from '../opening/refusal.ts';
import { FenceLost, GitError } from '../world.ts';
import { annotateError, tellRefused } from './actions.ts';
import type { Io } from './io.ts';

/** What is known of the command that threw. */
interface Context {
  readonly io: Io;
  /** Diagnostics go to stdout as data, too. */
  readonly json: boolean;
  /** The journal of the run, when one had begun. */
  readonly journal: string | undefined;
}

/** Tells about an error and gives back the exit code: 2 nothing ran, 1 it broke off, 3 a defect in choo. */
export function report(error: unknown, { io, json, journal }: Context): number {
  if (error instanceof Refusal) {
    if (json) io.out.write(`${JSON.stringify({ version: 1, diagnostics: error.diagnostics })}\n`);
    for (const d of error.diagnostics) io.err.write(`${renderDiagnostic(d, { color: io.err.color })}\n`);
    tellRefused(error.diagnostics, io);
    return 2;
  }
  annotateError(error instanceof Error ? error.message : String(error), io);
  if (error instanceof FenceLost) {
    io.err.write(`error: ${cleanLine(error.message)}\n`);
    return journal === undefined ? 2 : 1;
  }
  if (isTrouble(error)) {
    io.err.write(`error: ${cleanLine(error.message)}\n${journal === undefined ? '' : `nothing that was done is lost; when the cause is mended: choo resume (journal: ${journal})\n`}`);
    return journal === undefined ? 2 : 1;
  }
  const what = error instanceof Error ? error.stack ?? error.message : String(error);
  io.err.write(`this is a defect in choo\n${what}\n${journal === undefined ? '' : `journal: ${journal}\n`}`);
  return 3;
}

/** Git, disk and sockets that refuse are the world's trouble, not a defect; so is what was caused by them. */
export function isTrouble(error: unknown): error is Error {
  if (!(error instanceof Error) || error instanceof Bug || error instanceof TypeError) return false;
  return error instanceof GitError || error instanceof LockHeld || error instanceof ControlError
    || isSystemError(error) || isSystemError(error.cause);
}

function isSystemError(error: unknown): boolean {
  return /^E[A-Z0-9]+$/.test(errnoOf(error) ?? '');
}
