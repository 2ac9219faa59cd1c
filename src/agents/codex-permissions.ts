// How far Codex's own sandbox lets a command go, as a profile of permissions in its settings, and whether it took it. Pure
// text; the sandbox is Codex's. What starts outside of it (servers and hooks of the user's own settings) is the user's.

import type { AgentTask } from './agent.ts';

/** Files in a worktree's folder of the repository that tell git where everything else is: whoever writes them makes git run what he likes. */
const POINTERS = ['commondir', 'gitdir'];

/** Settings of the profile, as `-c` takes them; none for full permissions, which the turn asks for. */
export function permissionSettings(task: AgentTask): readonly string[] {
  const { permissions, worktree, gitPaths, scratch } = task;
  if (permissions === 'full') return [];
  const own = gitPaths.filter((path) => /\/worktrees\/[^/]+$/.test(path));
  const common = hasOwnTemporary(task) ? [scratch] : [':slash_tmp', ':tmpdir'];
  const entries = [
    [':root', 'read'], ...[':workspace_roots', ...gitPaths, ...common].map((path) => [path, 'write']),
    ...own.flatMap((folder) => POINTERS.map((file) => [`${folder}/${file}`, 'read'])),
  ] as const;
  const profile = `{filesystem=${table(entries)},network={enabled=${permissions === 'workspace'}}}`;
  // A trusted repository's own .codex folder may start programs outside the sandbox. Said for the worktree, it also keeps Codex from
  // writing into the user's settings that it trusts the repository.
  return ['default_permissions="choo"', `permissions.choo=${profile}`, `projects={${JSON.stringify(worktree)}={trust_level="untrusted"}}`];
}

/** A table of TOML; its texts are written as in JSON. */
function table(entries: readonly (readonly (string | undefined)[])[]): string {
  return `{${entries.map((entry) => entry.map((text) => JSON.stringify(text)).join('=')).join(',')}}`;
}

/** Whether its temporary files go to the scratch folder: always in the sandbox, and where the common place would open other worktrees to it. */
export function hasOwnTemporary({ permissions, worktree }: AgentTask): boolean {
  return permissions === 'sandboxed' || (permissions === 'workspace' && worktree.startsWith('/tmp/'));
}

/** Whether the thread that Codex began has the permissions of the task, as far as it tells. */
export function keepsTo(task: AgentTask, sandbox: Readonly<Record<string, unknown>>): boolean {
  if (task.permissions === 'full') return true;
  return sandbox['type'] === 'workspaceWrite' && sandbox['networkAccess'] === (task.permissions === 'workspace') && (!hasOwnTemporary(task) || sandbox['excludeSlashTmp'] === true);
}
