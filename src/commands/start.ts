// How this process was started, as bin/choo and `--detach` tell it by environment variables. No child ever sees them.

/** Set by bin/choo when SIGHUP was ignored before Node started, and for a detached run. */
const HANGUP = 'CHOO_HANGUP';
/** Set for a detached run: the file that its output goes to. */
const DETACHED = 'CHOO_DETACHED';

/** How this process was started. */
export interface Start {
  /** SIGHUP was ignored then, and stays so. */
  readonly hangupIgnored: boolean;
  /** This is the background part of a detached run; absolute path of the file its output goes to. */
  readonly detached?: string;
}

/** Reads how this process was started, and takes the variables out of the environment. */
export function takeStart(env: NodeJS.ProcessEnv): Start {
  const hangupIgnored = env[HANGUP] === 'ignored';
  const detached = env[DETACHED];
  delete env[HANGUP];
  delete env[DETACHED];
  return { hangupIgnored, ...(detached === undefined || detached === '' ? {} : { detached }) };
}

/** The environment that starts the background part of a detached run, which no hangup ends. */
export function detachedEnvironment(env: NodeJS.ProcessEnv, log: string): NodeJS.ProcessEnv {
  return { ...env, [HANGUP]: 'ignored', [DETACHED]: log };
}
