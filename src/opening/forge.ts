// Whether a run lands as pull requests, and where: found out, with everything that speaks against it, before anything is made.
// The mode is the run's for good; where and how the forge is asked is found anew by every session.

import { randomBytes } from 'node:crypto';
import { apiUrlOf, hostOf, repositoryOf } from '../adapters/github/address.ts';
import { findAuth, ghToken } from '../adapters/github/auth.ts';
import type { GitHubAuth } from '../adapters/github/auth.ts';
import type { GitHub } from '../adapters/github/github.ts';
import { shellWord } from '../core/clean.ts';
import { BOUNDS } from '../core/limits.ts';
import type { ForgeTarget } from '../core/pull-rules.ts';
import { remoteName } from '../core/push.ts';
import { errorAt, warningAt } from '../discovery/diagnostic.ts';
import type { Diagnostic } from '../discovery/diagnostic.ts';
import type { Config } from '../discovery/config.ts';
import { ForgeError } from '../forge.ts';
import type { Forge } from '../forge.ts';
import { GitError } from '../world.ts';
import type { Clock } from '../world.ts';
import type { State } from '../core/state.ts';
import { refuse } from './refusal.ts';
import type { Repository } from './repository.ts';

/** Where a repository's pull requests are. */
export interface ForgePlace {
  readonly owner: string;
  readonly repo: string;
  readonly apiUrl: string;
  /** The git remote by name, and the target's full ref there. */
  readonly remote: string;
  readonly ref: string;
}

/** What is known of a forge before a run. */
export interface ForgeLook {
  /** Absent: the run lands locally, or cannot begin. */
  readonly found?: { readonly target: ForgeTarget; /** The remote target as fetched. */ readonly commit: string };
  readonly diagnostics: readonly Diagnostic[];
}

interface Asked {
  readonly config: Pick<Config, 'pull'>;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly stop?: AbortSignal;
}

/** Characters by which branches of this run are told from those of other clones. */
const MARK_BYTES = 4;
const LOGIN = 'give choo a token that may read and write code and pull requests there: set GITHUB_TOKEN, or: gh auth login';
const NO_PR = 'to land on the local branch without review: choo run --no-pr';

/** The repository on a GitHub that the target is pushed to, by configuration and remotes; undefined: none is configured or detected. */
async function forgePlace(repo: Repository, o: Pick<Asked, 'config'> & { readonly ref: string }): Promise<ForgePlace | undefined> {
  const { owner, repo: name, apiUrl } = o.config.pull.github;
  const { remotes } = repo.facts;
  const pushed = await repo.git.findRemote(o.ref);
  const isForge = (url: string): boolean => owner !== undefined || name !== undefined || apiUrl !== undefined || isGitHub(repositoryOf(url)?.host);
  const own = remotes.find((r) => r.name === pushed?.name && isForge(r.url)) ?? remotes.find((r) => isForge(r.url));
  if (own === undefined) return undefined;
  const there = repositoryOf(own.url);
  const found = { owner: owner ?? there?.owner, repo: name ?? there?.repo };
  if (found.owner === undefined || found.repo === undefined) return undefined;
  return { owner: found.owner, repo: found.repo, apiUrl: apiUrl ?? apiUrlOf(there?.host ?? 'github.com'), remote: own.name, ref: own.name === pushed?.name ? pushed.ref : o.ref };
}

function isGitHub(host: string | undefined): boolean {
  return host !== undefined && (host === 'github.com' || host.endsWith('.ghe.com'));
}

/** For a run that begins: where its pull requests go, fetched; or why it cannot begin. Changes no ref. */
export async function lookAtForge(repo: Repository, o: Asked & { readonly noPr: boolean; readonly ref: string; readonly commit: string }): Promise<ForgeLook> {
  if (o.noPr) return { diagnostics: [] };
  const place = await forgePlace(repo, o);
  const { owner, repo: name } = o.config.pull.github;
  if (place === undefined) {
    if (owner === undefined && name === undefined) return { diagnostics: [] };
    if (repo.facts.remotes.length > 0) return wrong('no-forge', `the configuration names ${owner === undefined ? 'only github.repo' : 'only github.owner'}, and no remote tells the rest`, `set github.owner and github.repo in .choo.yaml · ${NO_PR}`);
    return wrong('no-forge', 'the configuration names a GitHub repository, but there is no git remote to push branches to', `git remote add origin URL && git push -u origin ${branchOf(o.ref)} · ${NO_PR}`);
  }
  try {
    const forge = await connect(place, { ...o, redact: (text) => text });
    if (forge === undefined) return wrong('no-token', `pull requests go to ${nameOf(place)}, and no token for it was found`, `${LOGIN} · ${NO_PR}`);
    try {
      return await lookThere(repo, { ...o, place, forge });
    } finally {
      forge.close();
    }
  } catch (error) {
    if (!(error instanceof ForgeError)) throw error;
    return wrong(error.reason === 'login' ? 'forge-login' : 'forge-unreachable', `pull requests go to ${nameOf(place)}: ${error.message}`, `${LOGIN} · ${NO_PR}`);
  }
}

/** The remote target is there and has all of the local one, and the forge takes the login. */
async function lookThere(repo: Repository, o: Asked & { readonly ref: string; readonly commit: string; readonly place: ForgePlace; readonly forge: Forge }): Promise<ForgeLook> {
  const { place, forge } = o;
  const remote = { name: place.remote, ref: place.ref };
  let commit: string | undefined;
  try {
    commit = await repo.git.remoteTip({ ...remote, limitMs: BOUNDS.remote, ...(o.stop === undefined ? {} : { signal: o.stop }) });
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    return wrong('remote-unreachable', `${remoteName(remote)}, into which pull requests are to be merged, cannot be reached: ${error.detail}`, `see: git ls-remote ${shellWord(place.remote)} · ${NO_PR}`);
  }
  if (commit === undefined) return wrong('target-not-pushed', `${place.remote} has no branch ${branchOf(place.ref)}, into which pull requests could be merged`, `${pushCommand(place)} · ${NO_PR}`);
  const ahead = await localOnly(repo, { here: o.commit, there: commit });
  if (ahead > 0) {
    return wrong('not-pushed', `${branchOf(o.ref)} has ${ahead} ${ahead === 1 ? 'commit' : 'commits'} that ${remoteName(remote)} lacks; pull requests begin from what is there`, `${pushCommand(place)} · ${NO_PR}`);
  }
  const rules = await forge.rules(branchOf(place.ref), o.stop);
  const target = { repository: forge.name, remote: place.remote, ref: place.ref, mark: randomBytes(MARK_BYTES).toString('hex') };
  const open = rules.queue || rules.strict ? [] : [warningAt('last-window', `${forge.name} merges into ${branchOf(place.ref)} without a merge queue and without asking that a pull request be up to date: what somebody else merges in the last second is proved with it only afterwards`, { hint: 'let the branch require up-to-date branches, or a merge queue' })];
  return { found: { target, commit }, diagnostics: open };
}

/** The forge of a run that has one, for a session. Throws ForgeError when the login that is found cannot be used; undefined when none is found. */
async function connect(place: ForgePlace, o: Asked & { readonly redact: (text: string) => string }): Promise<GitHub | undefined> {
  const auth: GitHubAuth | undefined = await findAuth(o.env, { host: hostOf(place.apiUrl), gh: ghToken(o.env) });
  if (auth === undefined) return undefined;
  const { owner, repo, apiUrl } = place;
  const { rules, reactions } = o.config.pull;
  // Only a run that has a forge pays for what talks to it.
  const { openGitHub } = await import('../adapters/github/github.ts');
  return openGitHub({ owner, repo, apiUrl, auth, clock: o.clock, redact: o.redact, pollMs: rules.poll, emoji: reactions }, o.stop);
}

/** Commits of the target that the remote target lacks. */
async function localOnly({ git }: Repository, o: { readonly here: string; readonly there: string }): Promise<number> {
  return (await git.isAncestor(o.here, o.there)) ? 0 : (await git.commitsBetween(o.there, o.here)).length;
}

function pushCommand(place: ForgePlace): string {
  return `git push ${shellWord(place.remote)} ${shellWord(branchOf(place.ref))}`;
}

function nameOf(place: ForgePlace): string {
  return `${place.owner}/${place.repo} on ${hostOf(place.apiUrl)}`;
}

function branchOf(ref: string): string {
  return ref.replace('refs/heads/', '');
}

function wrong(code: string, message: string, hint: string): ForgeLook {
  return { diagnostics: [errorAt(code, message, { hint })] };
}

/** The forge of an open run that lands there, for one more session. Throws a Refusal when it cannot be asked: a run's mode never changes. */
export async function forgeAgain(repo: Repository, o: Asked & { readonly state: State; readonly redact: (text: string) => string }): Promise<GitHub | undefined> {
  const { forge: target } = o.state.pinned;
  if (target === undefined) return undefined;
  const place = await forgePlace(repo, { config: o.config, ref: target.ref });
  if (place?.remote !== target.remote) throw refuse('no-forge', `run ${o.state.run} lands as pull requests on ${target.repository}, and there is no remote \`${target.remote}\` for them any more`, `git remote add ${shellWord(target.remote)} URL, then: choo resume`);
  try {
    const forge = await connect(place, o);
    if (forge === undefined) throw refuse('no-token', `run ${o.state.run} lands as pull requests on ${target.repository}, and no token for it was found`, `${LOGIN}; then: choo resume`);
    return forge;
  } catch (error) {
    if (!(error instanceof ForgeError)) throw error;
    throw refuse(error.reason === 'login' ? 'forge-login' : 'forge-unreachable', `run ${o.state.run} lands as pull requests on ${target.repository}: ${error.message}`, `${LOGIN}; then: choo resume`);
  }
}

/** Before a run with a forge goes on: choo's own ref of the target follows the remote, where that can be reached. */
export async function fetchTarget(repo: Repository, { state, say }: { readonly state: State; readonly say: (line: string) => void }): Promise<void> {
  const { forge, targetRef: mirror } = state.pinned;
  if (forge === undefined) return;
  try {
    const at = await repo.git.remoteTip({ name: forge.remote, ref: forge.ref, limitMs: BOUNDS.remote });
    const from = await repo.git.resolve(mirror);
    if (at !== undefined && at !== from) await repo.git.moveRef({ ref: mirror, to: at, from, reason: 'choo: the remote target' });
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    say(`${remoteName({ name: forge.remote, ref: forge.ref })} cannot be reached; it is taken as it was seen last (${error.detail.split('\n')[0] ?? ''})`);
  }
}

/** The forge of a run that begins there; nothing for one that lands locally. */
export async function connectNew(repo: Repository, o: Asked & { readonly target: ForgeTarget | undefined; readonly redact: (text: string) => string }): Promise<{ readonly forge?: GitHub }> {
  const place = o.target === undefined ? undefined : await forgePlace(repo, { config: o.config, ref: o.target.ref });
  const forge = place === undefined ? undefined : await connect(place, o);
  return forge === undefined ? {} : { forge };
}
