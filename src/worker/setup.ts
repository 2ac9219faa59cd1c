// The setup of a fresh worktree: the configured commands in order, or what one of them made before where the configuration allows that.

import type { Note } from '../core/event.ts';
import type { Failure } from '../core/failure.ts';
import type { Reuse } from '../core/plan.ts';
import type { Control } from '../world.ts';
import type { Workplace } from './workplace.ts';
import { endingOf, shell } from './workplace.ts';

interface Setting {
  readonly worktree: string;
  readonly log: string;
  readonly unit?: string;
  readonly control: Control;
  /** Gets what is worth telling. */
  readonly notes: Note[];
  /** The worktree is at a commit of the target and no agent was in it: what the commands make there may serve others. */
  readonly ofTarget?: boolean;
}

/** Runs the configured setup commands in order; gives the failure of the first that fails. */
export async function setUp(place: Workplace, o: Setting): Promise<Failure | undefined> {
  for (const { command, if: condition, reuse } of place.setup) {
    if (condition !== undefined && !(await place.world.files.exists(`${o.worktree}/${condition}`))) continue;
    const failure = reuse === undefined ? await runSetup(place, { ...o, command }) : await reuseOrRun(place, { ...o, command, reuse });
    if (failure !== undefined) return failure;
  }
  return undefined;
}

async function runSetup(place: Workplace, o: Setting & { readonly command: string }): Promise<Failure | undefined> {
  const { command } = o;
  const result = await shell(place, { command, cwd: o.worktree, log: o.log, limitMs: place.state.settings.limits.setup, control: o.control, ...(o.unit === undefined ? {} : { unit: o.unit }) });
  if (result.cut) return { kind: 'cut', by: 'stop' };
  const output = { tail: result.tail, log: o.log };
  if (result.limit === undefined && (result.code === 126 || result.code === 127)) return { kind: 'environment', command, code: result.code, output };
  if (result.code !== 0 || result.limit !== undefined) return { kind: 'setup-failed', command, ending: endingOf(result), output };
  return undefined;
}

/** Several worktrees with one key are set up one after another: the first makes what the others take. */
async function reuseOrRun(place: Workplace, o: Setting & { readonly command: string; readonly reuse: Reuse }): Promise<Failure | undefined> {
  const key = await place.world.setupResults.key({ worktree: o.worktree, command: o.command, ...o.reuse });
  const before = place.settingUp.get(key) ?? Promise.resolve();
  const mine = before.then(() => takeOrMake(place, { ...o, key }));
  const settled = mine.catch(() => undefined);
  place.settingUp.set(key, settled);
  try {
    return await mine;
  } finally {
    if (place.settingUp.get(key) === settled) place.settingUp.delete(key);
  }
}

async function takeOrMake(place: Workplace, o: Setting & { readonly command: string; readonly reuse: Reuse; readonly key: string }): Promise<Failure | undefined> {
  const { setupResults } = place.world;
  const what = { worktree: o.worktree, paths: o.reuse.makes };
  if (await setupResults.take(o.key, what)) {
    place.seen.delete(o.worktree);
    o.notes.push({ kind: 'setup-reused', text: `\`${o.command}\` was not run: what it made for the same files was copied`, paths: o.reuse.makes });
    return undefined;
  }
  const failure = await runSetup(place, o);
  if (failure !== undefined || o.ofTarget !== true) return failure;
  const trouble = await setupResults.keep(o.key, what);
  if (trouble !== undefined) o.notes.push({ kind: 'setup-not-kept', text: `what \`${o.command}\` made cannot be used again: ${trouble}` });
  return undefined;
}
