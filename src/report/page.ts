// A report as one HTML page that needs nothing else and asks for nothing: no script, no picture from elsewhere, a policy that forbids both.

import { duration } from '../core/duration.ts';
import { describeSpent } from '../core/usage.ts';
import type { Spent, Usage } from '../core/usage.ts';
import { WORDS } from './bars.ts';
import { DOINGS } from './data.ts';
import type { Report, ReportAttempt, ReportUnit } from './data.ts';
import { gantt, legend } from './gantt.ts';
import { html, lines, NONE } from './markup.ts';
import type { Markup } from './markup.ts';
import { STYLE } from './style.ts';

/** The page. `styleHash`: SHA-256 of `STYLE` in base64. */
export function renderPage(report: Report, o: { readonly styleHash: string }): string {
  const title = `choo run ${report.run} onto ${branch(report.target)}`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${{ html: o.styleHash }}'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${{ html: STYLE }}</style>
</head>
<body>
<header><h1>Run ${report.run} onto ${branch(report.target)}</h1><p>${standing(report)}</p>
<p class="soft">${moment(report.startedAt)} to ${moment(report.asOf)} (UTC) · base <code>${report.base.slice(0, 10)}</code>${report.mode === 'forge' ? ' · by pull requests' : ''}</p></header>
<main>
${people(report)}${numbers(report)}${timeline(report)}${critical(report)}${unitTable(report)}${failures(report)}${flaky(report)}${attempts(report)}${batches(report)}${sessions(report)}
</main>
</body>
</html>
`;
  return page.html;
}

function standing({ counts, at, closed, units }: Report): string {
  const told = (['landed', 'running', 'proving', 'landing', 'waiting', 'pending', 'failed', 'blocked', 'cancelled'] as const).filter((state) => counts[state] > 0).map((state) => `${counts[state]} ${state}`);
  const how = at === 'live' ? 'A session is at work' : at === 'elsewhere' ? 'A session may be at work elsewhere' : closed ? 'The run is over' : 'The run is open and at rest';
  return `${how}: of ${units.length} ${units.length === 1 ? 'unit' : 'units'} ${told.length === 0 ? 'none has begun' : told.join(', ')}.`;
}

function people({ people: list }: Report): Markup {
  if (list.length === 0) return NONE;
  return html`<section class="people" aria-labelledby="people"><h2 id="people">What waits for a person</h2><ul>${list.map((one) => html`
<li>${one.unit === undefined ? NONE : html`<strong>${one.unit}</strong>: `}${one.text}${one.command === undefined ? NONE : html`<br><code>${one.command}</code>`}</li>`)}</ul></section>`;
}

function numbers(r: Report): Markup {
  const all = r.units.flatMap((u) => [...u.attempts, ...u.tasks.flatMap((t) => t.attempts)]);
  const usage = all.flatMap((one) => one.usage ?? []);
  const facts: readonly (readonly [string, string])[] = [
    ['Landed', `${r.counts.landed} of ${r.units.length}`], ['Wall time', duration(r.wall)], ['Attempts', String(all.length)],
    ['Checks', String(r.checks.length)],
    ['Tokens in · out', usage.length === 0 ? 'not known' : `${count(sum(usage, (u) => u.input + u.cacheRead + u.cacheWrite))} · ${count(sum(usage, (u) => u.output))}`],
    ['Cost', r.spent === undefined ? 'not known' : describeSpent(r.spent)],
    ...(r.budget?.run === undefined ? [] : [['Budget', describeSpent({ usd: 0, tokens: 0, [r.budget.in]: r.budget.run })] as const]),
  ];
  return html`<section aria-label="Numbers"><dl>${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></section>`;
}

function timeline(r: Report): Markup {
  const picture = gantt(r);
  if (picture === NONE) return NONE;
  return html`<section aria-labelledby="timeline"><h2 id="timeline">Timeline</h2>${legend()}<div class="wide" role="region" aria-label="Timeline" tabindex="0">${picture}</div>
${table({ caption: 'All units’ time together, by what it was spent on; several units run at the same time.', head: ['Spent on', 'Time', 'Share with a session'], rows: DOINGS.filter((doing) => r.durations[doing] > 0).map((doing) => [WORDS[doing], duration(r.durations[doing]), doing === 'rest' ? '' : share(r.durations[doing], sum(DOINGS, (one) => (one === 'rest' ? 0 : r.durations[one])))]), numbers: [1, 2] })}</section>`;
}

const BECAUSE = { start: 'nothing before it', dependency: 'after the one before had landed', slot: 'when the one before had left its place' } as const;

function critical({ criticalPath: path, units }: Report): Markup {
  if (path.length === 0) return NONE;
  return html`<section aria-labelledby="critical"><h2 id="critical">Critical path</h2><p class="soft">What kept the run from ending earlier, as it happened.</p><ol>${path.map((step) => html`
<li><strong>${step.unit}</strong> ${duration(Date.parse(step.to) - Date.parse(step.from))}${resting(step, units)} <span class="soft">(${BECAUSE[step.because]})</span></li>`)}</ol></section>`;
}

/** How much of a step on the critical path no session worked on the run. */
function resting(step: Report['criticalPath'][number], units: readonly ReportUnit[]): string {
  const parts = units.find((u) => u.id === step.unit)?.timeline.filter((part) => part.doing === 'rest') ?? [];
  const ms = sum(parts, (part) => Math.max(0, Math.min(Date.parse(part.to), Date.parse(step.to)) - Math.max(Date.parse(part.from), Date.parse(step.from))));
  return ms === 0 ? '' : `, of it ${duration(ms)} without a session`;
}

function unitTable(r: Report): Markup {
  const rows = r.units.map((u) => [
    html`${u.critical ? '◆ ' : ''}${u.id}`, html`<span class="${u.state}">${u.state}</span>`, after(u), u.from === undefined ? '' : duration(Date.parse(u.to ?? u.from) - Date.parse(u.from)),
    ...(['agent', 'checks', 'waiting', 'landing'] as const).map((doing) => (u.durations[doing] === 0 ? '' : duration(u.durations[doing]))), String(sum([u], (one) => one.attempts.length + sum(one.tasks, (t) => t.attempts.length))), money(u.spent), landing(u),
  ]);
  return html`<section aria-labelledby="units"><h2 id="units">Units</h2>${table({
    caption: '◆ is on the critical path.', head: ['Unit', 'State', 'After', 'In all', 'Agent', 'Checks', 'Waiting', 'Landing', 'Attempts', 'Cost', 'Landed as'], rows, numbers: [3, 4, 5, 6, 7, 8, 9],
  })}</section>`;
}

function after(u: ReportUnit): string {
  return u.dependsOn.join(', ');
}

function landing(u: ReportUnit): Markup {
  const pull = u.pull === undefined ? NONE : html` ${link(u.pull.url, `#${u.pull.number}`)}`;
  return u.landed === undefined ? pull : html`<code>${u.landed.commit.slice(0, 10)}</code>${pull}`;
}

function failures({ failures: list }: Report): Markup {
  if (list.length === 0) return NONE;
  return html`<section aria-labelledby="failures"><h2 id="failures">Failures</h2>${list.map((one) => html`<h3 class="failed">${one.unit ?? 'This machine'}</h3><p>${one.message}</p>${output(one)}`)}</section>`;
}

function output(one: { readonly tail?: readonly string[]; readonly log?: string }): Markup {
  return html`${one.tail === undefined ? NONE : html`<pre tabindex="0" aria-label="Last lines of its output">${lines(one.tail)}</pre>`}${one.log === undefined ? NONE : html`<p class="soft">log <code>${one.log}</code></p>`}`;
}

function flaky({ flaky: list }: Report): Markup {
  if (list.length === 0) return NONE;
  return html`<section aria-labelledby="flaky"><h2 id="flaky">Flaky checks</h2><ul>${list.map((one) => html`<li>${one.unit === undefined ? NONE : html`<strong>${one.unit}</strong>: `}${one.text}${one.command === undefined ? NONE : html` <code>${one.command}</code>`}</li>`)}</ul></section>`;
}

function attempts(r: Report): Markup {
  return html`<section aria-labelledby="attempts"><h2 id="attempts">Attempts</h2>${r.units.filter((u) => u.from !== undefined).map((u) => html`
<details><summary><strong>${u.id}</strong> <span class="soft">${u.tasks.filter((t) => t.state === 'complete').length} of ${u.tasks.length} tasks complete</span></summary>${attemptTable(u)}</details>`)}</section>`;
}

function attemptTable(u: ReportUnit): Markup {
  const row = (what: string, one: ReportAttempt): readonly (Markup | string)[] => [
    what, String(one.number), one.model === undefined ? one.agent : `${one.agent} (${one.model})`, html`<span class="${one.result}">${one.result}</span>`, moment(one.from), duration(Date.parse(one.to) - Date.parse(one.from)),
    one.usage === undefined ? '' : tokens(one.usage), one.usage?.usd === undefined ? '' : describeSpent({ usd: one.usage.usd, tokens: 0 }), one.failure === undefined ? '' : html`${one.failure.message}${output(one.failure)}`,
  ];
  const rows = [...u.tasks.flatMap((t) => t.attempts.map((one) => row(`${t.number} ${t.title}`, one))), ...u.attempts.map((one) => row(one.purpose === 'code-review' ? 'review' : `mending (${one.purpose})`, one))];
  return table({ caption: `Attempts of ${u.id}`, head: ['For', 'No.', 'Agent', 'Result', 'Began (UTC)', 'Took', 'Tokens in · out', 'Cost', 'What failed'], rows, numbers: [1, 5, 6, 7] });
}

function batches({ batches: list }: Report): Markup {
  if (list.length === 0) return NONE;
  const rows = list.map((one) => [String(one.batch), one.units.join(', '), html`<span class="${one.result}">${one.result.replace('-', ' ')}</span>`, String(one.proofs), duration(Date.parse(one.to) - Date.parse(one.from)), one.ref === undefined ? '' : branch(one.ref)]);
  return html`<section aria-labelledby="batches"><h2 id="batches">Landing</h2>${table({ caption: 'Units that were to land together.', head: ['Batch', 'Units', 'Result', 'Proofs', 'Took', 'Onto'], rows, numbers: [3, 4] })}</section>`;
}

function sessions({ sessions: list }: Report): Markup {
  const rows = list.map((one, i) => [String(i + 1), `choo ${one.kind}`, html`<span class="${one.ended}">${one.ended}</span>`, moment(one.from), duration(Date.parse(one.to) - Date.parse(one.from))]);
  return html`<section aria-labelledby="sessions"><h2 id="sessions">Sessions</h2>${table({ caption: 'Each start of choo on this run.', head: ['No.', 'Command', 'Ended', 'Began (UTC)', 'Took'], rows, numbers: [4] })}</section>`;
}

function table(o: { readonly caption: string; readonly head: readonly string[]; readonly rows: readonly (readonly (Markup | string)[])[]; readonly numbers: readonly number[] }): Markup {
  const kind = (i: number): Markup => (o.numbers.includes(i) ? html` class="number"` : NONE);
  return html`<div class="wide" role="region" aria-label="${o.caption}" tabindex="0"><table><caption>${o.caption}</caption><thead><tr>${o.head.map((name, i) => html`<th scope="col"${kind(i)}>${name}</th>`)}</tr></thead><tbody>${o.rows.map((cells) => html`
<tr>${cells.map((cell, i) => (i === 0 ? html`<th scope="row">${cell}</th>` : html`<td${kind(i)}>${cell}</td>`))}</tr>`)}</tbody></table></div>`;
}

/** A link to somewhere else is only made of an address of the web. */
function link(url: string, text: string): Markup {
  return /^https?:\/\//.test(url) ? html`<a rel="noreferrer noopener" href="${url}">${text}</a>` : html`${text}`;
}

function branch(ref: string): string {
  return ref.replace(/^refs\/heads\//, '');
}

function moment(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ');
}

function money(spent: Spent | undefined): string {
  return spent === undefined ? '' : describeSpent(spent);
}

function tokens(u: Usage): string {
  return `${count(u.input + u.cacheRead + u.cacheWrite)} · ${count(u.output)}`;
}

function count(n: number): string {
  return Math.round(n).toLocaleString('en-US');
}

function share(part: number, whole: number): string {
  const percent = whole === 0 ? 0 : (part / whole) * 100;
  return percent > 0 && percent < 1 ? '< 1%' : `${Math.round(percent)}%`;
}

function sum<T>(list: readonly T[], of: (one: T) => number): number {
  return list.reduce((total, one) => total + of(one), 0);
}
