// Whether a run is shown on a screen or as lines. Loads nothing of the screen: runs without one must start as fast as before.

import type { Io } from './io.ts';
import type { Screen } from './run-screen.ts';

/** True for a person at a terminal that can be drawn on. */
function wantsScreen(o: { readonly json?: boolean; readonly tui?: boolean }, { out, env, start }: Io): boolean {
  if (o.tui === false || o.json === true || start.detached !== undefined || !out.terminal || !process.stdout.isTTY) return false;
  const term = env['TERM'] ?? '';
  return term !== '' && term !== 'dumb' && !isAutomatic(env);
}

/** Machines that run what nobody watches have terminals, too. */
function isAutomatic(env: NodeJS.ProcessEnv): boolean {
  const is = (value: string | undefined): boolean => value !== undefined && value !== '' && value !== '0' && value !== 'false';
  return is(env['CI']) || is(env['CONTINUOUS_INTEGRATION']) || is(env['GITHUB_ACTIONS']) || Object.keys(env).some((name) => name.startsWith('CI_'));
}

/** The screen for a run, where it is to have one. */
export async function screenFor(o: { readonly json?: boolean; readonly tui?: boolean }, io: Io, asked: ConstructorParameters<typeof Screen>[1]): Promise<Screen | undefined> {
  if (!wantsScreen(o, io)) return undefined;
  const [{ Screen: Made }, { isInForeground }] = await Promise.all([import('./run-screen.ts'), import('./terminal.ts')]);
  return isInForeground() ? new Made(io, asked) : undefined;
}
