// Every limit choo has, named with its unit. Users set the first group under `limits:`; the rest are fixed.

/** The limits a user may set; times in milliseconds, sizes in bytes, counts as plain numbers. */
export interface Limits {
  /** Attempts a task, a baseline rework or a proof rework may use before its unit fails. */
  readonly attempts: number;
  /** An agent that prints nothing for this long is ended, ms; 0 is off. */
  readonly agentIdle: number;
  /** An agent that runs this long is ended, ms. */
  readonly agentTotal: number;
  /** A check that runs this long is ended and has failed, ms. */
  readonly check: number;
  /** A setup or teardown command that runs this long is ended and has failed, ms. */
  readonly setup: number;
  /** Time agents get between the first stop signal and being killed, ms. */
  readonly shutdown: number;
  /** Bytes of output kept of one command: half from its head, half from its tail. */
  readonly output: number;
  /** Units that may fail with nothing landed between before dispatch pauses. */
  readonly failuresInARow: number;
  /** Attempts of one task that may be cut by a stop or crash. */
  readonly cuts: number;
  /** Free space below which no worktree is made, bytes. */
  readonly freeDisk: number;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const MIB = 1024 * 1024;

/** The defaults of the contract. `agentIdle` is 0 for the `command` and `script` agents, see `agentIdleDefault`. */
export const DEFAULT_LIMITS: Limits = {
  attempts: 3,
  agentIdle: 15 * MINUTE,
  agentTotal: 120 * MINUTE,
  check: 15 * MINUTE,
  setup: 20 * MINUTE,
  shutdown: 30 * SECOND,
  output: 10 * MIB,
  failuresInARow: 3,
  cuts: 10,
  freeDisk: 1024 * MIB,
};

/** Fixed bounds that no configuration changes. */
export const BOUNDS = {
  /** A spec, plan or configuration file larger than this is refused, bytes. */
  specFile: 1 * MIB,
  /** Front matter larger than this is refused, bytes. */
  frontMatter: 64 * 1024,
  /** YAML aliases that one file may expand. */
  yamlAliases: 50,
  /** A unit id longer than this cannot be a ref and a directory, bytes. */
  unitId: 100,
  /** Output of a failed command that a failure carries along, bytes. */
  failureTail: 8 * 1024,
  /** Time between SIGTERM and SIGKILL for a command that is ended, ms. */
  killGrace: 5 * SECOND,
  /** Time an agent that said it is done gets to end by itself, ms. */
  doneGrace: 10 * SECOND,
  /** One request or answer on the control socket, bytes. */
  controlMessage: 1 * MIB,
  /** Tries of a git command that met a lock of somebody else's. */
  gitLockTries: 8,
  /** Time for one git command, ms. */
  gitCommand: 20 * MINUTE,
} as const;
