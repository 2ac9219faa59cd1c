// Where a repository on GitHub is, read from the address of a git remote. Asks nobody, and keeps no login or password that stands in an address.

/** A repository on a GitHub. */
export interface Repository {
  /** Like `github.com`; with a port where the address of a web server has one. */
  readonly host: string;
  readonly owner: string;
  readonly repo: string;
}

/** One letter is a drive. */
const HOST = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])$/;
const OWNER = /^[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?$/;
const REPO = /^[\w.-]{1,100}$/;
/** `git@host:owner/repo`: no scheme, and a colon before the first slash. */
const LIKE_SCP = /^(?:[^@/:]+@)?(\[?[A-Za-z0-9.-]+\]?):(?!\/\/)(.*)$/;
const WITH_SCHEME = /^(https?|ssh|git|git\+ssh|ssh\+git):\/\//i;

/** Reads `https://…`, `ssh://…` and `git@host:…`. Undefined for what names no repository of a server: a folder, a deeper path. */
export function repositoryOf(remoteUrl: string): Repository | undefined {
  const text = remoteUrl.trim();
  const scheme = WITH_SCHEME.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    const [, host, path] = LIKE_SCP.exec(text) ?? [];
    return host === undefined || path === undefined ? undefined : named(host, path);
  }
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  // The port of an SSH server says nothing about the web server beside it.
  return named(scheme.startsWith('http') ? url.host : url.hostname, url.pathname);
}

/** The root of the REST API of a host. */
export function apiUrlOf(host: string): string {
  const name = host.toLowerCase();
  if (name === 'github.com' || name.endsWith('.ghe.com')) return `https://api.${name}`;
  return `https://${name}/api/v3`;
}

/** The host that people know an API by: the way back from `apiUrlOf`. */
export function hostOf(apiUrl: string): string {
  const { host } = new URL(apiUrl);
  return host === 'api.github.com' || host.endsWith('.ghe.com') ? host.replace(/^api\./, '') : host;
}

function named(rawHost: string, rawPath: string): Repository | undefined {
  const lower = rawHost.toLowerCase();
  // SSH through the HTTPS port, for networks that let nothing else out.
  const host = lower === 'ssh.github.com' || lower === 'www.github.com' ? 'github.com' : lower;
  const parts = rawPath.replace(/^\/+/, '').replace(/\/+$/, '').replace(/\.git$/, '').split('/');
  const [owner = '', repo = ''] = parts;
  const fine = HOST.test(host.replace(/:\d{1,5}$/, '')) && OWNER.test(owner) && REPO.test(repo) && repo !== '.' && repo !== '..';
  return parts.length === 2 && fine ? { host, owner, repo } : undefined;
}
