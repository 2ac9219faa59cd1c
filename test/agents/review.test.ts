// Two real agents in one run: Claude Code writes, Codex reviews what it wrote, and Claude Code mends what Codex found.

import { dirname } from 'node:path';
import { expect } from 'vitest';
import { systemClock } from '../../src/adapters/clock.ts';
import { openModelServer } from '../../src/model-server/server.ts';
import type { Turn } from '../../src/model-server/turn.ts';
import { it } from '../rig/bed.ts';
import { expectEnd, fileAt } from '../rig/facts.ts';
import { ROWS, type Row } from './rows.ts';

const PATIENCE = 180_000;

const rowOf = (name: Row['name']): Row => ROWS.find((row) => row.name === name) ?? expect.unreachable(`there is no ${name}`);
const run = (command: string): Turn => ({ do: 'run', command });
const say = (text: string): Turn => ({ do: 'say', text });

it('one agent writes and another reviews, each talking to its own service', async ({ bed }) => {
  const [writer, reviewer] = [rowOf('claude'), rowOf('codex')];
  const server = await openModelServer({
    protocols: [...writer.protocols, ...reviewer.protocols], clock: systemClock(),
    scenario: [
      { when: 'Review unit `u`', turns: [run(`if grep -qx right u-1.txt; then echo '[]'; else echo '[{"severity": "must", "path": "u-1.txt", "line": 1, "text": "it is wrong"}]'; fi > .choo-review.json; echo mine > stray.txt`), say('Reviewed.')] },
      { when: 'Mend unit `u`', turns: [run('echo right > u-1.txt'), say('Mended.')] },
      { when: 'Task 1 of unit `u`', turns: [run('echo wrong > u-1.txt'), say('Done.')] },
    ],
  });
  try {
    const [a, b] = [writer, reviewer].map((row) => row.config(server.url) as { readonly provider: { readonly providers: object }; readonly agents: object });
    bed.specs({ u: {} }, {
      provider: { type: 'claude', providers: { ...a?.provider.providers, ...b?.provider.providers } }, agents: { ...a?.agents, ...b?.agents },
      code_review: { provider: 'codex', mode: 'blocking' },
    });
    for (const row of [writer, reviewer]) for (const [path, text] of Object.entries(row.home(server.url))) bed.write(path, text, bed.env['HOME']);
    bed.git('config', 'user.name', 'Tess Ter');
    bed.git('config', 'user.email', 'tess@example.com');
    const env = { PATH: [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(':'), ...writer.env(server.url), ...reviewer.env(server.url) };
    const ended = await bed.choo(['run', '--json'], { env });
    expectEnd(ended, 0);
    expect(ended.events.flatMap((e) => ('agent' in e ? [[e.type, e.agent]] : []))).toEqual([['task.started', 'claude'], ['review.started', 'codex'], ['rework.started', 'claude'], ['review.started', 'codex']]);
    expect(fileAt(bed, 'main', 'u-1.txt')).toBe('right\n');
    expect(fileAt(bed, 'main', 'stray.txt')).toBeUndefined();
  } finally {
    await server.close();
  }
  expect(server.bad).toEqual([]);
}, PATIENCE);
