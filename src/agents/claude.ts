// Claude Code by its print mode: JSON lines both ways, so that it can be interrupted and told nothing on the command line.

import { jsonLine, short } from './agent.ts';
import type { Activity, Agent, AgentTask, Received } from './agent.ts';

/** What is remembered of one session. */
interface State {
  readonly asked: number;
}

/** Takes the program with its first arguments. */
export function claudeAgent(o: { readonly program: readonly string[] }): Agent<State> {
  return {
    name: 'claude',
    idleLimit: true,
    abilities: { permissions: ['workspace', 'full'], usage: { tokens: true, usd: true }, goOn: true, ownCap: true },
    open: (task) => ({
      argv: [...o.program, '-p', '--input-format', 'stream-json', '--output-format', 'stream-json', '--verbose', ...optionsFor(task)],
      env: { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', DISABLE_AUTOUPDATER: '1' },
      first: `${JSON.stringify({ type: 'user', message: { role: 'user', content: [{ type: 'text', text: task.prompt }] } })}\n`,
      oneShot: false,
      state: { asked: 0 },
    }),
    receive,
    interrupt: () => `${JSON.stringify({ type: 'control_request', request_id: 'interrupt', request: { subtype: 'interrupt' } })}\n`,
    conclude: () => ({}),
  };
}

function optionsFor(task: AgentTask): readonly string[] {
  return ['--permission-mode', 'acceptEdits', '--allowedTools', 'Bash', ...(task.goOn === undefined ? ['--session-id', task.session] : ['--resume', task.goOn])];
}

function receive(line: string, state: State): Received<State> {
  const said = jsonLine(line);
  if (said?.['type'] === 'result') return { state, close: true, done: true };
  const activity: Activity[] = said?.['type'] === 'assistant' ? [{ kind: 'text', text: short(line) }] : [];
  return { state, activity };
}
