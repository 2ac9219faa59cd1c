// Two runs side by side: outcome, time, attempts and cost of each unit in both, and the difference. From the two outlines.

import { memo } from 'preact/compat';
import { useMemo, useRef, useState } from 'preact/hooks';
import type { Outline, OutlineUnit } from '../src/web/protocol.ts';
import { useFresh } from './fresh.ts';
import { go } from './place.ts';
import type { Known } from './store.ts';
import { useVirtual } from './virtual.ts';
import { MARKS, span, spentText } from './words.ts';

/** Height of a line, pixels. */
const LINE = 34;

type Spent = OutlineUnit['spent'];
/** What is compared of one unit, or of all. */
interface Side { readonly outcome: string; readonly mark: string; readonly state: string; readonly took: number; readonly attempts: number; readonly spent: Spent }
interface Pair { readonly id: string; readonly old: Side | undefined; readonly now: Side | undefined }

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
  const old = useFresh<Outline>(`/api/runs/${other}/report`, { version: 0, live: false, active: other !== run });
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
  const heads = ['Unit', `Outcome, run ${old.run}`, `run ${now.run}`, `Time, run ${old.run}`, `run ${now.run}`, 'difference', `Attempts, run ${old.run}`, `run ${now.run}`, 'difference', `Cost, run ${old.run}`, `run ${now.run}`, 'difference'];
  return (
    <>
      <p>{summary(pairs, old, now)}</p>
      <label>
        Order by <select value={sort} onChange={({ currentTarget }) => setSort(currentTarget.value as keyof typeof SORTS)}>
          {Object.entries(SORTS).map(([key, { word }]) => <option key={key} value={key}>{word}</option>)}
        </select>
      </label>
      <div class="pairs" ref={frame} tabIndex={0} role="table" aria-label={`units of run ${old.run} and run ${now.run}`} aria-rowcount={rows.length + 2}>
        <div class="top" role="rowgroup">
          <div class="pair heads" role="row" aria-rowindex={1}>{heads.map((text, i) => <span key={i} role="columnheader">{text}</span>)}</div>
          <Line pair={{ id: 'all units', old: total(old), now: total(now) }} index={0} runs={[old.run, now.run]} />
        </div>
        <div role="rowgroup" style={{ height: `${virtual.getTotalSize()}px`, position: 'relative' }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const pair = rows[index];
            return pair === undefined ? null : <Line key={pair.id} pair={pair} index={index + 1} top={start} runs={[old.run, now.run]} choose={choose} />;
          })}
        </div>
      </div>
      <p class="soft">Time is that in which a session worked on the run: of a unit from when it could begin to when it ended. Differences are what run {now.run} has more (+) or less (−).</p>
    </>
  );
}

const Line = memo(({ pair, index, top, choose, runs }: { readonly pair: Pair; readonly index: number; readonly top?: number; readonly choose?: (id: string) => void; readonly runs: readonly [number, number] }) => {
  const { id, old, now } = pair;
  const outcome = (side: Side | undefined, run: number) => (side === undefined ? <span role="cell" class="soft">not in run {run}</span> : <span role="cell"><span class={`state ${side.state}`}><span aria-hidden="true">{side.mark} </span>{side.outcome}</span></span>);
  return (
    <div class={`pair${top === undefined ? ' total' : ''}`} role="row" aria-rowindex={index + 2} data-unit={top === undefined ? undefined : id} style={top === undefined ? {} : { position: 'absolute', top: `${top}px`, left: '0', right: '0', height: `${LINE}px` }}>
      <span role="rowheader" title={id}>{choose === undefined || now === undefined ? id : <button type="button" class="link" onClick={() => choose(id)}>{id}</button>}</span>
      {outcome(old, runs[0])}{outcome(now, runs[1])}
      <span role="cell">{old === undefined ? '' : span(old.took)}</span><span role="cell">{now === undefined ? '' : span(now.took)}</span><Difference by={by(pair, (side) => side.took)} text={span} />
      <span role="cell">{old?.attempts ?? ''}</span><span role="cell">{now?.attempts ?? ''}</span><Difference by={by(pair, (side) => side.attempts)} text={String} />
      <span role="cell">{spentText(old?.spent)}</span><span role="cell">{spentText(now?.spent)}</span><Cost pair={pair} />
    </div>
  );
});

function Difference({ by: n, text }: { readonly by: number | undefined; readonly text: (n: number) => string }) {
  if (n === undefined) return <span role="cell" />;
  const words = text(Math.abs(n));
  return words === text(0) ? <span role="cell" class="soft">0</span> : <span role="cell" class={n > 0 ? 'more' : 'less'}>{n > 0 ? '+' : '−'}{words}</span>;
}

/** In money where both have it, else in tokens. */
function Cost({ pair }: { readonly pair: Pair }) {
  const money = (pair.old?.spent?.usd ?? 0) > 0 || (pair.now?.spent?.usd ?? 0) > 0;
  const n = by(pair, ({ spent }) => (money ? spent?.usd : spent?.tokens) ?? 0);
  return <Difference by={n} text={(amount) => spentText(money ? { usd: amount } : { tokens: amount })} />;
}

function by(pair: Pair, of: (side: Side) => number): number | undefined {
  return pair.old === undefined || pair.now === undefined ? undefined : of(pair.now) - of(pair.old);
}

function costOf(spent: Spent): number {
  // Money first; where there is none, a million tokens weigh as much as one unit of it.
  return spent === undefined ? 0 : spent.usd > 0 ? spent.usd : spent.tokens / 1_000_000;
}

function sideOf(unit: OutlineUnit | undefined): Side | undefined {
  return unit === undefined ? undefined : { outcome: unit.state, mark: MARKS[unit.state], state: unit.state, took: unit.took, attempts: unit.attempts, spent: unit.spent };
}

function pairsOf(old: Outline, now: Outline): readonly Pair[] {
  const before = new Map(old.units.map((u) => [u.id, u]));
  const pairs = now.units.map((u) => ({ id: u.id, old: sideOf(before.get(u.id)), now: sideOf(u) }));
  const known = new Set(now.units.map(({ id }) => id));
  return [...pairs, ...old.units.filter(({ id }) => !known.has(id)).map((u) => ({ id: u.id, old: sideOf(u), now: undefined }))];
}

function total({ counts, units, took, spent }: Outline): Side {
  return { outcome: `${counts.landed} of ${units.length} landed`, mark: '', state: counts.landed === units.length ? 'landed' : 'pending', took, attempts: units.reduce((sum, u) => sum + u.attempts, 0), spent };
}

function summary(pairs: readonly Pair[], old: Outline, now: Outline): string {
  const [gone, added] = [pairs.filter((pair) => pair.now === undefined).length, pairs.filter((pair) => pair.old === undefined).length];
  const both = pairs.length - gone - added;
  return `${both} ${both === 1 ? 'unit is' : 'units are'} in both${gone === 0 ? '' : `, ${gone} only in run ${old.run}`}${added === 0 ? '' : `, ${added} only in run ${now.run}`}; ${pairs.filter((pair) => pair.old !== undefined && pair.now !== undefined && pair.old.state !== pair.now.state).length} of them ended otherwise.`;
}
