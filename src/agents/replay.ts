// What an agent did, told again from its log: the log's lines through the agent's own machine. Starts nothing, reads no file.

import type { Activity } from '../core/activity.ts';
import type { Usage } from '../core/usage.ts';
import type { Agent, AgentTask, Trouble } from './agent.ts';

/** Something worth a line: what the agent was seen doing, why it could not go on, or a line that is no message of its protocol. */
export type Told =
  | { readonly what: 'activity'; readonly activity: Activity }
  | { readonly what: 'trouble'; readonly trouble: Trouble }
  | { readonly what: 'output'; readonly text: string };

/** A task that asks for nothing; a machine is only opened for its first state. */
const NO_TASK: AgentTask = { prompt: '', promptFile: '/', worktree: '/', gitPaths: [], scratch: '/', permissions: 'workspace', args: [], session: '', cap: {} };
/** A longer line is left out, as it is while the agent runs; characters. */
const LONGEST_LINE = 16 * 1024 * 1024;

/** One log on its way through an agent's machine, piece by piece. */
export class Replay {
  readonly #agent: Agent;
  #state: unknown;
  #parts: string[] = [];
  #length = 0;
  /** Lines of the protocol that told nothing of what the agent did. */
  leftOut = 0;
  /** What the session had used at last. */
  usage: Usage | undefined;

  constructor(agent: Agent) {
    this.#agent = agent;
    this.#state = agent.open(NO_TASK).state;
  }

  /** Takes the next text of the log; gives back what its complete lines tell. `now`: ms since 1970. */
  feed(text: string, now: number): readonly Told[] {
    const [first = '', ...more] = text.split('\n');
    const told: Told[] = [];
    this.#add(first);
    for (const part of more) {
      told.push(...this.#line(now));
      this.#add(part);
    }
    return told;
  }

  /** The last line, when it has no end. */
  end(now: number): readonly Told[] {
    return this.#length === 0 ? [] : this.#line(now);
  }

  #add(part: string): void {
    this.#length += part.length;
    if (this.#length <= LONGEST_LINE) this.#parts.push(part);
    else this.#parts = [];
  }

  #line(now: number): readonly Told[] {
    const line = this.#parts.join('').replace(/\r$/, '');
    const whole = this.#length <= LONGEST_LINE;
    this.#parts = [];
    this.#length = 0;
    if (line === '' && whole) return [];
    if (whole && !line.trimStart().startsWith('{')) return [{ what: 'output', text: line }];
    const received = whole ? this.#agent.receive(line, this.#state, now) : { state: this.#state };
    this.#state = received.state;
    this.usage = received.usage ?? this.usage;
    const told: readonly Told[] = [
      ...(received.activity ?? []).map((activity): Told => ({ what: 'activity', activity })),
      ...(received.stop === undefined ? [] : [{ what: 'trouble' as const, trouble: received.stop }]),
    ];
    if (told.length === 0) this.leftOut += 1;
    return told;
  }
}
