// Finds what to log in to GitHub with: in variables, as a GitHub App, or from the `gh` program. Looks in the environment it is given, and prints nothing.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { ForgeError } from '../../forge.ts';
import { errnoOf } from '../errno.ts';
import { findProgram } from '../program.ts';

/** Variables of a process; a blank one counts as unset. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** A GitHub App that acts on a repository it is installed in. */
export interface GitHubApp {
  readonly appId: string;
  /** PEM. */
  readonly privateKey: string;
  /** Absent: GitHub is asked where the App is installed. */
  readonly installationId?: number;
}

/** What to log in with. */
export type GitHubAuth = { readonly token: string } | { readonly app: GitHubApp };

/** Gives the token that the `gh` program is logged in with at a host, if there are both. */
export type GhToken = (host: string) => Promise<string | undefined>;

/** Time for `gh` to answer, ms. */
const GH_LIMIT = 10_000;

const ENTERPRISE = ['GH_ENTERPRISE_TOKEN', 'GITHUB_ENTERPRISE_TOKEN'];
const ANY = ['GITHUB_TOKEN', 'GH_TOKEN'];

/** The login for a host, or undefined when nothing is to be found. Throws ForgeError (`login`) when something is found that cannot be used, or may not be for this host. */
export async function findAuth(env: Variables, o: { readonly host: string; readonly gh: GhToken }): Promise<GitHubAuth | undefined> {
  const { host } = o;
  const names = [...(isPublic(host) ? [] : ENTERPRISE), ...ANY];
  // The host may come from a file of the repository, or from wherever somebody cloned it: neither may have what is for another one.
  const known = isPublic(host) || isHere(host) || namedIn(env, host);
  for (const name of known ? names : []) {
    const token = given(env, name);
    if (token !== undefined) return { token: checked(token, name) };
  }
  const app = known ? await findApp(env) : undefined;
  if (app !== undefined) return { app };
  // It gives what somebody has logged in with at just this host.
  const token = (await o.gh(host))?.trim() ?? '';
  if (token !== '') return { token: checked(token, 'what `gh auth token` printed') };
  const kept = known ? undefined : [...names, 'CHOO_GITHUB_APP_ID'].find((name) => given(env, name) !== undefined);
  if (kept !== undefined) throw new ForgeError('login', `${kept} is not given to ${host}: only the repository names that host. If it is yours, set GH_HOST=${host}`);
  return undefined;
}

function isPublic(host: string): boolean {
  return host === 'github.com' || host.endsWith('.ghe.com');
}

function isHere(host: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/.test(host);
}

/** Whether the environment itself says that its GitHub is there: by the variable of `gh`, or by those of a workflow. */
function namedIn(env: Variables, host: string): boolean {
  const named = ['GITHUB_API_URL', 'GITHUB_SERVER_URL'].map((name) => given(env, name)).filter((url) => url !== undefined && URL.canParse(url)).map((url) => new URL(url ?? '').host);
  return [given(env, 'GH_HOST')?.toLowerCase(), ...named].includes(host.toLowerCase());
}

/** The real one: starts `gh auth token` with these variables, found on their PATH; undefined when it is missing, not logged in, or too slow. */
export function ghToken(env: Variables): GhToken {
  return (host) => {
    // A relative entry of PATH is one of the root's: never a program that somebody put into a repository.
    const found = findProgram('gh', { cwd: '/', path: env['PATH'] });
    if (!('path' in found)) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      // With one of these it would give that one, for whatever host.
      const tokens = Object.fromEntries([...ENTERPRISE, ...ANY].map((name) => [name, undefined]));
      const options = { env: { ...env, ...tokens, GH_PROMPT_DISABLED: '1', GH_NO_UPDATE_NOTIFIER: '1' }, cwd: '/', timeout: GH_LIMIT, killSignal: 'SIGKILL', maxBuffer: 64 * 1024 } as const;
      const child = execFile(found.path, ['auth', 'token', '--hostname', host], options, (error, stdout) => {
        const token = stdout.trim();
        resolve(error !== null || token === '' ? undefined : token);
      });
      child.stdin?.on('error', () => child.stdin?.destroy());
      child.stdin?.end();
    });
  };
}

async function findApp(env: Variables): Promise<GitHubApp | undefined> {
  const appId = given(env, 'CHOO_GITHUB_APP_ID');
  if (appId === undefined) return undefined;
  const installation = given(env, 'CHOO_GITHUB_APP_INSTALLATION');
  if (installation !== undefined && !/^[1-9]\d{0,14}$/.test(installation)) throw new ForgeError('login', 'CHOO_GITHUB_APP_INSTALLATION is no number');
  return { appId, privateKey: await privateKey(env), ...(installation === undefined ? {} : { installationId: Number(installation) }) };
}

async function privateKey(env: Variables): Promise<string> {
  const file = given(env, 'CHOO_GITHUB_APP_PRIVATE_KEY_FILE');
  // Where a variable can hold no line break, people write it as two letters.
  const text = file === undefined ? given(env, 'CHOO_GITHUB_APP_PRIVATE_KEY')?.replaceAll('\\n', '\n') : await contentOf(file);
  if (text === undefined) throw new ForgeError('login', 'CHOO_GITHUB_APP_ID is set, but neither CHOO_GITHUB_APP_PRIVATE_KEY_FILE nor CHOO_GITHUB_APP_PRIVATE_KEY');
  const name = file === undefined ? 'CHOO_GITHUB_APP_PRIVATE_KEY' : 'the file of CHOO_GITHUB_APP_PRIVATE_KEY_FILE';
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) throw new ForgeError('login', `${name} holds no private key`);
  return text;
}

async function contentOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new ForgeError('login', `the file of CHOO_GITHUB_APP_PRIVATE_KEY_FILE cannot be read (${errnoOf(error) ?? 'no reason given'})`);
  }
}

function given(env: Variables, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === '' ? undefined : value;
}

/** A token with other characters would be refused by `fetch`, in words that quote it. */
function checked(token: string, name: string): string {
  if (!/^[\x21-\x7e]+$/.test(token)) throw new ForgeError('login', `${name} is no token: it has spaces or other characters that none has`);
  return token;
}
