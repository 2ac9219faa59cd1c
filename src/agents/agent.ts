// The seam to coding agents: a pure session machine each. It builds a command, reads lines and judges the end; it starts
// nothing itself. One file an agent, one line in registry.ts, one recorded stream: docs/agents.md.

import type { Activity } from '../core/activity.ts';
import type { Ending, TroubleKind } from '../core/failure.ts';
import type { Permissions } from '../core/agent-use.ts';
import type { Usage } from '../core/usage.ts';

export type { Activity } from '../core/activity.ts';

/** What one attempt may cost. One of the two; both absent is no cap. */
export interface Cap {
  readonly usd?: number;
  readonly tokens?: number;
}

/** What an agent is asked to work on. All paths absolute. */
export interface AgentTask {
  /** The whole prompt; given on stdin or by file, never as an argument. */
  readonly prompt: string;
  readonly promptFile: string;
  readonly worktree: string;
  /** What git writes outside the worktree when the agent commits there: files and folders that a sandbox must leave writable. */
  readonly gitPaths: readonly string[];
  /** An existing folder outside the worktree, of this attempt alone and gone after the run: for settings and temporary files. */
  readonly scratch: string;
  readonly permissions: Permissions;
  /** As configured; undefined: the agent's own default. */
  readonly model?: string;
  /** More arguments, as configured, placed where the agent's program takes options. */
  readonly args: readonly string[];
  /** A fresh UUID, for agents that let the caller name the session. */
  readonly session: string;
  /** The session of an earlier attempt to go on with, as that attempt's `Received.session` named it. */
  readonly goOn?: string;
  /** For the agent's own limit, where it has one. choo ends it at the cap in any case. */
  readonly cap: Cap;
  /** Turns after which the agent is to end by itself, where it has such an option. */
  readonly maxTurns?: number;
}

/** How a session begins. `first` goes to stdin at once; a one-shot agent's stdin is closed after it. */
export interface Opening<S> {
  readonly argv: readonly string[];
  /** Added to the user's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Files to write before the start: absolute path → text. Only in `AgentTask.scratch`. */
  readonly files?: Readonly<Record<string, string>>;
  readonly first: string;
  readonly oneShot: boolean;
  readonly state: S;
}

/**
 * Why an agent cannot go on, in its own words. `quota`: used up until a moment; `overload`: its service is busy or broken, later
 * will do; `login`: nobody is logged in, or no longer; `setup`: it refuses to start as it is installed or configured here.
 */
export interface Trouble {
  readonly kind: TroubleKind;
  /** One line for people. */
  readonly text: string;
  /** When to try again, ms since 1970, as the agent said. */
  readonly until?: number;
}

/** What a line from the agent leads to. */
export interface Received<S> {
  readonly state: S;
  /** Text for stdin, with its line end. */
  readonly send?: string;
  /** The conversation is over: stdin is closed. */
  readonly close?: boolean;
  readonly activity?: readonly Activity[];
  /** All that this session has used so far, not what the line adds; in a session that goes on, without what came before. */
  readonly usage?: Usage;
  /** The session's id, for `AgentTask.goOn`. */
  readonly session?: string;
  /** The agent says that it is done; it is given a while to end and is then ended, successfully. */
  readonly done?: boolean;
  /** The line shows no progress (a retry, a sign of life): the idle limit goes on. */
  readonly quiet?: boolean;
  /** There is no use in waiting for the end: it is ended now, and this is why. */
  readonly stop?: Trouble;
}

/** What a session came to: the check decides about the work, except that `trouble` is no attempt at all. */
export interface Verdict {
  /** It said or showed that it failed, in one line, whatever its exit code. */
  readonly failed?: string;
  readonly trouble?: Trouble;
  /** The session to go on with (`AgentTask.goOn`) is no more, and nothing was done: it can be begun anew. */
  readonly gone?: true;
}

/** What an agent can do; the parts of the table in docs/agents.md that are no measurement. */
export interface Abilities {
  /** Permission policies that it enforces; asking for another is refused with `why`. */
  readonly permissions: readonly Permissions[];
  readonly why?: string;
  /** What its stream tells while it works. `usd` false: money only by a table of prices. */
  readonly usage: { readonly tokens: boolean; readonly usd: boolean };
  /** A session can be gone on with. */
  readonly goOn: boolean;
  /** Ends by itself at a cap in money. */
  readonly ownCap: boolean;
}

/** One kind of agent as a pure machine; `S` is what it remembers during one session. */
export interface Agent<S = unknown> {
  readonly name: string;
  /** False for agents that may stay silent while they work: the idle limit is off unless it is set. */
  readonly idleLimit: boolean;
  readonly abilities: Abilities;
  /** False for agents whose output means nothing: `receive` is never called, and stdout and stderr keep their order in the log. */
  readonly listens: boolean;
  open(task: AgentTask): Opening<S>;
  /** Takes one line of stdout, without its end. Never throws, whatever the line is; `now` in ms since 1970, for resets told as a delay. */
  receive(line: string, state: S, now: number): Received<S>;
  /** What to write to ask it to stop, where its protocol has such a word. */
  interrupt(state: S): string | undefined;
  /** Judges the end. `tail`: the last lines of stdout and stderr together. */
  conclude(o: { readonly ending: Ending; readonly state: S; readonly tail: string; readonly now: number }): Verdict;
}

/** The longest text of an activity, characters. */
const ACTIVITY_LENGTH = 200;

/** A text as one line of an activity: white space as single blanks, cut with an ellipsis. */
export function short(text: string): string {
  // Only the front matters, and a text may be megabytes.
  const line = text.slice(0, 4 * ACTIVITY_LENGTH).replace(/\s+/g, ' ').trim();
  return line.length <= ACTIVITY_LENGTH ? line : `${line.slice(0, ACTIVITY_LENGTH - 1)}…`;
}

/** One line of a JSON stream as a map, or undefined when it is anything else. */
export function jsonLine(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** An agent that takes its prompt on stdin, prints what it likes and ends. */
export function oneShotAgent(o: { readonly name: string; readonly argv: readonly string[] }): Agent<null> {
  return {
    name: o.name,
    idleLimit: false,
    listens: false,
    abilities: { permissions: ['workspace', 'full'], why: 'what it may do is up to the program', usage: { tokens: false, usd: false }, goOn: false, ownCap: false },
    open: (task) => ({ argv: o.argv, env: {}, first: task.prompt, oneShot: true, state: null }),
    receive: (_line, state) => ({ state }),
    interrupt: () => undefined,
    conclude: () => ({}),
  };
}
