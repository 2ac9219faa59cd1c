// What an agent that speaks ACP is allowed: its mode of working, and the answers to its requests. Pure; asking and telling is
// acp-program.ts. No agent is known here, only the names that agents give their modes.

import type { Permissions } from '../core/agent-use.ts';

/** One choice that an agent offers with a request for permission. */
export interface PermissionChoice {
  readonly optionId: string;
  readonly kind: string;
}

/** A tool call that an agent wants to be allowed, as far as it matters here. `paths` as the agent wrote them. */
export interface Wanted {
  readonly kind: string;
  readonly paths: readonly string[];
}

/** How a request is answered; `why` only for a refusal. */
export interface PermissionAnswer {
  /** The choice taken; undefined: none fits, and the request is cancelled. */
  readonly optionId: string | undefined;
  readonly allowed: boolean;
  readonly why?: string;
}

/** Modes by their last word in lower case without punctuation, best first: agents write `acceptEdits`, `auto_edit`, `…/session-modes#agent`. */
const WORKING: readonly string[] = ['acceptedits', 'autoedit', 'build', 'agent', 'auto', 'code', 'default', 'ask'];
const MODES: { readonly [K in Permissions]: readonly string[] } = {
  // Refused before the start: the protocol has no word for a sandbox.
  sandboxed: [],
  workspace: WORKING,
  full: ['bypasspermissions', 'yolo', 'fullaccess', 'agentfullaccess', ...WORKING],
};

/** The mode to set among those offered; undefined when none is known to work unattended. */
export function chooseMode(permissions: Permissions, offered: readonly string[]): string | undefined {
  return MODES[permissions].map((name) => offered.find((id) => lastWord(id) === name)).find((id) => id !== undefined);
}

function lastWord(id: string): string {
  return id.slice(id.lastIndexOf('#') + 1).toLowerCase().replace(/[^a-z]/g, '');
}

/** Tools that change nothing by the paths they name. A command is among them: what it names (`> /dev/null`) says nothing of what it does. */
const HARMLESS: ReadonlySet<string> = new Set(['read', 'search', 'execute', 'think', 'fetch']);

/**
 * Answers a request by policy. `full` allows everything. `workspace` allows all but a change of mode, which choo has set, and
 * tools that may change a path for which `inside` is false. A command is allowed, whatever it does: nothing here holds it.
 */
export function answerPermission(o: { readonly permissions: Permissions; readonly wanted: Wanted; readonly choices: readonly PermissionChoice[]; readonly inside: (path: string) => boolean }): PermissionAnswer {
  const why = o.permissions === 'full' ? undefined : whyNot(o.wanted, o.inside);
  // Once, not always: what an agent remembers beyond the session is the user's to decide.
  const kinds = why === undefined ? ['allow_once', 'allow_always'] : ['reject_once', 'reject_always'];
  const choice = kinds.map((kind) => o.choices.find((c) => c.kind === kind)).find((c) => c !== undefined);
  return { optionId: choice?.optionId, allowed: why === undefined && choice !== undefined, ...(why === undefined ? {} : { why }) };
}

function whyNot({ kind, paths }: Wanted, inside: (path: string) => boolean): string | undefined {
  if (kind === 'switch_mode') return 'the mode of working is set by choo';
  const outside = HARMLESS.has(kind) ? undefined : paths.find((path) => !inside(path));
  return outside === undefined ? undefined : `${outside} is outside the worktree`;
}
