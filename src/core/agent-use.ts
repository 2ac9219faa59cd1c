// How an agent is used, as the configuration says: one shape for the file's reader and for whoever starts it.

import type { Price } from './usage.ts';

/** How far an agent may go by itself, as `agents.permissions` says. Each agent's file maps it to the agent's own modes. */
export type Permissions = 'sandboxed' | 'workspace' | 'full';

/** What the configuration says about the use of one agent, beside what decides who works (`AgentRules`). */
export interface AgentUse {
  readonly permissions: Permissions;
  /** More arguments and variables. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Limits of its own, ms; absent: `limits.agent_idle`, `limits.agent_total`. */
  readonly idleMs?: number;
  readonly totalMs?: number;
  readonly maxTurns?: number;
  /** A retry goes on with the agent's own session. */
  readonly goOn: boolean;
  /** Prices by model; `*` for all others. */
  readonly prices: Readonly<Record<string, Price>>;
}
