// The timeline as a picture: a row a unit, the critical path marked below its bars. Says with shapes what it says with colours.

import { duration } from '../core/duration.ts';
import { PATH, ROW, SHAPES, ticksOf, WORDS } from './bars.ts';
import { DOINGS } from './data.ts';
import type { Doing, Report, ReportUnit } from './data.ts';
import { html, NONE } from './markup.ts';
import type { Markup } from './markup.ts';
import { scaleOf } from './scale.ts';
import type { Scale } from './scale.ts';

const WIDTH = 1000;
/** Where the bars begin, and the room right of them. */
const LEFT = 190;
const RIGHT = 15;
const TOP = 26;
/** Characters of an id that fit before the bars. */
const LABEL = 26;
/** Lines of the axis at most. */
const TICKS = 8;

/** The picture; nothing when no unit has begun. */
export function gantt(report: Report): Markup {
  const rows = report.units.filter((u) => u.from !== undefined).toSorted((a, b) => Date.parse(a.from ?? '') - Date.parse(b.from ?? ''));
  if (rows.length === 0) return NONE;
  const scale = scaleOf(report);
  const x = (shown: number): number => LEFT + (shown / scale.total) * (WIDTH - LEFT - RIGHT);
  const height = TOP + rows.length * ROW + 4;
  return html`<svg class="gantt" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="gantt-title gantt-text">
<title id="gantt-title">Timeline of the units</title><desc id="gantt-text">A bar for each unit from when it could begin to when it ended, by what its time was spent on. Time without a session is cut short, and shaded. The critical path is underlined and its units are marked with a diamond. The table of units below says the same in words.</desc>
${axis({ scale, x, height })}${rows.map((u, i) => row(u, { report, x: (at) => x(scale.of(Date.parse(at))), top: TOP + i * ROW }))}
</svg>`;
}

/** What the colours and shapes mean. */
export function legend(): Markup {
  const one = (doing: Doing): Markup => {
    const [y, h] = SHAPES[doing];
    return html`<li><svg width="26" height="18" aria-hidden="true"><rect class="${doing}" x="0" y="${y - 2}" width="26" height="${h}"/></svg>${WORDS[doing]}</li>`;
  };
  return html`<ul class="legend">${DOINGS.map(one)}<li><svg width="26" height="18" aria-hidden="true"><rect class="path" x="0" y="8" width="26" height="3"/></svg>critical path (◆)</li></ul>`;
}

/** Lines at full times of what is shown, and where time without a session was cut short. */
function axis({ scale, x, height }: { readonly scale: Scale; readonly x: (shown: number) => number; readonly height: number }): Markup {
  const line = (at: string): Markup => html`<line class="tick" x1="${at}" x2="${at}" y1="16" y2="${height}"/>`;
  return html`<g aria-hidden="true">${ticksOf(scale, TICKS).map(({ at, label }, i) => html`${line(x(at).toFixed(1))}<text class="axis" x="${x(at).toFixed(1)}" y="12" text-anchor="${i === 0 ? 'start' : 'middle'}">${label}</text>`)}
${scale.gaps.map((gap) => html`<rect class="gap" x="${x(gap.at).toFixed(1)}" y="16" width="${(x(gap.at + gap.shown) - x(gap.at)).toFixed(1)}" height="${height - 16}"><title>no session for ${duration(gap.took)}</title></rect>`)}</g>`;
}

function row(u: ReportUnit, o: { readonly report: Report; readonly x: (at: string) => number; readonly top: number }): Markup {
  const label = u.id.length > LABEL ? `${u.id.slice(0, LABEL - 1)}…` : u.id;
  const bars = u.timeline.map((part) => {
    const [y, h] = SHAPES[part.doing];
    return bar({ kind: part.doing, from: o.x(part.from), to: o.x(part.to), y: o.top + y, h, title: `${u.id}: ${WORDS[part.doing]}, ${duration(Date.parse(part.to) - Date.parse(part.from))}` });
  });
  const path = o.report.criticalPath.filter((step) => step.unit === u.id).map((step) => bar({ kind: 'path', from: o.x(step.from), to: o.x(step.to), y: o.top + PATH[0], h: PATH[1], title: `${u.id}: on the critical path` }));
  return html`<g><text class="${u.critical ? 'onpath' : 'off'}" x="4" y="${o.top + 15}">${u.critical ? '◆ ' : ''}${label}</text>${bars}${path}</g>`;
}

function bar(o: { readonly kind: string; readonly from: number; readonly to: number; readonly y: number; readonly h: number; readonly title: string }): Markup {
  return html`<rect class="${o.kind}" x="${o.from.toFixed(1)}" y="${o.y}" width="${Math.max(1, o.to - o.from).toFixed(1)}" height="${o.h}"><title>${o.title}</title></rect>`;
}
