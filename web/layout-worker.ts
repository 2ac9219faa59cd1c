// Lays the graph out off the page's thread: in layers, with few crossings. Told the units, answers with their places.

import { Graph, layout } from '@dagrejs/dagre';
import { BOX } from './layers.ts';
import type { Node } from './layers.ts';

/** What the worker is asked and answers; `number` tells answers apart. */
export interface Asked { readonly number: number; readonly nodes: readonly Node[] }
/** The places in the order asked, x and y by turns. */
export interface Answered { readonly number: number; readonly width: number; readonly height: number; readonly places: Float64Array }

self.addEventListener('message', ({ data }: MessageEvent<Asked>) => {
  const graph = new Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: BOX.gapY, ranksep: BOX.gapX, marginx: BOX.margin, marginy: BOX.margin });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id } of data.nodes) graph.setNode(id, { width: BOX.width, height: BOX.height });
  for (const { id, dependsOn } of data.nodes) for (const on of dependsOn) if (graph.hasNode(on)) graph.setEdge(on, id);
  layout(graph);
  const places = new Float64Array(2 * data.nodes.length);
  data.nodes.forEach(({ id }, i) => {
    const { x = 0, y = 0 } = graph.node(id) as { readonly x?: number; readonly y?: number };
    places[2 * i] = x - BOX.width / 2;
    places[2 * i + 1] = y - BOX.height / 2;
  });
  const { width = 0, height = 0 } = graph.graph() as { readonly width?: number; readonly height?: number };
  self.postMessage({ number: data.number, width, height, places } satisfies Answered);
});
