// The seam to coding agents: a pure session machine each. It builds a command and reads lines; it starts nothing itself.

/** What an agent is asked to work on. All paths absolute. */
export interface AgentTask {
  /** The whole prompt; given on stdin or by file, never as an argument. */
  readonly prompt: string;
  readonly promptFile: string;
  readonly worktree: string;
}

/** How a session begins. `first` goes to stdin at once; a one-shot agent's stdin is closed after it. */
export interface Opening<S> {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly first: string;
  readonly oneShot: boolean;
  readonly state: S;
}

/** What a line from the agent leads to: the next state, text to send, and whether the conversation is over (stdin is closed). */
export interface Received<S> {
  readonly state: S;
  readonly send?: string;
  readonly close?: boolean;
}

/** One kind of agent as a pure machine; `S` is what it remembers during one session. */
export interface Agent<S = unknown> {
  readonly name: string;
  /** False for agents that may stay silent while they work: the idle limit is off unless it is set. */
  readonly idleLimit: boolean;
  open(task: AgentTask): Opening<S>;
  /** Takes one line of stdout, without its end. */
  receive(line: string, state: S): Received<S>;
  /** What to write to ask it to stop, where its protocol has such a word. */
  interrupt(state: S): string | undefined;
}

/** An agent that takes its prompt on stdin, prints what it likes and ends. */
export function oneShotAgent(o: { readonly name: string; readonly argv: readonly string[] }): Agent<null> {
  return {
    name: o.name,
    idleLimit: false,
    open: (task) => ({ argv: o.argv, env: {}, first: task.prompt, oneShot: true, state: null }),
    receive: (_line, state) => ({ state }),
    interrupt: () => undefined,
  };
}
