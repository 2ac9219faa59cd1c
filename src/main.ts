// argv → command → exit code. Knows the commands by `commands/program.ts`; never ends the process.

import { CommanderError } from 'commander';
import { makeIo } from './commands/io.ts';
import type { IoParts } from './commands/io.ts';
import { buildProgram } from './commands/program.ts';

/** Runs the command that `argv` (without node and script) names. Resolves with the exit code: 0 all is well, 1 something is not, 2 wrong usage or repository, 3 a defect in choo. */
export async function main(argv: readonly string[], parts: IoParts = {}): Promise<number> {
  const io = makeIo({ ...parts, argv });
  // Asked by completion scripts while somebody types; no command of a person's.
  if (argv[0] === '__complete') {
    const { complete } = await import('./commands/complete.ts');
    return complete(argv[1], io);
  }
  let code = 0;
  const program = buildProgram({ io, exit: (c) => { code = c; } });
  try {
    await program.parseAsync(argv.length === 0 ? ['--help'] : argv, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      const { annotateError } = await import('./commands/actions.ts');
      annotateError(error.message, io);
      return 2;
    }
    const { report } = await import('./commands/errors.ts');
    return report(error, { io, json: false, journal: undefined });
  }
}
