// The graph laid out at once by layers: the longest way to each unit says its column. Stands in until the worker has the better layout.

/** A unit as the layout needs it. */
export interface Node {
  readonly id: string;
  readonly dependsOn: readonly string[];
}

/** Where a unit is drawn: its upper left corner. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

/** A layout, in pixels. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly places: ReadonlyMap<string, Place>;
}

/** Size of a unit's box, and the room between boxes, pixels. */
export const BOX = { width: 168, height: 44, gapX: 56, gapY: 16, margin: 16 } as const;

/** Columns by the longest way, rows in the order given. */
export function layers(nodes: readonly Node[]): Layout {
  const depth = depths(nodes);
  const rows: number[] = [];
  const places = new Map<string, Place>();
  for (const { id } of nodes) {
    const column = depth.get(id) ?? 0;
    const row = rows[column] ?? 0;
    rows[column] = row + 1;
    places.set(id, { x: BOX.margin + column * (BOX.width + BOX.gapX), y: BOX.margin + row * (BOX.height + BOX.gapY) });
  }
  return {
    places,
    width: 2 * BOX.margin + rows.length * (BOX.width + BOX.gapX),
    height: 2 * BOX.margin + Math.max(1, ...rows.map((n) => n ?? 0)) * (BOX.height + BOX.gapY),
  };
}

function depths(nodes: readonly Node[]): ReadonlyMap<string, number> {
  const depth = new Map<string, number>();
  const open = new Map(nodes.map((node) => [node.id, node.dependsOn.length]));
  const next = new Map<string, string[]>();
  for (const { id, dependsOn } of nodes) for (const on of dependsOn) next.set(on, [...next.get(on) ?? [], id]);
  const known = new Set(nodes.map(({ id }) => id));
  const queue = nodes.filter(({ dependsOn }) => dependsOn.every((on) => !known.has(on))).map(({ id }) => id);
  for (const id of queue) {
    const at = depth.get(id) ?? 0;
    depth.set(id, at);
    for (const follower of next.get(id) ?? []) {
      depth.set(follower, Math.max(depth.get(follower) ?? 0, at + 1));
      const left = (open.get(follower) ?? 1) - 1;
      open.set(follower, left);
      if (left === 0) queue.push(follower);
    }
  }
  return depth;
}
