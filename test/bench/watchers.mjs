// What looking on costs a run: the same run with nobody there, and with a dashboard's client (its stream and a log's), `choo status --watch`
// on a terminal, clients that read 1 KB a second and one that never reads. In turns; prints wall times, their ratio, and memory. Asserts nothing.
// Usage: node test/bench/watchers.mjs [--units 60] [--tasks 3] [--parallel 4] [--rounds 5] [--slow 10]

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { commitAll, gitIn } from './repository.mjs';

const { values } = parseArgs({
  options: { units: { type: 'string', default: '60' }, tasks: { type: 'string', default: '3' }, parallel: { type: 'string', default: '4' }, rounds: { type: 'string', default: '5' }, slow: { type: 'string', default: '10' } },
});
const [units, tasks, parallel, rounds, slow] = [values.units, values.tasks, values.parallel, values.rounds, values.slow].map(Number);
const choo = resolve(import.meta.dirname, '../../bin/choo');
// In memory where that can be had: some file systems make files up to 30 times slower after deleting others, which would be all one measures.
const scratch = mkdtempSync(join(process.env.TMPDIR ?? (existsSync('/dev/shm') ? '/dev/shm' : tmpdir()), 'choo-bench-'));
const env = { PATH: process.env.PATH, HOME: scratch, XDG_STATE_HOME: join(scratch, 'state'), GIT_CONFIG_NOSYSTEM: '1', LC_ALL: 'C', TERM: 'xterm-256color', SHELL: '/bin/sh' };
const git = gitIn(env);
/** Prints something, works a little, and does what its check looks for. */
const AGENT = 'i=0; while [ $i -lt 20 ]; do echo "step $i of $CHOO_UNIT $CHOO_TASK, with some words about it"; sleep 0.02; i=$((i+1)); done; echo "$CHOO_UNIT $CHOO_TASK" > "$CHOO_UNIT-$CHOO_TASK.txt"';
/** Time between two tries to reach what has not begun, and between two reads of a slow client, ms. */
const AGAIN = 50;
const SLOW = 1000;

function repository(name) {
  const top = join(scratch, name);
  for (let u = 1; u <= units; u++) {
    const dir = join(top, 'specs/tasks', `u${u}`);
    mkdirSync(dir, { recursive: true });
    writeFileSync(join(dir, 'IMPLEMENTATION_PLAN.md'), `# Unit ${u}\n`);
    for (let t = 1; t <= tasks; t++) writeFileSync(join(dir, `${String(t).padStart(2, '0')}-task.md`), `---\ntask: ${t}\nstatus: pending\nbackpressure: test -f u${u}-${t}.txt\n---\n# Task ${t}\n`);
  }
  mkdirSync(dirname(join(top, '.choo.yaml')), { recursive: true });
  writeFileSync(join(top, '.choo.yaml'), JSON.stringify({ provider: { type: 'command', providers: { command: { command: AGENT } } } }));
  commitAll(git, top);
  return top;
}

const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

/** Resolves when a stream is over, however it ended. */
const closed = (stream) => new Promise((done) => { stream.on('error', () => undefined).on('close', done); });

/** The most memory that a process has had so far, MiB. */
function peak(pid) {
  return Math.round(Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);
}

/** Seconds of CPU that a process has had so far. */
function cpu(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** A request's answer once it is there; undefined when the server is gone. */
function ask(link, path) {
  return new Promise((done) => {
    request({ host: '127.0.0.1', port: link.port, path, headers: { authorization: `Bearer ${link.token}` }, agent: false }, done).on('error', () => done(undefined)).end();
  });
}

/** Follows the run like a page: its stream, and the log of each unit that begins, one at a time. */
async function followPage(link, seen) {
  let answer;
  while ((answer = await ask(link, '/api/runs/newest/stream'))?.statusCode === 404) await pause(AGAIN);
  if (answer === undefined) return;
  let rest = '';
  let log;
  answer.setEncoding('utf8').on('data', (text) => {
    seen.bytes += text.length;
    const blocks = (rest + text).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (data === undefined) continue;
      seen.frames++;
      const running = JSON.parse(data).units?.find((unit) => unit.attempt !== undefined);
      if (running !== undefined && log === undefined) log = followLog(link, running.id, seen).finally(() => { log = undefined; });
    }
  });
  await closed(answer);
}

async function followLog(link, unit, seen) {
  const detail = await ask(link, `/api/runs/newest/units/${unit}`);
  if (detail === undefined) return;
  let text = '';
  detail.setEncoding('utf8').on('data', (part) => { text += part; });
  await closed(detail);
  if (!detail.complete) return;
  const seq = JSON.parse(text).attempts?.at(-1)?.seq;
  const log = seq === undefined ? undefined : await ask(link, `/api/runs/newest/units/${unit}/logs/${seq}/stream?said`);
  if (log === undefined) return;
  log.on('data', (part) => { seen.log += part.length; });
  await closed(log);
}

/** A client that takes `bytes` of what comes each second; 0: none, ever. */
async function slowClient(link, bytes, over) {
  while (!over.aborted) {
    const probe = await ask(link, '/api/runs/newest');
    probe?.resume();
    if (probe?.statusCode === 200) break;
    await pause(AGAIN);
  }
  const socket = connect({ port: link.port, host: '127.0.0.1', highWaterMark: 1024 }).on('error', () => undefined);
  socket.write(`GET /api/runs/newest/stream HTTP/1.1\r\nHost: 127.0.0.1:${link.port}\r\nAuthorization: Bearer ${link.token}\r\n\r\n`);
  if (bytes > 0) socket.on('readable', () => undefined);
  else socket.pause();
  while (!over.aborted) {
    await pause(SLOW);
    if (bytes > 0) socket.read(Math.min(bytes, socket.readableLength));
  }
  socket.destroy();
}

/** Everybody who looks on, until they are told that it is over; gives what they saw and took. */
async function watchers(top) {
  const over = new AbortController();
  const seen = { frames: 0, bytes: 0, log: 0, screen: 0 };
  const web = spawn(process.execPath, [choo, 'web', '--port', '0'], { cwd: top, env, stdio: ['ignore', 'pipe', 'ignore'] });
  let printed = '';
  const link = await new Promise((found) => {
    web.stdout.setEncoding('utf8').on('data', (text) => {
      printed += text;
      const [, port, token] = /:(\d+)\/\?token=(\S+)/.exec(printed) ?? [];
      if (port !== undefined) found({ port: Number(port), token });
    });
  });
  const screen = spawn('script', ['-qfec', `stty cols 120 rows 40; exec '${process.execPath}' '${choo}' status --watch`, '/dev/null'], { cwd: top, env, stdio: ['pipe', 'pipe', 'ignore'] });
  screen.stdout.on('data', (part) => { seen.screen += part.length; });
  const ended = [once(web, 'close'), once(screen, 'close')];
  const clients = [followPage(link, seen), slowClient(link, 0, over.signal), ...Array.from({ length: slow }, () => slowClient(link, 1024, over.signal))];
  return async () => {
    const took = { memory: peak(web.pid), cpu: cpu(web.pid) };
    over.abort();
    web.kill('SIGINT');
    // It ends with the session by itself.
    screen.kill('SIGTERM');
    await Promise.all([...ended, ...clients]);
    return { ...seen, ...took };
  };
}

/** Runs the repository's units and gives the seconds it took, and the engine's events. */
async function run(top) {
  const began = performance.now();
  const child = spawn(process.execPath, [choo, 'run', '--no-pr', '-p', String(parallel)], { cwd: top, env, stdio: ['ignore', 'ignore', 'ignore'] });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`choo run ended ${code} in ${top}`);
  const wall = (performance.now() - began) / 1000;
  const there = new Set(git(top, 'ls-tree', '-r', '--name-only', 'main').split('\n'));
  for (let u = 1; u <= units; u++) for (let t = 1; t <= tasks; t++) if (!there.has(`u${u}-${t}.txt`)) throw new Error(`u${u}-${t}.txt is not on main in ${top}`);
  return { wall, events: readFileSync(join(top, '.git/choo/runs/1/journal.jsonl'), 'utf8').split('\n').length - 2 };
}

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
const walls = { alone: [], watched: [] };
let memory = 0;
try {
  for (let round = 1; round <= rounds; round++) {
    for (const kind of round % 2 === 0 ? ['watched', 'alone'] : ['alone', 'watched']) {
      const top = repository(`${kind}-${round}`);
      const end = kind === 'watched' ? await watchers(top) : undefined;
      const { wall, events } = await run(top);
      const seen = await end?.();
      walls[kind].push(wall);
      memory = Math.max(memory, seen?.memory ?? 0);
      console.log(`${kind} ${round}: ${wall.toFixed(2)} s, ${events} events${seen === undefined ? '' : `; the page got ${seen.frames} messages (${Math.round(seen.bytes / 1024)} KiB) and ${Math.round(seen.log / 1024)} KiB of logs, the terminal ${Math.round(seen.screen / 1024)} KiB; choo web took ${seen.cpu.toFixed(2)} s of CPU and at most ${seen.memory} MiB`}`);
      rmSync(top, { recursive: true, force: true });
    }
  }
  const [alone, watched] = [median(walls.alone), median(walls.watched)];
  console.log(`${units} units of ${tasks} tasks, ${parallel} at a time: ${alone.toFixed(2)} s alone, ${watched.toFixed(2)} s watched: × ${(watched / alone).toFixed(3)}; choo web had at most ${memory} MiB`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
