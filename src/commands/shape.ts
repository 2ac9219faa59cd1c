// The program's definitions as data, for completions and the man page. Knows of each placeholder what can stand there.

import type { Argument, Command, Option } from 'commander';
import { AGENT_NAMES } from '../discovery/providers.ts';
import type { Flag, Kind, Shape, Value, Verb } from '../show/completion/shape.ts';

/** Agents that have a program of their own, which the demo can start. */
const REAL = AGENT_NAMES.filter((name) => name !== 'command' && name !== 'script');

/** What stands for a placeholder that has no choices of its own. A new one belongs here, or a test fails. */
const KINDS: Readonly<Record<string, Kind>> = {
  'n': 'free', 'time': 'free', 'what': 'free', 'port': 'free', 'addr': 'free', 'address': 'free',
  'id': 'units', 'unit': 'units', 'run': 'runs', 'branch': 'branches',
  'name': { words: AGENT_NAMES }, '--agent name': { words: REAL },
  'tasks-dir': 'folder', 'folder': 'folder', 'file': 'file', 'program': 'program',
};

/** The command line as it is defined. Throws for a placeholder that nobody knows. */
export function shapeOf(program: Command): Shape {
  const verbs = program.commands.map((command) => verbOf(command));
  const help: Verb = {
    name: 'help', summary: 'print the help of a command', about: 'Prints the help of a command.', flags: [], examples: [['choo help run', 'the flags of run']],
    args: [{ name: 'command', kind: { words: verbs.map((v) => v.name) }, required: false, variadic: false, about: 'the command' }],
  };
  return { about: program.description(), flags: flagsOf(program), verbs: [...verbs, help], examples: examplesOf(program) };
}

function verbOf(command: Command): Verb {
  return {
    name: command.name(), summary: command.summary(), about: command.description(), flags: flagsOf(command), examples: examplesOf(command),
    args: command.registeredArguments.map((a) => ({ ...valueOf(a), about: a.description })),
  };
}

/** As the help lists them, its own flag included. */
function flagsOf(command: Command): readonly Flag[] {
  return command.createHelp().visibleOptions(command).map((o) => flagOf(o));
}

function flagOf(o: Option): Flag {
  const names = [o.short, o.long].filter((name) => name !== undefined);
  const found = /[<[]([^\]>]+)[\]>]/.exec(o.flags)?.[1]?.replace('...', '');
  // What collects is defined by a function of two parameters.
  const repeats = o.variadic || (o.argChoices === undefined && o.parseArg?.length === 2);
  if (found === undefined) return { names, about: o.description, repeats };
  const kind = o.argChoices === undefined ? KINDS[`${o.long ?? ''} ${found}`] ?? kindOf(found) : { words: o.argChoices };
  return { names, about: o.description, repeats, value: { name: found, kind, required: o.required, variadic: o.variadic } };
}

function valueOf(a: Argument): Value {
  return { name: a.name(), kind: a.argChoices === undefined ? kindOf(a.name()) : { words: a.argChoices }, required: a.required, variadic: a.variadic };
}

function kindOf(name: string): Kind {
  const kind = KINDS[name];
  if (kind === undefined) throw new Error(`nobody knows what a <${name}> is: add it to KINDS in src/commands/shape.ts`);
  return kind;
}

/** They are a part of the help alone. */
function examplesOf(command: Command): Verb['examples'] {
  let text = '';
  const output = command.configureOutput();
  command.configureOutput({ ...output, writeOut: (more) => { text += more; } });
  command.outputHelp();
  command.configureOutput(output);
  const [, examples = ''] = text.split('\nExamples:\n');
  return examples.split('\n').flatMap((line) => {
    const [, example, what] = /^ {2}(\S.*?)(?: {2,}(\S.*))?$/.exec(line) ?? [];
    return example === undefined ? [] : [[example, what ?? ''] as const];
  });
}
