// The one list of agents. Adding an agent is its file, its recorded stream and a line here.

import { acpAgent } from './acp.ts';
import type { Agent } from './agent.ts';
import { claudeAgent } from './claude.ts';
import { codexAgent } from './codex.ts';
import { commandAgent } from './command.ts';
import { copilotAgent } from './copilot.ts';
import { geminiAgent } from './gemini.ts';
import { opencodeAgent } from './opencode.ts';
import { scriptAgent } from './script.ts';

/** What the configuration and the installation know about the programs of agents, by name. */
export interface AgentSettings {
  /** `provider.providers`. */
  readonly programs: Readonly<Record<string, { readonly command?: string; readonly file?: string; readonly mode?: string; readonly auth?: string } | undefined>>;
  /** Programs named by the environment; they come before those of the file. */
  readonly commands: Readonly<Record<string, string | undefined>>;
  /** Programs of choo's own that stand between it and an agent. */
  readonly own: OwnPrograms;
}

/** Program and first arguments of what plays a scenario, and of what speaks the Agent Client Protocol. */
export interface OwnPrograms {
  readonly script: readonly string[];
  readonly acp: readonly string[];
}

/** The agent of that name, or what is missing for it, as a sentence with the key to set. */
export function makeAgent(name: string, s: AgentSettings): Agent<unknown> | { readonly missing: string } {
  const command = s.commands[name] ?? s.programs[name]?.command;
  const program = programOf(command ?? name);
  switch (name) {
    case 'claude': return claudeAgent({ program });
    case 'codex': return codexAgent({ program });
    case 'gemini': return geminiAgent({ program });
    case 'opencode': return opencodeAgent({ program });
    case 'copilot': return copilotAgent({ program });
    case 'acp': return acp(command, s);
    case 'command': return command === undefined
      ? { missing: 'the agent `command` needs a program: set provider.providers.command.command in .choo.yaml' }
      : commandAgent(command);
    case 'script': return s.programs['script']?.file === undefined
      ? { missing: 'the agent `script` needs a scenario: set provider.providers.script.file in .choo.yaml' }
      : scriptAgent({ program: s.own.script, scenario: s.programs['script'].file });
    default: return { missing: `there is no agent named \`${name}\`` };
  }
}

function acp(command: string | undefined, s: AgentSettings): Agent<unknown> | { readonly missing: string } {
  if (command === undefined) return { missing: 'the agent `acp` needs a program: set provider.providers.acp.command in .choo.yaml' };
  const { mode, auth } = s.programs['acp'] ?? {};
  return acpAgent({ program: programOf(command), runner: s.own.acp, ...(mode === undefined ? {} : { mode }), ...(auth === undefined ? {} : { auth }) });
}

/** A program as configured, as the start of an argument vector: by itself when it is one word, else read by a shell, to which further arguments are passed as they are. */
export function programOf(command: string): readonly string[] {
  if (/^[\w@%+:,./-]+$/.test(command)) return [command];
  // `exec` takes no variables before its command, `env` does.
  return ['sh', '-c', `exec ${/^\s*\w+=/.test(command) ? 'env ' : ''}${command} "$@"`, 'agent'];
}
