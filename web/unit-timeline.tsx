// A unit's own timeline: its attempts, checks, landings and waits, as a picture and as a table.

import { scaleOf } from '../src/report/scale.ts';
import type { UnitView } from '../src/core/view.ts';
import type { UnitBar, UnitOutline } from '../src/web/protocol.ts';
import { useFresh } from './fresh.ts';
import { Behind, lines, WIDE } from './timeline.tsx';
import { span } from './words.ts';

/** Lines of the table at most; the picture has more. */
const LINES = 60;
/** Height of a row, and where its bars are. */
const HEIGHT = 20;
const BAR = { y: 4, height: 12 } as const;
const KINDS = [['attempt', 'attempts'], ['check', 'checks'], ['landing', 'landing'], ['wait', 'waits']] as const;

/** The timeline of a unit; nothing until something has happened to it. */
export function UnitTimeline({ unit, run, live }: { readonly unit: UnitView; readonly run: number; readonly live: boolean }) {
  const { value } = useFresh<UnitOutline>(`/api/runs/${run}/report/${encodeURIComponent(unit.id)}`, { version: unit, live, active: unit.state !== 'complete' });
  if (value === undefined || value.bars.length === 0) return null;
  return (
    <>
      <h3>Timeline</h3>
      <Picture outline={value} />
      <Table outline={value} />
    </>
  );
}

function Picture({ outline }: { readonly outline: UnitOutline }) {
  const within = outline.sessions.filter(({ from, to }) => from < outline.to && to > outline.from).map(({ from, to }) => ({ from: from < outline.from ? outline.from : from, to: to > outline.to ? outline.to : to }));
  const scale = scaleOf({ startedAt: outline.from, asOf: outline.to, sessions: within });
  const x = (time: string): number => (scale.of(Date.parse(time)) / scale.total) * WIDE;
  const behind = lines(scale);
  const bar = (one: { readonly from: string; readonly to: string }) => ({ x: x(one.from), width: Math.max(1, x(one.to) - x(one.from)) });
  const rows = KINDS.map(([kind, label]) => ({ kind, label, bars: outline.bars.filter((one) => one.kind === kind) })).filter(({ bars }) => bars.length > 0);
  return (
    <div class="own" aria-hidden="true">
      {rows.map(({ kind, label, bars }) => (
        <div key={kind} class="row">
          <span class="name">{label}</span>
          <svg viewBox={`0 0 ${WIDE} ${HEIGHT}`} preserveAspectRatio="none">
            <Behind {...behind} height={HEIGHT} />
            {bars.map((one) => <rect key={`${one.from} ${one.name}`} class={`${kind} ${one.result}`} {...bar(one)} y={BAR.y} height={BAR.height} vector-effect="non-scaling-stroke"><title>{`${one.name}: ${one.result}, ${took(one)}`}</title></rect>)}
          </svg>
        </div>
      ))}
      {outline.critical.length > 0 && (
        <div class="row">
          <span class="name">◆ critical</span>
          <svg viewBox={`0 0 ${WIDE} ${HEIGHT}`} preserveAspectRatio="none"><Behind {...behind} height={HEIGHT} />{outline.critical.map((one) => <rect key={one.from} class="path" {...bar(one)} y={8} height={4} />)}</svg>
        </div>
      )}
    </div>
  );
}

function Table({ outline }: { readonly outline: UnitOutline }) {
  const { bars } = outline;
  const shown = bars.slice(-LINES);
  return (
    <details>
      <summary>Timeline as a table{outline.critical.length > 0 ? ' (on the critical path)' : ''}</summary>
      <table class="bars">
        {shown.length < bars.length && <caption>the newest {shown.length} of {bars.length}</caption>}
        <thead><tr><th scope="col">What</th><th scope="col">Result</th><th scope="col">Began after</th><th scope="col">Took</th></tr></thead>
        <tbody>
          {shown.map((one) => (
            <tr key={`${one.kind} ${one.from} ${one.name}`}>
              <th scope="row">{one.name}</th><td class={`attempt ${one.result}`}>{one.result}</td><td>{span(Date.parse(one.from) - Date.parse(outline.from))}</td><td>{took(one)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

function took(one: UnitBar): string {
  return span(Date.parse(one.to) - Date.parse(one.from));
}
