// `choo demo --agent` with programs that only look like an agent: what reaches them, and what becomes of a demo that cannot work.

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { it, type Bed } from '../rig/bed.ts';
import { expectEnd } from '../rig/facts.ts';

/** A program in the bed, and an empty temporary folder for the demo. */
function stage(bed: Bed, script: string): { readonly program: string; readonly temporary: string } {
  bed.write('agent', `#!/bin/sh\n[ "$1" = --version ] && { echo '2.1.330 (Claude Code)'; exit 0; }\n${script}\n`, bed.base);
  const program = join(bed.base, 'agent');
  chmodSync(program, 0o755);
  const temporary = join(bed.base, 'demo-tmp');
  mkdirSync(temporary);
  return { program, temporary };
}

it('gives the agent nothing of the user: no keys, no settings, an empty HOME', async ({ bed }) => {
  const seen = join(bed.base, 'seen');
  const { temporary } = stage(bed, `env > '${seen}'; ls -A "$HOME" >> '${seen}'; pwd >> '${seen}'; exit 1`);
  bed.write('.claude/settings.json', '{}', bed.env['HOME']);
  const env = {
    TMPDIR: temporary, LANG: 'C.UTF-8', ANTHROPIC_API_KEY: 'sk-ant-of-the-user', ANTHROPIC_BASE_URL: 'https://example.invalid', CLAUDE_CONFIG_DIR: join(bed.env['HOME'] ?? '', '.claude'),
    OPENAI_API_KEY: 'of-the-user', AWS_SECRET_ACCESS_KEY: 'of-the-user', NODE_OPTIONS: '--no-warnings', CHOO_CLAUDE_CMD: 'other', HTTPS_PROXY: 'http://example.invalid',
  };
  const ended = await bed.choo(['demo', '--agent', 'claude', '--command', '../agent'], { env });
  expectEnd(ended, 1);
  expect(ended.stdout).toMatch(/The agent is your `claude`; its model is a script at http:\/\/127\.0\.0\.1:\d+: no key, no bill/);
  const text = readFileSync(seen, 'utf8');
  expect(text).not.toMatch(/of-the-user|example\.invalid|\.claude$|NODE_OPTIONS|CHOO_CLAUDE_CMD/m);
  expect(text).toMatch(/^ANTHROPIC_API_KEY=sk-ant-dummy$/m);
  expect(text).toMatch(/^ANTHROPIC_BASE_URL=http:\/\/127\.0\.0\.1:\d+$/m);
  expect(text).toMatch(new RegExp(`^HOME=${temporary}/choo-demo-\\w+/home$`, 'm'));
  expect(text).toMatch(new RegExp(`^TMPDIR=${temporary}/choo-demo-\\w+/`, 'm'));
  const names = [...text.matchAll(/^([A-Za-z]\w*)=/gm)].map(([, name]) => name ?? '');
  const ours = /^(PATH|HOME|TMPDIR|TERM|LANG|PWD|OLDPWD|SHLVL|_|CHOO_\w+|ANTHROPIC_\w+|CLAUDECODE|CLAUDE_CODE_\w+|DISABLE_\w+|COMPOSE_PROJECT_NAME)$/;
  expect(names.filter((name) => !ours.test(name))).toEqual([]);
  expect(readdirSync(temporary)).toEqual([]);
});

it('a missing program: nothing runs, and the command that mends it', async ({ bed }) => {
  const { temporary } = stage(bed, 'exit 1');
  const ended = await bed.choo(['demo', '--agent', 'claude', '--command', './no-such/claude'], { env: { TMPDIR: temporary } });
  expectEnd(ended, 2);
  expect(ended.stderr).toMatch(/the agent `claude`[^]*npm install -g @anthropic-ai\/claude-code/);
  expect(readdirSync(temporary)).toEqual([]);
});

it('stopped in the middle, it leaves nothing', async ({ bed }) => {
  const fifo = join(bed.base, 'fifo');
  const { program, temporary } = stage(bed, `echo started > '${fifo}'; while read -r line; do case "$line" in *'"interrupt"'*) exit 1;; esac; done`);
  execFileSync('mkfifo', [fifo]);
  const running = bed.start(['demo', '--agent', 'claude', '--command', program], { env: { TMPDIR: temporary } });
  expect(await readFile(fifo, 'utf8')).toBe('started\n');
  running.signal('SIGINT');
  expectEnd(await running.ended, 130);
  expect(readdirSync(temporary)).toEqual([]);
});
