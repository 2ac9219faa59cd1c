// The environment that agents, setup commands and checks see. Takes variables away and adds some; never reads files.

/** Prefixes of variables that no child sees: git's own plumbing, an outer choo. */
const HIDDEN_PREFIXES = ['GIT_', 'CHOO_'] as const;

/** Everything of these is a messenger's, wherever in the name. */
const MESSENGER = /(?:^|_)(?:SLACK|DISCORD|TELEGRAM|MATTERMOST|MSTEAMS|PUSHOVER|ROCKETCHAT)(?:_|$)|WEBHOOK/;

/** Credentials of forges and single messenger secrets that no child sees. An agent's own key (ANTHROPIC_API_KEY, COPILOT_GITHUB_TOKEN, …) stays. */
const HIDDEN_NAMES: ReadonlySet<string> = new Set([
  'ACTIONS_RUNTIME_TOKEN', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN', 'ACTIONS_ID_TOKEN_REQUEST_URL',
  // Files by which a program steers the steps of a workflow that come after it.
  'GITHUB_ENV', 'GITHUB_PATH', 'GITHUB_OUTPUT', 'GITHUB_STATE', 'GITHUB_STEP_SUMMARY',
  'CI_JOB_TOKEN', 'CI_BUILD_TOKEN', 'CI_JOB_JWT', 'CI_JOB_JWT_V2', 'CI_REGISTRY_PASSWORD', 'CI_DEPLOY_PASSWORD', 'CI_REPOSITORY_URL',
  'CODEBERG_TOKEN', 'SYSTEM_ACCESSTOKEN', 'MATRIX_ACCESS_TOKEN', 'NTFY_TOKEN',
]);

/** Anything that looks like a credential of a forge, whatever stands around it. */
const FORGE_SECRET = /(?:^|_)(?:GITHUB|GH|GITLAB|GL|GITEA|FORGEJO|BITBUCKET|AZURE_DEVOPS)_(?:.*_)?(?:TOKEN|PAT|KEY|SECRET|PASSWORD)(?:_|$)/;

/** An agent's own way to log in, although it is a forge's token. */
const OF_AGENTS: ReadonlySet<string> = new Set(['COPILOT_GITHUB_TOKEN']);

/** Values that can be nothing else, whatever their variable is called. */
const FORGE_VALUE = /^(?:gh[opsur]_\w{20,}|github_pat_\w{20,}|gl(?:pat|dt|rt)-[\w.-]{16,}|xox[abeoprs][-.][\w.-]{10,}|xapp-[\w-]{10,}|https:\/\/hooks\.slack\.com\/\S+|https:\/\/(?:\w+\.)?discord(?:app)?\.com\/api\/webhooks\/\S+)$/;

/** Gives the user's own environment `base` without `GIT_*`, `CHOO_*`, forge tokens and messenger secrets, plus `extra`. */
export function childEnvironment(base: NodeJS.ProcessEnv, extra: Readonly<Record<string, string>>): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(base)) {
    if (value !== undefined && !isHidden(name, value)) env[name] = value;
  }
  return Object.assign(env, extra);
}

/** True for a variable that no program choo starts may see: git's and choo's own, forge tokens, messenger secrets. */
export function isHidden(name: string, value: string): boolean {
  if (OF_AGENTS.has(name)) return false;
  const upper = name.toUpperCase();
  return HIDDEN_PREFIXES.some((prefix) => name.startsWith(prefix)) || HIDDEN_NAMES.has(upper) || FORGE_SECRET.test(upper) || MESSENGER.test(upper) || FORGE_VALUE.test(value.trim());
}
