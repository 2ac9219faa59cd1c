// The part of `.choo.yaml` about telling people: its shape for people and editors, and what the code makes of it.

import * as z from 'zod';
import { key } from './schema-key.ts';

/** Everywhere people can be told. */
const CHANNELS = ['terminal', 'desktop', 'webhook', 'slack', 'pull-request'] as const;
/** How loudly. */
const SEVERITIES = ['info', 'warning', 'critical', 'blocking'] as const;

const variable = z.string().regex(/^[A-Za-z_]\w*$/);
const route = z.array(z.enum(CHANNELS));

/** The keys under `escalation`. */
export const escalationKeys = {
  routes: z.strictObject({
    info: key(route, 'That everything has landed.'),
    warning: key(route, 'What can be read over coffee; also that a run ended with something left.'),
    critical: key(route, 'Units that failed, agents that cannot work, a paused run.'),
    blocking: key(route, 'What only a person can let go on.'),
  }).optional().meta({ description: 'Who is told what, by severity; what is not said goes to the terminal and to every channel that is configured.' }),
  desktop: key(z.boolean(), 'Whether the desktop of this machine shows it (`notify-send`, on a Mac `osascript`).', false),
  pull_request: key(z.boolean(), 'Whether what is told of a unit that has a pull request also becomes choo\'s one comment on it.', true),
  webhook: z.strictObject({
    url: z.string().meta({ description: 'An `https` address, or `http` on this machine.' }),
    secret_env: key(variable, 'The variable that holds the secret by which each message is signed; without it they are not.'),
  }).optional().meta({ description: 'A webhook of your own; schema/escalation.schema.json is the format.' }),
  slack: z.strictObject({
    url_env: key(variable, 'The variable that holds the address of the incoming webhook, which is a secret.', 'CHOO_SLACK_URL'),
  }).optional().meta({ description: 'A Slack channel, by an incoming webhook.' }),
};

const shape = z.strictObject(escalationKeys);
type Written = z.infer<typeof shape>;

/** What the file says of telling people. */
export interface EscalationConfig {
  readonly routes: Readonly<Record<(typeof SEVERITIES)[number], readonly string[]>>;
  readonly desktop: boolean;
  readonly webhook?: { readonly url: string; readonly secretEnv?: string };
  readonly slack?: { readonly urlEnv: string };
}

/** Who is told, by the file. */
export function toEscalation(written: Written): EscalationConfig {
  const { desktop = false, webhook, slack, routes } = written;
  const all = CHANNELS.filter((name) => isThere(written, name));
  return {
    routes: { info: routes?.info ?? all, warning: routes?.warning ?? all, critical: routes?.critical ?? all, blocking: routes?.blocking ?? all },
    desktop,
    ...(webhook === undefined ? {} : { webhook: { url: webhook.url, ...(webhook.secret_env === undefined ? {} : { secretEnv: webhook.secret_env }) } }),
    ...(slack === undefined ? {} : { slack: { urlEnv: slack.url_env ?? 'CHOO_SLACK_URL' } }),
  };
}

function isThere({ desktop, webhook, slack, pull_request: pull }: Written, name: (typeof CHANNELS)[number]): boolean {
  switch (name) {
    case 'terminal': return true;
    case 'desktop': return desktop === true;
    case 'webhook': return webhook !== undefined;
    case 'slack': return slack !== undefined;
    case 'pull-request': return pull !== false;
    default: return name satisfies never;
  }
}

/** What to do for a channel that is routed to and not there. */
function remedy(name: (typeof CHANNELS)[number]): string {
  return name === 'desktop' ? 'set escalation.desktop to true' : name === 'pull-request' ? 'set escalation.pull_request to true' : `set escalation.${name}`;
}

/** What a schema cannot say: routes to channels that are not configured, addresses that would carry secrets in the open. */
export function escalationMeanings(written: Written | undefined): readonly { readonly path: readonly PropertyKey[]; readonly message: string; readonly hint?: string }[] {
  if (written === undefined) return [];
  const astray = SEVERITIES.flatMap((severity) => (written.routes?.[severity] ?? []).flatMap((name, i) => (isThere(written, name) ? [] : [
    { path: ['escalation', 'routes', severity, i], message: `\`${name}\` is not configured`, hint: remedy(name) }])));
  const problem = written.webhook === undefined ? undefined : addressProblem(written.webhook.url);
  return problem === undefined ? astray : [...astray, { path: ['escalation', 'webhook', 'url'], message: `\`escalation.webhook.url\` ${problem}` }];
}

/** Why nothing may be sent to an address, as the end of a sentence; undefined when it may. */
export function addressProblem(text: string): string | undefined {
  const [, protocol, user, host = ''] = /^([a-z]+):\/\/(?:([^/?#]*)@)?(\[[\da-f:]+\]|[\w.-]+)(?::\d{1,5})?(?:[/?#][^\s\\]*)?$/i.exec(text) ?? [];
  if (protocol === undefined) return 'is not an address';
  if (user !== undefined) return 'must not hold a password';
  const here = host === 'localhost' || host === '[::1]' || /^127(?:\.\d+){3}$/.test(host);
  return /^https$/i.test(protocol) || (/^http$/i.test(protocol) && here) ? undefined : 'must begin with https:// (http:// only on this machine)';
}
