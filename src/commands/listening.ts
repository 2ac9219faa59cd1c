// The machines of agents that tell what they do in messages, for reading their logs. Starts none of them.

import type { Agent } from '../agents/agent.ts';
import { makeAgent } from '../agents/registry.ts';

/** The agent of that name if its output is messages; undefined for one whose output is text, or that this version does not know. */
export function listeningAgent(name: string): Agent | undefined {
  // The configuration does not matter to one that only reads.
  const agent = makeAgent(name, { programs: {}, commands: { [name]: name }, own: { script: [], acp: [] } });
  return 'missing' in agent || !agent.listens ? undefined : agent;
}
