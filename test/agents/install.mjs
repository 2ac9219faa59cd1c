// Installs the agents of agents.json from npm at their exact versions into .cache/agents, two at a time; what is there
// already stays. No install script runs. `node test/agents/install.mjs [NAME…]`; without a name all of them.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const top = join(import.meta.dirname, '..', '..');
const cache = join(top, '.cache', 'agents');
const agents = JSON.parse(readFileSync(join(import.meta.dirname, 'agents.json'), 'utf8'));

/** `@scope/name` at a version as one folder's name. */
function folderOf({ package: name, version }) {
  return join(cache, `${name.replace('@', '').replaceAll('/', '-')}-${version}`);
}

async function install(name) {
  const agent = agents[name];
  if (agent === undefined) throw new Error(`there is no agent ${name}; there are ${Object.keys(agents).join(', ')}`);
  const folder = folderOf(agent);
  if (existsSync(join(folder, 'node_modules'))) {
    console.log(`${name} ${agent.version} is there`);
    return;
  }
  mkdirSync(cache, { recursive: true });
  // Beside its place and then renamed, so that an install that was cut is never taken for a whole one.
  const half = mkdtempSync(join(cache, '.half-'));
  try {
    const options = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--engine-strict=false'];
    // With `--prefix` npm would look for its global configuration there, and know no certificates.
    writeFileSync(join(half, 'package.json'), '{ "private": true }\n');
    // What an agent says of its Node is about the script npm puts before it; `engine-strict` comes along from `npm run`.
    const [status] = await once(spawn('npm', ['install', ...options, `${agent.package}@${agent.version}`], { cwd: half, stdio: 'inherit' }), 'close');
    if (status !== 0) throw new Error(`npm could not install ${agent.package}@${agent.version}`);
    if (!existsSync(join(folder, 'node_modules'))) renameSync(half, folder);
    console.log(`${name} ${agent.version} is installed`);
  } finally {
    rmSync(half, { recursive: true, force: true });
  }
}

const asked = process.argv.slice(2);
const left = asked.length > 0 ? asked : Object.keys(agents);
const one = async () => {
  for (let name = left.shift(); name !== undefined; name = left.shift()) await install(name);
};
await Promise.all([one(), one()]);
