// The dashboard: what it consists of and what is chosen. Everything from outside becomes text nodes, never markup.

import { render } from 'preact';
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import { Compare } from './compare.tsx';
import { Graph } from './graph.tsx';
import { Header } from './header.tsx';
import { List } from './list.tsx';
import { People } from './people.tsx';
import { go, runNow, usePlace } from './place.ts';
import { Queue } from './queue.tsx';
import { Store } from './store.ts';
import type { Known } from './store.ts';
import { Timeline } from './timeline.tsx';
import { Unit } from './unit.tsx';

function useKnown(store: Store): Known {
  const [known, set] = useState(store.known);
  useEffect(() => store.subscribe(() => set(store.known)), [store]);
  return known;
}

function App({ store }: { readonly store: Store }) {
  const known = useKnown(store);
  const { run, unit, with: other } = usePlace();
  useEffect(() => store.follow(run), [store, run]);
  const choose = useCallback((id: string | undefined) => go({ unit: id }), []);
  const [said, say] = useState('');
  const nodes = useMemo(() => known.units.map(({ id, dependsOn }) => ({ id, dependsOn })), [known.shape]);
  const view = unit === undefined ? undefined : known.byId.get(unit);
  return (
    <>
      <Header known={known} run={run} other={other} say={say} />
      <p id="said" role="status" aria-live="polite">{said}</p>
      <main class={view === undefined ? '' : 'with-unit'}>
        <div class="run">
          {other !== undefined && known.head !== undefined && <Compare key={other} known={known} other={other} choose={choose} />}
          <People known={known} choose={choose} say={say} />
          <Graph nodes={nodes} known={known} chosen={unit} choose={choose} />
          <List known={known} chosen={unit} choose={choose} />
          <Queue known={known} choose={choose} />
          <Timeline known={known} chosen={unit} choose={choose} />
        </div>
        {view !== undefined && <Unit key={view.id} unit={view} run={known.head?.run ?? 0} live={known.head?.at === 'live'} close={() => choose(undefined)} say={say} />}
      </main>
    </>
  );
}

// The token is a cookie by now; in the address it would be copied along.
if (location.search !== '') history.replaceState(null, '', `${location.pathname}${location.hash}`);
const page = document.getElementById('page');
if (page !== null) render(<App store={new Store(runNow())} />, page);
