// A choo that is going to be killed: runs the program it is given and says so on stdout. Usage: mortal MODE MARKER LOG PROGRAM…

import { systemClock } from '../../../src/adapters/clock.ts';
import { openProcesses } from '../../../src/adapters/processes.ts';

const [contain, marker = '', log = '', ...argv] = process.argv.slice(2);
const processes = await openProcesses({ contain: contain === 'namespace' ? contain : 'group', env: process.env, clock: systemClock(), marker });
const never = new AbortController().signal;
const receive = (line: string): object => {
  process.stdout.write(`${line}\n`);
  return {};
};
await processes.run(
  { argv, cwd: '/', env: {}, log, outputLimit: 1000, totalMs: 600_000, dialogue: { first: '', oneShot: false, receive } },
  { interrupt: never, kill: never },
);
