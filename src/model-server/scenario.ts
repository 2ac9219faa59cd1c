// Which turn of the scripted model comes next. Chosen by what the request holds, so that a client may ask again; only
// refusals are counted, because nothing in the next request tells that they happened.

import type { Asked, Turn } from './turn.ts';

/** What the model does for the prompts that match. */
export interface Part {
  /** A text that the prompt holds, or a pattern for it; absent: every prompt that no other part is for. */
  readonly when?: string | RegExp;
  readonly turns: readonly Turn[];
  /** After the last turn the last one again, without end; else the model says that it is done. */
  readonly forever?: boolean;
}

/** The parts in order. Of those that match, the one whose match stands last in the prompt counts: in a session that goes on that is the newest request. */
export type Scenario = readonly Part[];

/** A scenario that is being played by one server. */
export interface Play {
  /** The next turn, which is then taken as done. */
  next(asked: Asked): Turn;
}

/** What the model says when the scenario has nothing more. */
const END: Turn = { do: 'say', text: 'Done.' };

/** What requests beside the conversation get: titles, summaries, "is this a new topic". */
const ASIDE: Turn = { do: 'say', text: '{"title": "work", "isNewTopic": false}' };

/** Begins to play. Requests that offer no tool are not part of the conversation and use no turn up. */
export function play(scenario: Scenario): Play {
  const refused = new Map<string, number>();
  return {
    next: (asked) => {
      if (asked.tools.length === 0) return ASIDE;
      const index = chosen(scenario, asked.prompt);
      const part = scenario[index];
      if (part === undefined) return END;
      const stages = stagesOf(part);
      const at = part.forever === true ? Math.min(asked.results.length, stages.length - 1) : asked.results.length;
      const stage = stages[at];
      if (stage === undefined) return END;
      const key = `${index}.${at}`;
      const count = refused.get(key) ?? 0;
      const refusal = stage.refusals[count] ?? (stage.then === undefined && part.forever === true ? stage.refusals.at(-1) : undefined);
      if (refusal === undefined) return stage.then ?? END;
      refused.set(key, count + 1);
      return refusal;
    },
  };
}

/** A turn that the conversation shows afterwards, and what is refused before it comes. */
interface Stage {
  readonly refusals: readonly Turn[];
  readonly then: Turn | undefined;
}

function stagesOf({ turns }: Part): readonly Stage[] {
  const stages: Stage[] = [];
  let refusals: Turn[] = [];
  for (const turn of turns) {
    if (leavesNoTrace(turn)) {
      refusals.push(turn);
    } else {
      stages.push({ refusals, then: turn });
      refusals = [];
    }
  }
  return refusals.length === 0 ? stages : [...stages, { refusals, then: undefined }];
}

function leavesNoTrace(turn: Turn): boolean {
  return turn.do === 'slow' ? leavesNoTrace(turn.then) : turn.do !== 'run' && turn.do !== 'say';
}

function chosen(scenario: Scenario, prompt: string): number {
  let best = scenario.findIndex(({ when }) => when === undefined);
  let place = -1;
  for (const [index, { when }] of scenario.entries()) {
    const at = when === undefined ? -1 : lastMatch(prompt, when);
    if (at <= place) continue;
    best = index;
    place = at;
  }
  return best;
}

/** Where the last match begins; -1 without one. */
function lastMatch(prompt: string, when: string | RegExp): number {
  if (typeof when === 'string') return prompt.lastIndexOf(when);
  const all = new RegExp(when.source, `${when.flags.replaceAll(/[gy]/g, '')}g`);
  return [...prompt.matchAll(all)].at(-1)?.index ?? -1;
}
