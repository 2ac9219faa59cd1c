// Prints how long `choo --version`, `choo --help` and a command of the whole program take to start, as ratios to bare
// Node. Medians of rounds that take turns, so that a busy moment hits all alike. Asserts nothing: machines differ.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

const choo = join(import.meta.dirname, '..', '..', 'bin', 'choo');
const ROUNDS = Number(process.argv[2] ?? 25);
const CASES = [
  ['node -e 0', ['-e', '0']],
  ['choo --version', [choo, '--version']],
  ['bin/choo --version', ['--version'], choo],
  ['choo --help', [choo, '--help']],
  ['choo run --help', [choo, 'run', '--help']],
];

/** Wall time of one start, ms. */
function start(argv, program = process.execPath) {
  const begin = performance.now();
  const { status, error } = spawnSync(program, argv, { stdio: 'ignore' });
  if (error !== undefined || status !== 0) throw new Error(`${program} ${argv.join(' ')} ended ${status}`, { cause: error });
  return performance.now() - begin;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

const times = CASES.map(() => []);
for (let round = 0; round < ROUNDS; round++) {
  CASES.forEach(([, argv, program], i) => times[i].push(start(argv, program)));
}
const bare = median(times[0]);
CASES.forEach(([name], i) => {
  const ms = median(times[i]);
  console.log(`${name.padEnd(18)} ${ms.toFixed(1).padStart(7)} ms   × ${(ms / bare).toFixed(2)}`);
});
