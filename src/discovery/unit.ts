// The files of one unit's folder read on their own: plan, tasks, checks, design spec. Other units are `link.ts`'s business.

import { cleanLine } from '../core/clean.ts';
import { BOUNDS } from '../core/limits.ts';
import type { Check, Task } from '../core/plan.ts';
import { errorAt } from './diagnostic.ts';
import type { Diagnostic } from './diagnostic.ts';
import { Fields } from './fields.ts';
import { readFrontMatter } from './frontmatter.ts';
import type { FrontMatter } from './frontmatter.ts';
import { baselineSection, designSpec, firstTitle } from './markdown.ts';
import { byteLength, Source, wholeFile } from './source.ts';
import type { Located, SourceFile } from './source.ts';
import type { SpecIndex } from './specs.ts';
import { didYouMean } from './suggest.ts';

/** File name of a unit's plan. */
export const PLAN_FILE = 'IMPLEMENTATION_PLAN.md';

/** A unit as its own files tell it, before it is linked with the others. */
export interface UnitDraft {
  readonly id: string;
  readonly dir: string;
  readonly plan: Source;
  readonly dependsOn: readonly Located<string>[];
  /** In number order. */
  readonly tasks: readonly TaskDraft[];
  readonly checks: readonly Check[];
  readonly provider?: Located<string>;
  readonly touches: readonly string[];
  readonly specPath?: string;
  /** True when nothing of it is left to do. */
  readonly complete: boolean;
}

/** A task with the places of the numbers it depends on. */
export interface TaskDraft {
  readonly task: Task;
  readonly source: Source;
  readonly dependsOn: readonly Located<number>[];
}

/** The files of one folder, and what a `Design spec:` may mean. */
export interface UnitFiles {
  readonly id: string;
  readonly dir: string;
  readonly plan: SourceFile | undefined;
  /** Files named `<digits>-*.md`, in any order. */
  readonly tasks: readonly SourceFile[];
  readonly specs: SpecIndex;
}

const PLAN_KEYS = ['unit', 'depends_on', 'provider', 'baseline_checks', 'touches'];
const OLD_KEYS = ['orch_status', 'orch_branch', 'orch_worktree', 'orch_pr_number', 'orch_started_at', 'orch_completed_at'];
const TASK_KEYS = ['task', 'status', 'backpressure', 'depends_on'];
const ALIASES = ['number', 'title'];
const STATUSES = ['pending', 'in_progress', 'complete', 'failed'];
/** Longest title that is kept, characters; it ends up in a commit's subject. */
const TITLE_LIMIT = 200;

/** Reads one unit. The draft is absent when the plan or all tasks are missing or unreadable. */
export function readUnit(files: UnitFiles): { readonly draft?: UnitDraft; readonly diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const report = (found: readonly Diagnostic[]): void => { diagnostics.push(...found); };
  if (files.plan === undefined) {
    report([errorAt('missing-plan', `the unit \`${files.id}\` has tasks but no ${PLAN_FILE}`, { place: wholeFile(files.dir), hint: `add ${files.dir}/${PLAN_FILE}` })]);
  }
  if (files.tasks.length === 0) {
    report([errorAt('missing-tasks', `the unit \`${files.id}\` has a plan but no task`, { place: wholeFile(files.plan?.path ?? files.dir), hint: `add ${files.dir}/01-first.md` })]);
  }
  const tasks = readTasks(files, report);
  const plan = files.plan === undefined ? undefined : openSource(files.plan, report);
  if (plan === undefined || files.tasks.length === 0) return { diagnostics };
  const draft = readPlan(files, { plan, tasks, report });
  return tasks.length === 0 ? { diagnostics } : { draft, diagnostics };
}

type Report = (found: readonly Diagnostic[]) => void;

function openSource(file: SourceFile, report: Report): Source | undefined {
  const problem = file.text === undefined ? file.problem : byteLength(file.text) > BOUNDS.specFile ? 'too-large' : undefined;
  if (file.text !== undefined && problem === undefined) return new Source(file.path, file.text);
  const message = {
    'too-large': `the file is larger than ${BOUNDS.specFile / 1024} KiB`,
    'not-utf8': 'the file is not valid UTF-8',
    'not-a-file': 'this is no regular file; links are not followed',
  }[problem ?? 'not-a-file'];
  report([errorAt(`file-${problem ?? 'not-a-file'}`, message, { place: wholeFile(file.path) })]);
  return undefined;
}

function readPlan(files: UnitFiles, o: { readonly plan: Source; readonly tasks: readonly TaskDraft[]; readonly report: Report }): UnitDraft {
  const { plan, tasks } = o;
  const front = readFrontMatter(plan);
  const fields = new Fields(plan, front.map);
  const unit = fields.text('unit');
  if (unit !== undefined && unit.value !== files.id) {
    fields.error('unit-name', `the folder is \`${files.id}\`, but \`unit\` says \`${unit.value}\``, { at: unit, hint: `write \`unit: ${files.id}\`, or rename the folder` });
  }
  const provider = fields.text('provider');
  const dependsOn = fields.texts('depends_on', 'unit names');
  const touches = fields.texts('touches', 'globs').map((glob) => glob.value);
  const checks = fields.checks('baseline_checks') ?? fencedChecks(plan, front, fields);
  fields.unknown([...PLAN_KEYS, ...OLD_KEYS], 'a plan');
  const specPath = specOf(files, { source: plan, front, fields }) ?? files.specs.ofUnit(files.id);
  const declared = fields.entry('orch_status')?.value;
  o.report(front.diagnostics);
  o.report(fields.diagnostics);
  return {
    id: files.id,
    dir: files.dir,
    plan,
    dependsOn,
    tasks,
    checks,
    ...(provider === undefined ? {} : { provider }),
    touches,
    ...(specPath === undefined ? {} : { specPath }),
    complete: (declared?.kind === 'scalar' && declared.value === 'complete') || tasks.every(({ task }) => task.complete),
  };
}

function fencedChecks(plan: Source, front: FrontMatter, fields: Fields): Check[] {
  const section = baselineSection(plan.text, front.body);
  if (section === undefined) return [];
  if (section.fence === undefined) {
    fields.warn('no-baseline-fence', 'no `sh` or `bash` fence is under this heading, so it checks nothing', { at: section.heading });
    return [];
  }
  const command = section.fence.code.trim();
  if (command === '') {
    fields.error('empty-check', 'the check is empty: it would prove nothing', { at: section.fence });
    return [];
  }
  // A shell goes on after a line that failed; every line of the fence has to pass.
  return [{ name: 'baseline checks', command: command.includes('\n') ? `set -e\n${command}` : command }];
}

function specOf(files: UnitFiles, o: { readonly source: Source; readonly front: FrontMatter; readonly fields: Fields }): string | undefined {
  const named = designSpec(o.source.text, o.front.body);
  if (named === undefined) return undefined;
  const path = files.specs.named(named.value, o.source.path);
  if (path === undefined) o.fields.warn('missing-spec', `the design spec \`${named.value}\` is not in the repository`, { at: named });
  return path;
}

function readTasks(files: UnitFiles, report: Report): TaskDraft[] {
  const numbered = files.tasks.map((file) => ({ file, digits: digitsOf(file.path) })).toSorted((a, b) => a.digits - b.digits || (a.file.path < b.file.path ? -1 : 1));
  const seen = new Map<number, string>();
  const drafts: TaskDraft[] = [];
  let expected = 1;
  for (const { file, digits } of numbered) {
    const other = seen.get(digits);
    seen.set(digits, other ?? file.path);
    if (other !== undefined) {
      const related = [{ message: 'the other one', place: wholeFile(other) }];
      report([errorAt('duplicate-task', `two files of the unit \`${files.id}\` are task ${digits}`, { place: wholeFile(file.path), related })]);
      continue;
    }
    if (digits !== expected) report([gap(files, { file, digits, expected })]);
    expected = digits + 1;
    const source = openSource(file, report);
    if (source !== undefined) drafts.push(readTask(files, { source, digits, report }));
  }
  return drafts;
}

function digitsOf(path: string): number {
  return Number(/^\d+/.exec(path.slice(path.lastIndexOf('/') + 1))?.[0] ?? 0);
}

function gap(files: UnitFiles, o: { readonly file: SourceFile; readonly digits: number; readonly expected: number }): Diagnostic {
  const hint = 'tasks are numbered 1, 2, 3 … without gaps';
  const message = o.digits === 0
    ? `task 0 of the unit \`${files.id}\`: numbers begin at 1`
    : `task ${o.expected} of the unit \`${files.id}\` is missing before task ${o.digits}`;
  return errorAt('missing-task', message, { place: wholeFile(o.file.path), hint });
}

function readTask(files: UnitFiles, o: { readonly source: Source; readonly digits: number; readonly report: Report }): TaskDraft {
  const { source, digits } = o;
  const front = readFrontMatter(source);
  const fields = new Fields(source, front.map);
  // After a syntax error every key would be reported as missing.
  const readable = !front.diagnostics.some((d) => d.severity === 'error');
  if (readable) checkNumber(fields, { front, digits });
  const check = fields.text('backpressure');
  if (readable && fields.entry('backpressure') === undefined) {
    fields.error('missing-key', 'the task has no `backpressure`: nothing would prove it done', { at: front.opening, hint: 'add `backpressure: <a shell command that passes when the task is done>`' });
  } else if (isEmptyCheck(fields, check)) {
    fields.error('empty-check', 'the check is empty: it would prove nothing', { at: check ?? keyOf(fields, 'backpressure', front), hint: 'write a command that fails as long as the work is not done' });
  }
  const status = readStatus(fields);
  const dependsOn = fields.counts('depends_on');
  const specPath = specOf(files, { source, front, fields });
  const title = titleOf(source, { front, fields });
  fields.unknown([...TASK_KEYS, ...ALIASES, ...OLD_KEYS], 'a task');
  o.report(front.diagnostics);
  o.report(fields.diagnostics);
  const task: Task = {
    number: digits,
    title,
    path: source.path,
    check: check?.value ?? '',
    ...(check === undefined ? {} : { line: source.place(keyOf(fields, 'backpressure', front)).line }),
    dependsOn: [...new Set(dependsOn.map((d) => d.value))].toSorted((a, b) => a - b),
    complete: status === 'complete',
    ...(specPath === undefined ? {} : { specPath }),
  };
  return { task, source, dependsOn };
}

function isEmptyCheck(fields: Fields, check: Located<string> | undefined): boolean {
  if (check !== undefined) return check.value.trim() === '';
  const value = fields.entry('backpressure')?.value;
  return value?.kind === 'scalar' && value.value === null;
}

function keyOf(fields: Fields, key: string, front: FrontMatter): Located<string> {
  return { value: key, ...(fields.entry(key)?.keySpan ?? front.opening) };
}

function checkNumber(fields: Fields, o: { readonly front: FrontMatter; readonly digits: number }): void {
  const alias = fields.entry('number');
  const key = fields.entry('task') === undefined && alias !== undefined ? 'number' : 'task';
  if (alias !== undefined) fields.warn('alias', key === 'number' ? '`number` is an old name of `task`' : '`number` is an old name of `task` and is ignored beside it', { at: alias.keySpan });
  if (fields.entry(key) === undefined) {
    fields.error('missing-key', 'the task has no `task` number', { at: o.front.opening, hint: `add \`task: ${o.digits}\` between two lines \`---\` at the top` });
    return;
  }
  const number = fields.count(key);
  if (number !== undefined && number.value !== o.digits) {
    fields.error('task-number', `the file name says ${o.digits}, but \`${key}\` says ${number.value}`, { at: number, hint: `write \`${key}: ${o.digits}\`, or rename the file` });
  }
}

function readStatus(fields: Fields): string {
  const status = fields.text('status');
  if (status === undefined || STATUSES.includes(status.value)) return status?.value ?? 'pending';
  const hint = didYouMean(status.value, STATUSES) ?? `one of ${STATUSES.join(', ')}`;
  fields.error('bad-status', `\`${cleanLine(status.value)}\` is no status of a task`, { at: status, hint });
  return 'pending';
}

function titleOf(source: Source, o: { readonly front: FrontMatter; readonly fields: Fields }): string {
  const alias = o.fields.entry('title');
  if (alias !== undefined) o.fields.warn('alias', '`title` is an old way to name a task; its first `# ` heading does', { at: alias.keySpan });
  const name = source.path.slice(source.path.lastIndexOf('/') + 1);
  const written = [firstTitle(source.text, o.front.body), o.fields.text('title')?.value, name].map(oneLine).find((title) => title !== '');
  return written ?? name;
}

function oneLine(text: string | undefined): string {
  const clean = cleanLine((text ?? '').slice(0, 10 * TITLE_LIMIT).replace(/\s+/g, ' ')).trim();
  const characters = [...clean];
  return characters.length > TITLE_LIMIT ? `${characters.slice(0, TITLE_LIMIT - 1).join('')}…` : clean;
}
