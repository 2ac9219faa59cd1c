// The token by which pages get in, and the port they know: kept beside the journals, so that an open page finds its server again.

import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../adapters/errno.ts';
import { makeChooFolder } from '../adapters/runs.ts';

/** What a server of this repository had the last time. */
export interface Pass {
  readonly token: string;
  readonly port?: number;
  /** The address it listened on. */
  readonly listen?: string;
}

/** The pass of this repository, a new one when there is none that only its user can read. */
export async function readPass(commonDir: string): Promise<Pass> {
  return await kept(join(await makeChooFolder(commonDir), 'web.json')) ?? { token: randomBytes(32).toString('base64url') };
}

/** Keeps it, for this user alone. */
export async function keepPass(commonDir: string, pass: Pass): Promise<void> {
  const path = join(await makeChooFolder(commonDir), 'web.json');
  const fresh = `${path}.${process.pid}`;
  const file = await open(fresh, 'w', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(pass)}\n`);
  } finally {
    await file.close();
  }
  await rename(fresh, path);
}

/** Cookies know no ports: each repository has a name of its own. */
export function cookieName(commonDir: string): string {
  return `choo-${createHash('sha256').update(commonDir).digest('hex').slice(0, 16)}`;
}

async function kept(path: string): Promise<Pass | undefined> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ELOOP') return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  try {
    const { mode, uid } = await file.stat();
    if (mode % 0o100 !== 0 || uid !== process.getuid?.()) return undefined;
    const { token, port, listen } = JSON.parse(await file.readFile('utf8')) as Partial<Pass>;
    if (typeof token !== 'string' || !/^[\w-]{43}$/.test(token)) return undefined;
    const at = typeof listen === 'string' && /^[\w.:-]{1,255}$/.test(listen) ? { listen } : {};
    return { token, ...at, ...(typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65536 ? { port } : {}) };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  } finally {
    await file.close();
  }
}
