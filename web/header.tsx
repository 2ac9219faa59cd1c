// The head of the page: how far the run is, what it cost, how it stands, and the button that stops it.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Head, RunLine } from '../src/web/protocol.ts';
import { useNow } from './fresh.ts';
import { go } from './place.ts';
import { act } from './store.ts';
import type { Connection, Known } from './store.ts';
import { lasted, MARKS, span, spentText, STATES } from './words.ts';

const CONNECTIONS: Readonly<Record<Connection, string>> = {
  connecting: 'connecting…', connected: 'connected', lost: 'connection lost; trying again', 'no-run': 'there was no run yet; this page waits for one', 'shut-out': 'open the link that choo web printed',
};

/** Head of the page. */
export function Header({ known, run, other, say }: { readonly known: Known; readonly run: string; readonly other: number | undefined; readonly say: (text: string) => void }) {
  const { head, connection, units } = known;
  const done = (head?.counts.landed ?? 0) + (head?.counts.complete ?? 0);
  const spent = spentText(head?.spent);
  return (
    <header>
      <h1>choo{head === undefined ? '' : ` — run ${head.run}`}</h1>
      <Runs run={run} other={other} now={head?.run} newest={head?.newest} />
      <span class={`connection ${connection}`} role="status">{CONNECTIONS[connection]}</span>
      {head !== undefined && (
        <>
          <span class="standing">{standing(known)}</span>
          <progress max={Math.max(1, units.length)} value={done} aria-label={`${done} of ${units.length} units are done`} />
          <span>{done} of {units.length} units</span>
          <ul class="counts" aria-label="units by state">
            {STATES.filter((state) => head.counts[state] > 0).map((state) => <li key={state} class={`state ${state}`}><span aria-hidden="true">{MARKS[state]} </span>{head.counts[state]} {state}</li>)}
          </ul>
          {spent !== '' && <span class="cost">{spent}{budgetText(known)}</span>}
          <Time known={known} />
          {head.at === 'live' && head.stopping === undefined && <Stop say={say} />}
          {head.outside !== undefined && <Outside outside={head.outside} />}
          {head.trouble !== undefined && <p class="trouble" role="alert">{head.trouble}</p>}
        </>
      )}
    </header>
  );
}

/** What changed outside the fence, which no button mends. */
function Outside({ outside }: { readonly outside: NonNullable<Head['outside']> }) {
  return (
    <div class="trouble" role="alert">
      Changed outside the fence while agents ran, and left as it is; look at it:
      <ul>{outside.changes.map(({ change, during }) => <li key={change}>{change} ({during.map((s) => `${s.unit}, ${s.what}, attempt ${s.attempt}`).join('; ')})</li>)}</ul>
      {outside.more > 0 && <p>and {outside.more} more, in the journal</p>}
    </div>
  );
}

/** How long it took, and how long it may still take. */
function Time({ known: { head } }: { readonly known: Known }) {
  const now = useNow(head?.at === 'live');
  if (head?.startedAt === undefined) return null;
  // What was expected grows shorter until the next event says more.
  const left = head.left === undefined ? '' : `, about ${span(head.left.ms - Math.max(0, now - Date.parse(head.left.at)))} left`;
  return <span class="time">{lasted(head.startedAt, head.at === 'live' ? undefined : head.changedAt)}{left}</span>;
}

function standing({ head }: Known): string {
  if (head === undefined) return '';
  if (head.stopping !== undefined && head.at === 'live') return `stopping (${head.stopping})`;
  if (head.paused !== undefined) return `paused: ${head.paused}`;
  if (head.at === 'live') return 'running';
  if (head.at === 'elsewhere') return 'running elsewhere';
  return head.closed ? 'finished' : 'at rest; to go on: choo resume';
}

function budgetText({ head }: Known): string {
  const { budget } = head ?? {};
  return budget?.run === undefined ? '' : ` of ${budget.in === 'usd' ? `$${budget.run.toFixed(2)}` : `${budget.run} tokens`}`;
}

function Runs({ run, other, now, newest }: { readonly run: string; readonly other: number | undefined; readonly now: number | undefined; readonly newest: number | undefined }) {
  const [runs, set] = useState<readonly RunLine[]>([]);
  useEffect(() => {
    void fetch('/api/runs').then(async (answer) => { if (answer.ok) set(await answer.json() as RunLine[]); }, () => undefined);
  }, [newest]);
  if (runs.length < 2) return null;
  const others = runs.map((line) => line.run).filter((one) => one !== now || one === other).toReversed();
  // What the address names can be chosen, although there is no such run.
  if (other !== undefined && !others.includes(other)) others.push(other);
  return (
    <>
      <label class="runs">
        run <select value={run} onChange={({ currentTarget }) => go({ run: currentTarget.value, unit: undefined })}>
          <option value="newest">newest</option>
          {runs.toReversed().map((line) => <option key={line.run} value={String(line.run)}>{line.run}</option>)}
        </select>
      </label>
      <label class="runs">
        compare with <select value={other === undefined ? '' : String(other)} onChange={({ currentTarget }) => go({ with: currentTarget.value === '' ? undefined : Number(currentTarget.value) })}>
          <option value="">none</option>
          {others.map((one) => <option key={one} value={String(one)}>run {one}</option>)}
        </select>
      </label>
    </>
  );
}

function Stop({ say }: { readonly say: (text: string) => void }) {
  const [asked, ask] = useState(false);
  const first = useRef<HTMLButtonElement>(null);
  const goOn = useRef<HTMLButtonElement>(null);
  const before = useRef(false);
  // The focus goes to what changes nothing, and back to where it came from.
  useLayoutEffect(() => {
    if (asked !== before.current) (asked ? goOn : first).current?.focus();
    before.current = asked;
  }, [asked]);
  const stop = async (): Promise<void> => {
    ask(false);
    const answer = await act({ do: 'stop', now: false });
    say(answer.ok ?? answer.error ?? '');
  };
  if (!asked) return <button type="button" ref={first} onClick={() => ask(true)}>Stop the run…</button>;
  return (
    <span role="group" aria-label="stop the run?" onKeyDown={({ key }) => { if (key === 'Escape') ask(false); }}>
      Stop? Work in progress is kept.{' '}
      <button type="button" class="danger" onClick={() => { void stop(); }}>Stop</button>{' '}
      <button type="button" ref={goOn} onClick={() => ask(false)}>Go on</button>
    </span>
  );
}
