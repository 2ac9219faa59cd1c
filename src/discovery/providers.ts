// Which agents a configuration can name, and what each lacks. Starts none.

import { cleanLine } from '../core/clean.ts';
import { didYouMean } from './suggest.ts';

/** Every agent there is, as configuration and plans name it. */
export const AGENT_NAMES = ['claude', 'codex', 'gemini', 'opencode', 'copilot', 'acp', 'command', 'script'] as const;

/** What an agent needs; `file` is the scenario of the agent `script`, a repository path. */
export interface ProviderConfig {
  readonly command?: string;
  readonly file?: string;
  /** Mode and way of logging in, of an agent that speaks ACP. */
  readonly mode?: string;
  readonly auth?: string;
}

/** The part of the configuration that is about the programs of agents. */
export interface Providers {
  readonly provider: {
    readonly type?: string;
    readonly providers: { readonly [K in (typeof AGENT_NAMES)[number]]?: ProviderConfig };
  };
}

/** Why an agent cannot be used; the parts of a diagnostic without its place. */
export interface ProviderProblem {
  readonly code: 'unknown-provider' | 'missing-key' | 'no-provider';
  readonly message: string;
  readonly hint: string | undefined;
}

/** Why the agent of that name (undefined: none is named anywhere) cannot be used with this configuration; undefined when it can. */
export function providerProblem(config: Providers, name: string | undefined): ProviderProblem | undefined {
  if (name === undefined) return { code: 'no-provider', message: 'no agent is configured', hint: `set provider.type to one of ${AGENT_NAMES.filter((n) => n !== 'script').join(', ')}` };
  const known = AGENT_NAMES.find((n) => n === name);
  if (known === undefined) return { code: 'unknown-provider', message: `there is no agent \`${cleanLine(name)}\``, hint: didYouMean(name, AGENT_NAMES) ?? `one of ${AGENT_NAMES.join(', ')}` };
  const { providers } = config.provider;
  const needed = known === 'command' || known === 'acp';
  if (known !== 'script' && (providers[known]?.command ?? (needed ? '' : known)).trim() === '') {
    const hint = known === 'acp' ? 'set provider.providers.acp.command to a program that speaks the Agent Client Protocol on stdin and stdout, like `gemini --acp`' : `set provider.providers.${known}.command to the program`;
    return { code: 'missing-key', message: `the agent \`${known}\` has no program`, hint };
  }
  if (known === 'script' && providers.script?.file === undefined) return { code: 'missing-key', message: 'the agent `script` has no scenario', hint: 'set provider.providers.script.file to its repository path' };
  return undefined;
}
