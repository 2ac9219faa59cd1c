// The shells that completions are made for. Apart from the scripts, because the command line loads it at every start.

/** What `choo completion` may name. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** One of them. */
export type ShellName = (typeof SHELLS)[number];
