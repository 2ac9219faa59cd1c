// The one list of agents. Adding an agent is its file, its recorded stream and a line here.

import type { Agent } from './agent.ts';
import { claudeAgent } from './claude.ts';
import { codexAgent } from './codex.ts';
import { commandAgent } from './command.ts';
import { scriptAgent } from './script.ts';

/** What the configuration and the installation know about the programs of agents, by name. */
export interface AgentSettings {
  /** `provider.providers`. */
  readonly programs: Readonly<Record<string, { readonly command?: string; readonly file?: string } | undefined>>;
  /** Programs named by the environment; they come before those of the file. */
  readonly commands: Readonly<Record<string, string | undefined>>;
  /** Program and first arguments that play a scenario. */
  readonly scriptProgram: readonly string[];
}

/** The agent of that name, or what is missing for it, as a sentence with the key to set. */
export function makeAgent(name: string, s: AgentSettings): Agent<unknown> | { readonly missing: string } {
  const command = s.commands[name] ?? s.programs[name]?.command;
  const program = programOf(command ?? name);
  switch (name) {
    case 'claude': return claudeAgent({ program });
    case 'codex': return codexAgent({ program });
    case 'command': return command === undefined
      ? { missing: 'the agent `command` needs a program: set provider.providers.command.command in .choo.yaml' }
      : commandAgent(command);
    case 'script': return s.programs['script']?.file === undefined
      ? { missing: 'the agent `script` needs a scenario: set provider.providers.script.file in .choo.yaml' }
      : scriptAgent({ program: s.scriptProgram, scenario: s.programs['script'].file });
    default: return { missing: `there is no agent named \`${name}\`` };
  }
}

/** A program as configured, as the start of an argument vector: by itself when it is one word, else read by a shell, to which further arguments are passed as they are. */
function programOf(command: string): readonly string[] {
  return /^[\w@%+=:,./-]+$/.test(command) ? [command] : ['sh', '-c', `exec ${command} "$@"`, 'agent'];
}
