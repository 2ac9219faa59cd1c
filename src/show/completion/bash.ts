// The completion script for bash, also for the 3.2 of macOS. Flags and commands are in the script; only names of units, runs and branches are asked for.

import type { Flag, Kind, Shape, Value, Verb } from './shape.ts';

/** The script, to be sourced. */
export function bashScript(shape: Shape): string {
  const verbs = shape.verbs;
  const lines = (name: string, cases: readonly string[]): string => `${name}() {\n  case $1 in\n${cases.map((one) => `    ${one}\n`).join('')}  esac\n}\n`;
  const flags = [
    `'') flags=(${names(shape.flags)}) ;;`,
    ...verbs.map((v) => `${v.name}) flags=(${names(v.flags)}) ;;`),
  ];
  const values = verbs.flatMap((v) => v.flags.flatMap((f) => (f.value === undefined ? [] : [
    `${f.names.map((name) => `'${v.name} ${name}'`).join('|')}) kind=${word(kindWord(f.value.kind))} how=${how(f.value)} ;;`,
  ])));
  const args = verbs.flatMap((v) => argumentCases(v));
  return `# bash completion of choo, made from its command definitions by: choo completion bash
${lines('_choo_flags', flags)}
# What a value is (kind), and whether there must be one (how).
${lines('_choo_value_of', values)}
# What an argument is, by command and place.
${lines('_choo_argument', args)}
_choo_commands=(${verbs.map((v) => v.name).join(' ')})
${BODY}`;
}

function names(flags: readonly Flag[]): string {
  return flags.flatMap((f) => f.names).join(' ');
}

function how(v: Value): string {
  return v.variadic ? 'many' : v.required ? 'one' : 'maybe';
}

function argumentCases({ name, args }: Verb): string[] {
  return args.map((a, i) => `${a.variadic ? `'${name} '*` : `'${name} ${i}'`}) kind=${word(kindWord(a.kind))} ;;`);
}

function kindWord(kind: Kind): string {
  return typeof kind === 'string' ? kind : `words ${kind.words.join(' ')}`;
}

function word(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

const BODY = String.raw`
# Offers what begins with the typed text. A name may hold what a shell would run, so each is quoted.
_choo_offer() {
  local one quoted
  for one; do
    case $one in "$typed"*) ;; *) continue ;; esac
    printf -v quoted %q "$one"
    if [ -n "$quote" ] && [ "$quoted" != "$one" ]; then continue; fi
    COMPREPLY+=("$before$quoted")
  done
}

_choo_offer_kind() {
  local one
  case $1 in
    words\ *) for one in ${'$'}{1#words }; do _choo_offer "$one"; done ;;
    units|runs|branches) while IFS= read -r one; do _choo_offer "$one"; done < <(command choo __complete "$1" 2> /dev/null) ;;
    folder)
      # With it, bash itself quotes what it inserts.
      if [ -z "$before" ] && compopt -o filenames 2> /dev/null; then
        while IFS= read -r one; do COMPREPLY+=("$one"); done < <(compgen -d -- "$typed")
      else
        while IFS= read -r one; do _choo_offer "$one"; done < <(compgen -d -- "$typed")
      fi ;;
    file) while IFS= read -r one; do _choo_offer "$one"; done < <(compgen -f -- "$typed") ;;
    program) while IFS= read -r one; do _choo_offer "$one"; done < <(compgen -c -- "$typed") ;;
  esac
}

_choo() {
  local word command='' option='' rest='' glued='' kind='' how='' before='' quote='' typed i last position=0
  local -a words=() flags=()
  COMPREPLY=()
  # Bash cuts --flag=value at the equals sign.
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=${'$'}{COMP_WORDS[i]}
    last=$((${'$'}{#words[@]} - 1))
    if [ "$word" = = ] && [ "$last" -ge 0 ] && [[ ${'$'}{words[last]} == --* && ${'$'}{words[last]} != *=* ]]; then
      words[last]+='='
      glued=1
    elif [ -n "$glued" ]; then
      words[last]+=$word
      glued=''
    else
      words+=("$word")
    fi
  done
  last=$((${'$'}{#words[@]} - 1))
  for ((i = 0; i < last; i++)); do
    word=${'$'}{words[i]}
    if [ -n "$option" ] && { [ "$how" = one ] || [[ $word != -* ]]; }; then
      [ "$how" = many ] || option=''
    elif [ -n "$rest" ]; then
      position=$((position + 1))
    elif [ "$word" = -- ]; then
      rest=1 option=''
    elif [[ $word == -* ]]; then
      option='' kind='' how=''
      [[ $word == *=* ]] || _choo_value_of "$command $word"
      [ -z "$kind" ] || option=$word
    elif [ -z "$command" ]; then
      command=$word
    else
      position=$((position + 1))
    fi
  done
  typed=${'$'}{words[last]}
  if [ -n "$option" ] && { [ "$how" = one ] || [[ $typed != -* ]]; }; then
    :
  elif [ -z "$rest" ] && [[ $typed == --*=* ]]; then
    kind=''
    _choo_value_of "$command ${'$'}{typed%%=*}"
    [ "$typed" != "${'$'}{COMP_WORDS[COMP_CWORD]}" ] || before=${'$'}{typed%%=*}=
    typed=${'$'}{typed#*=}
  elif [ -z "$rest" ] && [[ $typed == -* ]]; then
    _choo_flags "$command"
    _choo_offer "${'$'}{flags[@]}"
    return
  elif [ -z "$command" ]; then
    _choo_offer "${'$'}{_choo_commands[@]}"
    return
  else
    kind=''
    _choo_argument "$command $position"
    if [ -z "$kind$rest" ]; then
      _choo_flags "$command"
      _choo_offer "${'$'}{flags[@]}"
      return
    fi
  fi
  case $typed in \"*|\'*) quote=${'$'}{typed:0:1} typed=${'$'}{typed:1} ;; *) typed=${'$'}{typed//\\/} ;; esac
  _choo_offer_kind "$kind"
}
complete -F _choo choo
`;
