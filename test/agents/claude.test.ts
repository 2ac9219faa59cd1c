// Claude Code itself against the scripted model server.

import { expect } from 'vitest';
import { claudeAgent } from '../../src/agents/claude.ts';
import { anthropic } from '../model-server/anthropic.ts';
import { programOf } from './programs.ts';
import { it } from './session.ts';

const agent = claudeAgent({ program: [programOf('claude')] });

it('does a job of two commands', async ({ room }) => {
  const server = await room.serve({
    protocols: [anthropic],
    scenario: [{ turns: [{ do: 'run', command: 'echo hello > hello.txt' }, { do: 'run', command: 'git add . && git commit -qm "say hello"' }, { do: 'say', text: 'I said hello.' }] }],
  });
  const session = await room.drive(agent, { prompt: 'Say hello in a file and commit it.', env: { ANTHROPIC_BASE_URL: server.url, ANTHROPIC_API_KEY: 'sk-ant-dummy' } });
  expect(session.verdict).toEqual({});
  expect(room.commits()).toEqual(['say hello']);
});
