// The `command` agent: any program, run by the shell in the worktree. Exit 0 means it thinks it is done.

import { oneShotAgent } from './agent.ts';
import type { Agent } from './agent.ts';

/** Takes the configured shell command. The command is the user's own text from the pinned configuration; nothing is added to it. */
export function commandAgent(command: string): Agent<null> {
  return oneShotAgent({ name: 'command', argv: ['sh', '-c', command] });
}
