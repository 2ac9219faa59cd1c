// The `script` agent: plays a scenario file instead of thinking. The demo and the tests work with it; `script-program.ts` is the program.

import { oneShotAgent } from './agent.ts';
import type { Agent } from './agent.ts';

/** Takes the program that plays (argv without the scenario) and the scenario's path in the worktree. */
export function scriptAgent(o: { readonly program: readonly string[]; readonly scenario: string }): Agent<null> {
  return oneShotAgent({ name: 'script', argv: [...o.program, o.scenario] });
}
