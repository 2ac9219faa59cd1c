// The completion script for fish: a line a command, a flag, an argument.

import type { Flag, Kind, Shape, Verb } from './shape.ts';

/** The script, to be sourced or put into ~/.config/fish/completions/choo.fish. */
export function fishScript(shape: Shape): string {
  return `# fish completion of choo, made from its command definitions by: choo completion fish
complete -c choo -e
complete -c choo -f

# The command that is being typed: the first word that is no flag.
function __choo_command
    set -l words (commandline -opc)
    for word in $words[2..-1]
        string match -q -- '-*' $word; and continue
        test (count $argv) -gt 0; and contains -- $word $argv
        return
    end
    test (count $argv) -eq 0
end

# True when that many arguments of the command are there, flags and their values (the flags named) left out.
function __choo_arguments -a wanted
    set -l words (commandline -opc)
    set -l found -1
    set -l skip 0
    set -l rest 0
    for word in $words[2..-1]
        if test $skip -eq 1
            set skip 0
        else if test $rest -eq 0; and test "$word" = --
            set rest 1
        else if test $rest -eq 0; and string match -q -- '-*' $word
            contains -- $word $argv[2..-1]; and set skip 1
        else
            set found (math $found + 1)
        end
    end
    test $found -eq $wanted
end

function __choo_ask
    command choo __complete $argv[1] 2>/dev/null
end

${shape.flags.map((f) => flagLine(f, '__choo_command')).join('\n')}
${shape.verbs.map(verbLines).join('\n')}
`;
}

function verbLines(v: Verb): string {
  const here = `__choo_command ${v.name}`;
  const takers = v.flags.filter((f) => f.value?.required === true).flatMap((f) => f.names);
  return [
    '',
    `complete -c choo -n __choo_command -a ${quoted(v.name)} -d ${quoted(v.summary)}`,
    ...v.flags.map((f) => flagLine(f, here)),
    ...v.args.flatMap((a, i) => {
      const what = offer(a.kind);
      const when = a.variadic ? here : `${here}; and __choo_arguments ${i}${takers.map((name) => ` ${name}`).join('')}`;
      return what === undefined ? [] : [`complete -c choo -n ${quoted(when)} -a ${quoted(what)}`];
    }),
  ].join('\n');
}

function flagLine(f: Flag, when: string): string {
  const names = f.names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`)).join(' ');
  const what = f.value === undefined ? undefined : offer(f.value.kind);
  // -x: a value is needed, and it is no file.
  const value = f.value === undefined ? '' : `${f.value.required ? ' -x' : ''}${what === undefined ? '' : ` -a ${quoted(what)}`}`;
  return `complete -c choo -n ${quoted(when)} ${names}${value} -d ${quoted(f.about)}`;
}

function offer(kind: Kind): string | undefined {
  switch (kind) {
    case 'units': case 'runs': case 'branches': return `(__choo_ask ${kind})`;
    case 'folder': return '(__fish_complete_directories (commandline -ct))';
    case 'file': return '(__fish_complete_path (commandline -ct))';
    case 'program': return '(__fish_complete_command)';
    case 'free': return undefined;
    default: return kind.words.join(' ');
  }
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
