// Kills choo for real: builds the program with its failpoints and the harness beside it (kills.ts), and runs that.
// Usage: node test/kills/main.mjs [--runs 50] [--kills 500] [--seed N] [--jobs 2] [--each 20] [--keep]

import { mkdtemp, rm } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';

const here = dirname(fileURLToPath(import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'choo-kills-build-'));
try {
  const build = promisify(execFile)(process.execPath, [join(here, '..', '..', 'scripts', 'build.mjs'), '--failpoints', join(folder, 'choo')]);
  const bundle = await rolldown({ input: join(here, 'kills.ts'), platform: 'node' });
  await bundle.write({ file: join(folder, 'kills.mjs'), format: 'esm' });
  await bundle.close();
  await build;
  const { kills } = await import(pathToFileURL(join(folder, 'kills.mjs')).href);
  process.exitCode = await kills(process.argv.slice(2), { program: join(folder, 'choo', 'choo.cjs'), agent: join(here, 'agent.sh') });
} finally {
  await rm(folder, { recursive: true, force: true });
}
