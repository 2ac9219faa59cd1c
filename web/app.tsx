// The dashboard: what it consists of and what is chosen. Everything from outside becomes text nodes, never markup.

import { render } from 'preact';
import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import { Graph } from './graph.tsx';
import { Header } from './header.tsx';
import { List } from './list.tsx';
import { People } from './people.tsx';
import { Store } from './store.ts';
import type { Known } from './store.ts';
import { Unit } from './unit.tsx';

interface Chosen { readonly run: string; readonly unit: string | undefined }

function chosen(): Chosen {
  const hash = new URLSearchParams(location.hash.slice(1));
  const run = hash.get('run') ?? '';
  return { run: /^[1-9]\d{0,8}$/.test(run) ? run : 'newest', unit: hash.get('unit') ?? undefined };
}

function useKnown(store: Store): Known {
  const [known, set] = useState(store.known);
  useEffect(() => store.subscribe(() => set(store.known)), [store]);
  return known;
}

function useChosen(): Chosen {
  const [now, set] = useState(chosen);
  useEffect(() => {
    const changed = (): void => set(chosen());
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  return now;
}

function App({ store }: { readonly store: Store }) {
  const known = useKnown(store);
  const { run, unit } = useChosen();
  useEffect(() => store.follow(run), [store, run]);
  const choose = useCallback((id: string | undefined) => {
    const hash = new URLSearchParams();
    if (run !== 'newest') hash.set('run', run);
    if (id !== undefined) hash.set('unit', id);
    location.hash = hash.toString();
  }, [run]);
  const [said, say] = useState('');
  const nodes = useMemo(() => known.units.map(({ id, dependsOn }) => ({ id, dependsOn })), [known.shape]);
  const view = unit === undefined ? undefined : known.byId.get(unit);
  return (
    <>
      <Header known={known} run={run} say={say} />
      <p id="said" role="status" aria-live="polite">{said}</p>
      <main class={view === undefined ? '' : 'with-unit'}>
        <div class="run">
          <People known={known} choose={choose} say={say} />
          <Graph nodes={nodes} known={known} chosen={unit} choose={choose} />
          <List known={known} chosen={unit} choose={choose} />
        </div>
        {view !== undefined && <Unit key={view.id} unit={view} run={known.head?.run ?? 0} live={known.head?.at === 'live'} close={() => choose(undefined)} say={say} />}
      </main>
    </>
  );
}

// The token is a cookie by now; in the address it would be copied along.
if (location.search !== '') history.replaceState(null, '', `${location.pathname}${location.hash}`);
const page = document.getElementById('page');
if (page !== null) render(<App store={new Store(chosen().run)} />, page);
