// How choo is configured for each real agent when it talks to the scripted model server: a row each. Used by whole.test.ts.

import { CLIENTS, type ClientName } from '../../src/model-server/clients.ts';
import type { Protocol } from '../../src/model-server/turn.ts';
import type { BedConfig } from '../rig/bed.ts';
import { programOf } from './programs.ts';
import type { ROW_NAMES } from './row-names.ts';

/** One agent in choo's configuration. */
export interface Row {
  /** As choo names it, with the program behind it where that differs. */
  readonly name: (typeof ROW_NAMES)[number];
  readonly agent: ClientName;
  /** Its program with its first arguments, for a shell; never one that PATH would find. */
  readonly command: string;
  readonly protocols: readonly Protocol[];
  /** What it spends is seen while it works; else a budget is refused. */
  readonly seen: boolean;
  /** Parts of `.choo.yaml`; `url` is the server's, without a slash at its end. */
  readonly config: (url: string) => BedConfig;
  /** What the user's environment holds beside PATH and HOME. */
  readonly env: (url: string) => Readonly<Record<string, string>>;
  /** Files in the HOME of its user, by path: what it takes from nowhere else. */
  readonly home: (url: string) => Readonly<Record<string, string>>;
}

/** Runs a script of npm's with the Node of the tests. */
function byNode(path: string): string {
  return `${process.execPath} ${path}`;
}

/** A row for the program at `command`; what leads it to the server is that of `client`. */
function row(name: Row['name'], o: { readonly command: string; readonly seen: boolean; readonly agent: ClientName; readonly client?: ClientName; /** Its sessions can be gone on with. */ readonly goesOn: boolean }): Row {
  const { agent, command, seen, goesOn } = o;
  const { protocols, settings, env, home } = CLIENTS[o.client ?? agent];
  return {
    name, agent, command, protocols, seen, env, home,
    config: (url) => ({ provider: { type: agent, providers: { [agent]: { command } } }, agents: { [agent]: { ...(goesOn ? { retry: 'continue' } : {}), ...settings(url) } } }),
  };
}

/** Every agent that runs here. */
export const ROWS: readonly Row[] = [
  row('claude', { agent: 'claude', command: programOf('claude'), seen: true, goesOn: true }),
  row('codex', { agent: 'codex', command: programOf('codex'), seen: true, goesOn: true }),
  row('gemini', { agent: 'gemini', command: byNode(programOf('gemini')), seen: false, goesOn: false }),
  row('opencode', { agent: 'opencode', command: programOf('opencode'), seen: true, goesOn: true }),
  row('copilot', { agent: 'copilot', command: programOf('copilot'), seen: false, goesOn: true }),
  row('acp (claude-agent-acp)', { agent: 'acp', client: 'claude', command: byNode(programOf('claude-acp')), seen: false, goesOn: true }),
];
