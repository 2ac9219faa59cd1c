// Where the built program starts. Answers `--version` and plain `--help` from text made at build time, because loading
// the whole program costs more than both; everything else goes to main.ts, loaded only then.

import module from 'node:module';
import { isAbsolute, join } from 'node:path';
import type * as Main from './main.ts';

/** What the whole program prints for the argument lines it is most often asked for; filled in by scripts/build.mjs. */
declare const CHOO_ANSWERS: readonly (readonly [argument: string, text: string])[];
/** Where the bundle of main.ts lies, seen from this file's bundle; a name the bundler does not follow. */
declare const CHOO_MAIN: string;

/** Answers from the prepared texts or hands over to main.ts; the process's exit code tells how it ended. */
async function start(argv: readonly string[]): Promise<void> {
  process.stdout.on('error', (error: Error & { readonly code?: string }) => isLost(error, argv[0]));
  process.stderr.on('error', endsPrinting);
  const asked = argv.length > 1 ? undefined : argv[0] ?? '--help';
  const [, answer] = CHOO_ANSWERS.find(([argument]) => argument === asked) ?? [];
  if (answer !== undefined) {
    process.stdout.write(answer);
    return;
  }
  useCompileCache();
  const { main } = (await import(CHOO_MAIN)) as typeof Main;
  process.exitCode = await main([...argv]);
}

/** Who prints notices by itself that nobody reads. */
function endsPrinting(): void {}

/** What these print is not what they are for. */
const WORKS = new Set(['run', 'resume', 'demo']);

/** A reader that went away (`choo status | head -1`) ends what is printed, and so does a full disk; but what a disk did not take is missing, and whoever wanted it is told. */
function isLost(error: Error & { readonly code?: string }, command: string | undefined): void {
  if (error.code === 'EPIPE') return;
  process.once('exit', (code) => {
    process.stderr.write(`error: standard output cannot be written (${error.code ?? error.message}): what was printed is not all there\n`);
    if (code === 0 && !WORKS.has(command ?? '')) process.exitCode = 1;
  });
}

/** Newer Nodes keep compiled code between starts. In a folder of the user's own: one in the system's temporary folder could be planted. */
function useCompileCache(): void {
  const { enableCompileCache } = module as { enableCompileCache?: (folder: string) => unknown };
  const home = process.env['HOME'];
  const cache = process.env['XDG_CACHE_HOME'] ?? (home === undefined ? undefined : join(home, '.cache'));
  if (cache !== undefined && isAbsolute(cache)) enableCompileCache?.(join(cache, 'choo', 'compiled'));
}

start(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`choo: this is a defect in choo\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 3;
});
