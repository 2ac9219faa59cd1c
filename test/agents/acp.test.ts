// Real agents by the Agent Client Protocol, against the scripted model server.

import { describe, expect } from 'vitest';
import { control } from '../contract/processes.rig.ts';
import { ACP_CASES } from './acp.rig.ts';
import { it } from './session.ts';

const PROMPT = 'Say hello in a file and commit it.';

describe.each(ACP_CASES)('$name', ({ name, protocols, agent, env }) => {
  it('does a job of two commands', async ({ room }) => {
    const server = await room.serve({
      protocols,
      scenario: [{ turns: [{ do: 'run', command: 'echo hello > hello.txt' }, { do: 'run', command: 'git add hello.txt && git commit -qm "say hello"' }, { do: 'say', text: 'I said hello.' }] }],
    });
    const session = await room.drive(agent(), { prompt: PROMPT, env: env(server.url), record: `acp/${name}-done` });
    if (process.env['DBG']) console.log(session.lines.map((l) => l.slice(0, 700)).join('\n'), session.result, session.verdict, session.usage, server.seen.map((s) => [s.request.method, s.request.path, s.bad, s.turn?.do]));
    expect(session.verdict).toEqual({});
    expect(room.commits()).toEqual(['say hello']);
    expect(session.activity.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['command', 'text']));
  });
});
void control;
