// The real World of one run, and where its work happens. Composition only.

import { createHash, randomUUID } from 'node:crypto';
import { existsSync, fstatSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import picomatch from 'picomatch';
import { ContainmentUnavailable } from '../adapters/containment.ts';
import { childEnvironment } from '../adapters/environment.ts';
import { realFiles } from '../adapters/files.ts';
import { fingerprint } from '../adapters/fingerprint.ts';
import { gitRunner } from '../adapters/git/exec.ts';
import { openProcesses } from '../adapters/processes.ts';
import { makeRedactor } from '../adapters/redact.ts';
import type { Forge } from '../forge.ts';
import type { Redactor } from '../adapters/redact.ts';
import { secretsOf, SHAPES } from '../adapters/secrets.ts';
import { realSetupResults } from '../adapters/setup-results.ts';
import { endOrphans } from '../adapters/sweep.ts';
import type { OpenProcesses } from '../adapters/processes.ts';
import { runFolder } from '../adapters/runs.ts';
import { toRecord } from '../core/discreet.ts';
import type { State } from '../core/state.ts';
import type { Config } from '../discovery/config.ts';
import { openFence } from '../worker/fence.ts';
import { Pool } from '../worker/pool.ts';
import { Slots } from '../worker/slots.ts';
import type { Equipped, Workplace } from '../worker/workplace.ts';
import type { Clock, Git, Journal, World } from '../world.ts';
import { tellSecrets } from './messengers.ts';
import { refuse } from './refusal.ts';
import type { Specs } from './specs.ts';

/** The repository's own folder for worktrees, outside every work tree. Throws a Refusal when the configured place is inside one. */
export async function worktreesFolder(o: { readonly commonDir: string; readonly root: string; readonly configured: string | undefined; readonly env: NodeJS.ProcessEnv; readonly clock: Clock }): Promise<string> {
  const home = o.env['HOME'] ?? homedir();
  const state = o.env['XDG_STATE_HOME'] ?? join(home, '.local', 'state');
  const standard = join(state, 'choo');
  const written = o.configured?.replace(/^~(?=\/|$)/, home);
  const base = written === undefined ? standard : isAbsolute(written) ? written : resolve(o.root, written);
  let existing = base;
  while (!existsSync(existing)) existing = dirname(existing);
  const runner = gitRunner({ env: o.env, sleep: o.clock.sleep });
  const inside = await runner.run({ at: { cwd: existing }, args: ['rev-parse', '--is-inside-work-tree'], accept: [0, 128] });
  if (inside.code === 0 && inside.stdout.toString('utf8').trim() === 'true') {
    throw refuse('worktrees-inside', `the worktrees' folder ${base} is inside a git work tree, where they would find its configuration and dependencies`,
      `set in .choo.yaml:  worktree: { base_path: ${written === undefined ? join(dirname(home), '.choo') : standard} }`);
  }
  const repository = dirname(o.commonDir);
  const hash = hashOf(o.commonDir);
  return join(existsSync(existing) ? realpathSync(existing) + base.slice(existing.length) : base, `${basename(repository).replaceAll(/[^\w.-]/g, '_')}-${hash}`);
}

/** Tells one repository from all others of this machine. */
function hashOf(commonDir: string): string {
  return createHash('sha256').update(commonDir).digest('hex').slice(0, 8);
}

/** The engine kills at `limits.shutdown`; programs left to themselves are killed only after this much more, ms. */
const KILL_AFTER = 5000;

/** Characters of a key of a check that passed: 128 bits. */
const KEY_LENGTH = 32;
/** Folder of what setup commands made, beside those of the runs. */
export const SETUP_RESULTS = 'setup-results';

/** By which programs that choo started in this repository are known. */
function markerOf(commonDir: string): string {
  return `choo-${createHash('sha256').update(commonDir).digest('hex').slice(0, 16)}`;
}

/** Ends programs that a choo which is gone left running in this repository. Only for the holder of the lock. */
export async function endLeftRunning(o: { readonly commonDir: string; readonly clock: Clock; readonly say: (line: string) => void }): Promise<void> {
  if (await endOrphans({ marker: markerOf(o.commonDir), clock: o.clock })) o.say('ended programs that an earlier choo in this repository had left running');
}

/** Takes the secrets of the user's environment, and of what the configuration adds for agents, out of all that is kept or shown. */
export function redactorFor(env: NodeJS.ProcessEnv, config: Pick<Config, 'agents' | 'escalation'> | undefined): Redactor {
  const ofAgents = Object.values(config?.agents ?? {}).map((agent) => agent?.env ?? {});
  return makeRedactor({ literals: secretsOf([env, ...ofAgents, ...tellSecrets(config ?? {}, env)]), shapes: SHAPES });
}

/** The journal of a session, in which no secret is of what was said from outside. */
function discreet(journal: Journal, redact: (text: string) => string): Journal {
  return { path: journal.path, close: () => journal.close(), append: (bodies, now) => journal.append(bodies.map((body) => toRecord(body, redact)), now) };
}

/** Opens the way to run programs, after ending those of an earlier choo in this repository that is gone. Only for the holder of the lock. Throws a Refusal when the containment asked for is not to be had. */
export async function processesFor(o: { readonly config: Config; readonly env: NodeJS.ProcessEnv; readonly clock: Clock; readonly commonDir: string; readonly shutdownMs: number; readonly redactor: Redactor; readonly say: (line: string) => void }): Promise<OpenProcesses> {
  try {
    await endLeftRunning(o);
    return await openProcesses({ contain: o.config.contain, env: o.env, clock: o.clock, marker: markerOf(o.commonDir), redactor: o.redactor, interruptGraceMs: o.shutdownMs + KILL_AFTER });
  } catch (error) {
    if (error instanceof ContainmentUnavailable) throw refuse('no-containment', `process.contain is \`namespace\`, but ${error.message}`, 'set process.contain to `auto` or `group`');
    throw error;
  }
}

/** Puts together where the steps of a run are performed. */
export function makeWorkplace(o: {
  readonly state: State; readonly journal: Journal; readonly git: Git; readonly processes: OpenProcesses; readonly clock: Clock; readonly env: NodeJS.ProcessEnv;
  readonly specs: Pick<Specs, 'config' | 'resolved'>; readonly commonDir: string; readonly mainRoot: string | undefined; readonly worktrees: string; readonly agents: ReadonlyMap<string, Equipped>;
  readonly redactor: Redactor; readonly forge?: Forge; readonly activity?: World['activity'];
}): Workplace {
  const matchers = new Map<string, (path: string) => boolean>();
  const matcher = (glob: string): ((path: string) => boolean) => {
    const known = matchers.get(glob) ?? picomatch(glob, { dot: true });
    matchers.set(glob, known);
    return known;
  };
  const { config, resolved } = o.specs;
  const environment = childEnvironment(o.env, {});
  const files = realFiles(environment);
  return {
    world: {
      clock: o.clock, journal: discreet(o.journal, o.redactor.text), git: o.git, processes: o.processes, files, uuid: randomUUID,
      digest: (text) => createHash('sha256').update(text).digest('hex').slice(0, KEY_LENGTH),
      fingerprint: (about) => fingerprint({ ...about, environment, cwd: o.worktrees }),
      setupResults: realSetupResults(join(o.worktrees, SETUP_RESULTS), environment),
      redact: o.redactor.text, ...(o.forge === undefined ? {} : { forge: o.forge }), ...(o.activity === undefined ? {} : { activity: o.activity }),
    },
    state: o.state,
    runDir: runFolder(o.commonDir, o.state.run),
    worktrees: join(o.worktrees, String(o.state.run)),
    ...(o.mainRoot === undefined ? {} : { mainRoot: o.mainRoot }),
    setup: config.worktree.setup, teardown: config.worktree.teardown, copy: config.worktree.copy,
    agents: o.agents,
    matches: (glob, path) => matcher(glob)(path),
    fence: openFence({ git: o.git, clock: o.clock, isOutput: outputOf(o.mainRoot), isUnits: (branch) => branch.startsWith(`refs/heads/${o.state.pinned.branchPrefix}`) }),
    pool: new Pool({ mode: config.worktree.pool, keep: config.worktree.keep }),
    slots: new Slots({ files, file: join(o.commonDir, 'choo', 'slots.json'), portBase: config.worktree.portBase, project: `choo-${hashOf(o.commonDir)}` }),
    settingUp: new Map(),
    idleLimitSet: resolved.idleLimitSet,
    landedPaths: { known: 0, byPath: new Map() },
    remote: { silent: false },
    waking: new Map(),
    seen: new Map(),
  };
}

/** Which paths of the main checkout are what this program's own stdout and stderr go to. */
function outputOf(root: string | undefined): (path: string) => boolean {
  const outputs = [1, 2].map((fd) => fstatSync(fd)).filter((s) => s.isFile());
  return (path) => {
    if (root === undefined || outputs.length === 0) return false;
    const stat = statSync(join(root, path), { throwIfNoEntry: false });
    return stat !== undefined && outputs.some((s) => s.ino === stat.ino && s.dev === stat.dev);
  };
}
