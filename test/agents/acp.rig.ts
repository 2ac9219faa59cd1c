// The agents that speak ACP, as the tests start them: program, model protocol, environment. Holds no expectations.

import { join } from 'node:path';
import { acpAgent } from '../../src/agents/acp.ts';
import { anthropic } from '../model-server/anthropic.ts';
import { chat } from '../model-server/chat.ts';
import type { Protocol } from '../model-server/turn.ts';
import { programOf } from './programs.ts';

/** Our own program, as built. */
const RUNNER = [process.execPath, join(import.meta.dirname, '..', '..', 'dist', 'acp-agent.js')];

/** One agent by ACP. */
export interface AcpCase {
  readonly name: string;
  readonly protocols: readonly Protocol[];
  /** Its machine; made late, because it needs the installed program. */
  agent(): ReturnType<typeof acpAgent>;
  /** Environment that leads it to the model server. */
  env(url: string): Readonly<Record<string, string>>;
}

const opencodeConfig = (url: string): string => JSON.stringify({
  model: 'scripted/scripted', autoupdate: false, share: 'disabled',
  provider: { scripted: { npm: '@ai-sdk/openai-compatible', name: 'scripted', options: { baseURL: `${url}/v1`, apiKey: 'dummy-key' }, models: { scripted: { name: 'scripted' } } } },
});

/** All of them. */
export const ACP_CASES: readonly AcpCase[] = [
  {
    name: 'copilot', protocols: [chat],
    agent: () => acpAgent({ program: [programOf('copilot'), '--acp'], runner: RUNNER }),
    env: (url) => ({ COPILOT_OFFLINE: 'true', COPILOT_PROVIDER_BASE_URL: `${url}/v1`, COPILOT_PROVIDER_API_KEY: 'dummy-key', COPILOT_MODEL: 'scripted', COPILOT_AUTO_UPDATE: 'false' }),
  },
  {
    name: 'opencode', protocols: [chat],
    agent: () => acpAgent({ program: [programOf('opencode'), 'acp'], runner: RUNNER }),
    env: (url) => ({ OPENCODE_CONFIG_CONTENT: opencodeConfig(url), OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_DISABLE_MODELS_FETCH: '1' }),
  },
  {
    name: 'claude', protocols: [anthropic],
    agent: () => acpAgent({ program: [process.execPath, programOf('claude-acp')], runner: RUNNER }),
    env: (url) => ({ ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'dummy-key', CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1' }),
  },
];
