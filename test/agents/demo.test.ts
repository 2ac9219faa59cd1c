// `choo demo --agent` with real agents, to the end: everything lands, the wrong first attempt is mended, nothing is left.

import { mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import { it } from '../rig/bed.ts';
import { expectEnd } from '../rig/facts.ts';
import { ROWS } from './rows.ts';
import { THOROUGH } from './session.ts';

/** Eight attempts of a real agent, and the machine may be busy, ms. */
const PATIENCE = 180_000;

/** OpenCode takes minutes for eight attempts on two cores, and shows nothing that the others do not; the slower ones little. */
const AGENTS = ROWS.filter(({ name }) => name !== 'opencode' && (THOROUGH || name === 'claude' || name === 'codex')).map(({ name, agent, command }) => [name, { agent, command }] as const);

it.for(AGENTS)('%s', { timeout: PATIENCE }, async ([, { agent, command }], { bed }) => {
  const temporary = join(bed.base, 'demo-tmp');
  mkdirSync(temporary);
  const env = { PATH: [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(':'), TMPDIR: temporary };
  const ended = await bed.choo(['demo', '--agent', agent, '--command', command], { env });
  expectEnd(ended, 0);
  expect(ended.stderr).toBe('');
  expect(ended.stdout.match(/attempt 1: the check .* failed/g)).toHaveLength(1);
  expect(ended.stdout).toMatch(/order\/1 +done, in 2 attempts[^]*run 1: 6 of 6 units landed/);
  expect(ended.stdout).toMatch(/\$ sh inn.sh\n +welcome; a stew is 9/);
  expect(readdirSync(temporary)).toEqual([]);
});
