// What reading a run's journal costs at the start of `choo resume`: opening (copy and flush included) and folding it, as a ratio to
// plainly reading the file and parsing each line. Usage: node test/bench/resume.mjs [events] [rounds]. Asserts nothing.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const wanted = Number(process.argv[2] ?? 100_000);
const rounds = Number(process.argv[3] ?? 7);
const top = resolve(import.meta.dirname, '../..');
const scratch = mkdtempSync(join(process.env.TMPDIR ?? (existsSync('/dev/shm') ? '/dev/shm' : tmpdir()), 'choo-bench-'));

/** The parts of choo that are measured, and the game that makes the events, as one module. */
async function parts() {
  const entry = join(scratch, 'entry.ts');
  const from = (path) => JSON.stringify(join(top, path));
  writeFileSync(entry, `export { createJournal, openJournal } from ${from('src/adapters/journal.ts')};\nexport { evolve } from ${from('src/core/evolve.ts')};\nexport { Game, unit } from ${from('test/unit/core/rig.ts')};\n`);
  const bundle = await rolldown({ input: entry, platform: 'node' });
  const file = join(scratch, 'parts.mjs');
  await bundle.write({ file, format: 'esm' });
  await bundle.close();
  return import(pathToFileURL(file).href);
}

/** CPU seconds of the whole process, its helper threads too, that `work` took. */
async function cpu(work) {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
try {
  const { createJournal, openJournal, evolve, Game, unit } = await parts();
  // A unit of ten tasks makes 84 events when all goes well.
  const units = Array.from({ length: Math.ceil(wanted / 84) }, (_, i) => unit(`unit-${String(i).padStart(5, '0')}`, { tasks: 10 }));
  const { events } = new Game(units).play();
  const path = join(scratch, 'journal.jsonl');
  const journal = await createJournal(path, { run: 1, now: Date.now(), plan: 'bench' });
  const bodies = events.map(({ seq: _seq, time: _time, run: _run, ...body }) => body);
  for (let at = 0; at < bodies.length; at += 3) await journal.append(bodies.slice(at, at + 3), Date.now());
  await journal.close();

  const plain = [];
  const opening = [];
  const folding = [];
  for (let round = 0; round < rounds; round++) {
    plain.push(await cpu(() => {
      for (const line of readFileSync(path, 'utf8').split('\n')) if (line !== '') JSON.parse(line);
    }));
    let content;
    opening.push(await cpu(async () => {
      content = await openJournal(path);
      await content.journal.close();
    }));
    folding.push(await cpu(() => {
      let state;
      for (const event of content.events) state = evolve(state, event);
    }));
  }
  const [read, open, fold] = [plain, opening, folding].map(median);
  console.log(`${events.length} events, ${(readFileSync(path).length / 1e6).toFixed(1)} MB: read and parse ${read.toFixed(3)} s of CPU, open ${open.toFixed(3)} s, fold ${fold.toFixed(3)} s`);
  console.log(`open and fold: ${(open + fold).toFixed(3)} s of CPU, × ${((open + fold) / read).toFixed(2)} of reading and parsing`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
