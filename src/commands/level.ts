// How much is told on the way. Read from the file as it is on disk, because it only concerns the eyes of who starts choo.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CONFIG_FILE, parseConfig } from '../discovery/config.ts';
import type { LogLevel } from '../discovery/config.ts';
import { resolveSettings } from '../discovery/settings.ts';
import type { Io } from './io.ts';

/** `log_level` of the repository around the current folder, or of the environment. What is wrong with the file is told by whoever opens the run. */
export function logLevel(io: Pick<Io, 'cwd' | 'env'>): LogLevel {
  let folder = io.cwd;
  while (!existsSync(join(folder, '.git')) && dirname(folder) !== folder) folder = dirname(folder);
  const path = join(folder, CONFIG_FILE);
  const { config } = parseConfig(existsSync(path) ? readFileSync(path, 'utf8') : undefined);
  return resolveSettings({ config, env: io.env, flags: {} }).settings.logLevel;
}
