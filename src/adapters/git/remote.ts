// The branch that the target is pushed to: which it is, where it is, and the push. Runs with the user's own way to log in, never
// asks anybody, never forces. Fetching changes no ref of this repository; a push makes git follow with its tracking branch, as for people.

import { GitError } from '../../world.ts';
import type { PushOutcome, RemoteCall } from '../../world.ts';
import { configVariables, gitRunner } from './exec.ts';
import type { GitOutput, GitRunner } from './exec.ts';
import { proveFence } from './fence.ts';
import { checkId, checkRef, isId } from './names.ts';
import { ask } from './repository.ts';
import type { Repository } from './repository.ts';

/** A remote target, and why the name of the remote leads nowhere, if it does not. */
export interface FoundRemote { readonly name: string; readonly ref: string; readonly known: boolean }

/** `GIT_*` of the user's that say how to reach a remote; all others would point git elsewhere or leak from a hook. */
const OURS = /^GIT_(CONFIG_(GLOBAL|SYSTEM|NOSYSTEM)|SSH|SSH_COMMAND|SSH_VARIANT|ASKPASS|PROXY_.+|HTTP_.+|SSL_.+|CURL_.+|ALLOW_PROTOCOL|PROTOCOL)$/;

/** What holds beside the user's own configuration, hooks included. */
const CONFIG: readonly (readonly [string, string])[] = [['gc.auto', '0'], ['maintenance.auto', 'false'], ['submodule.recurse', 'false'], ['fetch.recurseSubmodules', 'false']];

/**
 * A runner for commands that talk to a remote: everything of the user's by which git logs in, and nobody to ask. Not marked as choo's, as
 * others are: a helper that keeps a login, or ssh a connection, goes on afterwards, and nobody shall wait for it.
 */
export function remoteRunner(o: Parameters<typeof gitRunner>[0]): GitRunner {
  const kept = Object.entries(o.env).filter(([name, value]) => value !== undefined && (!name.startsWith('GIT_') || OURS.test(name))) as [string, string][];
  const own = Object.fromEntries(kept);
  const all = configVariables([], CONFIG);
  const environment = {
    ...own, ...all, LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0', SSH_ASKPASS_REQUIRE: 'never',
    // A program that the user named in the environment may answer for them; one that opens a window may not.
    GIT_ASKPASS: own['GIT_ASKPASS'] ?? '',
  };
  return gitRunner({ env: o.env, sleep: o.sleep, environment });
}

/** Where people push the branch to, as git's own configuration says; undefined: nowhere. */
export async function findRemote(repo: Repository, ref: string): Promise<FoundRemote | undefined> {
  const branch = ref.replace('refs/heads/', '');
  const { stdout } = await ask(repo, { args: ['config', '--null', '--list'] });
  const config = new Map(stdout.toString('utf8').split('\0').map((entry) => {
    const end = entry.indexOf('\n');
    return [entry.slice(0, end), entry.slice(end + 1)] as const;
  }));
  const upstream = config.get(`branch.${branch}.remote`);
  const isRemote = (name: string): boolean => [...config.keys()].some((key) => key.startsWith(`remote.${name}.`) && /\.(url|pushurl)$/.test(key));
  // `.` is this repository itself.
  const named = [config.get(`branch.${branch}.pushremote`), config.get('remote.pushdefault'), upstream].find((name) => name !== undefined && name !== '' && name !== '.');
  const name = named ?? (isRemote('origin') ? 'origin' : undefined);
  if (name === undefined) return undefined;
  const merge = name === upstream ? config.get(`branch.${branch}.merge`) : undefined;
  // An address with a password in it must not come into the journal, so it is none that can be used.
  const known = isRemote(name) || (/[/:]/.test(name) && clean(name) === name);
  return { name: clean(name), known, ref: merge?.startsWith('refs/heads/') === true ? merge : ref };
}

/** Where the branch is now at the remote, with all its commits fetched; undefined when it has no such branch. Throws GitError when the remote cannot be reached. */
export async function remoteTip(repo: Repository, o: RemoteCall): Promise<string | undefined> {
  for (let tried = 1; ; tried += 1) {
    const { stdout } = await talk(repo, { ...o, args: ['ls-remote', '--quiet', '--end-of-options', o.name, checkRef(o.ref)] });
    const id = stdout.toString('utf8').split('\n').flatMap((line) => (line.endsWith(`\t${o.ref}`) ? [line.slice(0, line.indexOf('\t'))] : []))[0];
    if (id === undefined) return undefined;
    if (!isId(id)) throw new GitError(`git ls-remote ${clean(o.name)}`, 'it answers no id');
    if (await isHere(repo, id)) return id;
    // No ref is written: where it was is in the answer, and the objects are all that is wanted.
    await talk(repo, { ...o, args: ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--no-auto-maintenance', '--no-recurse-submodules', '--no-prune', '--refmap=', '--end-of-options', o.name, o.ref] });
    if (await isHere(repo, id)) return id;
    if (tried === TRIES) throw new GitError(`git fetch ${clean(o.name)}`, `${o.ref} is rewritten all the time`);
  }
}

const TRIES = 3;

async function isHere(repo: Repository, id: string): Promise<boolean> {
  const { code } = await ask(repo, { args: ['cat-file', '-e', `${checkId(id)}^{commit}`], accept: [0, 1, 128] });
  return code === 0;
}

/** Gives a commit to the branch of the remote, when that only goes forward. Throws FenceLost when the repository is no longer ours, GitError when git could not be run to its end. */
export async function push(repo: Repository, o: RemoteCall & { readonly commit: string }): Promise<PushOutcome> {
  await proveFence(repo);
  const { code, stdout, stderr } = await talk(repo, { ...o, args: ['push', '--porcelain', '--no-follow-tags', '--no-force', '--end-of-options', o.name, `${checkId(o.commit)}:${checkRef(o.ref)}`], accept: [0, 1, 128] });
  return code === 0 ? { kind: 'pushed' } : { kind: 'refused', detail: whyRefused({ stdout, stderr }) };
}

/** Removes the branch of the remote when it is at `at`. Throws FenceLost when the repository is no longer ours, GitError when git could not be run to its end. */
export async function removeRemote(repo: Repository, o: RemoteCall & { readonly at: string }): Promise<void> {
  await proveFence(repo);
  // The lease is a compare-and-swap: nothing that choo does not know goes with the branch.
  await talk(repo, { ...o, args: ['push', '--porcelain', `--force-with-lease=${checkRef(o.ref)}:${checkId(o.at)}`, '--end-of-options', o.name, `:${o.ref}`], accept: [0, 1, 128] });
}

/** The line about the branch, and what the remote or a hook said. */
export function whyRefused(o: Pick<GitOutput, 'stdout' | 'stderr'>): string {
  const flagged = o.stdout.toString('utf8').split('\n').filter((line) => line.startsWith('!\t')).map((line) => line.split('\t')[2] ?? '');
  const said = o.stderr.split('\n').map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('hint:') && !/^To |^error: failed to push some refs/.test(line));
  return clean([...flagged, ...said.slice(0, 6)].join('; ').slice(0, 1000)) || 'git push failed and said nothing';
}

/** Runs a git command that talks to a remote. */
export async function talk(repo: Repository, o: Omit<RemoteCall, 'ref'> & { readonly args: readonly string[]; readonly accept?: readonly number[] }): Promise<GitOutput> {
  const at = repo.mainRoot === undefined ? { cwd: repo.commonDir, gitDir: repo.commonDir } : { cwd: repo.mainRoot };
  try {
    return await repo.remote.run({ at, args: o.args, env: await sshVariables(repo), limitMs: o.limitMs, ...(o.signal === undefined ? {} : { signal: o.signal }), ...(o.accept === undefined ? {} : { accept: o.accept }) });
  } catch (error) {
    if (error instanceof GitError) throw new GitError(clean(error.command), clean(error.detail));
    throw error;
  }
}

/** ssh asks nobody; where the user has a command of their own for it, that one is taken as it is. */
async function sshVariables(repo: Repository): Promise<Record<string, string>> {
  const { environment } = repo.remote;
  if (environment['GIT_SSH_COMMAND'] !== undefined || environment['GIT_SSH'] !== undefined) return {};
  const { code } = await ask(repo, { args: ['config', '--get', 'core.sshCommand'], accept: [0, 1] });
  return code === 0 ? {} : { GIT_SSH_COMMAND: 'ssh -o BatchMode=yes' };
}

/** A text without the passwords that addresses hold. */
export function clean(text: string): string {
  return text.replaceAll(/(:\/\/)[^/@\s'"]+@/g, '$1');
}
