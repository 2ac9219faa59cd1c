// What must be on a machine for each agent that is a program of its own: package, version, login. A table; nothing is started or
// read here.

/** Where a login of an agent can be seen without reading anything. Paths are below its own folder, with `/` at the front absolute, with `./` in the repository. */
export interface Login {
  /** Any of these makes a login unnecessary. */
  readonly variables: readonly string[];
  /** Its own folder: what the variable says, else this one below HOME. */
  readonly folder: { readonly variable: string; readonly standard: string };
  /** Files that exist once somebody has logged in. */
  readonly files: readonly string[];
  /** Files and folders in which a key or another way in may be configured; absent where there are ways that cannot be seen. */
  readonly settings?: readonly string[];
  /** What to type to log in. */
  readonly command: string;
}

/** What an agent needs. */
export interface Requirements {
  /** Name for people. */
  readonly title: string;
  /** npm package that has the program. */
  readonly npm: string;
  /** The oldest version it was measured with; what an older one does is not known. */
  readonly minimum: string;
  /** Arguments that make the program print its version and end. */
  readonly versionArgs: readonly string[];
  /** Finds the version in what it prints, as group 1. */
  readonly version: RegExp;
  /** Keeps it from looking for updates meanwhile. */
  readonly env: Readonly<Record<string, string>>;
  readonly login: Login;
}

const NUMBER_ALONE = /^v?(\d+\.\d+\.\d+)\S*\s*$/m;

const TABLE: Readonly<Record<string, Requirements>> = {
  claude: {
    title: 'Claude Code', npm: '@anthropic-ai/claude-code', minimum: '2.1.197', versionArgs: ['--version'], version: /^(\d+\.\d+\.\d+)\S* \(Claude Code\)/m,
    env: { DISABLE_AUTOUPDATER: '1', CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1' },
    login: {
      variables: ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN', 'CLAUDE_CODE_USE_BEDROCK', 'CLAUDE_CODE_USE_VERTEX', 'CLAUDE_CODE_USE_FOUNDRY', 'ANTHROPIC_BASE_URL'],
      folder: { variable: 'CLAUDE_CONFIG_DIR', standard: '.claude' }, files: ['.credentials.json'],
      settings: ['settings.json', '/etc/claude-code', './.claude/settings.json', './.claude/settings.local.json'],
      command: 'claude auth login',
    },
  },
  codex: {
    title: 'Codex', npm: '@openai/codex', minimum: '0.169.0', versionArgs: ['--version'], version: /^codex(?:-cli)? (\d+\.\d+\.\d+)/m, env: {},
    login: {
      variables: ['CODEX_API_KEY', 'OPENAI_API_KEY', 'CODEX_ACCESS_TOKEN'],
      folder: { variable: 'CODEX_HOME', standard: '.codex' }, files: ['auth.json'],
      settings: ['config.toml', '/etc/codex', './.codex/config.toml'],
      command: 'codex login',
    },
  },
  gemini: {
    title: 'Gemini CLI', npm: '@google/gemini-cli', minimum: '0.61.0', versionArgs: ['--version'], version: NUMBER_ALONE, env: {},
    login: {
      variables: ['GEMINI_API_KEY', 'GOOGLE_API_KEY', 'GOOGLE_GENAI_USE_VERTEXAI', 'GOOGLE_GENAI_USE_GCA', 'GOOGLE_APPLICATION_CREDENTIALS'],
      folder: { variable: 'GEMINI_CLI_HOME', standard: '.gemini' }, files: ['oauth_creds.json'],
      command: 'gemini',
    },
  },
  opencode: {
    title: 'OpenCode', npm: 'opencode-ai', minimum: '1.18.33', versionArgs: ['--version'], version: NUMBER_ALONE,
    env: { OPENCODE_DISABLE_AUTOUPDATE: '1' },
    login: {
      variables: ['ANTHROPIC_API_KEY', 'OPENAI_API_KEY', 'GEMINI_API_KEY', 'OPENROUTER_API_KEY', 'OPENCODE_API_KEY', 'OPENCODE_CONFIG', 'OPENCODE_CONFIG_CONTENT'],
      folder: { variable: 'XDG_DATA_HOME', standard: '.local/share' }, files: ['opencode/auth.json'],
      command: 'opencode auth login',
    },
  },
  copilot: {
    title: 'Copilot CLI', npm: '@github/copilot', minimum: '1.0.102', versionArgs: ['--version'], version: /^(?:GitHub Copilot CLI )?v?(\d+\.\d+\.\d+)/m,
    env: { COPILOT_AUTO_UPDATE: 'false' },
    login: {
      variables: ['COPILOT_GITHUB_TOKEN', 'COPILOT_PROVIDER_BASE_URL'],
      folder: { variable: 'COPILOT_HOME', standard: '.copilot' }, files: ['config.json'],
      command: 'copilot login',
    },
  },
};

/** What the agent of that name needs; undefined for one that is any program. */
export function requirementsOf(name: string): Requirements | undefined {
  return Object.hasOwn(TABLE, name) ? TABLE[name] : undefined;
}

/** The version in what the program printed, as `1.2.3`; undefined when there is none. */
export function readVersion(r: Requirements, printed: string): string | undefined {
  return r.version.exec(printed)?.[1];
}

/** True when the version is older than the agent's minimum. */
export function isTooOld(r: Requirements, version: string): boolean {
  const [ours, least] = [version, r.minimum].map((text) => text.split('.').map(Number));
  for (const [i, part] of (least ?? []).entries()) {
    const own = ours?.[i] ?? 0;
    if (own !== part) return own < part;
  }
  return false;
}

/** The command that installs or updates the agent. */
export function installCommand(r: Requirements): string {
  return `npm install -g ${r.npm}`;
}

/** Absolute paths of the files that show a login, and of the settings that leave it open; nothing is known of the latter for some agents. `env`: what the agent sees. */
export function loginPaths({ login }: Requirements, o: { readonly env: Readonly<Record<string, string>>; readonly home: string; readonly root: string }): { readonly files: readonly string[]; readonly settings: readonly string[] | undefined } {
  const named = o.env[login.folder.variable] ?? '';
  const folder = named === '' ? `${o.home}/${login.folder.standard}` : named;
  const place = (path: string): string => (path.startsWith('/') ? path : path.startsWith('./') ? `${o.root}/${path.slice(2)}` : `${folder}/${path}`);
  return { files: login.files.map(place), settings: login.settings?.map(place) };
}
