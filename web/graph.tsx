// The dependency graph: boxes in layers, coloured and marked by state. Draws only what can be seen of it; its layout is a worker's.

import { memo } from 'preact/compat';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { UnitView } from '../src/core/view.ts';
import type { Answered, Asked } from './layout-worker.ts';
import { BOX, layers } from './layers.ts';
import type { Layout, Node, Place } from './layers.ts';
import type { Known } from './store.ts';
import { MARKS, tasksDone } from './words.ts';

/** Room around what is seen that is drawn too, pixels. */
const AROUND = 200;
/** Letters of a name that fit into a box. */
const FITS = 19;

interface Seen { readonly x: number; readonly y: number; readonly width: number; readonly height: number }

/** The graph of a run. */
export function Graph({ nodes, known, chosen, choose }: { readonly nodes: readonly Node[]; readonly known: Known; readonly chosen: string | undefined; readonly choose: (id: string) => void }) {
  const layout = useLayout(nodes);
  const frame = useRef<HTMLDivElement>(null);
  const seen = useSeen(frame, layout);
  const edges = useMemo(() => edgesOf(nodes, layout), [nodes, layout]);
  if (nodes.length === 0) return null;
  return (
    <section aria-labelledby="graph">
      <h2 id="graph">Graph</h2>
      <div class="graph" ref={frame} tabIndex={0} role="group" aria-label={`dependency graph of ${nodes.length} units; the list below has the same units`}>
        <svg width={layout.width} height={layout.height}>
          <g class="edges" aria-hidden="true">
            {edges.filter((edge) => touches(edge, seen)).map(({ key, path, done }) => <path key={key} d={path} class={known.byId.get(done)?.state === 'landed' ? 'done' : ''} />)}
          </g>
          {nodes.map(({ id }) => {
            const place = layout.places.get(id);
            const unit = known.byId.get(id);
            return place === undefined || unit === undefined || !touches({ ...place, width: BOX.width, height: BOX.height }, seen) ? null : <Box key={id} unit={unit} place={place} chosen={id === chosen} choose={choose} />;
          })}
        </svg>
      </div>
    </section>
  );
}

const Box = memo(({ unit, place, chosen, choose }: { readonly unit: UnitView; readonly place: Place; readonly chosen: boolean; readonly choose: (id: string) => void }) => {
  const name = unit.id.length > FITS ? `${unit.id.slice(0, FITS - 1)}…` : unit.id;
  const standing = `${MARKS[unit.state]} ${unit.state} ${tasksDone(unit)}`;
  return (
    <g
      class={`box state ${unit.state}${chosen ? ' chosen' : ''}`} transform={`translate(${place.x} ${place.y})`} role="button" tabIndex={-1} aria-label={`${name} ${standing}${name === unit.id ? '' : `, ${unit.id}`}`}
      data-unit={unit.id} onClick={() => choose(unit.id)}
    >
      <title>{`${unit.id}: ${unit.state}`}</title>
      <rect width={BOX.width} height={BOX.height} rx={6} />
      <text x={10} y={18} class="name">{name}</text>
      <text x={10} y={35}>{standing}</text>
    </g>
  );
});

/** The layout at once by layers, then the worker's. */
function useLayout(nodes: readonly Node[]): Layout {
  const quick = useMemo(() => layers(nodes), [nodes]);
  const [better, set] = useState<{ readonly of: readonly Node[]; readonly layout: Layout }>();
  const worker = useRef<Worker | undefined>(undefined);
  useEffect(() => () => worker.current?.terminate(), []);
  useEffect(() => {
    if (nodes.length === 0) return;
    // One that still works on an earlier graph works for nothing.
    worker.current?.terminate();
    const fresh = new Worker('/layout.js', { type: 'module' });
    worker.current = fresh;
    fresh.addEventListener('message', ({ data }: MessageEvent<Answered>) => {
      const places = new Map(nodes.map(({ id }, i) => [id, { x: data.places[2 * i] ?? 0, y: data.places[2 * i + 1] ?? 0 }]));
      set({ of: nodes, layout: { width: data.width, height: data.height, places } });
      fresh.terminate();
    });
    fresh.postMessage({ number: 0, nodes } satisfies Asked);
  }, [nodes]);
  return better?.of === nodes ? better.layout : quick;
}

/** The part of the graph that is in sight. */
function useSeen(frame: { readonly current: HTMLDivElement | null }, layout: Layout): Seen {
  const [seen, set] = useState<Seen>({ x: 0, y: 0, width: 1600, height: 900 });
  useEffect(() => {
    const element = frame.current;
    if (element === null) return undefined;
    const look = (): void => set({ x: element.scrollLeft, y: element.scrollTop, width: element.clientWidth, height: element.clientHeight });
    look();
    element.addEventListener('scroll', look, { passive: true });
    const sizes = new ResizeObserver(look);
    sizes.observe(element);
    return () => {
      element.removeEventListener('scroll', look);
      sizes.disconnect();
    };
  }, [frame, layout]);
  return seen;
}

function touches(what: Seen, seen: Seen): boolean {
  return what.x < seen.x + seen.width + AROUND && what.x + what.width > seen.x - AROUND && what.y < seen.y + seen.height + AROUND && what.y + what.height > seen.y - AROUND;
}

function edgesOf(nodes: readonly Node[], { places }: Layout): readonly (Seen & { readonly key: string; readonly path: string; readonly done: string })[] {
  return nodes.flatMap(({ id, dependsOn }) => dependsOn.flatMap((on) => {
    const [from, to] = [places.get(on), places.get(id)];
    if (from === undefined || to === undefined) return [];
    const [x1, y1, x2, y2] = [from.x + BOX.width, from.y + BOX.height / 2, to.x, to.y + BOX.height / 2];
    const middle = (x1 + x2) / 2;
    return [{
      key: `${on} ${id}`, done: on, path: `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`,
      x: Math.min(x1, x2), y: Math.min(y1, y2), width: Math.abs(x2 - x1), height: Math.abs(y2 - y1),
    }];
  }));
}
