// The environment that agents, setup commands and checks see. Takes variables away and adds some; never reads files.

/** Prefixes of variables that no child sees: git's own plumbing, an outer choo, messengers. */
const HIDDEN_PREFIXES = ['GIT_', 'CHOO_', 'SLACK_', 'DISCORD_', 'TELEGRAM_', 'MATTERMOST_', 'MSTEAMS_', 'PUSHOVER_'] as const;

/** Credentials of forges and single messenger secrets that no child sees. An agent's own key (ANTHROPIC_API_KEY, COPILOT_GITHUB_TOKEN, …) stays. */
const HIDDEN_NAMES: ReadonlySet<string> = new Set([
  'GITHUB_TOKEN', 'GH_TOKEN', 'GITHUB_PAT', 'GH_PAT', 'GITHUB_ENTERPRISE_TOKEN', 'GH_ENTERPRISE_TOKEN', 'HOMEBREW_GITHUB_API_TOKEN',
  'ACTIONS_RUNTIME_TOKEN', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN',
  'GITLAB_TOKEN', 'GL_TOKEN', 'GITLAB_PRIVATE_TOKEN', 'GITLAB_ACCESS_TOKEN', 'GITLAB_API_TOKEN', 'CI_JOB_TOKEN', 'CI_JOB_JWT',
  'GITEA_TOKEN', 'FORGEJO_TOKEN', 'CODEBERG_TOKEN',
  'BITBUCKET_TOKEN', 'BITBUCKET_ACCESS_TOKEN', 'BITBUCKET_APP_PASSWORD', 'BITBUCKET_PASSWORD',
  'AZURE_DEVOPS_EXT_PAT', 'SYSTEM_ACCESSTOKEN',
  'TEAMS_WEBHOOK_URL', 'MATRIX_ACCESS_TOKEN', 'NTFY_TOKEN', 'WEBHOOK_URL', 'WEBHOOK_SECRET',
]);

/** Anything that looks like a credential of a forge, whatever follows; COPILOT_GITHUB_TOKEN, an agent's own, does not begin so. */
const FORGE_SECRET = /^(?:GITHUB|GH|GITLAB|GL|GITEA|FORGEJO|BITBUCKET|AZURE_DEVOPS)_(?:.*_)?(?:TOKEN|PAT|KEY|SECRET|PASSWORD)(?:_.*)?$/i;

/** Gives the user's own environment `base` without `GIT_*`, `CHOO_*`, forge tokens and messenger secrets, plus `extra`. */
export function childEnvironment(base: NodeJS.ProcessEnv, extra: Readonly<Record<string, string>>): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(base)) {
    if (value !== undefined && !isHidden(name)) env[name] = value;
  }
  return Object.assign(env, extra);
}

function isHidden(name: string): boolean {
  return HIDDEN_NAMES.has(name) || FORGE_SECRET.test(name) || HIDDEN_PREFIXES.some((prefix) => name.startsWith(prefix));
}
