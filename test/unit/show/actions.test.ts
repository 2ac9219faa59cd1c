// GitHub Actions: annotations at the spec's line, groups, a summary; and that no foreign text in them is a command, markup or a mention.

import { describe, expect, it } from 'vitest';
import { errorAt, warningAt } from '../../../src/discovery/diagnostic.ts';
import { viewOf } from '../../../src/core/view.ts';
import type { Failure } from '../../../src/core/failure.ts';
import { annotator, defuser, diagnosticAnnotation, unitGroups, workflowCommand } from '../../../src/show/actions.ts';
import { plainText, renderJobSummary, renderRefused } from '../../../src/show/job-summary.ts';
import { Game, settings, unit } from '../core/rig.ts';

/** What the runner of GitHub Actions takes for a command in a line of output. */
function isCommand(line: string): boolean {
  return line.trimStart().startsWith('::') || line.includes('##[');
}

const EVIL = '::error::owned\n##[add-mask]x\r\n::set-output name=a::b';
const HOSTILE: Failure = { kind: 'check-failed', check: 'task 1', command: 'test -f x, y: z%', ending: { code: 1 }, output: { tail: EVIL, log: '/log' } };

/** A run of `a`, whose first task is at line 4 of its file and fails, and `b`, which waits for it. */
function failedRun(failure: Failure): { readonly game: Game; readonly commands: readonly string[] } {
  const a = unit('a');
  const units = [{ ...a, tasks: a.tasks.map((t) => ({ ...t, line: 4, title: 'a | b <img src=x> @someone #1' })) }, unit('b', { dependsOn: ['a'] })];
  const game = new Game(units, settings({ limits: { attempts: 1 } }));
  game.play((b) => (b.type === 'task.backpressure' ? { type: 'task.validation.fail', unit: 'a', task: 1, attempt: 1, failure, notes: [] } : undefined));
  const commands: string[] = [];
  const see = annotator((line) => commands.push(line));
  for (const event of game.events) see(event, game.state);
  return { game, commands };
}

describe('a workflow command', () => {
  it('is one line whose texts are escaped by the rules', () => {
    expect(workflowCommand('error', 'a%b\r\nc::d', { file: 'a,b:c.md', line: 3, col: 2, title: '50%, x' })).toBe('::error file=a%2Cb%3Ac.md,line=3,col=2,title=50%25%2C x::a%25b\uFFFD%0Ac::d');
    expect(workflowCommand('endgroup', '')).toBe('::endgroup::');
  });

  it('tells a diagnostic at its place, with its hint', () => {
    const place = { path: 'specs/tasks/a/01-x.md', line: 3, col: 15, length: 2, sourceLine: '' };
    expect(diagnosticAnnotation(errorAt('empty-check', 'the check is empty', { place, hint: 'write one' }))).toBe('::error file=specs/tasks/a/01-x.md,line=3,col=15,title=choo%3A empty-check::the check is empty%0Ahint: write one');
    expect(diagnosticAnnotation(warningAt('no-setup', 'no setup'))).toBe('::warning title=choo%3A no-setup::no setup');
  });
});

describe('annotations of a run', () => {
  it('are at the line of the check of a task that failed, once', () => {
    const { commands } = failedRun(HOSTILE);
    expect(commands).toHaveLength(1);
    expect(commands[0]).toMatch(/^::error file=specs\/tasks\/a\/01\.md,line=4,title=choo%3A a%2C task 1::a: .*z%25/);
    expect(commands[0]).not.toMatch(/[\r\n]/);
  });

  it('are at the plan of a unit that failed outside its tasks', () => {
    const game = new Game([unit('a')]).play((b) => (b.type === 'unit.started' ? { type: 'unit.prepare.failed', unit: 'a', failure: { kind: 'setup-failed', command: 'npm ci', ending: { code: 1 }, output: { tail: '', log: '/log' } } } : undefined));
    const commands: string[] = [];
    const see = annotator((line) => commands.push(line));
    for (const event of game.events) see(event, game.state);
    expect(commands).toEqual([expect.stringMatching(/^::error file=specs\/tasks\/a\/IMPLEMENTATION_PLAN\.md,line=1,title=choo%3A a::/)]);
  });

  it('warn where the run goes on', () => {
    const game = new Game([unit('a')], settings({ ci: { remote: 'origin' } }));
    game.settle();
    game.answer('run.saving', { type: 'run.save.refused', reason: 'refused', text: 'no' });
    const commands: string[] = [];
    const see = annotator((line) => commands.push(line));
    for (const event of game.events) see(event, game.state);
    expect(commands).toEqual([expect.stringMatching(/^::warning title=choo::the run is not saved: no/)]);
  });
});

describe('a group for each unit', () => {
  it('has its tasks and, of a failed one, the end of the output; every command in it is choo\'s own', () => {
    const { game } = failedRun(HOSTILE);
    const safe = defuser();
    const lines: string[] = [];
    const own: string[] = [];
    unitGroups(game.state, { write: (text) => lines.push(...safe(text).trimEnd().split('\n')), command: (line) => { own.push(line); lines.push(line); } });
    expect(own).toEqual(['::group::a: failed, 1 attempt', '::endgroup::', '::group::b: blocked, 0 attempts', '::endgroup::']);
    expect(lines.filter(isCommand)).toEqual(own);
    expect(lines.join('\n')).toMatch(/failed: .*\n\| ::error::owned\n/);
  });
});

describe('what is printed', () => {
  const texts = [EVIL, ' \t::error::x\n', '\u00a0::debug::x', 'x\r::warning::y', 'a ##[error]b', ':::a', '##[[', '####[group]', '\n\n::stop-commands::t\n'];
  it.for(texts)('is no command, whole or in any pieces: %j', (text) => {
    const whole = defuser()(text);
    expect(whole.split(/[\r\n]/).filter(isCommand)).toEqual([]);
    for (let at = 0; at <= text.length; at++) {
      const safe = defuser();
      expect(safe(text.slice(0, at)) + safe(text.slice(at))).toBe(whole);
    }
  });

  it('is otherwise as it was; JSON is the same data', () => {
    const harmless = 'src/a.ts:3: error: x\nC++ a::b\n12:00:01  a/1  done # [x]\n';
    expect(defuser()(harmless)).toBe(harmless);
    const data = { text: `${EVIL} ##[group]` };
    expect(JSON.parse(defuser()(JSON.stringify(data)))).toEqual(data);
  });
});

describe('the summary of a job', () => {
  it('is a table whose cells are text', () => {
    const { game } = failedRun(HOSTILE);
    const summary = renderJobSummary({ view: viewOf(game.state), result: game.result });
    const rows = summary.split('\n').filter((line) => line.startsWith('| '));
    expect(rows[1]).toBe('| a | failed | 0 of 1 | 1 |  | choo retry a &#38;&#38; choo resume |');
    expect(rows[2]).toBe('| b | blocked | 0 of 1 | 0 |  | waits for a |');
    expect(summary).toContain('❌ 0 of 2 units landed');
    expect(summary).toContain('- **a**: ');
    expect(summary).not.toMatch(/::|##\[/);
  });

  it('lets nothing through that is markup, HTML, a mention, a reference or a link', () => {
    const evil = '<script>x</script> | @org/team #12 GH-1 [a](http://x) ![i](y) `c` **b** _i_ ~~s~~ \\ www.evil.example https://e.example\n# head\n- [ ] task';
    const text = plainText(evil);
    expect(text).not.toMatch(/[<>|@[\]`*_~\\\n]|(?<!&)#|:\/\/|www\.\w/);
    expect(text).toContain('&#64;&#8203;org/team');
    expect(plainText('x'.repeat(5000)).length).toBeLessThan(600);
  });

  it('says why nothing ran', () => {
    const place = { path: 'specs/tasks/a/01-x.md', line: 3, col: 15, length: 2, sourceLine: '' };
    expect(renderRefused([errorAt('x', 'a | b', { place, hint: 'c' })])).toContain('| error | specs/tasks/a/01-x.md, line 3 | a &#124; b | c |');
  });
});
