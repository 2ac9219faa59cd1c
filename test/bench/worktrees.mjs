// What a worktree costs in a large repository: how long units wait until they are ready, against `git worktree add` in the same run.
// Usage: node test/bench/worktrees.mjs [--files 80000] [--units 12] [--parallel 2] [--seconds 20]

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { files: { type: 'string', default: '80000' }, units: { type: 'string', default: '12' }, parallel: { type: 'string', default: '2' }, seconds: { type: 'string', default: '20' }, pool: { type: 'string', default: 'auto' } },
});
const [files, units, parallel, seconds] = [values.files, values.units, values.parallel, values.seconds].map(Number);
const choo = resolve(import.meta.dirname, '../../bin/choo');
// In memory where that can be had: some file systems make files up to 30 times slower after deleting others, which would be all one measures.
const scratch = mkdtempSync(join(process.env.TMPDIR ?? (existsSync('/dev/shm') ? '/dev/shm' : tmpdir()), 'choo-worktrees-'));
const top = join(scratch, 'repo');
const env = { PATH: process.env.PATH, HOME: scratch, XDG_STATE_HOME: join(scratch, 'state'), GIT_CONFIG_NOSYSTEM: '1', LC_ALL: 'C' };

function run(argv, cwd) {
  const began = process.hrtime.bigint();
  const ran = spawnSync(argv[0], argv.slice(1), { cwd, env, encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (ran.status !== 0) throw new Error(`${argv.join(' ')} ended ${ran.status}\n${ran.stdout}${ran.stderr}`);
  return { stdout: ran.stdout, ms: Number(process.hrtime.bigint() - began) / 1e6 };
}
const git = (...args) => run(['git', ...args], top);
const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];

/** A repository of many files and of units whose agent takes a while, changes a tracked file and leaves untracked and ignored ones. */
function repository() {
  for (let f = 0; f < files; f++) {
    const dir = join(top, 'src', String(f % 400), String(Math.floor(f / 400) % 10));
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, `${f}.txt`), `file ${f}\n`.repeat(20));
  }
  for (let u = 1; u <= units; u++) {
    const dir = join(top, 'specs/tasks', `u${u}`);
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'IMPLEMENTATION_PLAN.md'), `# Unit ${u}\n`);
    writeFileSync(join(dir, '01-task.md'), `---\ntask: 1\nstatus: pending\nbackpressure: test -f u${u}.txt\n---\n# Task\n`);
  }
  // What it finds beside the commit's files would be another unit's.
  const agent = `find . -name "*left*" > "$CHOO_UNIT.txt"; sleep ${seconds}; echo x > "src/0/0/$CHOO_UNIT"; mkdir -p left build; echo x > left/x; echo x > build/left`;
  writeFileSync(join(top, '.gitignore'), 'build/\nleft/\n');
  writeFileSync(join(top, '.choo.yaml'), `worktree:\n  pool: ${values.pool}\nprovider:\n  type: command\n  providers:\n    command:\n      command: '${agent}'\n`);
  git('init', '-q', '-b', 'main');
  git('config', 'user.name', 'Bench');
  git('config', 'user.email', 'bench@example.org');
  git('add', '-A');
  git('commit', '-q', '-m', 'specs');
}

/** From the start of each unit until its worktree was ready, ms, in the order of their starts. */
function readiness() {
  const [folder] = readdirSync(join(top, '.git/choo/runs'));
  const events = readFileSync(join(top, '.git/choo/runs', folder, 'journal.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  const started = events.filter((e) => e.type === 'unit.started');
  return started.map((s) => Date.parse(events.find((e) => e.type === 'unit.prepared' && e.unit === s.unit).time) - Date.parse(s.time));
}

try {
  mkdirSync(top, { recursive: true });
  repository();
  const add = () => {
    const { ms } = git('worktree', 'add', '-q', '--detach', join(scratch, 'by-hand'), 'HEAD');
    git('worktree', 'remove', '--force', join(scratch, 'by-hand'));
    return ms;
  };
  const before = [add(), add()];
  run([process.execPath, choo, 'run', '--no-pr', '-p', String(parallel)], top);
  const plain = median([...before, add()]);
  const all = readiness();
  const later = all.slice(parallel);
  for (let u = 1; u <= units; u++) {
    const found = git('show', `main:u${u}.txt`).stdout;
    if (found !== '') throw new Error(`the agent of u${u} found what another unit had left: ${found}`);
  }
  const worst = Math.max(...later);
  console.log(`git worktree add: ${plain.toFixed(0)} ms; units ready after (ms): ${all.join(' ')}`);
  console.log(`${files} files, ${units} units, ${parallel} at a time, agents of ${seconds} s, in ${dirname(scratch)}: every unit after the first ${parallel} is ready in x ${(median(later) / plain).toFixed(2)} (worst x ${(worst / plain).toFixed(2)}) of git worktree add; nothing of another unit was found`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
