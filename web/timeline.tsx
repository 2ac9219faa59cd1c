// The timeline of a run: a row a unit, by what its time was spent on, the critical path marked. Draws only the rows in sight; says with shapes
// and words what it says with colours.

import { memo } from 'preact/compat';
import { useMemo, useRef, useState } from 'preact/hooks';
import { PATH, ROW, SHAPES, ticksOf, WORDS } from '../src/report/bars.ts';
import { DOINGS } from '../src/report/data.ts';
import { scaleOf } from '../src/report/scale.ts';
import type { Scale } from '../src/report/scale.ts';
import type { Outline, OutlineUnit } from '../src/web/protocol.ts';
import { useFresh, useInSight } from './fresh.ts';
import type { Known } from './store.ts';
import { useVirtual } from './virtual.ts';
import { MARKS, span } from './words.ts';

/** Lines of the axis at most. */
const TICKS = 8;
/** Width of a row in units of its own; it is stretched to what room there is. */
export const WIDE = 1000;
/** Steps of the critical path that are told in words. */
const STEPS = 200;
const BECAUSE = { start: 'nothing before it', dependency: 'after the one before had landed', slot: 'when the one before had left its place' } as const;

/** The section with the timeline; asks for it while it is open and in sight. */
export function Timeline({ known, chosen, choose }: { readonly known: Known; readonly chosen: string | undefined; readonly choose: (id: string) => void }) {
  const { head, seq, units } = known;
  const [open, setOpen] = useState(true);
  const section = useRef<HTMLElement>(null);
  const seen = useInSight(section);
  const { value, trouble } = useFresh<Outline>(`/api/runs/${head?.run ?? 0}/report`, { version: seq, live: head?.at === 'live', active: open && seen && head !== undefined && seq > 0 });
  return (
    <section aria-labelledby="timeline" ref={section}>
      <details open onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <summary><h2 id="timeline">Timeline</h2></summary>
        {value === undefined ? <p class="soft">{trouble ?? (units.length === 0 ? 'Nothing has happened yet.' : 'Loading…')}</p> : <Gantt outline={value} chosen={chosen} choose={choose} />}
      </details>
    </section>
  );
}

function Gantt({ outline, chosen, choose }: { readonly outline: Outline; readonly chosen: string | undefined; readonly choose: (id: string) => void }) {
  const [critical, setCritical] = useState(false);
  const rows = useMemo(() => outline.units.filter((u) => u.from !== undefined && (!critical || u.critical === true)).toSorted((a, b) => (a.from ?? 0) - (b.from ?? 0)), [outline, critical]);
  const drawn = useMemo(() => drawnOf(outline), [outline]);
  const frame = useRef<HTMLDivElement>(null);
  const virtual = useVirtual(frame, rows.length, ROW);
  return (
    <>
      <Legend />
      <label class="check"><input type="checkbox" checked={critical} onChange={({ currentTarget }) => setCritical(currentTarget.checked)} /> critical path only</label>
      <div class="gantt" ref={frame} tabIndex={0} role="table" aria-label={`timeline of ${rows.length} units`} aria-rowcount={rows.length + 1}>
        <div class="axis" role="row" aria-rowindex={1}>
          <span role="columnheader">Unit</span>
          <span role="columnheader" class="plot"><span class="unseen">Time</span><span aria-hidden="true">{drawn.ticks.map(({ x, label }) => <span key={x} class="tick" style={{ left: `${x / (WIDE / 100)}%` }}>{label}</span>)}</span></span>
        </div>
        <div role="rowgroup" style={{ height: `${virtual.getTotalSize()}px`, position: 'relative' }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const unit = rows[index];
            return unit === undefined ? null : <Row key={unit.id} unit={unit} index={index} top={start} drawn={drawn} chosen={unit.id === chosen} choose={choose} />;
          })}
        </div>
      </div>
      <Path outline={outline} choose={choose} />
    </>
  );
}

/** What all rows share. */
interface Drawn {
  readonly began: number;
  /** From ms since 1970 to units of the row. */
  readonly x: (moment: number) => number;
  readonly ticks: readonly { readonly x: number; readonly label: string }[];
  readonly gaps: readonly { readonly x: number; readonly width: number }[];
  /** When each unit was on the critical path. */
  readonly path: ReadonlyMap<string, readonly (readonly [number, number])[]>;
}

function drawnOf(outline: Outline): Drawn {
  const scale = scaleOf(outline);
  const shown = (at: number): number => (at / scale.total) * WIDE;
  const path = new Map<string, (readonly [number, number])[]>();
  for (const step of outline.criticalPath) path.set(step.unit, [...path.get(step.unit) ?? [], [Date.parse(step.from), Date.parse(step.to)]]);
  return { began: Date.parse(outline.startedAt), x: (moment) => shown(scale.of(moment)), ...lines(scale), path };
}

/** The lines and shades behind all rows of a timeline. */
export function lines(scale: Scale): Pick<Drawn, 'ticks' | 'gaps'> {
  const shown = (at: number): number => (at / scale.total) * WIDE;
  return {
    ticks: ticksOf(scale, TICKS).map(({ at, label }) => ({ x: shown(at), label })),
    gaps: scale.gaps.map((gap) => ({ x: shown(gap.at), width: shown(gap.shown) })),
  };
}

/** These lines and shades, of one row. */
export function Behind({ ticks, gaps, height }: Pick<Drawn, 'ticks' | 'gaps'> & { readonly height: number }) {
  return (
    <>
      {gaps.map(({ x, width }) => <rect key={`gap ${x}`} class="gap" x={x} y={0} width={width} height={height}><title>no session</title></rect>)}
      {ticks.map(({ x }) => <line key={`tick ${x}`} class="tick" x1={x} x2={x} y1={0} y2={height} vector-effect="non-scaling-stroke" />)}
    </>
  );
}

const Row = memo(({ unit, index, top, drawn, chosen, choose }: {
  readonly unit: OutlineUnit; readonly index: number; readonly top: number; readonly drawn: Drawn; readonly chosen: boolean; readonly choose: (id: string) => void;
}) => (
  <div class={`row${chosen ? ' chosen' : ''}`} role="row" aria-rowindex={index + 2} style={{ position: 'absolute', top: `${top}px`, left: '0', right: '0', height: `${ROW}px` }} data-unit={unit.id}>
    <span role="rowheader" class="name">
      <span aria-hidden="true" class={`mark state ${unit.state}`}>{MARKS[unit.state]}</span>{unit.critical === true && <span class="onpath" aria-hidden="true">◆</span>}
      <button type="button" class="link" onClick={() => choose(unit.id)} title={unit.id}>{unit.id}</button>
    </span>
    <span role="cell" class="plot">
      <span class="unseen">{inWords(unit)}</span>
      <svg viewBox={`0 0 ${WIDE} ${ROW}`} preserveAspectRatio="none" aria-hidden="true"><Behind ticks={drawn.ticks} gaps={drawn.gaps} height={ROW} /><Bars unit={unit} drawn={drawn} /></svg>
    </span>
  </div>
));

function Bars({ unit, drawn }: { readonly unit: OutlineUnit; readonly drawn: Drawn }) {
  const bars = [];
  let at = drawn.began + (unit.from ?? 0);
  for (let i = 0; i < unit.parts.length; i += 2) {
    const doing = DOINGS[unit.parts[i] ?? 0] ?? 'other';
    const took = unit.parts[i + 1] ?? 0;
    const [y, height] = SHAPES[doing];
    bars.push(<rect key={i} class={doing} x={drawn.x(at)} y={y} width={Math.max(1, drawn.x(at + took) - drawn.x(at))} height={height}><title>{`${unit.id}: ${WORDS[doing]}, ${span(took)}`}</title></rect>);
    at += took;
  }
  return <>{bars}{(drawn.path.get(unit.id) ?? []).map(([from, to]) => <rect key={`path ${from}`} class="path" x={drawn.x(from)} y={PATH[0]} width={Math.max(1, drawn.x(to) - drawn.x(from))} height={PATH[1]}><title>{`${unit.id}: on the critical path`}</title></rect>)}</>;
}

/** What the row shows, for those who do not see it. */
function inWords(unit: OutlineUnit): string {
  const sums = DOINGS.map((doing, n) => [doing, unit.parts.reduce((sum, one, i) => (i % 2 === 0 && one === n ? sum + (unit.parts[i + 1] ?? 0) : sum), 0)] as const).filter(([, ms]) => ms > 0);
  return `${unit.state}, ${span(unit.from ?? 0)} after the run began, took ${span(unit.took)}${sums.length === 0 ? '' : `: ${sums.map(([doing, ms]) => `${WORDS[doing]} ${span(ms)}`).join(', ')}`}; ${unit.attempts} ${unit.attempts === 1 ? 'attempt' : 'attempts'}${unit.critical === true ? '; on the critical path' : ''}`;
}

function Legend() {
  return (
    <ul class="legend">
      {DOINGS.map((doing) => {
        const [y, height] = SHAPES[doing];
        return <li key={doing}><svg width={26} height={20} aria-hidden="true"><rect class={doing} x={0} y={y - 1} width={26} height={height} /></svg>{WORDS[doing]}</li>;
      })}
      <li><svg width={26} height={20} aria-hidden="true"><rect class="path" x={0} y={9} width={26} height={PATH[1]} /></svg>critical path (◆)</li>
    </ul>
  );
}

/** The critical path in words. */
function Path({ outline: { criticalPath: path }, choose }: { readonly outline: Outline; readonly choose: (id: string) => void }) {
  if (path.length === 0) return null;
  return (
    <details>
      <summary>Critical path: {path.length} {path.length === 1 ? 'step' : 'steps'}</summary>
      <p class="soft">What kept the run from being further, as it happened.</p>
      <ol class="path">
        {path.slice(-STEPS).map((step, i, shown) => (
          <li key={step.unit} value={path.length - shown.length + i + 1}>
            <button type="button" class="link" onClick={() => choose(step.unit)}>{step.unit}</button> {span(Date.parse(step.to) - Date.parse(step.from))} <span class="soft">({BECAUSE[step.because]})</span>
          </li>
        ))}
      </ol>
    </details>
  );
}
