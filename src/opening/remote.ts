// With `land.push`: where the target is pushed to, and whether that can go well, found out before a run begins. Changes nothing.

import type { Settings } from '../core/event.ts';
import { BOUNDS } from '../core/limits.ts';
import { remoteName } from '../core/push.ts';
import { landRules } from '../core/state.ts';
import { shellWord } from '../core/clean.ts';
import { errorAt, warningAt } from '../discovery/diagnostic.ts';
import type { Diagnostic } from '../discovery/diagnostic.ts';
import { GitError } from '../world.ts';
import type { Repository } from './repository.ts';

/** What is known of the remote target: nothing when nothing is pushed. */
export interface RemoteLook { readonly remote: Pick<Settings, 'remote'>; readonly diagnostics: readonly Diagnostic[] }

/** Finds the remote target. With `commit`, the target's, it is asked where it is: a run that begins must be able to reach it, and both must be on one line. */
export async function lookAtRemote(repo: Repository, o: { readonly settings: Settings; readonly ref: string; readonly commit: string | undefined }): Promise<RemoteLook> {
  const { push } = landRules(o);
  if (push === 'never') return { remote: {}, diagnostics: [] };
  const short = o.ref.replace('refs/heads/', '');
  const found = await repo.git.findRemote(o.ref);
  if (found === undefined || !found.known) {
    const what = found === undefined ? `\`${short}\` has no remote branch, and there is no remote \`origin\`` : `\`${short}\` is to be pushed to \`${found.name}\`, which is no remote, or an address with a password in it`;
    return wrong('no-remote', `\`land.push\` is \`${push}\`, but ${what}`, `git remote add origin URL && git push -u origin ${shellWord(short)} · or in .choo.yaml: land: { push: never }`);
  }
  const { name, ref } = found;
  const remote = { remote: { name, ref } };
  if (o.commit === undefined) return { remote, diagnostics: [] };
  try {
    const there = await repo.git.remoteTip({ name, ref, limitMs: BOUNDS.remote });
    return { remote, diagnostics: there === undefined ? [] : await compare(repo, { short, name, ref, here: o.commit, there }) };
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    return wrong('remote-unreachable', `\`land.push\` is \`${push}\`, but ${remoteName({ name, ref })} cannot be reached: ${error.detail}`, `see: git ls-remote ${shellWord(name)} · to land without pushing, in .choo.yaml: land: { push: never }`);
  }
}

function wrong(code: string, message: string, hint: string): RemoteLook {
  return { remote: {}, diagnostics: [errorAt(code, message, { hint })] };
}

async function compare(repo: Repository, o: { readonly short: string; readonly name: string; readonly ref: string; readonly here: string; readonly there: string }): Promise<readonly Diagnostic[]> {
  const { git } = repo;
  if (await git.isAncestor(o.there, o.here)) return [];
  const more = (await git.commitsBetween(o.here, o.there)).length;
  const pull = `git pull --rebase ${shellWord(o.name)} ${shellWord(o.ref.replace('refs/heads/', ''))}`;
  if (await git.isAncestor(o.here, o.there)) {
    return [warningAt('remote-ahead', `${remoteName(o)} has ${more} ${more === 1 ? 'commit' : 'commits'} that \`${o.short}\` lacks; what lands first takes them in, specs are read from \`${o.short}\` as it is`, { hint: `to begin with them: git pull --ff-only ${shellWord(o.name)} ${shellWord(o.ref.replace('refs/heads/', ''))}` })];
  }
  const less = (await git.commitsBetween(o.there, o.here)).length;
  return [errorAt('remote-diverged', `\`${o.short}\` and ${remoteName(o)} have diverged: ${less} ${less === 1 ? 'commit' : 'commits'} only here, ${more} only there`, { hint: `on \`${o.short}\`: ${pull} (or with --no-rebase, to merge), then begin again` })];
}
