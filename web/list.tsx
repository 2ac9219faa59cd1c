// The units as a list: filtered, and drawn only where it is seen, so that a thousand cost what twenty do.

import { memo } from 'preact/compat';
import { useMemo, useRef, useState } from 'preact/hooks';
import type { UnitView } from '../src/core/view.ts';
import type { Known } from './store.ts';
import { useVirtual } from './virtual.ts';
import { doing, MARKS, STATES, tasksDone } from './words.ts';

/** Height of a line, pixels. */
const LINE = 40;

/** All units of a run, those that need somebody first. */
export function List({ known, chosen, choose }: { readonly known: Known; readonly chosen: string | undefined; readonly choose: (id: string) => void }) {
  const [filter, setFilter] = useState('');
  const [state, setState] = useState('');
  const [active, setActive] = useState(0);
  const frame = useRef<HTMLDivElement>(null);
  const units = useMemo(() => known.units.filter((unit) => (state === '' || unit.state === state) && unit.id.toLowerCase().includes(filter.toLowerCase())), [known.units, filter, state]);
  const virtual = useVirtual(frame, units.length, LINE);
  const at = Math.min(active, units.length - 1);
  const move = (to: number): void => {
    const next = Math.max(0, Math.min(units.length - 1, to));
    setActive(next);
    virtual.scrollToIndex(next);
  };
  const key = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity }[event.key];
    const unit = units[at];
    if (step !== undefined) move(at + step);
    else if ((event.key === 'Enter' || event.key === ' ') && unit !== undefined) choose(unit.id);
    else return;
    event.preventDefault();
  };
  if (known.units.length === 0) return null;
  return (
    <section aria-labelledby="units">
      <h2 id="units">Units</h2>
      <div class="filter">
        <label>Filter <input type="search" value={filter} onInput={({ currentTarget }) => setFilter(currentTarget.value)} /></label>
        <label>
          State <select value={state} onChange={({ currentTarget }) => setState(currentTarget.value)}>
            <option value="">all</option>
            {STATES.map((one) => <option key={one} value={one}>{one}</option>)}
          </select>
        </label>
        <span aria-live="polite">{units.length} of {known.units.length}</span>
      </div>
      <div class="list" style={{ height: `min(42vh, ${Math.max(1, units.length) * LINE + 2}px)` }} ref={frame} tabIndex={0} role="listbox" aria-label="units" aria-activedescendant={at >= 0 ? `line-${at}` : undefined} onKeyDown={key}>
        <div role="presentation" style={{ height: `${virtual.getTotalSize()}px`, position: 'relative' }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const unit = units[index];
            return unit === undefined ? null : <Line key={unit.id} unit={unit} index={index} size={units.length} top={start} active={index === at} chosen={unit.id === chosen} choose={choose} />;
          })}
        </div>
      </div>
    </section>
  );
}

const Line = memo(({ unit, index, size, top, active, chosen, choose }: {
  readonly unit: UnitView; readonly index: number; readonly size: number; readonly top: number; readonly active: boolean; readonly chosen: boolean; readonly choose: (id: string) => void;
}) => (
  <div
    id={`line-${index}`} role="option" class={`line${active ? ' active' : ''}${chosen ? ' chosen' : ''}`} aria-selected={chosen} aria-setsize={size} aria-posinset={index + 1}
    data-unit={unit.id} style={{ position: 'absolute', top: `${top}px`, left: '0', right: '0', height: `${LINE}px` }} onClick={() => choose(unit.id)}
  >
    <span class={`state ${unit.state}`}><span aria-hidden="true">{MARKS[unit.state]} </span>{unit.state}</span>
    <span class="name">{unit.id}</span>
    <span class="tasks">{tasksDone(unit)}</span>
    <span class="doing">{doing(unit)}</span>
  </div>
));
