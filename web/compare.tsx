// Two runs side by side: outcome, time, attempts and cost of each unit in both, and the difference. From the two outlines.

import { Fragment } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Outline, OutlineUnit } from '../src/web/protocol.ts';
import { useFresh } from './fresh.ts';
import { go } from './place.ts';
import type { Known } from './store.ts';
import { useVirtual } from './virtual.ts';
import { compact, MARKS, span, spentText } from './words.ts';

/** Height of a line, pixels. */
const LINE = 34;

type Spent = NonNullable<OutlineUnit['spent']>;
/** What is compared of one unit, or of all. */
interface Side { readonly outcome: string; readonly state?: OutlineUnit['state']; readonly took: number; readonly attempts: number; readonly spent?: Spent }
interface Pair { readonly id: string; readonly old: Side | undefined; readonly now: Side | undefined }

/** A number that is compared; one that neither run has is left out. */
interface Column { readonly name: string; readonly of: (side: Pick<Side, 'took' | 'attempts' | 'spent'>) => number; readonly text: (n: number) => string; readonly always: boolean }
const COLUMNS: readonly Column[] = [
  { name: 'Time', of: ({ took }) => took, text: span, always: true },
  { name: 'Attempts', of: ({ attempts }) => attempts, text: String, always: true },
  { name: 'Cost', of: ({ spent }) => spent?.usd ?? 0, text: (usd) => spentText({ usd }), always: false },
  { name: 'Tokens', of: ({ spent }) => spent?.tokens ?? 0, text: (n) => (n === 0 ? '' : compact(n)), always: false },
];

const SORTS = {
  unit: { word: 'name', of: undefined },
  time: { word: 'difference in time', of: (pair: Pair) => Math.abs((pair.now?.took ?? 0) - (pair.old?.took ?? 0)) },
  cost: { word: 'difference in cost', of: (pair: Pair) => Math.abs(costOf(pair.now?.spent) - costOf(pair.old?.spent)) },
  outcome: { word: 'another outcome', of: (pair: Pair) => (pair.now?.state === pair.old?.state ? 0 : 1) },
} as const;

/** The section that compares the run with another. */
export function Compare({ known, other, choose }: { readonly known: Known; readonly other: number; readonly choose: (id: string) => void }) {
  const { head, seq } = known;
  const run = head?.run ?? 0;
  const now = useFresh<Outline>(`/api/runs/${run}/report`, { version: seq, live: head?.at === 'live', active: run > 0 && seq > 0 });
  const [moves, setMoves] = useState(false);
  const old = useFresh<Outline>(`/api/runs/${other}/report`, { version: 0, live: moves, active: other !== run });
  useEffect(() => setMoves(old.value?.at === 'live'), [old.value]);
  return (
    <section class="compare" aria-labelledby="compare">
      <button type="button" class="close" onClick={() => go({ with: undefined })} aria-label="close the comparison">✕</button>
      <h2 id="compare">Run {run} compared with run {other}</h2>
      {run === other ? <p class="soft">This is the same run.</p>
        : old.value !== undefined && now.value !== undefined ? <Both old={old.value} now={now.value} choose={choose} />
          : <p class="soft">{old.trouble === undefined ? now.trouble ?? 'Loading…' : `Run ${other} cannot be shown: ${old.trouble}`}</p>}
    </section>
  );
}

function Both({ old, now, choose }: { readonly old: Outline; readonly now: Outline; readonly choose: (id: string) => void }) {
  const [sort, setSort] = useState<keyof typeof SORTS>('unit');
  const pairs = useMemo(() => pairsOf(old, now), [old, now]);
  const rows = useMemo(() => {
    const { of } = SORTS[sort];
    return of === undefined ? pairs : pairs.toSorted((a, b) => of(b) - of(a));
  }, [pairs, sort]);
  const frame = useRef<HTMLDivElement>(null);
  const virtual = useVirtual(frame, rows.length, LINE);
  const shown = COLUMNS.filter(({ of, always }) => always || [...old.units, ...now.units].some((u) => of(u) > 0));
  const one = { shown, runs: [old.run, now.run] } as const;
  return (
    <>
      <p>{summary(pairs, old, now)}</p>
      <label>
        Order by <select value={sort} onChange={({ currentTarget }) => setSort(currentTarget.value as keyof typeof SORTS)}>
          {Object.entries(SORTS).map(([key, { word }]) => <option key={key} value={key}>{word}</option>)}
        </select>
      </label>
      <div class="pairs" style={{ '--numbers': String(3 * shown.length) }} ref={frame} tabIndex={0} role="table" aria-label={`units of run ${old.run} and run ${now.run}`} aria-rowcount={rows.length + 2}>
        <div class="top" role="rowgroup">
          <div class="pair heads" role="row" aria-rowindex={1}>
            <span role="columnheader">Unit</span><Head text="Outcome" runs={one.runs} />
            {shown.map(({ name }) => <Fragment key={name}><Head text={name} runs={one.runs} /><span role="columnheader"><span class="unseen">{name}, </span>change</span></Fragment>)}
          </div>
          <Line pair={{ id: 'all units', old: total(old), now: total(now) }} index={0} {...one} />
        </div>
        <div role="rowgroup" style={{ height: `${virtual.getTotalSize()}px`, position: 'relative' }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const pair = rows[index];
            return pair === undefined ? null : <Line key={pair.id} pair={pair} index={index + 1} top={start} {...one} choose={choose} />;
          })}
        </div>
      </div>
      <p class="soft">Time is that in which a session worked on the run: of a unit from when it could begin to when it ended. A change is what run {now.run} has more (+) or less (−).</p>
    </>
  );
}

function Head({ text, runs }: { readonly text: string; readonly runs: readonly [number, number] }) {
  return <><span role="columnheader">{text}, run {runs[0]}</span><span role="columnheader"><span class="unseen">{text}, </span>run {runs[1]}</span></>;
}

function Line({ pair, index, top, choose, shown, runs }: {
  readonly pair: Pair; readonly index: number; readonly top?: number; readonly choose?: (id: string) => void; readonly shown: readonly Column[]; readonly runs: readonly [number, number];
}) {
  const { id, old, now } = pair;
  const placed = top === undefined ? {} : { position: 'absolute', top: `${top}px`, left: '0', right: '0', height: `${LINE}px` };
  return (
    <div class={`pair${top === undefined ? ' total' : ''}`} role="row" aria-rowindex={index + 2} style={placed}>
      <span role="rowheader" title={id}>{choose === undefined || now === undefined ? id : <button type="button" class="link" onClick={() => choose(id)}>{id}</button>}</span>
      <Outcome side={old} run={runs[0]} /><Outcome side={now} run={runs[1]} />
      {shown.map(({ name, of, text }) => (
        <Fragment key={name}>
          <span role="cell">{old === undefined ? '' : text(of(old))}</span><span role="cell">{now === undefined ? '' : text(of(now))}</span>
          <Difference by={old === undefined || now === undefined ? undefined : of(now) - of(old)} text={text} />
        </Fragment>
      ))}
    </div>
  );
}

function Outcome({ side, run }: { readonly side: Side | undefined; readonly run: number }) {
  if (side === undefined) return <span role="cell" class="soft">not in run {run}</span>;
  if (side.state === undefined) return <span role="cell">{side.outcome}</span>;
  return <span role="cell"><span class={`state ${side.state}`}><span aria-hidden="true">{MARKS[side.state]} </span>{side.outcome}</span></span>;
}

function Difference({ by, text }: { readonly by: number | undefined; readonly text: (n: number) => string }) {
  if (by === undefined || (by === 0 && text(0) === '')) return <span role="cell" />;
  const words = text(Math.abs(by));
  return words === text(0) ? <span role="cell" class="soft">0</span> : <span role="cell" class={by > 0 ? 'more' : 'less'}>{by > 0 ? '+' : '−'}{words}</span>;
}

function costOf(spent: Spent | undefined): number {
  // Money first; where there is none, a million tokens weigh as much as one unit of it.
  return spent === undefined ? 0 : spent.usd > 0 ? spent.usd : spent.tokens / 1_000_000;
}

function sideOf(unit: OutlineUnit | undefined): Side | undefined {
  return unit === undefined ? undefined : { outcome: unit.state, state: unit.state, took: unit.took, attempts: unit.attempts, ...(unit.spent === undefined ? {} : { spent: unit.spent }) };
}

function pairsOf(old: Outline, now: Outline): readonly Pair[] {
  const before = new Map(old.units.map((u) => [u.id, u]));
  const pairs = now.units.map((u) => ({ id: u.id, old: sideOf(before.get(u.id)), now: sideOf(u) }));
  const known = new Set(now.units.map(({ id }) => id));
  return [...pairs, ...old.units.filter(({ id }) => !known.has(id)).map((u) => ({ id: u.id, old: sideOf(u), now: undefined }))];
}

function total({ counts, units, took, spent }: Outline): Side {
  return { outcome: `${counts.landed}/${units.length} landed`, took, attempts: units.reduce((sum, u) => sum + u.attempts, 0), ...(spent === undefined ? {} : { spent }) };
}

function summary(pairs: readonly Pair[], old: Outline, now: Outline): string {
  const [gone, added] = [pairs.filter((pair) => pair.now === undefined).length, pairs.filter((pair) => pair.old === undefined).length];
  const both = pairs.length - gone - added;
  return `${both} ${both === 1 ? 'unit is' : 'units are'} in both${gone === 0 ? '' : `, ${gone} only in run ${old.run}`}${added === 0 ? '' : `, ${added} only in run ${now.run}`}; of those in both, ${pairs.filter((pair) => pair.old !== undefined && pair.now !== undefined && pair.old.state !== pair.now.state).length} have another outcome.`;
}
