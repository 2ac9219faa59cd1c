// One unit's files: every key and shape of plan and task, and what is said about wrong ones.

import { describe, expect, test } from 'vitest';
import type { Unit } from '../../../src/core/plan.ts';
import { codes, found, plan, printed, task } from './rig.ts';

const PLAN = 'u/IMPLEMENTATION_PLAN.md';

/** The one unit of a repository with this plan and these tasks; what was said about it is in `said`. */
function unit(planText: string, tasks: Readonly<Record<string, string>> = { '01-a.md': task(1) }, known: readonly string[] = []): { readonly unit: Unit | undefined; readonly said: string } {
  const files = Object.fromEntries(Object.entries(tasks).map(([name, text]) => [`u/${name}`, text]));
  const linked = found({ [PLAN]: planText, ...files }, { known });
  return { unit: linked.all[0], said: printed(linked.diagnostics) };
}

/** What is said about a task with this front matter, without the path. */
function saidOfTask(frontMatter: string): string {
  return unit(plan(), { '01-a.md': `---\n${frontMatter}\n---\n# A\n` }).said.replaceAll('specs/tasks/u/01-a.md:', '');
}

describe('a plan', () => {
  test('with every key', () => {
    const text = plan('unit: u\nprovider: command\ntouches: ["src/**", docs/*.md]\nbaseline_checks:\n  - npm run lint\n  - {name: types, command: tsc, pattern: "**/*.ts"}');
    expect(unit(text)).toEqual({
      said: '',
      unit: {
        id: 'u', dir: 'specs/tasks/u', planPath: 'specs/tasks/u/IMPLEMENTATION_PLAN.md', dependsOn: [], provider: 'command',
        touches: ['src/**', 'docs/*.md'],
        checks: [{ name: 'npm run lint', command: 'npm run lint' }, { name: 'types', command: 'tsc', pattern: '**/*.ts' }],
        tasks: [{ number: 1, title: 'Task 1', path: 'specs/tasks/u/01-a.md', check: 'test -f 1', line: 3, dependsOn: [], complete: false }],
      },
    });
  });

  test('without front matter', () => {
    expect(unit('# Plan')).toMatchObject({ said: '', unit: { id: 'u', checks: [], touches: [] } });
  });

  test('with the keys of the older implementation: accepted, and only `orch_status: complete` has an effect', () => {
    const old = 'orch_branch: b\norch_worktree: w\norch_pr_number: 3\norch_started_at: 2024-01-01\norch_completed_at: 2024-01-02';
    const linked = (status: string): { readonly complete: readonly string[] | undefined; readonly said: string[] } => {
      const { plan: linkedPlan, diagnostics } = found({ [PLAN]: plan(`orch_status: ${status}\n${old}`), 'u/01-a.md': task(1) });
      return { complete: linkedPlan?.complete, said: codes(diagnostics) };
    };
    expect(linked('complete')).toEqual({ complete: ['u'], said: [] });
    expect(linked('running')).toEqual({ complete: [], said: [] });
  });

  test('with an unknown key: a warning, and the unit still runs', () => {
    const { plan: linked, diagnostics } = found({ [PLAN]: plan('depend_on: [x]\nowner: me'), 'u/01-a.md': task(1) });
    expect(linked?.units).toHaveLength(1);
    expect(printed(diagnostics)).toBe([
      'specs/tasks/u/IMPLEMENTATION_PLAN.md:2:1: warning: `depend_on` is no key of a plan; it is kept and has no effect [unknown-key]',
      '    depend_on: [x]',
      '    ~~~~~~~~~',
      '  hint: did you mean `depends_on`?',
      'specs/tasks/u/IMPLEMENTATION_PLAN.md:3:1: warning: `owner` is no key of a plan; it is kept and has no effect [unknown-key]',
      '    owner: me',
      '    ~~~~~',
    ].join('\n'));
  });

  test('whose `unit` is not its folder', () => {
    expect(unit(plan('unit: v')).said).toBe([
      'specs/tasks/u/IMPLEMENTATION_PLAN.md:2:7: error: the folder is `u`, but `unit` says `v` [unit-name]',
      '    unit: v',
      '          ~',
      '  hint: write `unit: u`, or rename the folder',
    ].join('\n'));
  });

  test.each([
    ['depends_on: core', 'error: `depends_on` must be a list of unit names [wrong-type]'],
    ['depends_on: {a: 1}', 'error: `depends_on` must be a list of unit names [wrong-type]'],
    ['depends_on: [[a]]', 'error: `depends_on[]` must be a text, not a list [wrong-type]'],
    ['depends_on: [~]', 'error: `depends_on[]` must be a text, not nothing [wrong-type]'],
    ['touches: "src/**"', 'error: `touches` must be a list of globs [wrong-type]'],
    ['provider: [x]', 'error: `provider` must be a text, not a list [wrong-type]'],
    ['unit: {}', 'error: `unit` must be a text, not a mapping [wrong-type]'],
    ['baseline_checks: npm test', 'error: `baseline_checks` must be a list of checks [wrong-type]'],
    ['baseline_checks: [{name: x}]', 'error: a check needs a `command` [missing-key]'],
    ['baseline_checks: [""]', 'error: the check is empty: it would prove nothing [empty-check]'],
    ['baseline_checks: [{command: " "}]', 'error: the check is empty: it would prove nothing [empty-check]'],
  ])('with the wrong value %s', (line, message) => {
    expect(unit(plan(line)).said).toContain(message);
  });

  test('names that look like numbers or booleans are names', () => {
    const linked = found({ 'u/IMPLEMENTATION_PLAN.md': plan('depends_on: [1e3, true]'), 'u/01-a.md': task(1), '1e3/IMPLEMENTATION_PLAN.md': plan(), '1e3/01-a.md': task(1), 'true/IMPLEMENTATION_PLAN.md': plan('unit: true'), 'true/01-a.md': task(1) });
    expect(linked.diagnostics).toEqual([]);
    expect(linked.all.find((u) => u.id === 'u')?.dependsOn).toEqual(['1e3', 'true']);
  });
});

describe('baseline checks in a fence', () => {
  const checks = (markdown: string, front = ''): readonly unknown[] => unit(`${front}${markdown}`).unit?.checks ?? [];

  test('the first sh or bash fence under the heading, at any level; every line has to pass', () => {
    const fence = '```js\nno\n```\n\n```bash\nnpm run lint\nnpm test\n```\n\n```sh\nsecond\n```\n';
    for (const level of ['#', '##', '######']) {
      expect(checks(`${level} Baseline Checks\n\ntext\n\n${fence}`)).toEqual([{ name: 'baseline checks', command: 'set -e\nnpm run lint\nnpm test' }]);
    }
  });

  test('one line is taken as it is, with CRLF and tildes too', () => {
    expect(checks('## baseline checks ##\r\n\r\n~~~sh title=x\r\nnpm test\r\n~~~\r\n')).toEqual([{ name: 'baseline checks', command: 'npm test' }]);
  });

  test('a deeper heading belongs to the section, the next one as high does not', () => {
    expect(checks('## Baseline Checks\n### Lint\n```sh\na\n```\n')).toHaveLength(1);
    expect(checks('## Baseline Checks\n## Notes\n```sh\na\n```\n')).toEqual([]);
  });

  test('a heading inside a fence is none, and an unclosed fence reaches to the end', () => {
    expect(checks('```md\n## Baseline Checks\n```\n```sh\na\n```\n')).toEqual([]);
    expect(checks('## Baseline Checks\n```sh\na\n')).toEqual([{ name: 'baseline checks', command: 'a' }]);
  });

  test('front matter takes its place', () => {
    expect(checks('## Baseline Checks\n```sh\na\n```\n', '---\nbaseline_checks: [b]\n---\n')).toEqual([{ name: 'b', command: 'b' }]);
    expect(checks('## Baseline Checks\n```sh\na\n```\n', '---\nbaseline_checks: []\n---\n')).toEqual([]);
  });

  test('an empty fence is an error, a heading without fence a warning', () => {
    expect(unit('## Baseline Checks\n```sh\n\n```\n').said).toContain('error: the check is empty: it would prove nothing [empty-check]');
    expect(unit('## Baseline Checks\n```\nnpm test\n```\n').said).toBe([
      'specs/tasks/u/IMPLEMENTATION_PLAN.md:1:1: warning: no `sh` or `bash` fence is under this heading, so it checks nothing [no-baseline-fence]',
      '    ## Baseline Checks',
      '    ~~~~~~~~~~~~~~~~~~',
    ].join('\n'));
  });
});

describe('the design spec', () => {
  const known = ['specs/U.md', 'specs/other.md', 'specs/tasks/u/near.md', 'docs/deep one.md'];
  const spec = (line: string): string | undefined => unit(`# Plan\n\n${line}\n`, undefined, known).unit?.specPath;

  test.each([
    ['nothing said', 'text', 'specs/U.md'],
    ['plain', 'Design spec: specs/other.md', 'specs/other.md'],
    ['plain at the end of a sentence', 'Design spec: /specs/other.md.', 'specs/other.md'],
    ['backticks', '**Design spec:** `/specs/other.md` (read it)', 'specs/other.md'],
    ['backticks with a space', 'Design spec: `docs/deep one.md`', 'docs/deep one.md'],
    ['a link', '- Design spec: [the spec](/specs/other.md "title")', 'specs/other.md'],
    ['a link in angles', '> design spec: [x](</docs/deep one.md>)', 'docs/deep one.md'],
    ['a link seen from the file', 'Design spec: [x](../../other.md#part)', 'specs/other.md'],
    ['beside the file', 'Design spec: near.md', 'specs/tasks/u/near.md'],
    ['bold around the words', '__Design spec__: specs/other.md', 'specs/other.md'],
    ['in a fence: not meant', '```\nDesign spec: specs/other.md\n```', 'specs/U.md'],
  ])('%s', (_name, line, path) => {
    expect(spec(line)).toBe(path);
  });

  test('named but missing is a warning, and the spec with the name of the unit is taken', () => {
    const { said, unit: read } = unit('# Plan\n\nDesign spec: `/specs/gone.md`\n', undefined, known);
    expect(read?.specPath).toBe('specs/U.md');
    expect(said).toBe([
      'specs/tasks/u/IMPLEMENTATION_PLAN.md:3:15: warning: the design spec `/specs/gone.md` is not in the repository [missing-spec]',
      '    Design spec: `/specs/gone.md`',
      '                  ~~~~~~~~~~~~~~',
    ].join('\n'));
  });

  test('never leaves the repository', () => {
    expect(unit('Design spec: ../../../../etc/passwd\n', undefined, ['etc/passwd']).said).toContain('[missing-spec]');
  });

  test('of a task', () => {
    const { unit: read } = unit(plan(), { '01-a.md': `${task(1)}\nDesign spec: /specs/other.md\n` }, known);
    expect(read?.tasks[0]?.specPath).toBe('specs/other.md');
  });
});

describe('a task', () => {
  test.each([
    ['the first heading', '# One `x` #\n# Two\n', 'One `x`'],
    ['after deeper ones', '## Deep\n# One\n', 'One'],
    ['not in a fence', '```sh\n# no\n```\n# One\n', 'One'],
    ['not in a longer fence', '````\n```\n# no\n````\n# One\n', 'One'],
    ['the file name without any', 'text\n', '01-a.md'],
    ['the file name when it is empty', '#\n# \n', '01-a.md'],
    ['on one safe line', '# a\u0007b\u202E\tc\n', 'a\uFFFDb\uFFFD c'],
    ['of bounded length', `# ${'😀'.repeat(500)}\n`, `${'😀'.repeat(199)}…`],
  ])('has a title: %s', (_name, body, title) => {
    expect(unit(plan(), { '01-a.md': `---\ntask: 1\nbackpressure: x\n---\n${body}` }).unit?.tasks[0]?.title).toBe(title);
  });

  test('may use the old names `number` and `title`, with a warning', () => {
    const { unit: read, said } = unit(plan(), { '01-a.md': '---\nnumber: 1\ntitle: Old\nbackpressure: x\n---\n' });
    expect(read?.tasks[0]).toMatchObject({ number: 1, title: 'Old' });
    expect(said).toBe([
      'specs/tasks/u/01-a.md:2:1: warning: `number` is an old name of `task` [alias]',
      '    number: 1',
      '    ~~~~~~',
      'specs/tasks/u/01-a.md:3:1: warning: `title` is an old way to name a task; its first `# ` heading does [alias]',
      '    title: Old',
      '    ~~~~~',
    ].join('\n'));
  });

  test.each([['pending', false], ['in_progress', false], ['failed', false], ['"complete"', true]])('with status %s', (status, complete) => {
    expect(unit(plan(), { '01-a.md': task(1, `status: ${status}\n`), '02-b.md': task(2) }).unit?.tasks[0]?.complete).toBe(complete);
  });

  test('keeps its check exactly, over several lines too', () => {
    const text = '---\r\ntask: 1\r\nbackpressure: |\r\n  set -e\r\n  npm test -- "a # b"\r\n---\r\n';
    expect(unit(plan(), { '01-a.md': text }).unit?.tasks[0]?.check).toBe('set -e\nnpm test -- "a # b"\n');
    expect(unit(plan(), { '01-a.md': '---\ntask: 1\nbackpressure: true\n---\n' }).unit?.tasks[0]?.check).toBe('true');
  });

  test('with wrong values: all of them are told, to the character', () => {
    expect(saidOfTask('task: "1"\nstatus: Complete\nbackpressure: [x]\ndepends_on: 2')).toBe([
      '2:7: error: `task` must be a whole number from 1, not the text "1" [wrong-type]',
      '    task: "1"',
      '          ~~~',
      '3:9: error: `Complete` is no status of a task [bad-status]',
      '    status: Complete',
      '            ~~~~~~~~',
      '  hint: did you mean `complete`?',
      '4:15: error: `backpressure` must be a text, not a list [wrong-type]',
      '    backpressure: [x]',
      '                  ~~~',
      '5:13: error: `depends_on` must be a list of numbers [wrong-type]',
      '    depends_on: 2',
      '                ~',
      '  hint: write `depends_on: [2]`',
    ].join('\n'));
  });

  test.each([
    ['task: 2\nbackpressure: x', '2:7: error: the file name says 1, but `task` says 2 [task-number]\n    task: 2\n          ~\n  hint: write `task: 1`, or rename the file'],
    ['backpressure: x', '1:1: error: the task has no `task` number [missing-key]\n    ---\n    ~~~\n  hint: add `task: 1` between two lines `---` at the top'],
    ['task: 1', '1:1: error: the task has no `backpressure`: nothing would prove it done [missing-key]\n    ---\n    ~~~\n  hint: add `backpressure: <a shell command that passes when the task is done>`'],
    ['task: 1\nbackpressure:', '3:1: error: the check is empty: it would prove nothing [empty-check]\n    backpressure:\n    ~~~~~~~~~~~~\n  hint: write a command that fails as long as the work is not done'],
    ['task: 1\nbackpressure: " "', '3:15: error: the check is empty: it would prove nothing [empty-check]\n    backpressure: " "\n                  ~~~\n  hint: write a command that fails as long as the work is not done'],
    ['task: 1.5\nbackpressure: x', '2:7: error: `task` must be a whole number from 1, not the number 1.5 [wrong-type]\n    task: 1.5\n          ~~~'],
    ['task: 1\nbackpressure: x\ndepends_on: [a]', '4:14: error: an item of `depends_on` must be a whole number from 1, not the text "a" [wrong-type]\n    depends_on: [a]\n                 ~'],
  ])('with the front matter %j', (frontMatter, said) => {
    expect(saidOfTask(frontMatter)).toBe(said);
  });

  test('a syntax error is told once, without saying that every key is missing', () => {
    expect(saidOfTask('task: 1\nbackpressure: npm test: all').split('\n')[0]).toBe('3:15: error: Nested mappings are not allowed in compact mappings [yaml-syntax]');
    expect(saidOfTask('task: 1\nbackpressure: npm test: all')).not.toContain('missing-key');
  });
});

describe('the files of a unit', () => {
  test('tasks are numbered 1, 2, 3 … by their files, in number order, whatever the digits', () => {
    const { unit: read, said } = unit(plan(), { '10-j.md': task(10), ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => [`00${n}-x.md`, task(n)])) });
    expect(said).toBe('');
    expect(read?.tasks.map((t) => t.number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('a gap, a zero and a double number are errors', () => {
    const { said } = unit(plan(), { '0-z.md': task(0), '01-a.md': task(1), '1-b.md': task(1), '04-d.md': task(4) });
    expect(said).toContain('specs/tasks/u/0-z.md: error: task 0 of the unit `u`: numbers begin at 1 [missing-task]');
    expect(said).toContain('specs/tasks/u/1-b.md: error: two files of the unit `u` are task 1 [duplicate-task]\n  specs/tasks/u/01-a.md: the other one');
    expect(said).toContain('specs/tasks/u/04-d.md: error: task 2 of the unit `u` is missing before task 4 [missing-task]\n  hint: tasks are numbered 1, 2, 3 … without gaps');
  });

  test('a plan without tasks and tasks without a plan name what is missing', () => {
    expect(printed(found({ [PLAN]: plan() }).diagnostics)).toBe('specs/tasks/u/IMPLEMENTATION_PLAN.md: error: the unit `u` has a plan but no task [missing-tasks]\n  hint: add specs/tasks/u/01-first.md');
    expect(printed(found({ 'u/01-a.md': task(1) }).diagnostics)).toBe('specs/tasks/u: error: the unit `u` has tasks but no IMPLEMENTATION_PLAN.md [missing-plan]\n  hint: add specs/tasks/u/IMPLEMENTATION_PLAN.md');
  });

  test('other files, deeper folders and folders with neither are ignored', () => {
    const linked = found({ [PLAN]: plan(), 'u/01-a.md': task(1), 'u/README.md': 'x', 'u/02.md': 'x', 'u/02-x.txt': 'x', 'u/deep/03-c.md': 'x', 'notes/README.md': 'x', 'top.md': 'x', '01-top.md': 'x' });
    expect(linked.diagnostics).toEqual([]);
    expect(linked.all.map((u) => [u.id, u.tasks.length])).toEqual([['u', 1]]);
  });

  test('files without text are told', () => {
    const problems = (['too-large', 'not-utf8', 'not-a-file'] as const).map((problem, i) => ({ path: `specs/tasks/u/0${i + 1}-x.md`, text: undefined, problem }));
    const large = { path: 'specs/tasks/u/04-x.md', text: 'é'.repeat(600 * 1024) };
    expect(printed(found({ [PLAN]: plan() }, { extra: [...problems, large] }).diagnostics)).toBe([
      'specs/tasks/u/01-x.md: error: the file is larger than 1024 KiB [file-too-large]',
      'specs/tasks/u/02-x.md: error: the file is not valid UTF-8 [file-not-utf8]',
      'specs/tasks/u/03-x.md: error: this is no regular file; links are not followed [file-not-a-file]',
      'specs/tasks/u/04-x.md: error: the file is larger than 1024 KiB [file-too-large]',
    ].join('\n'));
  });

  test('hostile lines cost no more than their length', () => {
    const lines = [`Design spec: [${'['.repeat(200_000)}`, `Design spec: [x](${'a'.repeat(200_000)}`, `\`\`\`${'x'.repeat(200_000)}\``, `# ${' '.repeat(200_000)}x`, `# ${'#'.repeat(200_000)}x`, `Design spec: ${'.,'.repeat(100_000)}x`];
    for (const line of lines) expect(unit(`${line}\n`).unit?.id).toBe('u');
  });
});
