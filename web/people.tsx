// What waits for a person, with the buttons that move it.

import { useState } from 'preact/hooks';
import type { UnitView } from '../src/core/view.ts';
import { act } from './store.ts';
import type { Known } from './store.ts';
import { doing } from './words.ts';

/** Lines shown before the rest is asked for. */
const SHOWN = 8;

/** True for a unit that only a person can move. */
function needsPerson(unit: UnitView): boolean {
  return unit.state === 'failed' || (unit.state === 'waiting' && unit.waiting !== undefined && unit.waiting.until === undefined && unit.waiting.for !== 'overlap');
}

/** The units that only people can move; nothing when there are none. */
export function People({ known, choose, say }: { readonly known: Known; readonly choose: (id: string) => void; readonly say: (text: string) => void }) {
  const [all, showAll] = useState(false);
  const units = known.units.filter(needsPerson);
  if (units.length === 0 || known.head?.closed === true) return null;
  return (
    <section class="people" aria-labelledby="people">
      <h2 id="people">Waits for a person ({units.length})</h2>
      <ul>
        {(all ? units : units.slice(0, SHOWN)).map((unit) => (
          <li key={unit.id}>
            <button type="button" class="link" onClick={() => choose(unit.id)}>{unit.id}</button> <span>{doing(unit)}</span> <Move unit={unit} say={say} />
          </li>
        ))}
      </ul>
      {units.length > SHOWN && !all && <button type="button" onClick={() => showAll(true)}>Show all</button>}
    </section>
  );
}

/** The button that moves a unit on, where there is one. */
export function Move({ unit, say }: { readonly unit: UnitView; readonly say: (text: string) => void }) {
  const wish = unit.waiting?.for === 'approval' ? 'approve' : unit.state === 'failed' || (unit.state === 'waiting' && unit.waiting?.agent !== undefined) ? 'retry' : undefined;
  const [busy, set] = useState(false);
  if (wish === undefined) return null;
  const go = async (): Promise<void> => {
    set(true);
    const answer = await act({ do: wish, units: [unit.id] });
    say(answer.ok ?? answer.error ?? '');
    set(false);
  };
  return <button type="button" disabled={busy} onClick={() => { void go(); }}>{wish === 'approve' ? `Approve ${unit.id}` : `Retry ${unit.id}`}</button>;
}
