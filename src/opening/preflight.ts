// What is tried before anything starts, because finding it out later would cost money: agents' programs, names, uncommitted specs.

import { CONFIG_FILE } from '../discovery/config.ts';
import { errorAt, warningAt } from '../discovery/diagnostic.ts';
import type { Diagnostic } from '../discovery/diagnostic.ts';
import type { Plan } from '../core/plan.ts';
import type { Clock } from '../world.ts';
import { lookAtPrograms } from './agent-programs.ts';
import { agentsNeeded } from './equip.ts';
import type { Repository } from './repository.ts';
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

/** Edited specs of which an open run that goes on knows nothing. `forge`: they have to be pushed, too. */
export async function unseenByResume(r: Repository, o: { readonly tasksDir: string; readonly forge: boolean }): Promise<readonly Diagnostic[]> {
  const dirty = r.facts.root === undefined ? undefined : await uncommittedSpecs(r, o.tasksDir);
  if (dirty === undefined) return [];
  return [warningAt('uncommitted-specs', `${dirty}; the run goes on without them`, { hint: `git add ${o.tasksDir} && git commit -m "specs"${o.forge ? ' && git push' : ''}, then: choo resume --accept-plan` })];
}

/** Specs that the run would not see: uncommitted ones, and ones that only the branch checked out has. */
export async function unseenSpecs(r: Repository, o: { readonly tasksDir: string; readonly target: { readonly ref: string; readonly commit: string } }): Promise<readonly Diagnostic[]> {
  if (r.root === undefined || r.facts.root === undefined || r.facts.head === undefined) return [];
  const head = r.facts.head;
  const short = o.target.ref.replace('refs/heads/', '');
  const dirty = await uncommittedSpecs(r, o.tasksDir);
  const found: Diagnostic[] = dirty === undefined ? [] : [errorAt('uncommitted-specs', `${dirty}; a run reads specs from the commit only`, { hint: `git add ${o.tasksDir} && git commit -m "specs"` })];
  if (head !== o.target.commit) {
    const there = new Set((await r.git.readTree(o.target.commit, o.tasksDir)).map((e) => e.path));
    const lacking = (await r.git.readTree(head, o.tasksDir)).map((e) => e.path).filter((p) => !there.has(p));
    if (lacking.length > 0) {
      found.push(errorAt('target-lacks-specs', `the target \`${short}\` lacks specs that the branch checked out has (${lacking.slice(0, 3).join(', ')}${lacking.length > 3 ? ' …' : ''})`, { hint: `git switch ${short} && git merge ${head.slice(0, 10)}` }));
    }
  }
  const config = await r.git.workingTreeDiff(r.root, { commit: o.target.commit, prefix: CONFIG_FILE });
  if (config.length > 0) found.push(warningAt('uncommitted-config', `${CONFIG_FILE} differs from the one of \`${short}\`; the committed one is used`, { hint: `git add ${CONFIG_FILE} && git commit` }));
  return found;
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
