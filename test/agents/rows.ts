// How each real agent is made to talk to the scripted model server when choo drives it: a row each. Used by whole.test.ts.

import type { BedConfig } from '../rig/bed.ts';
import { anthropic } from '../model-server/anthropic.ts';
import { chat } from '../model-server/chat.ts';
import { gemini } from '../model-server/gemini.ts';
import { responses } from '../model-server/responses.ts';
import type { Protocol } from '../model-server/turn.ts';
import { programOf } from './programs.ts';
import type { ROW_NAMES } from './row-names.ts';

/** One agent in choo's configuration. */
export interface Row {
  /** As choo names it, with the program behind it where that differs. */
  readonly name: (typeof ROW_NAMES)[number];
  readonly agent: string;
  readonly protocol: Protocol;
  /** What it spends is seen while it works; else a budget is refused. */
  readonly seen: boolean;
  /** Parts of `.choo.yaml`; `url` is the server's, without a slash at its end. */
  readonly config: (url: string) => BedConfig;
  /** What the user's environment holds beside PATH and HOME. */
  readonly env: (url: string) => Readonly<Record<string, string>>;
  /** Files in the HOME of its user, by path: what it takes from nowhere else. */
  readonly home?: (url: string) => Readonly<Record<string, string>>;
}

/** The part of the configuration that names the program; never one that PATH would find. */
function provider(agent: string, command: string): BedConfig {
  return { provider: { type: agent, providers: { [agent]: { command } } } };
}

/** Settings of Codex for a model provider of its user's own. */
function codexProvider(url: string): readonly string[] {
  const settings = { model_provider: 'scripted', 'model_providers.scripted.name': 'scripted', 'model_providers.scripted.base_url': `${url}/v1`, 'model_providers.scripted.wire_api': 'responses', 'model_providers.scripted.env_key': 'SCRIPTED_KEY' };
  return Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
}

/** OpenCode's configuration for a provider of its user's own. */
function opencodeConfig(url: string): string {
  const model = { name: 'Scripted', limit: { context: 2_000_000, output: 8000 }, cost: { input: 1, output: 2, cache_read: 0.1 } };
  return JSON.stringify({ autoupdate: false, share: 'disabled', provider: { scripted: { npm: '@ai-sdk/openai-compatible', name: 'Scripted', options: { baseURL: `${url}/v1`, apiKey: 'sk-dummy' }, models: { m1: model } } } });
}

/** Gemini CLI wants its login in a file, and no git configuration of its user reaches the commands that it runs. */
const GEMINI_SETTINGS = JSON.stringify({ security: { auth: { selectedType: 'gemini-api-key' } }, general: { maxAttempts: 2 }, privacy: { usageStatisticsEnabled: false } });

/** Runs a script of npm's with the Node of the tests. */
function byNode(path: string): string {
  return `${process.execPath} ${path}`;
}

/** Every agent that runs here. */
export const ROWS: readonly Row[] = [
  {
    name: 'claude', agent: 'claude', protocol: anthropic, seen: true,
    config: () => ({ ...provider('claude', programOf('claude')), agents: { claude: { retry: 'continue' } } }),
    env: (url) => ({ ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'sk-ant-dummy' }),
  },
  {
    name: 'codex', agent: 'codex', protocol: responses, seen: true,
    config: (url) => ({ ...provider('codex', programOf('codex')), agents: { codex: { retry: 'continue', model: 'scripted', args: codexProvider(url) } } }),
    env: () => ({ SCRIPTED_KEY: 'sk-dummy' }),
  },
  {
    name: 'gemini', agent: 'gemini', protocol: gemini, seen: false,
    config: () => ({ ...provider('gemini', byNode(programOf('gemini'))), agents: { gemini: { model: 'gemini-2.5-flash' } } }),
    env: (url) => ({ GOOGLE_GEMINI_BASE_URL: url, GEMINI_API_KEY: 'AIza-dummy' }),
    home: () => ({ '.gemini/settings.json': GEMINI_SETTINGS }),
  },
  {
    name: 'opencode', agent: 'opencode', protocol: chat, seen: true,
    config: () => ({ ...provider('opencode', programOf('opencode')), agents: { opencode: { retry: 'continue', model: 'scripted/m1' } } }),
    env: (url) => ({ OPENCODE_CONFIG_CONTENT: opencodeConfig(url), OPENCODE_DISABLE_MODELS_FETCH: '1', OPENCODE_DISABLE_DEFAULT_PLUGINS: '1', OPENCODE_PURE: '1' }),
  },
  {
    name: 'copilot', agent: 'copilot', protocol: chat, seen: false,
    config: () => ({ ...provider('copilot', programOf('copilot')), agents: { copilot: { retry: 'continue' } } }),
    env: (url) => ({ COPILOT_OFFLINE: 'true', COPILOT_PROVIDER_BASE_URL: `${url}/v1`, COPILOT_PROVIDER_API_KEY: 'dummy-key', COPILOT_MODEL: 'scripted', COPILOT_PROVIDER_MAX_PROMPT_TOKENS: '4000000' }),
  },
  {
    name: 'acp (claude-agent-acp)', agent: 'acp', protocol: anthropic, seen: false,
    config: () => ({ ...provider('acp', byNode(programOf('claude-acp'))), agents: { acp: { retry: 'continue' } } }),
    env: (url) => ({ ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'sk-ant-dummy' }),
  },
];
