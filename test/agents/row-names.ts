// Names of the agents in the table of docs/agents.md, in its order. Apart from rows.ts, which wants the programs installed.

/** As choo names them, with the program behind it where that differs. */
export const ROW_NAMES = ['claude', 'codex', 'gemini', 'opencode', 'copilot', 'acp (claude-agent-acp)'] as const;
