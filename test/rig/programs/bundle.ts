// Makes a program of its own out of a TypeScript file, for tests that need several processes or a kill -9.

import { join } from 'node:path';
import { rolldown } from 'rolldown';

/** Bundles `test/rig/programs/<name>.ts` into `folder`; gives back the path of what Node can run. */
export async function bundleProgram(name: string, folder: string): Promise<string> {
  const file = join(folder, `${name}.mjs`);
  const bundle = await rolldown({ input: join(import.meta.dirname, `${name}.ts`), platform: 'node' });
  await bundle.write({ file, format: 'esm' });
  await bundle.close();
  return file;
}
