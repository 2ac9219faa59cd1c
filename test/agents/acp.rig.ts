// The agents that speak ACP, as the tests start them: program, model protocol, environment. Holds no expectations.

import { join } from 'node:path';
import { acpAgent } from '../../src/agents/acp.ts';
import { anthropic } from '../../src/model-server/anthropic.ts';
import { chat } from '../../src/model-server/chat.ts';
import { gemini } from '../../src/model-server/gemini.ts';
import { responses } from '../../src/model-server/responses.ts';
import type { Protocol } from '../../src/model-server/turn.ts';
import { programOf } from './programs.ts';
import type { Room } from './session.ts';

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
  /** Writes the settings in its HOME that it does not take from the environment. */
  settle?(room: Room, url: string): void;
  /** By ACP it says nothing of a refusal of its model: it tries again in silence, for hours. */
  readonly blind?: boolean;
  /** Says that it can load sessions, and then finds none: it begins anew. */
  readonly forgets?: boolean;
}

const opencodeConfig = (url: string): string => JSON.stringify({
  model: 'scripted/scripted', autoupdate: false, share: 'disabled',
  provider: { scripted: { npm: '@ai-sdk/openai-compatible', name: 'scripted', options: { baseURL: `${url}/v1`, apiKey: 'dummy-key' }, models: { scripted: { name: 'scripted', limit: { context: 4_000_000, output: 8000 } } } } },
});

const codexConfig = (url: string): string => [
  'model = "scripted"', 'model_provider = "scripted"', 'check_for_update_on_startup = false', 'analytics.enabled = false',
  '[model_providers.scripted]', 'name = "scripted"', `base_url = "${url}/v1"`, 'wire_api = "responses"', 'env_key = "SCRIPTED_KEY"', '',
].join('\n');

/** All of them. */
export const ACP_CASES: readonly AcpCase[] = [
  {
    name: 'copilot', protocols: [chat],
    agent: () => acpAgent({ program: [programOf('copilot'), '--acp'], runner: RUNNER }),
    env: (url) => ({ COPILOT_OFFLINE: 'true', COPILOT_PROVIDER_BASE_URL: `${url}/v1`, COPILOT_PROVIDER_API_KEY: 'dummy-key', COPILOT_MODEL: 'scripted', COPILOT_PROVIDER_MAX_PROMPT_TOKENS: '4000000' }),
  },
  {
    name: 'opencode', protocols: [chat], blind: true,
    agent: () => acpAgent({ program: [programOf('opencode'), 'acp'], runner: RUNNER }),
    env: (url) => ({ OPENCODE_CONFIG_CONTENT: opencodeConfig(url), OPENCODE_DISABLE_MODELS_FETCH: '1' }),
  },
  {
    name: 'claude', protocols: [anthropic],
    agent: () => acpAgent({ program: [process.execPath, programOf('claude-acp')], runner: RUNNER }),
    env: (url) => ({ ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'dummy-key' }),
  },
  {
    name: 'gemini', protocols: [gemini], forgets: true,
    agent: () => acpAgent({ program: [process.execPath, programOf('gemini'), '--acp', '--skip-trust'], runner: RUNNER }),
    env: (url) => ({ GEMINI_API_KEY: 'dummy-key', GOOGLE_GEMINI_BASE_URL: url }),
    settle: ({ repository, home }) => {
      // The user's own git configuration does not reach the commands that it runs.
      repository.git('config', 'user.name', 'Gemma');
      repository.git('config', 'user.email', 'gemma@example.com');
      repository.write('.gemini/settings.json', JSON.stringify({ security: { auth: { selectedType: 'gemini-api-key' } }, general: { maxAttempts: 2 }, privacy: { usageStatisticsEnabled: false } }), home);
    },
  },
  {
    name: 'codex', protocols: [responses],
    agent: () => acpAgent({ program: [process.execPath, programOf('codex-acp')], runner: RUNNER, mode: 'agent-full-access' }),
    env: () => ({ SCRIPTED_KEY: 'dummy-key' }),
    settle: ({ repository, home }, url) => repository.write('.codex/config.toml', codexConfig(url), home),
  },
];
