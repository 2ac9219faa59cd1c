// The completion script for zsh: `_arguments` does the parsing, this names what there is.

import { placeholder } from './shape.ts';
import type { Flag, Kind, Shape, Verb } from './shape.ts';

/** The script, to be sourced or put on the fpath as `_choo`. */
export function zshScript(shape: Shape): string {
  const commands = shape.verbs.map((v) => `    ${quoted(`${v.name}:${v.summary}`)}`).join('\n');
  const cases = shape.verbs.map((v) => `    ${v.name}) _arguments -s -S : \\\n${specs(v)} && ret=0 ;;`).join('\n');
  return `#compdef choo
# zsh completion of choo, made from its command definitions by: choo completion zsh

_choo_ask() {
  local -a found
  found=(\${(f)"$(command choo __complete $1 2> /dev/null)"})
  compadd -a found
}

_choo_commands() {
  local -a commands
  commands=(
${commands}
  )
  _describe command commands
}

_choo() {
  local curcontext=$curcontext state line ret=1
  typeset -A opt_args
  _arguments -C -s -S : \\
${shape.flags.map((f) => flagSpec(f, shape.flags)).join(' \\\n')} \\
    '1:command:_choo_commands' \\
    '*::argument:->argument' && ret=0
  [[ $state == argument ]] || return ret
  curcontext="\${curcontext%:*:*}:choo-$words[1]:"
  case $words[1] in
${cases}
  esac
  return ret
}

if [[ \${funcstack[1]} == _choo ]]; then _choo "$@"; else compdef _choo choo; fi
`;
}

function specs(v: Verb): string {
  const args = v.args.map((a, i) => {
    const name = plain(placeholder(a));
    return `    ${quoted(`${a.variadic ? '*' : `${i + 1}`}:${a.required || a.variadic ? '' : ':'}${name}:${action(a.kind)}`)}`;
  });
  return [...v.flags.map((f) => flagSpec(f, v.flags)), ...args].join(' \\\n');
}

function flagSpec(f: Flag, all: readonly Flag[]): string {
  const about = `[${plain(f.about)}]`;
  const { value } = f;
  const tail = value === undefined ? '' : value.variadic ? `:*-*:${plain(value.name)}:${valuesOrFlags(value.kind, all)}` : `${value.required ? ':' : '::'}${plain(value.name)}:${action(value.kind)}`;
  const name = (flag: string): string => `${flag}${value === undefined ? '' : flag.startsWith('--') ? (value.variadic ? '' : '=') : '+'}`;
  const guard = f.repeats ? '*' : `(${f.names.join(' ')})`;
  const [only = '', ...more] = f.names;
  if (more.length === 0) return `    ${quoted(`${guard}${name(only)}${about}${tail}`)}`;
  return `    ${quoted(guard)}{${f.names.map(name).join(',')}}${quoted(`${about}${tail}`)}`;
}

function action(kind: Kind): string {
  switch (kind) {
    // The space keeps arguments of its own out.
    case 'units': case 'runs': case 'branches': return ` _choo_ask ${kind}`;
    case 'folder': return '_files -/';
    case 'file': return '_files';
    case 'program': return '_command_names -e';
    case 'free': return ' ';
    default: return `(${kind.words.join(' ')})`;
  }
}

/** After one value there may be another, or a flag, which zsh would take for one. */
function valuesOrFlags(kind: Kind, all: readonly Flag[]): string {
  const words = typeof kind === 'object' ? kind.words.join(' ') : '';
  return `{ if [[ $PREFIX == -* ]]; then compadd -- ${all.flatMap((f) => f.names).join(' ')}; else compadd -- ${words}; fi }`;
}

/** Without what ends a part of a specification. */
function plain(text: string): string {
  return text.replace(/[[\]:\\]/g, '\\$&');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
