// The critical path that actually happened: from the unit that ended last back to what had kept it, and so on to the beginning.

import { byCodeUnit } from '../core/plan.ts';

/** What is known of a unit's way, ms since 1970. */
export interface Way {
  readonly id: string;
  readonly dependsOn: readonly string[];
  /** Everything it depends on had landed. */
  readonly ready: number;
  /** Work on it began. */
  readonly began: number;
  /** Its own work was done, or it failed: another one could have its place. */
  readonly left: number;
  /** It landed, or failed, or is not over yet. */
  readonly ended: number;
}

/** One step of the path. */
export interface Step {
  readonly unit: string;
  readonly from: number;
  readonly to: number;
  readonly because: 'start' | 'dependency' | 'slot';
}

/** A unit that begins this much later than it could has waited for a place, ms. */
const PROMPT = 250;

/** The path, in the order of time; empty when no unit has begun. */
export function criticalPath(ways: readonly Way[]): readonly Step[] {
  const byId = new Map(ways.map((way) => [way.id, way]));
  const path: Step[] = [];
  let at = latest(ways, (way) => way.ended);
  let to = at?.ended ?? 0;
  const seen = new Set<string>();
  while (at !== undefined && !seen.has(at.id)) {
    seen.add(at.id);
    const way: Way = at;
    const slot = way.began - way.ready > PROMPT ? latest(ways.filter((one) => one !== way && one.left <= way.began && one.left > way.ready), (one) => one.left) : undefined;
    const dependency = latest(way.dependsOn.flatMap((id) => byId.get(id) ?? []).filter((one) => one.ended <= way.began), (one) => one.ended);
    const before = slot ?? dependency;
    path.unshift({ unit: way.id, from: way.began, to: Math.max(to, way.began), because: slot !== undefined ? 'slot' : dependency !== undefined ? 'dependency' : 'start' });
    to = slot?.left ?? dependency?.ended ?? 0;
    at = before;
  }
  return path;
}

function latest(ways: readonly Way[], of: (way: Way) => number): Way | undefined {
  return ways.reduce<Way | undefined>((best, way) => (best === undefined || of(way) > of(best) || (of(way) === of(best) && byCodeUnit(way.id, best.id) < 0) ? way : best), undefined);
}
