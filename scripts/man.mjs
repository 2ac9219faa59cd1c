// Writes man/choo.1 from the definitions of the commands, as `npm run build` does; a test fails when it is out of date.

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'rolldown';

const top = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(await readFile(join(top, 'package.json'), 'utf8'));
const folder = await mkdtemp(join(tmpdir(), 'choo-man-'));
try {
  const entry = join(folder, 'entry.ts');
  await writeFile(entry, ['commands/program.ts', 'commands/shape.ts', 'show/man.ts'].map((path) => `export * from ${JSON.stringify(join(top, 'src', path))};\n`).join(''));
  await build({
    input: entry, cwd: top, platform: 'node',
    // What a command loads when it runs; here none does.
    external: [/^ink$/, /^react/, /^@opentelemetry\//, /^@octokit\//, /^@modelcontextprotocol\//],
    transform: { define: { CHOO_VERSION: JSON.stringify(version) } }, output: { dir: folder, format: 'esm', entryFileNames: 'man.mjs' },
  });
  const { buildProgram, shapeOf, manPage } = await import(pathToFileURL(join(folder, 'man.mjs')).href);
  await mkdir(join(top, 'man'), { recursive: true });
  await writeFile(join(top, 'man', 'choo.1'), manPage(shapeOf(buildProgram()), version));
} finally {
  await rm(folder, { recursive: true, force: true });
}
