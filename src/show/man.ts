// The man page, as roff, from the same data as the completions. One page for all commands.

import { placeholder } from './completion/shape.ts';
import type { Flag, Shape, Verb } from './completion/shape.ts';

/** Exit codes, as README.md has them. */
const EXITS: readonly (readonly [code: string, what: string])[] = [
  ['0', 'everything is complete'],
  ['1', 'something failed, is blocked or waits'],
  ['2', 'nothing ran because something must be mended first'],
  ['3', 'a defect in choo'],
  ['130, 143', 'stopped by a signal'],
];

const FILES: readonly (readonly [path: string, what: string])[] = [
  ['.choo.yaml', 'the configuration of a repository'],
  ['specs/tasks/', 'units: a folder each, a Markdown file a task'],
  ['.git/choo/runs/', 'journals and logs of runs'],
];

/** Columns of a line of the source. */
const WIDEST = 79;

/** The page; `version` stands in its foot. */
export function manPage(shape: Shape, version: string): string {
  return [
    '.\\" Made from the command definitions by scripts/man.mjs; not to be edited.',
    `.TH CHOO 1 "" ${quoted(`choo ${version}`)} "User Commands"`,
    '.SH NAME', 'choo \\- run coding agents in parallel over the specs of a repository',
    '.SH SYNOPSIS', '.B choo', '.I command', '.RI [ options ]', '.RI [ arguments ]',
    '.SH DESCRIPTION', line(shape.about),
    '.SH OPTIONS', ...shape.flags.flatMap(flagLines),
    '.SH COMMANDS', ...shape.verbs.flatMap(verbLines),
    '.SH EXIT STATUS', ...EXITS.flatMap(([code, what]) => ['.TP', `.B ${text(code)}`, line(what)]),
    '.SH FILES', ...FILES.flatMap(([path, what]) => ['.TP', `.I ${text(path)}`, line(what)]),
    '.SH EXAMPLES', ...exampleLines(shape.examples),
    '.SH SEE ALSO', '.BR git (1),', '.BR git\\-worktree (1)',
  ].join('\n').concat('\n');
}

function verbLines(v: Verb): readonly string[] {
  const usage = [v.flags.every((f) => f.names.includes('--help')) ? '' : '[options]', ...v.args.map(placeholder)].filter((part) => part !== '').join(' ');
  return [
    `.SS ${quoted(`choo ${v.name}${usage === '' ? '' : ` ${usage}`}`)}`, line(v.about),
    ...v.args.filter((a) => a.about !== '').flatMap((a) => ['.TP', `.I ${text(placeholder(a))}`, line(a.about)]),
    // That each has --help is said once.
    ...v.flags.filter((f) => !f.names.includes('--help')).flatMap(flagLines),
    ...(v.examples.length === 0 ? [] : ['.PP', 'Examples:', ...exampleLines(v.examples)]),
  ];
}

function flagLines(f: Flag): readonly string[] {
  const value = f.value === undefined ? '' : ` \\fI${text(placeholder(f.value))}\\fR`;
  return ['.TP', `${f.names.map((name) => `\\fB${text(name)}\\fR`).join(', ')}${value}`, line(choices(f))];
}

function choices({ about, value }: Flag): string {
  return value !== undefined && typeof value.kind === 'object' && !value.kind.words.every((word) => about.includes(word)) ? `${about} (${value.kind.words.join(', ')})` : about;
}

function exampleLines(examples: Verb['examples']): readonly string[] {
  return examples.flatMap(([command, what]) => ['.TP', `\\fB${text(command)}\\fR`, ...(what === '' ? [] : [line(what)])]);
}

/** Text in lines that the page's readers like, of which none is a request. */
function line(raw: string): string {
  const lines: string[] = [];
  for (const word of raw.split(/\s+/).map(text)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= WIDEST) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.map((one) => one.replace(/^['.]/, '\\&$&')).join('\n');
}

function text(raw: string): string {
  return raw.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll("'", '\\(aq').replaceAll('`', '\\(ga').replaceAll('^', '\\(ha').replaceAll('~', '\\(ti');
}

function quoted(raw: string): string {
  return `"${text(raw).replaceAll('"', '\\(dq')}"`;
}
