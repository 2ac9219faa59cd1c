// What orchestration costs: choo against a plain shell script that does the same git work, in one run, as ratios.
// Usage: node test/bench/overhead.mjs [--units 100] [--tasks 3] [--parallel 4] [--rounds 3] [--files 0] [--floor]
// --floor also measures what no saving elsewhere can get below: a task's contained programs and looks at files, by themselves.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { commitAll, gitIn } from './repository.mjs';

const { values } = parseArgs({
  options: { units: { type: 'string', default: '100' }, tasks: { type: 'string', default: '3' }, parallel: { type: 'string', default: '4' }, rounds: { type: 'string', default: '3' }, files: { type: 'string', default: '0' }, floor: { type: 'boolean', default: false } },
});
const units = Number(values.units);
const tasks = Number(values.tasks);
const parallel = Number(values.parallel);
const rounds = Number(values.rounds);
const files = Number(values.files);
const choo = resolve(import.meta.dirname, '../../bin/choo');
// In memory where that can be had: some file systems make files up to 30 times slower after deleting others, which would be all one measures.
const scratch = mkdtempSync(join(process.env.TMPDIR ?? (existsSync('/dev/shm') ? '/dev/shm' : tmpdir()), 'choo-bench-'));
const AGENT = 'echo "$CHOO_UNIT $CHOO_TASK" > "$CHOO_UNIT-$CHOO_TASK.txt"';
const env = { PATH: process.env.PATH, HOME: scratch, XDG_STATE_HOME: join(scratch, 'state'), GIT_CONFIG_NOSYSTEM: '1', LC_ALL: 'C' };

/** Runs a program, gives wall and CPU (its own and its children's) seconds. */
function timed(argv, cwd) {
  const ran = spawnSync('bash', ['-c', 'TIMEFORMAT="%R %U %S"; time "$@" >"$LOG" 2>&1', 'bench', ...argv], { cwd, env: { ...env, LOG: join(scratch, 'log') }, encoding: 'utf8' });
  const [real, user, system] = ran.stderr.trim().split(/\s+/).slice(-3).map(Number);
  if (ran.status !== 0) throw new Error(`${argv.join(' ')} ended ${ran.status}; see ${join(scratch, 'log')}`);
  return { wall: real, cpu: user + system };
}

const git = gitIn(env);

/** A repository of units without dependencies; `files` more files to check out. */
function repository(name) {
  const top = join(scratch, name);
  mkdirSync(top, { recursive: true });
  for (let f = 0; f < files; f++) {
    const dir = join(top, 'src', String(f % 100));
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, `${f}.txt`), `file ${f}\n`);
  }
  for (let u = 1; u <= units; u++) {
    const dir = join(top, 'specs/tasks', `u${u}`);
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'IMPLEMENTATION_PLAN.md'), `# Unit ${u}\n`);
    for (let t = 1; t <= tasks; t++) {
      writeFileSync(join(dir, `${String(t).padStart(2, '0')}-task.md`), `---\ntask: ${t}\nstatus: pending\nbackpressure: test -f u${u}-${t}.txt\n---\n# Task ${t}\n`);
    }
  }
  writeFileSync(join(top, '.choo.yaml'), `provider:\n  type: command\n  providers:\n    command:\n      command: '${AGENT}'\n`);
  commitAll(git, top);
  return top;
}

/** The same git work by hand: a worktree a unit, a commit a task, a merge a unit; `parallel` units at a time. */
const PLAIN = `set -e
top=$PWD; work=${scratch}/plain-work; mkdir -p "$work"
unit() {
  u=$1
  (flock 9; git worktree add -q -b unit/$u "$work/$u" main) 9>"$work/lock"
  cd "$work/$u"
  t=1
  while [ $t -le ${tasks} ]; do
    CHOO_UNIT=$u CHOO_TASK=$t sh -c '${AGENT}'
    sed -i 's/^status: pending/status: complete/' specs/tasks/$u/*$t-task.md
    git add -A
    test -f $u-$t.txt
    git commit -q -m "feat($u): complete task #$t"
    t=$((t+1))
  done
  cd "$top"
  (flock 9; git merge -q --no-ff -m "merge $u" unit/$u; git worktree remove --force "$work/$u"; git branch -q -D unit/$u) 9>"$work/lock"
}
export -f unit; export top work
seq 1 ${units} | sed 's/^/u/' | xargs -P ${parallel} -I{} bash -ec 'unit {}'
`;

/** Every task's file is on main, with the right content; else the numbers mean nothing. */
function verify(top) {
  const there = new Set(git(top, 'ls-tree', '-r', '--name-only', 'main').split('\n'));
  for (let u = 1; u <= units; u++) for (let t = 1; t <= tasks; t++) if (!there.has(`u${u}-${t}.txt`)) throw new Error(`u${u}-${t}.txt is not on main in ${top}`);
}

const FLOOR_TIMES = 100;
/** What every task does at least, in seconds of CPU: four programs that do nothing, contained as choo contains them, and four looks at a checkout. */
function floorOfTask(top) {
  const user = process.getuid() === 0 ? [] : ['--user', '--map-current-user'];
  const contained = ['unshare', ...user, '--pid', '--fork', '--kill-child', '--mount-proc', '--', 'sh', '-c', 'sh -c :; exit $?'];
  const look = ['git', '--no-optional-locks', 'status', '--porcelain', '--untracked-files=all'];
  // git compares contents as long as files are no older than their index, by the second.
  timed(['sh', '-c', 'sleep 1.1; git read-tree HEAD; git update-index -q --refresh'], top);
  const perRun = (argv) => timed(['bash', '-c', `for ((i = 0; i < ${FLOOR_TIMES}; i++)); do "$@"; done`, 'floor', ...argv], top).cpu / FLOOR_TIMES;
  return { programs: 4 * perRun(contained), looks: 4 * perRun(look) };
}

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const results = { plain: [], choo: [] };
let floor;
try {
  for (let round = 1; round <= rounds; round++) {
    for (const kind of round % 2 === 0 ? ['choo', 'plain'] : ['plain', 'choo']) {
      const top = repository(`${kind}-${round}`);
      const argv = kind === 'plain' ? ['bash', '-c', PLAIN] : [process.execPath, choo, 'run', '--no-pr', '-p', String(parallel)];
      if (values.floor) floor ??= floorOfTask(top);
      const time = timed(argv, top);
      verify(top);
      results[kind].push(time);
      const ms = (s) => ((s * 1000) / (units * tasks)).toFixed(1);
      console.log(`round ${round}  ${kind.padEnd(5)}  wall ${ms(time.wall)} ms a task, cpu ${ms(time.cpu)} ms a task`);
      rmSync(top, { recursive: true, force: true });
    }
  }
  const ratio = (key) => (median(results.choo.map((r) => r[key])) / median(results.plain.map((r) => r[key]))).toFixed(2);
  console.log(`${units} units x ${tasks} tasks, ${parallel} at a time, ${files} more files, in ${dirname(scratch)}: choo / plain script: wall x ${ratio('wall')}, cpu x ${ratio('cpu')}`);
  if (floor !== undefined) {
    const part = (seconds) => `${(seconds * 1000).toFixed(1)} ms (x ${((seconds * units * tasks) / median(results.plain.map((r) => r.cpu))).toFixed(2)})`;
    console.log(`floor, CPU a task and as a part of the script's: four contained programs that do nothing ${part(floor.programs)}, four looks by git at a checkout ${part(floor.looks)}`);
  }
} finally {
  if (readdirSync(scratch).length > 0) rmSync(scratch, { recursive: true, force: true });
}
