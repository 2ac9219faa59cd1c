// How each real agent is made to talk to the scripted model server when choo drives it: a row each. Used by whole.test.ts.

import type { BedConfig } from '../rig/bed.ts';
import { anthropic } from '../model-server/anthropic.ts';
import { responses } from '../model-server/responses.ts';
import type { Protocol } from '../model-server/turn.ts';
import { programOf } from './programs.ts';

/** One agent in choo's configuration. */
export interface Row {
  /** As choo names it, with the program behind it where that differs. */
  readonly name: string;
  readonly agent: string;
  readonly protocol: Protocol;
  /** Its session can be gone on with. */
  readonly goesOn: boolean;
  /** Parts of `.choo.yaml`; `url` is the server's, without a slash at its end. */
  readonly config: (url: string) => BedConfig;
  /** What the user's environment holds beside PATH and HOME. */
  readonly env: (url: string) => Readonly<Record<string, string>>;
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

/** Every agent that runs here. */
export const ROWS: readonly Row[] = [
  {
    name: 'claude', agent: 'claude', protocol: anthropic, goesOn: true,
    config: () => ({ ...provider('claude', programOf('claude')), agents: { claude: { retry: 'continue' } } }),
    env: (url) => ({ ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'sk-ant-dummy' }),
  },
  {
    name: 'codex', agent: 'codex', protocol: responses, goesOn: true,
    config: (url) => ({ ...provider('codex', programOf('codex')), agents: { codex: { retry: 'continue', model: 'scripted', args: codexProvider(url) } } }),
    env: () => ({ SCRIPTED_KEY: 'sk-dummy' }),
  },
];
