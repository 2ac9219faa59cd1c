// Makes one program out of the simulator and the engine, with or without a defect laid in. Touches no source.

import { join } from 'node:path';
import { rolldown } from 'rolldown';
import type { Mutant } from './mutant.ts';

/** The repository's top, from here and from a bundle in .cache/sim/. */
export const TOP = join(import.meta.dirname, '../..');
/** Where bundles of the simulator go. */
export const BUNDLES = join(TOP, '.cache/sim');

/** Bundles the simulator into `file`. Throws when the text to be replaced is not there exactly once. */
export async function bundleSimulator(o: { readonly file: string; readonly mutant?: Mutant }): Promise<void> {
  const { mutant } = o;
  let changed = mutant === undefined;
  const plugin = {
    name: 'mutant',
    transform(code: string, id: string): string | undefined {
      if (mutant === undefined || !id.endsWith(`/${mutant.file}`)) return undefined;
      const parts = code.split(mutant.find);
      if (parts.length !== 2) throw new Error(`mutant ${mutant.name}: its text occurs ${parts.length - 1} times in ${mutant.file}`);
      changed = true;
      return parts.join(mutant.replace);
    },
  };
  const build = await rolldown({ cwd: TOP, input: join(TOP, 'test/sim/main.ts'), platform: 'node', external: [/^node:/, 'rolldown'], plugins: [plugin], logLevel: 'silent' });
  try {
    await build.write({ file: o.file, format: 'esm' });
  } finally {
    await build.close();
  }
  if (!changed) throw new Error(`mutant ${mutant?.name}: ${mutant?.file} is not in the bundle`);
}
