// The summary of a job in GitHub Actions, as Markdown: what became of each unit and what to do next. No foreign text in it is more than text.

import { cleanLine, shellWord } from '../core/clean.ts';
import type { Result } from '../core/event.ts';
import type { RunView, UnitView } from '../core/view.ts';
import { OUTSIDE, outsideLines } from './outside.ts';
import { counted, duration, oneLine, restWord, short } from './paint.ts';
import { describeCharged, describeMoney, waitCommand } from './waiting.ts';

/** Units that have a row; a summary may not be longer than 1 MiB. */
const ROWS = 400;
/** Characters of one message. */
const LONGEST = 500;

/** Text from outside as text in Markdown and in a cell of a table: no markup, no HTML, no link, nobody mentioned. */
export function plainText(text: string): string {
  const line = oneLine(text);
  const cut = [...line].length > LONGEST ? `${[...line].slice(0, LONGEST).join('')}…` : line;
  return cut
    .replaceAll(/[^\p{L}\p{N}\p{M} .,()'\u2026/-]/gu, (char) => `&#${char.codePointAt(0) ?? 0};`)
    // What follows these would become a mention, a reference or a link even so.
    .replaceAll(/&#(?:64|35);/g, (entity) => `${entity}&#8203;`)
    .replaceAll(/\b(www)\./gi, '$1&#46;&#8203;');
}

/** The end of a session as Markdown, with a line break at its end. */
export function renderJobSummary(o: { readonly view: RunView; readonly result: Result }): string {
  const { view, result } = o;
  const money = describeMoney(view);
  const head = `${result.completedUnits} of ${counted(result.totalUnits, 'unit')} landed, ${duration(result.durationMs)}${money === undefined ? '' : `, ${plainText(money)}`}`;
  const units = view.units.filter((u) => u.state !== 'complete').toSorted((a, b) => rank(a) - rank(b));
  const lines = [
    `### choo: run ${view.run ?? ''}`, '',
    result.error === undefined ? `✅ ${head}` : `❌ ${head}: ${plainText(result.error)}`, '',
    '| unit | state | tasks | attempts | cost | next |', '|---|---|---|---|---|---|',
    ...units.slice(0, ROWS).map((u) => row(u, view)),
    ...(units.length > ROWS ? ['', `and ${units.length - ROWS} more`] : []),
    ...landing(view), ...complaints(units),
    ...(view.outside === undefined ? [] : ['', `⚠️ ${OUTSIDE}`, '', ...outsideLines(view.outside, ROWS).map((line) => `- ${plainText(line)}`)]),
  ];
  return `${lines.join('\n')}\n\n`;
}

/** Nothing ran: why, as Markdown. */
export function renderRefused(diagnostics: readonly { readonly severity: string; readonly message: string; readonly hint?: string; readonly place?: { readonly path: string; readonly line: number } }[]): string {
  const lines = diagnostics.slice(0, ROWS).map((d) => `| ${d.severity} | ${d.place === undefined ? '' : plainText(`${d.place.path}, line ${d.place.line}`)} | ${plainText(d.message)} | ${plainText(d.hint ?? '')} |`);
  return `### choo: nothing ran\n\n| | where | what | hint |\n|---|---|---|---|\n${lines.join('\n')}\n\n`;
}

const ORDER: readonly UnitView['state'][] = ['failed', 'waiting', 'blocked', 'running', 'proving', 'landing', 'pending', 'cancelled', 'landed'];

function rank(u: UnitView): number {
  return ORDER.indexOf(u.state);
}

function row(u: UnitView, view: RunView): string {
  const done = u.tasks.filter((t) => t.state === 'complete').length;
  const attempts = u.tasks.reduce((n, t) => n + t.attempts, 0);
  const state = u.landed === undefined ? restWord(u.state) : `${restWord(u.state)} ${short(u.landed)}`;
  return `| ${[plainText(u.id), plainText(state), `${done} of ${u.tasks.length}`, String(attempts), plainText(describeCharged(u)), next(u, view)].join(' | ')} |`;
}

/** What to do about a unit. Of a saved run the clone may be gone by then. */
function next(u: UnitView, { saved }: RunView): string {
  switch (u.state) {
    case 'failed': return plainText(`${saved === undefined ? '' : 'choo resume --from-remote; '}choo retry ${shellWord(u.id)} && choo resume`);
    case 'blocked': return plainText(`waits for ${u.dependsOn.map(cleanLine).join(', ')}`);
    case 'waiting': return u.waiting === undefined ? '' : plainText(waitCommand(u.waiting, u.id) ?? 'goes on by itself');
    case 'landed': case 'cancelled': case 'complete': return '';
    case 'pending': case 'running': case 'proving': case 'landing': return saved === undefined ? 'choo resume' : 'choo resume --from-remote';
    default: return u.state satisfies never;
  }
}

function landing({ push, saved, landing: at }: RunView): readonly string[] {
  return [
    ...(push === undefined || push.done ? [] : ['', `⚠️ what landed is not pushed to ${plainText(push.to)}${push.because === undefined ? '' : `: ${plainText(push.because)}`}`]),
    ...(saved?.because === undefined ? [] : ['', `⚠️ not saved since event ${saved.upTo}: ${plainText(saved.because)}`]),
    ...(at?.because === undefined ? [] : ['', `⚠️ what landed is on ${plainText(at.ref.replace('refs/heads/', ''))}: ${plainText(at.because)}`]),
  ];
}

function complaints(units: readonly UnitView[]): readonly string[] {
  const failed = units.flatMap((u) => (u.state === 'failed' && u.failure !== undefined ? [`- **${plainText(u.id)}**: ${plainText(u.failure.message)}`] : []));
  return failed.length === 0 ? [] : ['', ...failed.slice(0, ROWS)];
}
