// What landing costs, in one run: units that wait together proved in batches against one by one, and merging by plumbing against a bare
// script with the same commands. Prints ratios and counts; asserts nothing.
// Usage: node test/bench/landing.mjs [--units 32] [--check 2] [--plumbing 200]

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { commitAll, gitIn } from './repository.mjs';

const { values } = parseArgs({ options: { units: { type: 'string', default: '32' }, check: { type: 'string', default: '2' }, plumbing: { type: 'string', default: '200' } } });
const choo = resolve(import.meta.dirname, '../../bin/choo');
const scratch = mkdtempSync(join(process.env.TMPDIR ?? (existsSync('/dev/shm') ? '/dev/shm' : tmpdir()), 'choo-landing-'));
const env = { PATH: process.env.PATH, HOME: scratch, XDG_STATE_HOME: join(scratch, 'state'), GIT_CONFIG_NOSYSTEM: '1', LC_ALL: 'C' };
const AGENT = 'echo "$CHOO_UNIT $CHOO_TASK" > "$CHOO_UNIT-$CHOO_TASK.txt"';

const git = gitIn(env);

/** A repository of units without dependencies, one task each. */
function repository(name, { units, config }) {
  const top = join(scratch, name);
  for (const unit of units) {
    const dir = join(top, 'specs/tasks', unit);
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'IMPLEMENTATION_PLAN.md'), `# Unit ${unit}\n`);
    writeFileSync(join(dir, '01-task.md'), `---\ntask: 1\nstatus: pending\nbackpressure: test -f ${unit}-1.txt\n---\n# Task\n`);
  }
  writeFileSync(join(top, '.choo.yaml'), JSON.stringify({ provider: { type: 'command', providers: { command: { command: AGENT } } }, ...config }));
  commitAll(git, top);
  return top;
}

/** Runs choo with all units at their own checks at once, lets them through together, and gives the events from there on. */
async function together(top, units) {
  const gate = join(scratch, 'gate');
  rmSync(gate, { force: true });
  const child = spawn(process.execPath, [choo, 'run', '--json', '--no-pr', '-p', String(units)], { cwd: top, env, stdio: ['ignore', 'pipe', 'ignore'] });
  // It stops, and everything with it, when the bench is ended before its time.
  const stop = () => { child.kill('SIGTERM'); };
  process.once('SIGTERM', stop).once('SIGINT', stop);
  const events = [];
  let verifying = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line);
    if (event.type === 'unit.verifying' && ++verifying === units) writeFileSync(gate, '');
    events.push(event);
  }
  process.off('SIGTERM', stop).off('SIGINT', stop);
  return events;
}

/** A check that waits, in a unit's worktree, until all units are at theirs; in a landing worktree it is the real one, and counted. */
function sharedCheck(seconds, { extra = '' } = {}) {
  return `case "$PWD" in */landing*) echo x >> "$HOME/runs"; sleep ${seconds}; ${extra || 'true'};; *) while [ ! -f "$HOME/gate" ]; do sleep 0.1; done;; esac`;
}

const at = (event) => Date.parse(event.time);

/** Counts runs of the shared check in landing worktrees, and the time from the first merge to the last landing, ms. */
async function shared(name, { land, extra }) {
  const units = Array.from({ length: Number(values.units) }, (_, i) => `u${String(i + 1).padStart(2, '0')}`);
  rmSync(join(scratch, 'runs'), { force: true });
  const top = repository(name, { units, config: { land, baseline_checks: [sharedCheck(values.check, { extra })] } });
  const events = await together(top, units.length);
  const landed = events.filter((e) => e.type === 'unit.merged');
  if (landed.length !== units.length) throw new Error(`${name}: ${landed.length} of ${units.length} landed`);
  // The trial runs it once, too.
  const runs = readFileSync(join(scratch, 'runs'), 'utf8').trim().split('\n').length - 1;
  const from = Math.min(...events.filter((e) => e.type === 'batch.proving').map(at));
  return { runs, ms: Math.max(...landed.map(at)) - from };
}

/**
 * Time of merging and landing many units, and of a script with the same plumbing, ms. In a first session all of them come to wait for an
 * approval; the second finds them in the queue, so that nothing else is going on while they land.
 */
async function plumbing() {
  const units = Array.from({ length: Number(values.plumbing) }, (_, i) => `p${i + 1}`);
  const top = repository('plumbing', { units, config: { land: { checks: 'never', batch: 1000, protect: 'approve', protected: ['p*.txt'] } } });
  const run = (...words) => spawnSync(process.execPath, [choo, ...words], { cwd: top, env, stdio: 'ignore' });
  run('run', '--no-pr');
  for (const unit of units) run('approve', unit);
  const base = git(top, 'rev-parse', 'main');
  run('resume');
  const journal = readFileSync(join(top, '.git/choo/runs/1/journal.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  const session = journal.slice(journal.findLastIndex((e) => e.type === 'orch.resumed'));
  const merging = session.filter((e) => e.type === 'batch.merging');
  const landed = session.filter((e) => e.type === 'batch.landed');
  const heads = session.flatMap((e) => (e.type === 'batch.candidate' ? e.merges.map((m) => m.head) : []));
  if (heads.length !== units.length || landed.length !== merging.length) throw new Error(`${heads.length} of ${units.length} units were in the queue`);
  const ms = at(landed.at(-1)) - at(merging[0]);
  const script = `set -e; tip=${base}
while read -r head; do tree=$(git merge-tree --write-tree $tip $head); tip=$(git commit-tree $tree -p $tip -p $head -m "merge: 1 task proved"); done
git update-ref refs/heads/bare $tip`;
  const begun = performance.now();
  const ran = spawnSync('bash', ['-c', script], { cwd: top, env, input: `${heads.join('\n')}\n`, encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(ran.stderr);
  const bare = performance.now() - begun;
  if (git(top, 'rev-parse', 'bare^{tree}') !== git(top, 'rev-parse', 'main^{tree}')) throw new Error('the script made another tree');
  return { ms, bare, batches: merging.length };
}

try {
  const { units, check } = values;
  const serial = await shared('serial', { land: { batch: 1, speculate: 1 } });
  const batched = await shared('batched', { land: {} });
  const culprit = await shared('culprit', { land: { speculate: 1 }, extra: '{ test ! -f u02-1.txt || test -f u02-proof.txt; }' });
  console.log(`${units} units ready at once, one shared check of ${check} s: one by one ${serial.runs} runs of it, ${serial.ms} ms; in batches ${batched.runs} run${batched.runs === 1 ? '' : 's'}, ${batched.ms} ms (x ${(batched.ms / serial.ms).toFixed(3)}; ${((batched.ms - batched.runs * check * 1000) / units).toFixed(1)} ms a unit beside the check)`);
  console.log(`with one of them to blame: ${culprit.runs} runs (${1 + Math.ceil(Math.log2(units)) + 1}, and one for its second form), ${culprit.ms} ms`);
  const plain = await plumbing();
  console.log(`${values.plumbing} units unproved: choo ${plain.ms} ms in ${plain.batches} batch${plain.batches === 1 ? '' : 'es'}, a script with the same plumbing ${plain.bare.toFixed(0)} ms: x ${(plain.ms / plain.bare).toFixed(2)}`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
