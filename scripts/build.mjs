// Builds dist/ from src/ with what the lockfile installed: the program (choo.cjs starts, main.js is the rest), the library (index.js) with its
// types, and beside them, where the code looks for them, the scripted agent, what talks ACP, and the thread that sends telemetry
// (script-agent.js, acp-agent.js, otlp.js), and the dashboard's page (web/). Built beside and put in place by a rename, so dist/ is never half there.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';

const run = promisify(execFile);
const top = join(dirname(fileURLToPath(import.meta.url)), '..');
/** `--failpoints FOLDER`: into that folder goes a program that can be made to die at its failpoints. The release knows none. */
const failpoints = process.argv[2] === '--failpoints';
const dist = failpoints ? resolve(process.argv[3]) : join(top, 'dist');
const fresh = `${failpoints ? dist : join(top, '.cache', 'build')}-${process.pid}`;
const { version } = JSON.parse(await readFile(join(top, 'package.json'), 'utf8'));

/** Argument lines that dist/choo.cjs answers itself; what the whole program prints for each is taken as it is. */
const ANSWERED = ['--version', 'version', '--help', '-h'];

/** Bundles the given entries into `fresh`, each `whole` one into a single file; gives back the files that went in. */
async function bundle({ input, format, extension, define, external, whole = false }) {
  const build = await rolldown({
    cwd: top,
    input,
    platform: 'node',
    external: [/^node:/, ...external],
    transform: { define: { CHOO_VERSION: JSON.stringify(version), ...(failpoints ? { CHOO_FAILPOINTS: 'true' } : {}), ...define } },
    // Calls of what does nothing are left out, names and all.
    ...(failpoints ? {} : { treeshake: { manualPureFunctions: ['failpoint'] } }),
  });
  try {
    const { output } = await build.write({
      dir: fresh,
      format,
      entryFileNames: `[name].${extension}`,
      chunkFileNames: `part-[name].${extension}`,
      ...(whole ? { codeSplitting: false } : {}),
    });
    return output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []));
  } finally {
    await build.close();
  }
}

/** Bundles the dashboard's page into `fresh`/web; gives back the files that went in. */
async function bundlePage() {
  const folder = join(fresh, 'web');
  await mkdir(folder, { recursive: true });
  const build = await rolldown({
    cwd: top, input: { app: 'web/app.tsx', layout: 'web/layout-worker.ts' }, platform: 'browser', tsconfig: 'web/tsconfig.json',
    transform: { define: { 'process.env.NODE_ENV': '"production"' } },
  });
  try {
    const { output } = await build.write({ dir: folder, format: 'esm', entryFileNames: '[name].js', chunkFileNames: 'part-[name].js', minify: true });
    for (const name of ['index.html', 'style.css']) await copyFile(join(top, 'web', name), join(folder, name));
    return output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []));
  } finally {
    await build.close();
  }
}

/** What the freshly bundled program prints for each of ANSWERED, as on a terminal 80 wide without colour. */
async function answers() {
  const script = 'const { main } = await import(process.argv[1]); process.exitCode = await main(process.argv.slice(2));';
  const main = pathToFileURL(join(fresh, 'main.js')).href;
  const env = { ...process.env, NO_COLOR: '1', COLUMNS: '80' };
  return Promise.all(ANSWERED.map(async (argument) => {
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script, '--', main, argument], { env });
    return [argument, stdout];
  }));
}

/** Writes the licences of the packages that went into the bundle, as they ask for. Those that bring no text have theirs in scripts/licences/. */
async function writeLicences(files) {
  const folders = new Set(files.flatMap((file) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0] ?? []));
  const texts = await Promise.all([...folders].toSorted().map(async (folder) => {
    const { name, version: release } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    const licence = (await readdir(folder)).find((file) => /^licen[cs]e/i.test(file));
    const kept = join(top, 'scripts', 'licences', `${name}.txt`);
    if (licence === undefined && !existsSync(kept)) throw new Error(`${name} is bundled but has no licence file in ${folder}; put its text into ${kept}`);
    return `${name} ${release}\n\n${await readFile(licence === undefined ? kept : join(folder, licence), 'utf8')}`;
  }));
  await writeFile(join(fresh, 'THIRD-PARTY-LICENSES.txt'), texts.join(`\n${'-'.repeat(78)}\n\n`));
}

/** Writes the library's type declarations. */
async function writeTypes() {
  const tsc = join(top, 'node_modules', 'typescript', 'bin', 'tsc');
  try {
    await run(process.execPath, [tsc, '-p', join(top, 'tsconfig.build.json'), '--outDir', join(fresh, 'types')], { cwd: top });
  } catch (error) {
    throw new Error(`type declarations failed:\n${error.stdout}`, { cause: error });
  }
}

/** Puts the finished build in place of the last one. */
async function putInPlace() {
  const old = `${fresh}-old`;
  if (existsSync(dist)) await rename(dist, old);
  await rename(fresh, dist);
  await rm(old, { recursive: true, force: true });
}

await mkdir(fresh, { recursive: true });
try {
  const types = failpoints ? undefined : writeTypes();
  const page = await bundlePage();
  const files = await bundle({
    input: { main: 'src/main.ts', index: 'src/index.ts', 'script-agent': 'src/agents/script-program.ts', 'acp-agent': 'src/agents/acp-program.ts' }, format: 'esm', extension: 'js', define: { 'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"' }, external: ['react-devtools-core'],
  });
  // By itself, so that what it shares with the program does not split the program into more files that every start reads.
  const ofThread = await bundle({ input: { otlp: 'src/otlp/program.ts' }, format: 'esm', extension: 'js', define: {}, external: [], whole: true });
  await bundle({
    input: { choo: 'src/entry.ts' }, format: 'cjs', extension: 'cjs', external: ['./main.js'],
    define: { CHOO_ANSWERS: JSON.stringify(await answers()), CHOO_MAIN: '"./main.js"' },
  });
  if (!failpoints) await writeLicences([...files, ...ofThread, ...page]);
  await types;
  await putInPlace();
} finally {
  await rm(fresh, { recursive: true, force: true });
}
