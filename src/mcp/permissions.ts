// What an assistant may be allowed. Apart from the tools, because the command line loads it at every start.

/** What `choo mcp --allow` may name. */
export const WRITES = ['run', 'resume', 'stop', 'retry'] as const;

/** What the server was allowed beyond looking. `approve` has a flag of its own. */
export type Permission = (typeof WRITES)[number] | 'approve';
