// What is made of the command definitions: completion scripts and the man page. Played by real shells: test/integration/completion.test.ts, test/shells.mjs.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { buildProgram } from '../../../src/commands/program.ts';
import { shapeOf } from '../../../src/commands/shape.ts';
import { bashScript } from '../../../src/show/completion/bash.ts';
import { fishScript } from '../../../src/show/completion/fish.ts';
import { zshScript } from '../../../src/show/completion/zsh.ts';
import { manPage } from '../../../src/show/man.ts';
import { VERSION } from '../../../src/version.ts';

const program = buildProgram();
const shape = shapeOf(program);
const top = new URL('../../../', import.meta.url);

describe('the definitions as data', () => {
  it('have every command, flag and example of the program', () => {
    expect(shape.verbs.map((v) => v.name)).toEqual([...program.commands.map((c) => c.name()), 'help']);
    for (const command of program.commands) {
      const verb = shape.verbs.find((v) => v.name === command.name());
      expect(verb?.flags.flatMap((f) => f.names)).toEqual([...command.options.flatMap((o) => [o.short, o.long]).filter((name) => name !== undefined), '-h', '--help']);
      expect(verb?.examples.length).toBeGreaterThan(0);
      expect(verb?.summary).not.toBe('');
    }
  });

  it('say what values are', () => {
    const flag = (verb: string, name: string): unknown => shape.verbs.find((v) => v.name === verb)?.flags.find((f) => f.names.includes(name));
    expect(flag('run', '--format')).toMatchObject({ value: { kind: { words: ['text', 'json', 'mermaid', 'dot'] }, required: true }, repeats: false });
    expect(flag('run', '--unit')).toMatchObject({ value: { kind: 'units' }, repeats: true });
    expect(flag('resume', '--from-remote')).toMatchObject({ value: { kind: 'runs', required: false } });
    expect(flag('mcp', '--allow')).toMatchObject({ value: { variadic: true }, repeats: true });
    expect(flag('run', '--no-pr')).not.toHaveProperty('value');
    expect(shape.verbs.find((v) => v.name === 'logs')?.args).toMatchObject([{ kind: 'units', required: true }]);
  });

  it('do not guess', () => {
    const odd = new Command('choo');
    odd.command('odd').option('--odd <thing>', 'x');
    expect(() => shapeOf(odd)).toThrow('what a <thing> is');
  });

  it('leave the help as it was', () => expect(program.helpInformation()).toBe(buildProgram().helpInformation()));
});

describe('a script', () => {
  it.each([['bash', bashScript(shape)], ['zsh', zshScript(shape)], ['fish', fishScript(shape)]])('for %s names every command and flag, and ends in a line break', (name, script) => {
    for (const { name: verb, flags } of shape.verbs) {
      expect(script).toContain(verb);
      for (const flag of flags.flatMap((f) => f.names)) expect(script).toContain(name === 'fish' ? ` ${flag.replace(/^--/, '-l ').replace(/^-(?=\w$)/, '-s ')} ` : flag);
    }
    expect(script.endsWith('\n')).toBe(true);
  });

  it('for bash is read by it', () => expect(execFileSync('bash', ['-n'], { input: bashScript(shape), encoding: 'utf8' })).toBe(''));

  it('holds no text that a shell would run', () => {
    const hostile = shapeOf(new Command('choo').description('x').addCommand(new Command('a').summary('it\'s $(touch x) `y` [b]: \\').option('--b', 'it\'s $(touch x) [c]: d')));
    expect(zshScript(hostile)).toContain(String.raw`'(--b)--b[it'\''s $(touch x) \[c\]\: d]'`);
    expect(fishScript(hostile)).toContain(String.raw`-l b -d 'it\'s $(touch x) [c]: d'`);
    expect(fishScript(hostile)).toContain('-d \'it\\\'s $(touch x) `y` [b]: \\\\\'');
    expect(bashScript(hostile)).not.toContain('touch');
  });
});

describe('man/choo.1', () => {
  const page = readFileSync(new URL('man/choo.1', top), 'utf8');

  it('is that of the definitions; `node scripts/man.mjs` writes it', () => expect(page).toBe(manPage(shape, VERSION)));

  it('has every command and flag', () => {
    for (const verb of program.commands) expect(page).toMatch(new RegExp(`^\\.SS "choo ${verb.name()}`, 'm'));
    for (const option of program.commands.flatMap((c) => c.options)) expect(page).toContain(`\\fB${(option.long ?? '').replaceAll('-', '\\-')}\\fR`);
  });

  it('is in the package', () => {
    expect(JSON.parse(readFileSync(new URL('package.json', top), 'utf8'))).toMatchObject({ man: 'man/choo.1', files: expect.arrayContaining(['man']) as string[] });
  });

  it('takes no text for a request', () => {
    const odd = shapeOf(new Command('choo').description('.so /etc/passwd \\fB \'x'));
    expect(manPage(odd, '1')).toContain('\n\\&.so /etc/passwd \\efB \\(aqx\n');
  });
});
