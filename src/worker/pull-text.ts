// What a pull request says: title and body from the plan, and a section of choo's own that is edited in place. Everything in it that
// comes from specs, agents or people is quoted as text: it mentions nobody, links nowhere and ends no table.

import { cleanLine } from '../core/clean.ts';
import { code, plainText } from '../core/markdown.ts';
import { pullRules } from '../core/pull.ts';
import type { State, UnitState } from '../core/state.ts';
import { describeSpent } from '../core/usage.ts';

/** Comments that GitHub does not show; between them stands what choo writes again and again. */
const BEGIN = '<!-- choo:begin -->';
const END = '<!-- choo:end -->';
/** Characters of a body: forges refuse longer ones (GitHub: 65,536). */
const LONGEST_BODY = 60_000;
const LONGEST_TITLE = 250;

/** What the templates may name. */
export interface PullTexts {
  /** First heading of the plan, or the unit's id. */
  readonly title: string;
  /** The plan's text without front matter and first heading. */
  readonly plan: string;
}

/** The plan's heading and text. */
export function pullTexts(unit: string, plan: string): PullTexts {
  const body = plan.replace(/^\uFEFF?---\r?\n[\s\S]*?\r?\n---[ \t]*(?:\r?\n|$)/, '').trim();
  const heading = /^# +(.+)$/m.exec(body);
  const title = heading?.[1]?.trim() ?? unit;
  return { title, plan: heading === null ? body : body.replace(heading[0], '').trim() };
}

/** The title, one line. */
export function pullTitle(s: State, u: UnitState, texts: PullTexts): string {
  return cleanLine(filled(pullRules(s).title, u, texts).replaceAll(/\s+/g, ' ').trim()).slice(0, LONGEST_TITLE) || u.unit.id;
}

/** The whole body of a new pull request. */
export function pullBody(s: State, u: UnitState, texts: PullTexts & { readonly redact: (text: string) => string }): string {
  const section = pullSection(s, u, texts.redact);
  const written = filled(pullRules(s).body, u, texts).replaceAll('<!-- choo:', '<!-- ');
  return `${cut(written, LONGEST_BODY - section.length)}\n\n${section}\n`;
}

/** A body as people left it, with the section as it is now in the place of the old one, or at the end. */
export function withSection(body: string, section: string): string {
  const from = body.indexOf(BEGIN);
  const to = body.indexOf(END, from);
  if (from < 0 || to < 0) return `${cut(body.trimEnd(), LONGEST_BODY - section.length)}\n\n${section}\n`;
  return body.slice(0, from) + section + body.slice(to + END.length);
}

/** Tasks with attempts and checks, cost, and what it depends on. Secrets go before anything is quoted or cut: no half of one would be known, and none with a backslash in it. */
export function pullSection(s: State, u: UnitState, redact: (text: string) => string): string {
  const rows = u.unit.tasks.map((t) => {
    const task = u.tasks[t.number - 1];
    const state = task?.done !== true ? 'open' : task.ours ? `passed${task.unchanged ? `, nothing changed${task.before === 'failed' ? ' that git would commit' : ''}` : ''}` : 'complete before';
    return `| ${t.number} | ${plainText(redact(t.title))} | ${code(redact(t.check))} | ${state} | ${task?.used ?? 0} |`;
  });
  const proved = u.pull?.proved?.commit === u.head && u.head !== undefined;
  const others = u.unit.dependsOn.map((id) => s.units[s.graph.index.get(id) ?? -1]).flatMap((d) => (d === undefined ? [] : [d.pull?.number === undefined ? code(d.unit.id) : `#${d.pull.number}`]));
  const spent = describeSpent(u.spent);
  return [
    BEGIN,
    `Unit ${code(u.unit.id)} of run ${s.run}. ${proved ? `Every check of it passed on ${(u.head ?? '').slice(0, 10)}, which contains ${(u.pull?.proved?.onto ?? '').slice(0, 10)} of ${code(s.pinned.forge?.ref.replace('refs/heads/', '') ?? '')}.` : 'Its checks have not all passed on its newest commit yet.'}`,
    '', '| # | task | check | | attempts |', '|---|---|---|---|---|', ...rows, '',
    ...[...u.unit.checks, ...s.pinned.checks].map((c) => `- also checked: ${code(redact(c.command))}`),
    ...(others.length === 0 ? [] : [`- depends on ${others.join(', ')}`]),
    ...(spent === '' ? [] : [`- used: ${spent}`]),
    END,
  ].join('\n');
}

/** What is said below feedback that was worked on. */
export function answerText(o: { readonly commit: string; readonly changed: boolean }): string {
  return o.changed ? `Worked on in ${o.commit}. All checks of the unit passed on it.` : `Looked at; nothing was changed for this. The unit is at ${o.commit}.`;
}

function filled(template: string, u: UnitState, texts: PullTexts): string {
  const values: Readonly<Record<string, string>> = { unit: u.unit.id, title: texts.title, plan: texts.plan };
  return template.replaceAll(/\{(unit|title|plan)\}/g, (_, name: string) => values[name] ?? '');
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, Math.max(0, most - 2))} …`;
}
