// Completions as somebody types them, in real shells on a pseudo-terminal: bash, zsh and fish. Needs dist/, git, script(1) and the
// three shells (test/all.sh installs what is missing), and mandoc for the man page. Prints a line a check; exit 1 when one failed.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const top = join(import.meta.dirname, '..');
const scratch = mkdtempSync(join(tmpdir(), 'choo-shells-'));
const home = join(scratch, 'home');
const repository = join(scratch, 'repository');
const bin = join(scratch, 'bin');
const HOSTILE = 'x$(touch${IFS}pwned)';
const env = { PATH: `${bin}:${process.env.PATH}`, HOME: home, ZDOTDIR: home, LANG: 'C.UTF-8', TERM: 'xterm', GIT_CONFIG_NOSYSTEM: '1' };

/** A line as it is typed, and the arguments it then has. */
const TYPED = [
  { line: 'run --form\tte\t', words: ['run', '--format', 'text'], zsh: ['run', '--format=text'] },
  { line: 'run --format=te\t', words: ['run', '--format=text'] },
  { line: 'run --unit=a\t', words: ['run', '--unit=api'] },
  { line: 'run -t to\t -p 3 my\t', words: ['run', '-t', 'topic', '-p', '3', 'my folder'] },
  { line: 'run -- my\t', words: ['run', '--', 'my folder'] },
  { line: 'retry api pa\t', words: ['retry', 'api', 'page'] },
  { line: 'retry -- x\t', words: ['retry', '--', HOSTILE] },
  { line: 'mcp --repository=my\t', words: ['mcp', '--repository=my folder'] },
  { line: 'mcp --allow run ret\t --allow-ap\t', words: ['mcp', '--allow', 'run', 'retry', '--allow-approve'] },
  { line: 'resume --from-remote --acc\t', words: ['resume', '--from-remote', '--accept-plan'] },
  { line: 'comp\tfi\t', words: ['completion', 'fish'] },
  { line: 'logs run --fol\t', words: ['logs', 'run', '--follow'] },
];
const STUB = 'choo() { printf GOT; printf "<%s>" "$@"; echo; }\n';

function prepare() {
  for (const path of [home, bin, join(repository, 'my folder'), ...['api', 'page', HOSTILE].map((unit) => join(repository, 'specs/tasks', unit))]) mkdirSync(path, { recursive: true });
  symlinkSync(join(top, 'bin', 'choo'), join(bin, 'choo'));
  for (const argv of [['init', '-q', '-b', 'main'], ['-c', 'user.name=x', '-c', 'user.email=x@example.org', 'commit', '-q', '--allow-empty', '-m', 'x'], ['branch', 'topic']]) run('git', argv);
  writeFileSync(join(home, 'bashrc'), `source <(choo completion bash)\n${STUB}`);
  writeFileSync(join(home, '.zshrc'), `autoload -Uz compinit; compinit -u\nsource <(choo completion zsh)\nunsetopt beep\n${STUB}`);
}

function run(program, argv, input = '') {
  const { status, error, stdout, stderr } = spawnSync(program, argv, { cwd: repository, env, encoding: 'utf8', input, timeout: 60_000 });
  if (error !== undefined) throw new Error(`${program}: ${error.message}`);
  return { status, text: stdout + stderr };
}

/** What the shell made of each line. */
function typedInto(command) {
  const input = `${TYPED.map(({ line }) => `choo ${line}\n`).join('')}exit\n`;
  const { text } = run('script', ['-qec', command, '/dev/null'], input);
  return [...text.matchAll(/GOT((?:<[^>]*>)*)\r?\n/g)].map(([, words]) => [...words.matchAll(/<([^>]*)>/g)].map(([, word]) => word.replace(/\/$/, '')));
}

function expectSame(found, wanted) {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) throw new Error(`wanted ${JSON.stringify(wanted)}\nfound  ${JSON.stringify(found)}`);
  if (existsSync(join(repository, 'pwned'))) throw new Error('a name was run');
}

/** fish tells what it would offer for a line. */
function offeredByFish() {
  const lines = ['choo st', 'choo run --format ', 'choo run --format=te', 'choo run --unit=pa', 'choo run -t t', 'choo run -p 4 my', 'choo run -- my', 'choo run specs my', 'choo retry api p', 'choo retry -- x', 'choo logs run --fol', 'choo mcp --allow re', 'choo help ru', 'choo completion z'];
  const script = `choo completion fish | source\n${lines.map((line) => `echo (complete -C '${line}' | string replace -r '\\t.*' '' | string join '|')`).join('\n')}\n`;
  writeFileSync(join(home, 'try.fish'), script);
  return run('fish', ['--no-config', join(home, 'try.fish')]).text.trimEnd().split('\n');
}

const CHECKS = [
  ['bash completes what is typed', () => expectSame(typedInto(`bash --noprofile --rcfile ${home}/bashrc -i`), TYPED.map(({ words }) => words))],
  ['zsh completes what is typed', () => expectSame(typedInto('zsh -i'), TYPED.map(({ words, zsh }) => zsh ?? words))],
  ['zsh reads the script', () => expectSame(run('zsh', ['-c', 'zsh -n <(choo completion zsh)']), { status: 0, text: '' })],
  ['fish offers what fits', () => expectSame(offeredByFish(), ['status|stop', 'dot|json|mermaid|text', '--format=text', '--unit=page', 'topic', 'my folder/', 'my folder/', '', 'page', HOSTILE, '--follow', 'resume|retry', 'run', 'zsh'])],
  // A date would change with every build.
  ['mandoc has nothing to say of the man page but that it is without a date', () => expectSame(run('mandoc', ['-Tlint', join(top, 'man', 'choo.1')]).text.split('\n').filter((line) => line !== '' && !line.includes('missing date')), [])],
];

/** Runs one check; true when it held. */
function holds([name, check]) {
  try {
    check();
    console.log(`ok      ${name}`);
    return true;
  } catch (error) {
    console.log(`not ok  ${name}\n${error.message.replaceAll(/^/gm, '        ')}`);
    return false;
  }
}

try {
  prepare();
  const passed = CHECKS.map(holds).filter(Boolean).length;
  const failed = CHECKS.length - passed;
  console.log(`shells: ${passed} passed, ${failed} failed`);
  const counts = process.env.CHOO_TEST_COUNTS;
  if (counts !== undefined) writeFileSync(join(counts, `shells-${process.pid}.json`), JSON.stringify({ numPassedTests: passed, numFailedTests: failed }));
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
