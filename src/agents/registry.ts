// The one list of agents. Adding an agent is its file, its recorded stream and a line here.

import type { Agent } from './agent.ts';
import { commandAgent } from './command.ts';
import { scriptAgent } from './script.ts';

/** What the configuration and the installation know about agents. */
export interface AgentSettings {
  /** `provider.providers.command.command`. */
  readonly command?: string;
  /** `provider.providers.script.file`, a repository path. */
  readonly scenario?: string;
  /** Program and first arguments that play a scenario. */
  readonly scriptProgram: readonly string[];
}

/** The agent of that name, or what is missing for it, as a sentence with the key to set. */
export function makeAgent(name: string, s: AgentSettings): Agent<unknown> | { readonly missing: string } {
  switch (name) {
    case 'command': return s.command === undefined
      ? { missing: 'the agent `command` needs a program: set provider.providers.command.command in .choo.yaml' }
      : commandAgent(s.command);
    case 'script': return s.scenario === undefined
      ? { missing: 'the agent `script` needs a scenario: set provider.providers.script.file in .choo.yaml' }
      : scriptAgent({ program: s.scriptProgram, scenario: s.scenario });
    default: return { missing: `there is no agent named \`${name}\`; this version has \`command\` and \`script\`` };
  }
}
