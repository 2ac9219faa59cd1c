// `choo mcp`: the tools of choo for an assistant, over stdin and stdout. What the tools are lies in mcp/.

import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { stdin, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { serve } from '../mcp/server.ts';
import type { Permission } from '../mcp/permissions.ts';
import { report } from './errors.ts';
import type { Io } from './io.ts';

/** What `choo mcp` was asked for. */
export interface McpOptions {
  readonly allow?: readonly Permission[];
  readonly allowApprove?: boolean;
  /** The folder that is looked at instead of the current one. */
  readonly repository?: string;
}

/** Serves until the client is gone; exit code 0 then. */
export async function mcp(o: McpOptions, io: Io): Promise<number> {
  try {
    await serve({
      place: { cwd: resolve(io.cwd, o.repository ?? '.'), env: io.env },
      allowed: new Set([...(o.allow ?? []), ...(o.allowApprove === true ? ['approve' as const] : [])]),
      schema: publishedSchema, stdin, stdout, say: (line) => io.err.write(`${line}\n`),
    });
    return 0;
  } catch (error) {
    return report(error, { io, json: false, journal: undefined });
  }
}

/** A schema of the package, which lies beside the built program. */
function publishedSchema(name: string): Readonly<Record<string, unknown>> {
  const folder = join(dirname(fileURLToPath(import.meta.url)), '..', 'schema');
  const { $schema: _, ...schema } = JSON.parse(readFileSync(join(folder, `${name}.schema.json`), 'utf8')) as Record<string, unknown>;
  return schema;
}
