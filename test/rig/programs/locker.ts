// Tries to take a repository's lock, says what came of it, and keeps it until its stdin ends. Usage: locker COMMON_DIR

import { acquireLock, LockHeld } from '../../../src/adapters/lock.ts';

try {
  const lock = await acquireLock(process.argv[2] ?? '');
  process.stdout.write(lock.tookOverFrom === undefined ? 'won\n' : 'took over\n');
  for await (const _ of process.stdin) continue;
  await lock.release();
} catch (error) {
  process.stdout.write(error instanceof LockHeld ? `${error.state}\n` : `${String(error)}\n`);
}
