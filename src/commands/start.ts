// How this process was started, as bin/choo and `--detach` tell it by environment variables. No child ever sees them.

/** Set by bin/choo when SIGHUP was ignored before Node started, and for a detached run. */
const HANGUP = 'CHOO_HANGUP';
/** Set for a detached run: the file that its output goes to. */
const DETACHED = 'CHOO_DETACHED';

/** Set for the dashboard beside a run: it ends when its stdin does. */
const BESIDE = 'CHOO_BESIDE';

/** How this process was started. */
export interface Start {
  /** SIGHUP was ignored then, and stays so. */
  readonly hangupIgnored: boolean;
  /** This is the background part of a detached run; absolute path of the file its output goes to. */
  readonly detached?: string;
  /** This is the dashboard of another choo, which holds the other end of stdin as long as it lives. */
  readonly beside?: true;
}

/** Reads how this process was started, and takes the variables out of the environment. */
export function takeStart(env: NodeJS.ProcessEnv): Start {
  const hangupIgnored = env[HANGUP] === 'ignored';
  const detached = env[DETACHED];
  const beside = env[BESIDE] === 'stdin';
  for (const name of [HANGUP, DETACHED, BESIDE]) delete env[name];
  return { hangupIgnored, ...(detached === undefined || detached === '' ? {} : { detached }), ...(beside ? { beside } : {}) };
}

/** The environment that starts the background part of a detached run, which no hangup ends. */
export function detachedEnvironment(env: NodeJS.ProcessEnv, log: string): NodeJS.ProcessEnv {
  return { ...env, [HANGUP]: 'ignored', [DETACHED]: log };
}

/** The environment that starts the dashboard beside a run. */
export function besideEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, [BESIDE]: 'stdin' };
}
