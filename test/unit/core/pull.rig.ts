// A unit and its pull request, for tests of core/: a forge that says what the test says.

import { escalationOf } from '../../../src/core/escalation.ts';
import type { Begun, EventBody, EventOf, Settings } from '../../../src/core/event.ts';
import { unitNamed } from '../../../src/core/evolve.ts';
import { baseOf } from '../../../src/core/pull.ts';
import type { Feedback, PullFacts } from '../../../src/core/pull-facts.ts';
import { DEFAULT_PULL } from '../../../src/core/pull-rules.ts';
import type { ForgeTarget, PullRules } from '../../../src/core/pull-rules.ts';
import { Game, pullFacts, settings, unit } from './rig.ts';

/** Where pull requests go. */
export const FORGE: ForgeTarget = { repository: 'acme/shop on forge', remote: 'origin', ref: 'refs/heads/main', mark: '0a1b' };
/** One, and one that depends on it. */
export const BOTH = [unit('a'), unit('b', { dependsOn: ['a'] })];

/** Settings of a run with these rules. */
export function pulls(rules: Partial<PullRules> = {}, more: Partial<Settings> = {}): Settings {
  return settings({ pull: { ...DEFAULT_PULL, ...rules }, ...more });
}

/** Something that ann says about a line. */
export function thread(text: string, id = text): Feedback {
  return { id, kind: 'thread', who: 'ann', path: 'a.ts', line: 3, text };
}

/** Plays until the given unit waits for people; each call of `say` tells what the forge says then. */
export class Talk {
  readonly game: Game;
  constructor(o: { readonly settings?: Settings; readonly units?: typeof BOTH; readonly answers?: (b: Begun, game: Game) => EventBody | undefined } = {}) {
    this.game = new Game(o.units ?? [unit('a')], o.settings ?? pulls(), FORGE);
    this.#answers = o.answers ?? (() => undefined);
    this.#play();
  }
  readonly #answers: (b: Begun, game: Game) => EventBody | undefined;
  #verified = 0;
  #play(): void {
    this.game.play((b) => this.#answers(b, this.game) ?? this.#work(b), (b) => b.type === 'pr.following');
  }
  /** What an agent or choo made of the unit is another commit each time. */
  #work(b: Begun): EventBody | undefined {
    return b.type === 'unit.verifying' ? { type: 'unit.verified', unit: b.unit, commit: `${b.unit}-${++this.#verified}`, parent: 'before', merged: false, notes: [] } : undefined;
  }
  head(id = 'a'): string { return unitNamed(this.game.state, id).head ?? ''; }
  say(facts: Partial<PullFacts>, id = 'a'): this {
    this.game.answer('pr.following', { type: 'pr.seen', unit: id, facts: pullFacts({ head: this.head(id), ...facts }) }, id);
    this.#play();
    return this;
  }
  types(): readonly string[] { return this.game.events.map((e) => e.type).filter((t) => t.startsWith('pr.') || t === 'unit.merged'); }
}

/** What people were told, but for the end. */
export function escalated(game: Game): readonly string[] {
  const found: string[] = [];
  for (const event of game.events) {
    const e = escalationOf(game.state, event);
    if (e !== undefined && e.end !== true) found.push(`${e.severity}: ${e.title}`);
  }
  return found;
}

/** The answer of a step that has answered all feedback. */
export function published(b: EventOf<'pr.publishing'>, game: Game): EventBody {
  const answering = unitNamed(game.state, b.unit).pull?.answering ?? [];
  return { type: 'pr.published', unit: b.unit, commit: b.commit, number: 1, url: 'https://forge/a', ready: b.ready, created: false, base: baseOf(game.state, unitNamed(game.state, b.unit)), answered: answering.map((f) => f.id), notes: [] };
}
