// What taking secrets out of output costs: a program that prints 100 MB, run with and without, as a ratio.
// Usage: node test/bench/redact.mjs [--mb 100] [--secrets 40] [--rounds 5]

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { rolldown } from 'rolldown';

const { values } = parseArgs({ options: { mb: { type: 'string', default: '100' }, secrets: { type: 'string', default: '40' }, rounds: { type: 'string', default: '5' } } });
const bytes = Number(values.mb) * 1_000_000;
const scratch = mkdtempSync(join(tmpdir(), 'choo-bench-redact-'));
const source = new URL('../../src/adapters/', import.meta.url).pathname;

/** One module with the parts that are measured. */
async function parts() {
  const entry = join(scratch, 'parts.ts');
  writeFileSync(entry, ['clock', 'processes', 'redact', 'secrets'].map((name) => `export * from '${source}${name}.ts';`).join('\n'));
  const bundle = await rolldown({ input: entry, platform: 'node' });
  const file = join(scratch, 'parts.mjs');
  await bundle.write({ file, format: 'esm' });
  await bundle.close();
  return import(pathToFileURL(file).href);
}

/** Output as agents print it: JSON lines with text, paths, code. */
function output() {
  const line = (i) => `${JSON.stringify({ type: 'assistant', message: { id: `msg_${i}`, content: [{ type: 'text', text: `Reading src/adapters/file-${i}.ts, then the author of the test; const x = ${i * 7919}; // ${'lorem ipsum dolor sit amet '.repeat(i % 5)}` }], usage: { input_tokens: i, output_tokens: i * 3 } } })}\n`;
  let text = '';
  for (let i = 0; text.length < 1_000_000; i += 1) text += line(i);
  return text.slice(0, 1_000_000);
}

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];

try {
  const { makeRedactor, openProcesses, secretsOf, SHAPES, systemClock } = await parts();
  writeFileSync(join(scratch, 'text'), output());
  const secrets = Object.fromEntries(Array.from({ length: Number(values.secrets) }, (_, i) => [`A${i}_TOKEN`, Buffer.from(`${i * 7919}-${i * 104_729}-a-secret`).toString('base64')]));
  const began = performance.now();
  const redactor = makeRedactor({ literals: secretsOf([secrets]), shapes: SHAPES });
  console.log(`making it ready for ${values.secrets} secrets: ${(performance.now() - began).toFixed(1)} ms`);
  const never = new AbortController().signal;
  const times = { without: [], with: [] };
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const how of ['without', 'with']) {
      const processes = await openProcesses({ contain: 'auto', env: { PATH: process.env.PATH }, clock: systemClock(), marker: 'bench', ...(how === 'with' ? { redactor } : {}) });
      const start = performance.now();
      const cpu = process.cpuUsage();
      const ended = await processes.run({
        argv: ['sh', '-c', `for i in $(seq ${Math.round(bytes / 1_000_000)}); do cat text; done`], cwd: scratch, env: {}, log: join(scratch, `${how}-${round}.log`), outputLimit: 10 * 1024 * 1024, totalMs: 600_000,
      }, { interrupt: never, kill: never });
      if (ended.code !== 0) throw new Error(ended.tail);
      const { user, system } = process.cpuUsage(cpu);
      times[how].push({ wall: performance.now() - start, cpu: (user + system) / 1000 });
      await processes.close();
    }
  }
  for (const what of ['wall', 'cpu']) {
    const [without, with_] = ['without', 'with'].map((how) => median(times[how].map((t) => t[what])));
    console.log(`${values.mb} MB of output, ${what}: ${without.toFixed(0)} ms without, ${with_.toFixed(0)} ms with: x ${(with_ / without).toFixed(2)}`);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
