// From the configuration to people who can be told: the channels that it names, with the secrets that the environment holds.

import { basename } from 'node:path';
import { findProgram } from '../adapters/program.ts';
import type { Settings } from '../core/event.ts';
import { PULL_REQUEST } from '../core/told.ts';
import type { Config } from '../discovery/config.ts';
import { errorAt, warningAt } from '../discovery/diagnostic.ts';
import type { Diagnostic } from '../discovery/diagnostic.ts';
import { addressProblem, toEscalation } from '../discovery/escalation-config.ts';
import type { EscalationConfig } from '../discovery/escalation-config.ts';
import type { Channel } from '../escalation/channel.ts';
import { desktopChannel, desktopProgram } from '../escalation/desktop.ts';
import { messenger } from '../escalation/messenger.ts';
import { pullRequestChannel } from '../escalation/pull-request.ts';
import { slackChannel } from '../escalation/slack.ts';
import { webhookChannel } from '../escalation/webhook.ts';
import type { Forge } from '../forge.ts';
import type { Clock, Escalator } from '../world.ts';

/** What settings say of telling people elsewhere than in the terminal, in a run that lands as pull requests or not. Only what is set. */
export function tellSettings(config: Pick<Config, 'escalation'>, { pulls }: { readonly pulls: boolean }): Pick<Settings, 'tell'> {
  const escalation = escalationOf(config, pulls);
  if (escalation === undefined) return {};
  const elsewhere = (names: readonly string[]): readonly string[] => names.filter((name) => name !== 'terminal' && (pulls || name !== PULL_REQUEST));
  const { info, warning, critical, blocking } = escalation.routes;
  return { tell: { info: elsewhere(info), warning: elsewhere(warning), critical: elsewhere(critical), blocking: elsewhere(blocking) } };
}

/** The variables that hold what messengers are reached with, whatever they are called. */
function tellVariables({ escalation }: Pick<Config, 'escalation'>): readonly string[] {
  return [escalation?.slack?.urlEnv, escalation?.webhook?.secretEnv].filter((name) => name !== undefined);
}

/** The environment as everything but the messengers may see it. */
export function withoutTellVariables(config: Pick<Config, 'escalation'>, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const names = new Set(tellVariables(config));
  return names.size === 0 ? env : Object.fromEntries(Object.entries(env).filter(([name]) => !names.has(name)));
}

/** What these variables hold, under names by which it is known as secret: of an address also what follows the host. */
export function tellSecrets(config: Pick<Config, 'escalation'>, env: NodeJS.ProcessEnv): readonly Readonly<Record<string, string>>[] {
  return tellVariables(config).map((name) => {
    const value = (env[name] ?? '').trim();
    return { MESSENGER_SECRET: value, ...(URL.canParse(value) ? { ADDRESS_SECRET: new URL(value).pathname } : {}) };
  });
}

/** Who is told. Pull requests are commented on also where the file says nothing of telling people. */
function escalationOf({ escalation }: Pick<Config, 'escalation'>, pulls: boolean): EscalationConfig | undefined {
  return escalation ?? (pulls ? toEscalation({}) : undefined);
}

/** What is missing for the channels of the configuration; nothing of a value that is a secret is told. */
export function tellProblems({ escalation }: Config, env: NodeJS.ProcessEnv): readonly Diagnostic[] {
  if (escalation === undefined) return [];
  const found: Diagnostic[] = [];
  const missing = (name: string, what: string, key: string): void => {
    if ((env[name] ?? '').trim() === '') found.push(errorAt('missing-variable', `the variable ${name} is not set, which should hold ${what}`, { hint: `set it, or change escalation.${key}` }));
  };
  const { slack, webhook, desktop } = escalation;
  if (slack !== undefined) {
    missing(slack.urlEnv, 'the address of the Slack webhook', 'slack.url_env');
    const url = env[slack.urlEnv] ?? '';
    const problem = url.trim() === '' ? undefined : addressProblem(url);
    if (problem !== undefined) found.push(errorAt('bad-variable', `the variable ${slack.urlEnv} does not hold an address that can be used: it ${problem}`));
  }
  if (webhook?.secretEnv !== undefined) missing(webhook.secretEnv, 'the secret of the webhook', 'webhook.secret_env');
  const program = desktop ? desktopProgram(process.platform) : undefined;
  if (program !== undefined && 'code' in findProgram(program, { cwd: '/', path: env['PATH'] })) {
    found.push(warningAt('no-desktop', `${program} is not installed, so the desktop will show nothing`, { hint: 'install it, or take out escalation.desktop' }));
  }
  return found;
}

/** All that the configuration names, beside the escalator of whoever runs choo. `root` is the repository, of which only the name is told. */
export function openMessenger(config: Config, o: { readonly env: NodeJS.ProcessEnv; readonly root: string; readonly clock: Clock; readonly terminal: Escalator; readonly redact: (text: string) => string; readonly forge?: Forge }): Escalator {
  const escalation = escalationOf(config, o.forge !== undefined);
  if (escalation === undefined) return o.terminal;
  const repository = basename(o.root);
  const { slack, webhook, desktop, routes } = escalation;
  const channels = new Map<string, Channel>();
  if (desktop) channels.set('desktop', desktopChannel({ env: o.env, platform: process.platform, repository }));
  if (webhook !== undefined) channels.set('webhook', webhookChannel({ url: webhook.url, secret: webhook.secretEnv === undefined ? undefined : o.env[webhook.secretEnv], repository }));
  if (slack !== undefined) channels.set('slack', slackChannel({ url: o.env[slack.urlEnv] ?? '', repository }));
  if (o.forge !== undefined) channels.set(PULL_REQUEST, pullRequestChannel({ forge: o.forge, home: o.env['HOME'], now: o.clock.now }));
  return messenger({ routes, channels, terminal: o.terminal, clock: o.clock, redact: o.redact });
}
