// `npm run sim`: bundles the simulator into .cache/ and runs it with the arguments given. What they mean is test/sim/main.ts.

import { rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const top = join(dirname(fileURLToPath(import.meta.url)), '..');
const file = join(top, '.cache', 'sim', `simulator-${process.pid}.mjs`);
await mkdir(dirname(file), { recursive: true });
const build = await rolldown({ cwd: top, input: join(top, 'test/sim/main.ts'), platform: 'node', external: [/^node:/, 'rolldown'], logLevel: 'silent' });
await build.write({ file, format: 'esm' });
await build.close();
process.argv[1] = file;
process.on('exit', () => rmSync(file, { force: true }));
await import(pathToFileURL(file).href);
