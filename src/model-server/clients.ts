// How each agent is led to the scripted model server as a user would do it: settings, environment, files in HOME. A table; the
// keys in it are dummies. Nothing is started or written here.

import { anthropic } from './anthropic.ts';
import { chat } from './chat.ts';
import { gemini } from './gemini.ts';
import { responses } from './responses.ts';
import type { Protocol } from './turn.ts';

/** What an agent needs to talk to a server at `url` (without a slash at its end). */
export interface Client {
  /** What it speaks with its model. */
  readonly protocols: readonly Protocol[];
  /** What `agents.<name>` of `.choo.yaml` says. */
  readonly settings: (url: string) => Readonly<Record<string, unknown>>;
  /** What the user's environment holds beside PATH and HOME. */
  readonly env: (url: string) => Readonly<Record<string, string>>;
  /** Files in HOME, by path: what it takes from nowhere else. */
  readonly home: (url: string) => Readonly<Record<string, string>>;
}

const nothing = (): Readonly<Record<string, never>> => ({});

/** Settings of Codex for a model provider of its user's own. */
function codexArgs(url: string): readonly string[] {
  const settings = {
    model_provider: 'scripted', 'model_providers.scripted.name': 'scripted', 'model_providers.scripted.base_url': `${url}/v1`, 'model_providers.scripted.wire_api': 'responses',
    'model_providers.scripted.env_key': 'OPENAI_API_KEY', check_for_update_on_startup: 'false', 'analytics.enabled': 'false',
  };
  return Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
}

/** OpenCode's configuration for a provider of its user's own. */
function opencodeConfig(url: string): string {
  const model = { name: 'Scripted', limit: { context: 2_000_000, output: 8000 }, cost: { input: 1, output: 2, cache_read: 0.1 } };
  return JSON.stringify({ model: 'scripted/m1', autoupdate: false, share: 'disabled', provider: { scripted: { npm: '@ai-sdk/openai-compatible', name: 'Scripted', options: { baseURL: `${url}/v1`, apiKey: 'sk-dummy' }, models: { m1: model } } } });
}

const GEMINI_SETTINGS = JSON.stringify({ security: { auth: { selectedType: 'gemini-api-key' } }, general: { maxAttempts: 2 }, privacy: { usageStatisticsEnabled: false } });

const CLAUDE: Client = {
  protocols: [anthropic], settings: nothing, home: nothing,
  env: (url) => ({ ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'sk-ant-dummy' }),
};

const CODEX: Client = {
  protocols: [responses], home: nothing,
  settings: (url) => ({ model: 'scripted', args: codexArgs(url) }),
  env: () => ({ OPENAI_API_KEY: 'sk-dummy' }),
};

const GEMINI: Client = {
  protocols: [gemini],
  settings: () => ({ model: 'gemini-2.5-flash' }),
  env: (url) => ({ GOOGLE_GEMINI_BASE_URL: url, GEMINI_API_KEY: 'AIza-dummy' }),
  home: () => ({ '.gemini/settings.json': GEMINI_SETTINGS }),
};

const OPENCODE: Client = {
  protocols: [chat], home: nothing,
  settings: () => ({ model: 'scripted/m1' }),
  env: (url) => ({ OPENCODE_CONFIG_CONTENT: opencodeConfig(url), OPENCODE_DISABLE_MODELS_FETCH: '1', OPENCODE_DISABLE_DEFAULT_PLUGINS: '1', OPENCODE_PURE: '1' }),
};

const COPILOT: Client = {
  protocols: [chat], settings: nothing, home: nothing,
  env: (url) => ({ COPILOT_OFFLINE: 'true', COPILOT_PROVIDER_BASE_URL: `${url}/v1`, COPILOT_PROVIDER_API_KEY: 'dummy-key', COPILOT_MODEL: 'scripted', COPILOT_PROVIDER_MAX_PROMPT_TOKENS: '4000000' }),
};

/** What stands behind the Agent Client Protocol is not known, so it gets what any of them would take. Codex wants a mode and files of its own, and is left out. */
const ACP: Client = {
  protocols: [anthropic, chat, gemini], settings: nothing,
  env: (url) => ({ ...CLAUDE.env(url), ...GEMINI.env(url), ...OPENCODE.env(url), ...COPILOT.env(url) }),
  home: GEMINI.home,
};

/** Every agent that can be led there, by its name in the configuration. */
export const CLIENTS = { claude: CLAUDE, codex: CODEX, gemini: GEMINI, opencode: OPENCODE, copilot: COPILOT, acp: ACP } as const satisfies Readonly<Record<string, Client>>;

/** Names of the agents that can be led there. */
export type ClientName = keyof typeof CLIENTS;
