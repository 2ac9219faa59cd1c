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
  /** How often a check that failed is run again before its failure counts. */
  readonly checkRetries: number;
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
  checkRetries: 0,
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
  /** Failing tests of one check that are remembered by name, and characters of one name. */
  failingTests: 2000,
  testName: 500,
  /** Time between SIGTERM and SIGKILL for a command that is ended, ms. */
  killGrace: 5 * SECOND,
  /** Time an agent that said it is done gets to end by itself, ms. */
  doneGrace: 10 * SECOND,
  /** One request or answer on the control socket, bytes. */
  controlMessage: 1 * MIB,
  /** Landing worktrees of one run; `land.speculate` may be as high. */
  landingWorktrees: 8,
  /** Tries of a git command that met a lock of somebody else's. */
  gitLockTries: 8,
  /** Paths from which on a worktree's folder is used again with `worktree.pool: auto`; below, a checkout is as quick. */
  pooledPaths: 2000,
  /** Ports that one slot has for itself. */
  slotPorts: 10,
  /** Time for one git command, ms. */
  gitCommand: 20 * MINUTE,
  /** Time for one talk with a remote, ms: asking where it is, fetching, pushing with the user's hooks. */
  remote: 10 * MINUTE,
  /** Time to ask a remote where it is before a landing, which goes on without the answer, ms. */
  remoteLook: 30 * SECOND,
  /** How long a forge that met trouble is left alone at first, and at most, ms. */
  forgePause: 30 * SECOND,
  longestForgePause: 15 * MINUTE,
  /** Pushes in a row that come too late at the end of a run, because somebody else pushes all the time. */
  pushTries: 10,
  /** What is told of one piece of feedback from a forge, characters. */
  feedback: 8 * 1024,
  /** Time for a forge to answer one request, ms. */
  forgeRequest: 60 * SECOND,
  /** A forge that wants to be left alone for at most this long is waited for within a request, ms. */
  forgeRest: 60 * SECOND,
  /** Pages of each list of a pull request that are read; more is an error, not a part of it. */
  forgePages: 20,
  /** Output of a failed job that is read from a forge, from its beginning on, bytes. */
  jobLog: 64 * MIB,
} as const;
