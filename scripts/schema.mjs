// Writes schema/choo.schema.json from the configuration's one definition. `npm run schema`; a test fails when it is out of date.

import { writeFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'rolldown';

const top = fileURLToPath(new URL('..', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'choo-schema-'));
try {
  const file = join(folder, 'schema.mjs');
  await build({ input: join(top, 'src/discovery/config-schema.ts'), cwd: top, platform: 'node', output: { file, format: 'esm' } });
  const { jsonSchema } = await import(pathToFileURL(file).href);
  await writeFile(join(top, 'schema/choo.schema.json'), `${JSON.stringify(jsonSchema(), null, 2)}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
