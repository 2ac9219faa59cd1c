// What following many open pull requests costs: requests an interval, what counts against the limit, what is read when some change, CPU against
// a bare loop. The real adapter against the fake GitHub in its own process, time by the hand. Prints; asserts nothing.
// Usage: node test/bench/pulls.mjs [--pulls 200] [--intervals 30] [--changed 10]

import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { rolldown } from 'rolldown';

const { values } = parseArgs({ options: { pulls: { type: 'string', default: '200' }, intervals: { type: 'string', default: '30' }, changed: { type: 'string', default: '10' }, forge: { type: 'string' }, bare: { type: 'string' } } });
const [count, intervals, changed] = [values.pulls, values.intervals, values.changed].map(Number);
/** The interval on the clock that is moved by hand, ms; as in the contract tests. */
const POLL = 100_000;
/** Requests that the bare loop has open at once; the adapter's number is what falls out of its queue. */
const AT_ONCE = 10;

/** Sources as one module. */
async function bundled(input, file) {
  const bundle = await rolldown({ input, platform: 'node', transform: { define: { CHOO_VERSION: '"bench"' } } });
  await bundle.write({ file, format: 'esm', codeSplitting: false });
  await bundle.close();
  return file;
}

/** A bare repository with a branch for each pull request. */
function makeBare(bare, env) {
  const lines = [];
  const commit = (ref, name, from) => lines.push(`commit ${ref}`, ...(from === undefined ? ['mark :1'] : []), 'committer T <t@example.com> 1700000000 +0000', 'data 1', 'c', ...(from === undefined ? [] : [`from ${from}`]), `M 644 inline ${name}`, 'data 1', 'x', '');
  commit('refs/heads/main', 'README');
  for (let i = 1; i <= count; i += 1) commit(`refs/heads/choo/u${i}`, `u${i}.txt`, ':1');
  git(['init', '-q', '--bare', '-b', 'main', bare], env);
  git(['-C', bare, 'fast-import', '--quiet'], env, lines.join('\n'));
  packRefs(bare, env);
}

function git(args, env, input) {
  const { status, stderr } = spawnSync('git', args, { env, input, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

/** One file instead of one for each ref, all of which the fake looks at before each answer. */
function packRefs(bare, env) {
  git(['-C', bare, 'pack-refs', '--all'], env);
}

/** The fake GitHub, asked by messages. */
async function serve() {
  const { startGitHub } = await import(pathToFileURL(values.forge).href);
  const github = await startGitHub({ bare: values.bare });
  github.addUser('ann', 'write');
  for (let i = 1; i <= count; i += 1) github.openPull('choo-bot', { head: `choo/u${i}` });
  packRefs(values.bare, process.env);
  let from = github.requests.length;
  process.on('message', (message) => {
    for (const number of message.comment ?? []) github.comment(number, 'ann', 'Rename this.');
    const since = github.requests.slice(from).map(({ method, path, operation, body, conditional, counted, status }) => ({ method, path, operation, number: Number(/"number":(\d+)/.exec(body)?.[1] ?? 0), conditional, counted, status }));
    if (message.fresh) from = github.requests.length;
    if (message.close) void github.close().then(() => process.disconnect());
    else process.send({ since, violations: github.violations });
  });
  process.send({ url: github.url, token: github.token });
}

async function main() {
  const scratch = mkdtempSync(join(tmpdir(), 'choo-bench-pulls-'));
  const root = resolve(import.meta.dirname, '../..');
  // Below the repository, whose packages the fake finds its descriptions in.
  mkdirSync(join(root, 'node_modules/.cache'), { recursive: true });
  const bundles = mkdtempSync(join(root, 'node_modules/.cache/choo-bench-pulls-'));
  cpSync(join(root, 'test/rig/github/openapi.json'), join(bundles, 'openapi.json'));
  const env = { PATH: process.env.PATH, HOME: scratch, GIT_CONFIG_NOSYSTEM: '1' };
  let forge;
  try {
    makeBare(join(scratch, 'shop.git'), env);
    const server = await bundled(join(root, 'test/rig/github/index.ts'), join(bundles, 'server.mjs'));
    const entry = join(bundles, 'adapter.ts');
    writeFileSync(entry, `export { openGitHub } from '${root}/src/adapters/github/github.ts';\nexport { HandClock } from '${root}/test/contract/github.rig.ts';\n`);
    const { HandClock, openGitHub } = await import(pathToFileURL(await bundled(entry, join(bundles, 'adapter.mjs'))).href);
    forge = fork(fileURLToPath(import.meta.url), ['--forge', server, '--bare', join(scratch, 'shop.git'), '--pulls', values.pulls], { cwd: root, env: { ...process.env, ...env } });
    const [{ url, token }] = await once(forge, 'message');
    const ask = async (message) => {
      forge.send(message);
      const [answer] = await once(forge, 'message');
      if (answer.violations.length > 0) throw new Error(answer.violations[0]);
      return answer.since;
    };
    const clock = new HandClock();
    const github = await openGitHub({ owner: 'acme', repo: 'shop', apiUrl: url, auth: { token }, clock, redact: (text) => text, pollMs: POLL, paceMs: 0, emoji: true });
    await measure({ clock, github, ask, url, token });
    github.close();
  } finally {
    if (forge?.connected) forge.send({ close: true });
    for (const folder of [scratch, bundles]) rmSync(folder, { recursive: true, force: true });
  }
}

async function measure({ clock, github, ask, url, token }) {
  const over = new AbortController();
  const seen = new Set();
  const followed = Array.from({ length: count }, async (_, i) => {
    let known = await github.read(i + 1);
    for (;;) {
      const now = await github.follow(known, over.signal).catch((why) => { if (!over.signal.aborted) throw why; });
      if (now === undefined) return;
      seen.add(now.number);
      known = now;
    }
  });
  const interval = async () => {
    await clock.asleep(count);
    clock.advance(POLL);
    await clock.asleep(count);
    return ask({ fresh: true });
  };
  // The answers' marks become known; each of the three kinds is asked about without one at first.
  for (let i = 0; i < 8; i += 1) await interval();
  const total = { conditional: 0, unchanged: 0, reads: 0, counted: 0, most: 0 };
  const paths = [];
  const began = process.cpuUsage();
  for (let i = 0; i < intervals; i += 1) {
    const requests = await interval();
    const conditional = requests.filter((r) => r.conditional);
    total.conditional += conditional.length;
    total.unchanged += conditional.filter((r) => r.status === 304).length;
    total.reads += requests.filter((r) => r.operation === 'graphql').length;
    total.counted += requests.filter((r) => r.counted).length;
    total.most = Math.max(total.most, requests.length / count);
    paths.push(...conditional.map((r) => r.path));
  }
  const { user, system } = process.cpuUsage(began);
  const own = (user + system) / 1000;
  const per = (n) => (n / count / intervals).toFixed(2);
  console.log(`${count} open pull requests, ${intervals} intervals without a change:`);
  console.log(`  conditional requests per pull request and interval: ${per(total.conditional)} (in the busiest interval ${total.most.toFixed(2)} of any kind); ${total.unchanged} of ${total.conditional} answered 304`);
  console.log(`  counted against the limit: ${total.counted} (${per(total.counted)} per pull request and interval), of which readings: ${total.reads}`);

  const which = Array.from({ length: changed }, (_, i) => 1 + i * Math.floor(count / changed));
  await ask({ comment: which });
  seen.clear();
  const readings = new Map();
  let rounds = 0;
  while (seen.size < changed && rounds < 100) {
    rounds += 1;
    for (const r of await interval()) if (r.operation === 'graphql' && r.number > 0) readings.set(r.number, (readings.get(r.number) ?? 0) + 1);
  }
  const others = [...readings.keys()].filter((n) => !which.includes(n)).length;
  console.log(`${changed} of ${count} change: ${[...seen].filter((n) => which.includes(n)).length} are reported after ${rounds} intervals (polls are rare by then); read meanwhile: ${[...readings.keys()].filter((n) => which.includes(n)).length} of them, ${others} others`);
  over.abort();
  await Promise.all(followed);
  await bare({ url, token, paths, own });
}

/** The same conditional requests by a bare loop. */
async function bare({ url, token, paths, own }) {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const marks = new Map();
  const get = (path) => new Promise((done, fail) => {
    const mark = marks.get(path);
    request(`${new URL(url).origin}${path}`, { agent, headers: { authorization: `token ${token}`, 'user-agent': 'bench', accept: 'application/vnd.github+json', ...(mark === undefined ? {} : { 'if-none-match': mark }) } }, (answer) => {
      if (answer.headers.etag !== undefined) marks.set(path, answer.headers.etag);
      let body = '';
      answer.setEncoding('utf8').on('data', (text) => { body += text; }).on('end', () => done({ status: answer.statusCode, body })).on('error', fail);
    }).on('error', fail).end();
  });
  const all = async (list) => {
    const left = list.values();
    const statuses = new Map();
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      for (const path of left) {
        const { status } = await get(path);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    }));
    return statuses;
  };
  await all(new Set(paths));
  const began = process.cpuUsage();
  const statuses = await all(paths);
  const { user, system } = process.cpuUsage(began);
  const loop = (user + system) / 1000;
  console.log(`CPU for an interval: ${(own / intervals).toFixed(1)} ms, a bare loop with the same ${paths.length} conditional requests ${(loop / intervals).toFixed(1)} ms (${JSON.stringify(Object.fromEntries(statuses))}): × ${(own / loop).toFixed(2)}`);
  agent.destroy();
}

await (values.forge === undefined ? main() : serve());
