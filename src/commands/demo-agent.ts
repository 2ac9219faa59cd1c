// A real agent for the demo: the user's own program, led to the scripted model server on 127.0.0.1, in an environment that holds
// nothing else of the user's. Writes and starts nothing but the server.

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { systemClock } from '../adapters/clock.ts';
import { cleanLine } from '../core/clean.ts';
import { didYouMean } from '../discovery/suggest.ts';
import { CLIENTS } from '../model-server/clients.ts';
import type { ClientName } from '../model-server/clients.ts';
import { openModelServer } from '../model-server/server.ts';
import { refuse } from '../opening/refusal.ts';
import { agentFiles } from './demo-files.ts';
import { demoScenario, quoted } from './demo-turns.ts';
import type { Io } from './io.ts';

/** Who works in the demo. */
export interface DemoAgent {
  /** Configuration and what belongs to it, by path in the repository. */
  readonly files: Readonly<Record<string, string>>;
  /** Files in HOME, by path. */
  readonly home: Readonly<Record<string, string>>;
  /** The environment, without HOME and TMPDIR. */
  readonly env: NodeJS.ProcessEnv;
  /** Who it is and what it sees, for people. */
  readonly about: string;
  /** What a person should know at the end, when the demo failed. */
  readonly complaints: () => readonly string[];
  readonly close: () => Promise<void>;
}

/** What passes into the emptied environment. */
const KEPT = ['PATH', 'TERM', 'LANG'] as const;

/** Starts the model server for the agent of that name. `command`: its program, as in `.choo.yaml`; a path is seen from the current folder. Throws Refusal for what cannot be. */
export async function realAgent(o: { readonly agent: string; readonly command: string | undefined }, io: Pick<Io, 'cwd' | 'env'>): Promise<DemoAgent> {
  const name = known(o.agent);
  const command = o.command === undefined ? undefined : commandFrom(o.command, io.cwd);
  if (command === undefined && name === 'acp') throw refuse('missing-key', 'any program can stand behind the agent `acp`', 'name it: choo demo --agent acp --command "gemini --acp"');
  const client = CLIENTS[name];
  const server = await openModelServer({ protocols: client.protocols, scenario: demoScenario(), clock: systemClock() });
  const kept = KEPT.flatMap((variable) => (io.env[variable] === undefined ? [] : [[variable, io.env[variable]] as const]));
  return {
    files: agentFiles({ agent: name, command, settings: client.settings(server.url) }),
    home: client.home(server.url),
    env: { ...Object.fromEntries(kept), ...client.env(server.url), GIT_CONFIG_NOSYSTEM: '1' },
    about: `The agent is your \`${name}\`; its model is a script at ${server.url}: no key, no bill; the tokens and money told below are made up.\nOf your environment it sees ${KEPT.join(', ')} and nothing else: an empty HOME, none of your settings, keys and logins.`,
    complaints: () => server.bad.map((sentence) => `the scripted model server refused what the agent asked: ${cleanLine(sentence)}`),
    close: () => server.close(),
  };
}

function known(agent: string): ClientName {
  const names = Object.keys(CLIENTS) as ClientName[];
  const name = names.find((n) => n === agent);
  if (name !== undefined) return name;
  if (agent === 'script') throw refuse('unknown-provider', 'the agent `script` asks no model', 'it is the one of the demo without --agent');
  if (agent === 'command') throw refuse('unknown-provider', 'what model a `command` asks, and how, is not known', `with a model of the demo's own: one of ${names.join(', ')}`);
  throw refuse('unknown-provider', `there is no agent \`${cleanLine(agent)}\``, didYouMean(agent, names) ?? `one of ${names.join(', ')}`);
}

/** The command as the run needs it, which starts it in other folders: a path to a file becomes absolute. */
export function commandFrom(command: string, cwd: string): string {
  if (command.trim() === '' || command.includes('\0')) throw refuse('missing-key', '--command names no program', 'leave it out for the agent\'s usual name on PATH');
  const path = resolve(cwd, command);
  if (!command.includes('/') || !existsSync(path)) return command;
  return /^[\w@%+=:,./-]+$/.test(path) ? path : quoted(path);
}
