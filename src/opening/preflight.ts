// What is tried before anything starts, because finding it out later would cost money: agents' programs, names, uncommitted specs.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { errnoOf } from '../adapters/errno.ts';
import { shellWord } from '../core/clean.ts';
import { CONFIG_FILE, parseConfig } from '../discovery/config.ts';
import { errorAt, hasErrors, warningAt } from '../discovery/diagnostic.ts';
import type { Diagnostic } from '../discovery/diagnostic.ts';
import type { Plan } from '../core/plan.ts';
import type { Clock } from '../world.ts';
import { lookAtPrograms } from './agent-programs.ts';
import { agentsNeeded } from './equip.ts';
import type { Repository } from './repository.ts';
import { wordFromHere } from './repository.ts';
import type { FileSource, Specs } from './specs.ts';

/** Agents that could not start at all, or not as this choo knows them: programs that are missing or too old, logins that nobody made, scenarios that the commit lacks. `clock` absent: no program is started. */
export async function agentPreflight(specs: Specs & { readonly plan: Plan }, o: { readonly source: FileSource; readonly root: string; readonly env: NodeJS.ProcessEnv; readonly clock: Clock | undefined; readonly stop?: AbortSignal }): Promise<readonly Diagnostic[]> {
  const needed = [...agentsNeeded(specs)].filter((name) => name !== undefined);
  const looks = await lookAtPrograms(needed, { config: specs.config, resolved: specs.resolved, ...o });
  return looks.flatMap((look) => look.diagnostics);
}

/** Which specs have uncommitted changes, as a sentence; undefined: none. */
async function uncommittedSpecs({ root, facts: { head }, git }: Repository, tasksDir: string): Promise<string | undefined> {
  if (root === undefined || head === undefined) return undefined;
  const dirty = await git.workingTreeDiff(root, { commit: head, prefix: tasksDir });
  const [files, have] = dirty.length === 1 ? ['file', 'has'] : ['files', 'have'];
  return dirty.length === 0 ? undefined : `${dirty.length} ${files} under ${tasksDir}/ ${have} uncommitted changes (${dirty.slice(0, 3).join(', ')}${dirty.length > 3 ? ' …' : ''})`;
}

/** A branch that a run lands on: its full ref, and the commit from which specs are read. */
interface Target { readonly ref: string; readonly commit: string }

const nameOf = ({ ref }: Target): string => ref.replace('refs/heads/', '');

/** How a changed path gets into the target's commits. */
function toCommit(r: Repository, o: { readonly path: string; readonly target: Target; readonly message?: string }): string {
  if (r.facts.branch !== o.target.ref) return `the branch checked out here is not ${nameOf(o.target)}: commit that on ${nameOf(o.target)}`;
  return `git add ${wordFromHere(r, o.path)} && git commit${o.message === undefined ? '' : ` -m ${shellWord(o.message)}`}`;
}

/** What the branch checked out has and the target lacks, as a sentence; undefined: nothing, or only what the target has done away with. */
async function lackingSpecs({ git, facts: { head } }: Repository, o: { readonly tasksDir: string; readonly target: Target }): Promise<{ readonly text: string; readonly head: string } | undefined> {
  if (head === undefined || head === o.target.commit || await git.isAncestor(head, o.target.commit)) return undefined;
  const there = new Set((await git.readTree(o.target.commit, o.tasksDir)).map((e) => e.path));
  const lacking = (await git.readTree(head, o.tasksDir)).map((e) => e.path).filter((p) => !there.has(p));
  if (lacking.length === 0) return undefined;
  return { head, text: `the target \`${nameOf(o.target)}\` lacks specs that the branch checked out has (${lacking.slice(0, 3).join(', ')}${lacking.length > 3 ? ' …' : ''})` };
}

/** Specs of which an open run that goes on knows nothing: edited ones, and ones that only the branch checked out has. `forge`: they have to be pushed, too. */
export async function unseenByResume(r: Repository, o: { readonly tasksDir: string; readonly target: Target; readonly forge: boolean }): Promise<readonly Diagnostic[]> {
  if (r.facts.root === undefined) return [];
  const here = r.facts.branch === o.target.ref;
  const warn = (code: string, text: string, steps: readonly (string | undefined)[]): Diagnostic =>
    warningAt(code, `${text}; the run goes on without them`, { hint: `${steps.filter((step) => step !== undefined).join('')}, then: choo resume --accept-plan` });
  const found: Diagnostic[] = [];
  const dirty = await uncommittedSpecs(r, o.tasksDir);
  if (dirty !== undefined) found.push(warn('uncommitted-specs', dirty, [toCommit(r, { path: o.tasksDir, target: o.target, message: 'specs' }), !o.forge ? undefined : here ? ' && git push' : ' and push it']));
  const lacking = await lackingSpecs(r, o);
  if (lacking !== undefined) found.push(warn('target-lacks-specs', lacking.text, here ? ['git push'] : [mergeInto(o.target, lacking.head), o.forge ? ' && git push' : undefined]));
  return found;
}

function mergeInto(target: Target, head: string): string {
  return `git switch ${shellWord(nameOf(target))} && git merge ${head.slice(0, 10)}`;
}

/** Specs that the run would not see: uncommitted ones, and ones that only the branch checked out has; and a configuration that says something else. */
export async function unseenSpecs(r: Repository, o: { readonly tasksDir: string; readonly target: Target }): Promise<readonly Diagnostic[]> {
  if (r.root === undefined || r.facts.root === undefined || r.facts.head === undefined) return [];
  const { target } = o;
  const dirty = await uncommittedSpecs(r, o.tasksDir);
  const found: Diagnostic[] = dirty === undefined ? [] : [errorAt('uncommitted-specs', `${dirty}; a run reads specs from the commit only`, { hint: toCommit(r, { path: o.tasksDir, target, message: 'specs' }) })];
  const lacking = await lackingSpecs(r, o);
  if (lacking !== undefined) found.push(errorAt('target-lacks-specs', lacking.text, { hint: mergeInto(target, lacking.head) }));
  if (await configDiffers(r, { root: r.root, commit: target.commit })) found.push(warningAt('uncommitted-config', `${CONFIG_FILE} differs from the one of \`${nameOf(target)}\`; the committed one is used`, { hint: toCommit(r, { path: CONFIG_FILE, target }) }));
  return found;
}

/** True when the working tree's configuration says something else than the commit's; comments say nothing. */
async function configDiffers({ git }: Repository, o: { readonly root: string; readonly commit: string }): Promise<boolean> {
  if ((await git.workingTreeDiff(o.root, { commit: o.commit, prefix: CONFIG_FILE })).length === 0) return false;
  const [mine, committed] = [await textOf(join(o.root, CONFIG_FILE)), await git.readFile(o.commit, CONFIG_FILE)].map((text) => (text === undefined ? undefined : parseConfig(text)));
  if (mine === undefined || committed === undefined || hasErrors([...mine.diagnostics, ...committed.diagnostics])) return true;
  return !isDeepStrictEqual(mine.config, committed.config);
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return undefined;
  }
}

/** A branch that is named like the folder of choo's own branches leaves no room for them. */
export async function branchesInTheWay(r: Repository, prefix: string): Promise<readonly Diagnostic[]> {
  const parts = prefix.split('/').slice(0, -1);
  const found: Diagnostic[] = [];
  for (const [i] of parts.entries()) {
    const ref = `refs/heads/${parts.slice(0, i + 1).join('/')}`;
    if ((await r.git.resolve(ref)) !== undefined) {
      found.push(errorAt('branch-in-the-way', `the branch \`${ref.replace('refs/heads/', '')}\` leaves no room for choo's branches \`${prefix}…\``, { hint: 'rename it, or set branch_prefix in .choo.yaml to another folder' }));
    }
  }
  return found;
}
