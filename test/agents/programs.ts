// Where the agents' programs are that install.mjs has installed. Never looks on PATH.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const top = join(import.meta.dirname, '..', '..');

/** Names of all that can be installed, as in agents.json. */
export type ProgramName = 'claude' | 'codex' | 'gemini' | 'opencode' | 'copilot' | 'claude-acp' | 'codex-acp';

interface Row {
  readonly package: string;
  readonly version: string;
  readonly program: string;
}

/** Absolute path of an agent's program; throws with the command that installs it. */
export function programOf(name: ProgramName): string {
  const row = rowOf(name);
  const triple = `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-${process.platform === 'darwin' ? 'apple-darwin' : 'unknown-linux-musl'}`;
  const inside = row.program.replace('{platform}', process.platform).replace('{arch}', process.arch).replace('{triple}', triple);
  const path = join(top, '.cache', 'agents', `${row.package.replace('@', '').replaceAll('/', '-')}-${row.version}`, inside);
  if (!existsSync(path)) throw new Error(`${path} is missing: node test/agents/install.mjs ${name}`);
  return path;
}

function rowOf(name: ProgramName): Row {
  const rows = JSON.parse(readFileSync(join(import.meta.dirname, 'agents.json'), 'utf8')) as Record<ProgramName, Row>;
  return rows[name];
}
