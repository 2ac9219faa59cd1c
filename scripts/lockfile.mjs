// Completes package-lock.json after `npm install` against a mirror that lacks packages for other platforms: npm then
// leaves out optional packages that it cannot see, and `npm ci` refuses such a lockfile. Adds what their parents name.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const path = join(import.meta.dirname, '..', 'package-lock.json');
const lock = JSON.parse(await readFile(path, 'utf8'));

/** Words of a platform package's name (`binding-linux-arm-gnueabihf`) → the lockfile's own fields. */
const SYSTEMS = ['android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'aix', 'win32'];
const PROCESSORS = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64'];

function platformOf(name) {
  const words = name.split('/').at(-1).split('-');
  if (words.includes('wasm32')) return { cpu: ['wasm32'] };
  const os = words.find((word) => SYSTEMS.includes(word));
  const cpu = words.find((word) => PROCESSORS.includes(word));
  if (os === undefined || cpu === undefined) throw new Error(`${name}: its name tells no platform; add it with npm install against a full registry`);
  const libc = os !== 'linux' ? undefined : words.some((word) => word.startsWith('musl')) ? 'musl' : 'glibc';
  return { cpu: [cpu], ...(libc === undefined ? {} : { libc: [libc] }), os: [os] };
}

/** Where Node would find `name` from the package at `from`, nearest first. */
function placesOf(name, from) {
  const levels = from.split('/node_modules/').map((_, i, all) => all.slice(0, all.length - i).join('/node_modules/'));
  return [...levels, ''].map((level) => `${level === '' ? '' : `${level}/`}node_modules/${name}`);
}

let added = 0;
for (const [from, parent] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    const places = placesOf(name, from);
    const found = places.map((place) => lock.packages[place]).find((entry) => entry !== undefined);
    if (found?.version === version) continue;
    if (!/^\d+\.\d+\.\d+[\w.-]*$/.test(version)) {
      if (found === undefined) throw new Error(`${from} asks for ${name} ${version}: not one version; add it with npm install against a full registry`);
      continue;
    }
    // As near to the top as nothing else is, the way npm lays packages out.
    const place = lock.packages[places.at(-1)] === undefined ? places.at(-1) : places[0];
    const { cpu, ...others } = platformOf(name);
    lock.packages[place] = { version, cpu, ...(parent.dev === true ? { dev: true } : {}), optional: true, ...others };
    added++;
  }
}
const sorted = Object.entries(lock.packages).toSorted(([a], [b]) => (a < b ? -1 : 1));
if (added > 0) await writeFile(path, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`);
console.log(`package-lock.json: ${added} entries added`);
