// The same few runs for all tests of the screen: starting, four at work, waiting for quota, failed, landed. Nothing here is drawn.

import type { EventBody } from '../../../../src/core/event.ts';
import type { Failure } from '../../../../src/core/failure.ts';
import type { Unit } from '../../../../src/core/plan.ts';
import { FactsGatherer } from '../../../../src/show/tui/facts.ts';
import type { Facts } from '../../../../src/show/tui/facts.ts';
import { NO_LOG } from '../../../../src/show/tui/log.ts';
import { screenModel } from '../../../../src/show/tui/screen.ts';
import type { ScreenInput, Size } from '../../../../src/show/tui/screen.ts';
import { textOf } from '../../../../src/show/tui/row.ts';
import type { Row } from '../../../../src/show/tui/row.ts';
import { FIRST_UI } from '../../../../src/show/tui/ui.ts';
import { Game, failing, settings, troubled, unit } from '../../core/rig.ts';
import type { Answers } from '../../core/rig.ts';

/** The quota of the agent is used up for half an hour. */
const QUOTA: Failure = { kind: 'agent-trouble', agent: 'command', trouble: 'quota', text: 'you have used what your plan has', until: 2_800_000, output: { tail: '', log: '/log' } };
const RED: Failure = { kind: 'check-failed', check: 'task 1', command: 'npm test', ending: { code: 1 }, output: { tail: 'first line\nok 1 adds\nnot ok 2 divides by zero\n  expected 3, got 4\n# 1 of 2 failed\n', log: '/runs/1/logs/billing/1-3.log' } };

/** Names of the screens that must be good to look at. */
export const SCENES = ['starting', 'running', 'quota', 'failed', 'landed'] as const;

const UNITS: readonly Unit[] = [
  unit('accounts', { tasks: 3 }), unit('billing', { tasks: 2 }), unit('cache', { tasks: 2 }), unit('docs', { tasks: 1 }),
  unit('edge', { tasks: 2, dependsOn: ['accounts', 'billing'] }), unit('front', { tasks: 4, dependsOn: ['accounts'] }), unit('gateway', { tasks: 1, dependsOn: ['edge', 'front'] }),
];

/** A played run with what its screen shows. */
export interface Played {
  readonly game: Game;
  readonly gatherer: FactsGatherer;
}

/** Plays these units on from the start, with a gatherer that hears every event as it becomes true. */
export function played(units: readonly Unit[], o: { readonly answers?: Answers; readonly hold?: Parameters<Game['play']>[1]; readonly parallelism?: number; readonly step?: number } = {}): Played {
  const gatherer = new FactsGatherer();
  const game = new class extends Game {
    override record(body: EventBody): ReturnType<Game['record']> {
      // Each thing takes its time.
      this.now += o.step ?? 0;
      const event = super.record(body);
      gatherer.event(event, this.state);
      return event;
    }
  }(units, settings({ parallelism: o.parallelism ?? 4, budget: { in: 'usd', run: 20, attempt: 1 } }));
  game.play(o.answers, o.hold);
  return { game, gatherer };
}

const ANSWERS: Readonly<Record<(typeof SCENES)[number], Parameters<typeof played>[1]>> = {
  starting: { hold: (b) => b.type === 'trial.started' },
  running: { hold: (b) => (b.type === 'task.started' && (b.task === 2 || b.unit === 'docs')) || b.type === 'batch.proving', step: 700 },
  quota: { answers: (b) => (b.type === 'task.started' && b.task === 2 ? troubled(b, QUOTA) : undefined), step: 700 },
  failed: { answers: failing('billing', RED), hold: (b) => b.type === 'task.started' && b.unit === 'front', step: 700 },
  landed: { step: 700 },
};

/** One of the screens, with somebody seen at work where anybody is. */
export function scene(name: (typeof SCENES)[number]): Played & { readonly facts: Facts } {
  const { game, gatherer } = played(UNITS, ANSWERS[name]);
  if (name === 'running') {
    gatherer.activity('accounts', { kind: 'command', text: 'npm test -- --watch=false accounts' }, game.now - 12_000);
    gatherer.activity('billing', { kind: 'file', text: 'src/billing/invoice.ts' }, game.now - 65_000);
    gatherer.activity('cache', { kind: 'text', text: 'The cache has to be emptied when an entry is older than an hour, so I look for who writes it.' }, game.now);
  }
  if (name === 'failed') gatherer.activity('front', { kind: 'tool', text: 'Read src/front/page.tsx' }, game.now - 3000);
  return { game, gatherer, facts: factsOf(gatherer) };
}

/** The facts of a run that has begun. */
export function factsOf(gatherer: FactsGatherer): Facts {
  const facts = gatherer.facts();
  if (facts === undefined) throw new Error('nothing has happened');
  return facts;
}

/** The lines of a screen of that size, some seconds after the last event. */
export function rowsOf(facts: Facts, o: { readonly now: number; readonly size: Size } & Partial<Omit<ScreenInput, 'facts' | 'now' | 'size'>>): readonly Row[] {
  return screenModel({ facts, ui: FIRST_UI, log: NO_LOG, unicode: true, keys: true, ...o });
}

/** The same as text. */
export function textsOf(facts: Facts, o: Parameters<typeof rowsOf>[1]): readonly string[] {
  return rowsOf(facts, o).map(textOf);
}
