// Why nothing ran: the user's repository, files, flags or environment, as diagnostics. The one thing that is thrown for them.

import { errorAt } from '../discovery/diagnostic.ts';
import type { Diagnostic } from '../discovery/diagnostic.ts';

/** Nothing was started and nothing changed; the program ends with exit code 2. Carries at least one error. */
export class Refusal extends Error {
  override name = 'Refusal';
  readonly diagnostics: readonly Diagnostic[];
  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map((d) => d.message).join('; '));
    this.diagnostics = diagnostics;
  }
}

/** A refusal for one reason, with what to do about it. */
export function refuse(code: string, message: string, hint?: string): Refusal {
  return new Refusal([errorAt(code, message, { hint })]);
}
