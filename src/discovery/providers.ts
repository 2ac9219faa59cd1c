// Which agents a configuration can name in this version, and what each lacks. Starts none.

import { cleanLine } from '../core/clean.ts';
import { didYouMean } from './suggest.ts';

const BUILT = ['command', 'script'];
const NOT_BUILT = ['claude', 'codex', 'gemini', 'opencode', 'copilot', 'acp'];

/** What an agent needs; `file` is the scenario of the agent `script`, a repository path. */
export interface ProviderConfig {
  readonly command?: string;
  readonly file?: string;
}

/** The part of the configuration that is about agents. */
export interface Providers {
  readonly provider: {
    readonly type?: string;
    readonly providers: { readonly command?: ProviderConfig; readonly script?: ProviderConfig };
  };
}

/** Why an agent cannot be used; the parts of a diagnostic without its place. */
export interface ProviderProblem {
  readonly code: 'provider-not-built' | 'unknown-provider' | 'missing-key' | 'no-provider';
  readonly message: string;
  readonly hint: string | undefined;
}

const COMMAND_HINT = 'set provider.providers.command.command to the program';

/** Why the agent of that name (undefined: none is named anywhere) cannot be used with this configuration; undefined when it can. */
export function providerProblem(config: Providers, name: string | undefined): ProviderProblem | undefined {
  if (name === undefined) return { code: 'no-provider', message: 'no agent is configured', hint: 'set provider.type to `command`, and provider.providers.command.command to the program' };
  if (NOT_BUILT.includes(name)) return { code: 'provider-not-built', message: `the agent \`${name}\` is not in this version`, hint: 'use `command`, which runs any program as the agent' };
  if (!BUILT.includes(name)) {
    return { code: 'unknown-provider', message: `there is no agent \`${cleanLine(name)}\``, hint: didYouMean(name, BUILT) ?? `one of ${BUILT.join(', ')}` };
  }
  const { command, script } = config.provider.providers;
  if (name === 'command' && (command?.command ?? '').trim() === '') return { code: 'missing-key', message: 'the agent `command` has no program', hint: COMMAND_HINT };
  if (name === 'script' && script?.file === undefined) return { code: 'missing-key', message: 'the agent `script` has no scenario', hint: 'set provider.providers.script.file to its repository path' };
  return undefined;
}
