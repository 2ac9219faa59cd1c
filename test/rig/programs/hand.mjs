// An agent or a check that is held by a test: it says on the test's socket who it is, then does what it is told, line by line.
// Started as `node hand.mjs <socket> [<name>]`; with a name it is a check of that name. Decides nothing itself.

import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';

const [socketPath, name] = process.argv.slice(2);
const socket = connect(socketPath);

/** Everything a held program can do; each gives what is answered. */
const deeds = {
  write: ({ path, text }) => {
    mkdirSync(dirname(path) || '.', { recursive: true });
    writeFileSync(path, text);
  },
  append: ({ path, text }) => appendFileSync(path, text),
  remove: ({ path }) => rmSync(path, { recursive: true }),
  read: ({ path }) => readFileSync(path, 'utf8'),
  print: ({ text }) => new Promise((printed) => { process.stdout.write(text, () => printed()); }),
  run: ({ argv }) => {
    const { status, signal, error, stdout, stderr } = spawnSync(argv[0], argv.slice(1), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    return { code: status, signal, error: error?.message, stdout, stderr };
  },
  ignore: ({ signals }) => { for (const signal of signals) process.on(signal, () => say({ got: signal })); },
  exit: ({ code }) => { socket.end(`${JSON.stringify({ answer: null })}\n`, () => process.exit(code)); },
};

function say(message) {
  socket.write(`${JSON.stringify(message)}\n`);
}

async function obey(line) {
  const order = JSON.parse(line);
  try {
    const answer = await deeds[order.do](order);
    if (order.do !== 'exit') say({ answer: answer ?? null });
  } catch (error) {
    say({ error: String(error) });
  }
}

const prompt = name === undefined ? readFileSync(0, 'utf8') : '';
say({ hello: { name: name ?? 'agent', pid: process.pid, cwd: process.cwd(), env: process.env, prompt } });
createInterface({ input: socket }).on('line', (line) => { void obey(line); });
