// Tries the built program from outside, with the Node binary given as argument (default: the one that runs this). Needs
// dist/ and git, nothing else. Prints a line a check; exit 1 when one failed.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const top = join(import.meta.dirname, '..');
const node = process.argv[2] ?? process.execPath;
const scratch = mkdtempSync(join(tmpdir(), 'choo-smoke-'));
const home = join(scratch, 'home');
const { version } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8'));

/** The environment of a machine that knows nobody: an empty HOME, no git configuration, no choo settings. */
const bare = Object.entries(process.env).filter(([name]) => !/^(GIT_|CHOO_|RALPH_|XDG_)/.test(name));
const env = { ...Object.fromEntries(bare), HOME: home, GIT_CONFIG_NOSYSTEM: '1', NO_COLOR: '1' };

function run(program, argv, cwd = scratch) {
  const { status, signal, error, stdout, stderr } = spawnSync(program, argv, { cwd, env, encoding: 'utf8', timeout: 120_000 });
  return { line: [program, ...argv].join(' '), status, signal, error, stdout, stderr };
}

const choo = (argv, cwd) => run(node, [join(top, 'bin', 'choo'), ...argv], cwd);

/** Throws with all that was printed when the program did not end as expected. */
function expectEnding(result, status, pattern) {
  const text = result.stdout + result.stderr;
  if (result.status === status && pattern.test(text)) return;
  const ending = result.error?.message ?? result.signal ?? result.status;
  throw new Error(`${result.line}\nended ${ending}, expected ${status} and ${pattern}; it printed:\n${text}`);
}

/** A repository with one finished commit: two units, the second after the first. */
function fixture() {
  const repository = join(scratch, 'repository');
  const write = (path, text) => {
    mkdirSync(dirname(join(repository, path)), { recursive: true });
    writeFileSync(join(repository, path), text);
  };
  write('specs/tasks/greet/IMPLEMENTATION_PLAN.md', '# Greet\n');
  write('specs/tasks/greet/01-hello.md', '---\ntask: 1\nbackpressure: test -f hello\n---\n# Write hello\n');
  write('specs/tasks/part/IMPLEMENTATION_PLAN.md', '---\ndepends_on: [greet]\n---\n# Part\n');
  write('specs/tasks/part/01-bye.md', '---\ntask: 1\nbackpressure: test -f bye\n---\n# Write bye\n');
  for (const argv of [
    ['init', '-q', '-b', 'main'], ['config', 'user.name', 'Smoke'], ['config', 'user.email', 'smoke@example.org'], ['add', '-A'], ['commit', '-q', '-m', 'Specs'],
  ]) expectEnding(run('git', argv, repository), 0, /^/);
  return repository;
}

function dryRun() {
  const repository = fixture();
  expectEnding(choo(['run', '-n'], repository), 0, /Execution Plan[^]*Units to execute: 2[^]*Level 2 \(parallel\):\n {2}- part \(1 tasks?\)/);
  const left = run('git', ['status', '--porcelain', '--ignored'], repository).stdout + run('git', ['for-each-ref', '--format=%(refname)'], repository).stdout;
  if (left !== 'refs/heads/main\n') throw new Error(`a dry run left something behind:\n${left}`);
}

function notBuilt() {
  cpSync(join(top, 'bin'), join(scratch, 'unbuilt', 'bin'), { recursive: true });
  expectEnding(run(node, [join(scratch, 'unbuilt', 'bin', 'choo'), '--version']), 2, /npm run build/);
}

const CHECKS = [
  ['--version tells the version', () => expectEnding(choo(['--version']), 0, new RegExp(`(^|\\s)${version.replaceAll('.', '\\.')}\\n$`))],
  ['--help lists the commands', () => expectEnding(choo(['--help']), 0, /\brun\b[^]*\bstatus\b/)],
  ['help of a command has examples', () => expectEnding(choo(['run', '--help']), 0, /--dry-run[^]*choo run/)],
  ['run -n prints the plan and changes nothing', dryRun],
  ['an unknown flag ends 2', () => expectEnding(choo(['run', '--no-such-flag']), 2, /no-such-flag/)],
  ['outside a repository ends 2', () => expectEnding(choo(['run']), 2, /git/)],
  ['without a build says what to do', notBuilt],
  ['demo runs to the end', () => expectEnding(choo(['demo']), 0, /\S/)],
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

mkdirSync(home);
try {
  const passed = CHECKS.map(holds).filter(Boolean).length;
  const failed = CHECKS.length - passed;
  console.log(`smoke on ${run(node, ['--version']).stdout.trim()}: ${passed} passed, ${failed} failed`);
  const counts = process.env.CHOO_TEST_COUNTS;
  if (counts !== undefined) writeFileSync(join(counts, `smoke-${process.pid}.json`), JSON.stringify({ numPassedTests: passed, numFailedTests: failed }));
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
