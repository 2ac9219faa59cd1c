// An outside whose printing is kept as text, for who needs what a command prints. No terminal, no colours.

import type { Io, Printer } from './io.ts';

/** What was printed so far. */
export interface Captured {
  readonly io: Io;
  readonly out: () => string;
  readonly err: () => string;
}

/** An outside in this folder, with this environment and command line. */
export function captured(where: Pick<Io, 'cwd' | 'env'>, argv: readonly string[] = []): Captured {
  const [out, err] = [keeper(), keeper()];
  return {
    io: { out: out.printer, err: err.printer, cwd: where.cwd, env: where.env, argv, start: { hangupIgnored: false } },
    out: out.text, err: err.text,
  };
}

function keeper(): { readonly printer: Printer; readonly text: () => string } {
  const parts: string[] = [];
  return {
    text: () => parts.join(''),
    printer: {
      write: (text) => { parts.push(text); },
      color: false, terminal: false, rows: () => undefined, columns: () => undefined, whenResized: () => undefined, gone: () => false, whenGone: () => undefined,
    },
  };
}
