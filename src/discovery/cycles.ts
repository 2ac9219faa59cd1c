// Circles in a dependency graph given as numbers. No recursion: a chain may be 100,000 long.

/** One shortest circle through the lowest node of every group of nodes that depend on each other; a node that depends on itself is no circle here. Linear in nodes and edges. */
export function findCycles(deps: readonly (readonly number[])[]): number[][] {
  return groups(deps).filter((group) => group.length > 1).map((group) => circleIn(deps, group));
}

/** Strongly connected components by Tarjan's algorithm, with a stack of its own. */
function groups(deps: readonly (readonly number[])[]): number[][] {
  const found: number[][] = [];
  const order = new Int32Array(deps.length).fill(-1);
  const low = new Int32Array(deps.length);
  const waiting = new Uint8Array(deps.length);
  const next = new Int32Array(deps.length);
  const open: number[] = [];
  let counter = 0;
  for (let root = 0; root < deps.length; root++) {
    if (order[root] !== -1) continue;
    const path = [root];
    while (path.length > 0) {
      const node = path[path.length - 1] ?? 0;
      if (order[node] === -1) {
        order[node] = low[node] = counter++;
        open.push(node);
        waiting[node] = 1;
      }
      const child = (deps[node] ?? [])[next[node] ?? 0];
      if (child !== undefined) {
        next[node] = (next[node] ?? 0) + 1;
        if (order[child] === -1) path.push(child);
        else if (waiting[child] === 1) low[node] = Math.min(low[node] ?? 0, order[child] ?? 0);
        continue;
      }
      path.pop();
      const parent = path[path.length - 1];
      if (parent !== undefined) low[parent] = Math.min(low[parent] ?? 0, low[node] ?? 0);
      if (low[node] === order[node]) found.push(takeGroup(open, { node, waiting }));
    }
  }
  return found;
}

function takeGroup(open: number[], o: { readonly node: number; readonly waiting: Uint8Array }): number[] {
  const group: number[] = [];
  for (let member = open.pop(); member !== undefined; member = open.pop()) {
    o.waiting[member] = 0;
    group.push(member);
    if (member === o.node) break;
  }
  return group;
}

/** Breadth first from the lowest node of the group until an edge leads back to it. */
function circleIn(deps: readonly (readonly number[])[], group: readonly number[]): number[] {
  const members = new Set(group);
  const start = group.reduce((least, node) => Math.min(least, node));
  const cameFrom = new Map<number, number>([[start, start]]);
  const queue = [start];
  for (let at = 0; at < queue.length; at++) {
    const node = queue[at] ?? start;
    for (const child of deps[node] ?? []) {
      if (child === start && node !== start) return pathTo(node, { start, cameFrom });
      if (!members.has(child) || cameFrom.has(child)) continue;
      cameFrom.set(child, node);
      queue.push(child);
    }
  }
  return [start];
}

function pathTo(end: number, o: { readonly start: number; readonly cameFrom: ReadonlyMap<number, number> }): number[] {
  const path: number[] = [];
  for (let node = end; node !== o.start; node = o.cameFrom.get(node) ?? o.start) path.push(node);
  return [o.start, ...path.toReversed()];
}
