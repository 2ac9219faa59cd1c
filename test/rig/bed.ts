// A test bed: a repository of specs with its own HOME and state folder, the built program, and agents held by the hand.
// One per test, gone at its end; a test that leaves a process behind fails. Knows nothing of the program's inside.

import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Running, type Ended } from './choo.ts';
import { Hand } from './hand.ts';
import { makeRepository, type TestRepository } from './repo.ts';
import { specFiles, type Specs } from './specs.ts';

/** The shell command of an agent that writes the file which the default check of its task looks for. */
export const DOES_IT = 'echo "$CHOO_TASK in attempt $CHOO_ATTEMPT" > "$CHOO_UNIT-$CHOO_TASK.txt"';

/** The name of the environment variable by which processes of a test are known. */
const MARKER = 'RIG_BED';

/** `.choo.yaml` as data; `agent` is the command of the agent `command`. */
export interface BedConfig {
  readonly agent?: string;
  readonly limits?: Readonly<Record<string, string | number>>;
  readonly [key: string]: unknown;
}

/** Where the program is started: default the repository's top with the bed's environment. */
export interface ChooOptions {
  readonly cwd?: string;
  /** Added to the bed's environment; undefined takes a variable out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
  /** Shell and script that start it in another way: the program is `$0`, its arguments are `$@`. */
  readonly through?: readonly [shell: string, script: string];
}

/** All that one test has. */
export interface Bed extends TestRepository {
  readonly hand: Hand;
  /** `$XDG_STATE_HOME`; worktrees are somewhere below it. */
  readonly state: string;
  /** Writes configuration and specs and commits them; gives back the commit. Without a configuration the agent is one that does it. */
  specs(units: Specs, config?: BedConfig): string;
  /** Writes `.choo.yaml` without committing it. */
  configure(config: BedConfig): void;
  /** Runs the program to its end. */
  choo(argv: readonly string[], o?: ChooOptions): Promise<Ended>;
  /** Starts the program. */
  start(argv: readonly string[], o?: ChooOptions): Running;
  /** Resolves when no process of the bed is left: those of a program that was killed end by themselves, a moment later. */
  quiet(): Promise<void>;
  /** Text of a file in the main checkout. */
  read(path: string): string;
}

/** Makes a bed; `close` ends it without asserting anything. */
async function makeBed(): Promise<Bed & { readonly end: () => Promise<readonly string[]> }> {
  const repository = makeRepository();
  const { base } = repository;
  const state = join(base, 'state');
  const temporary = join(base, 'temporary');
  mkdirSync(temporary);
  const hand = await Hand.open(base);
  const running = new Set<Running>();
  const environment = (more: ChooOptions['env'] = {}): Record<string, string> => {
    const all = { ...repository.env, XDG_STATE_HOME: state, TMPDIR: temporary, [MARKER]: base, ...more };
    return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
  };
  const start: Bed['start'] = (argv, o = {}) => {
    const one = new Running(argv, { cwd: o.cwd ?? repository.root, env: environment(o.env), ...(o.input === undefined ? {} : { input: o.input }), ...(o.through === undefined ? {} : { through: o.through }) });
    running.add(one);
    hand.over(undefined);
    void one.ended.then((ended) => {
      running.delete(one);
      if (running.size === 0) hand.over(new Error(`choo ${argv.join(' ')} ended ${ended.code}; it printed:\n${one.output}`));
    });
    return one;
  };
  const configure: Bed['configure'] = (config) => repository.write('.choo.yaml', configText(config));
  return {
    ...repository, hand, state, start, configure,
    specs: (units, config = {}) => {
      configure(config);
      return repository.commit(Object.fromEntries(specFiles(units)), 'specs');
    },
    choo: (argv, o) => start(argv, o).ended,
    quiet: async () => { while (leftProcesses(base).length > 0) await new Promise<void>((resolve) => { setImmediate(resolve); }); },
    read: (path) => readFileSync(join(repository.root, path), 'utf8'),
    end: async () => {
      hand.close();
      for (const one of running) one.signal('SIGKILL');
      await Promise.all([...running].map((one) => one.ended));
      const left = leftProcesses(base);
      for (const { pid } of left) endProcess(pid);
      await repository.close();
      return left.map(({ pid, command }) => `${pid} ${command}`);
    },
  };
}

/** The configuration as the text of a file; JSON is YAML. */
export function configText(config: BedConfig): string {
  const { agent = DOES_IT, ...more } = config;
  return JSON.stringify({ provider: { type: 'command', providers: { command: { command: agent } } }, ...more }, undefined, 2);
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It has ended by itself since it was listed.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Processes that bear the mark of this bed. */
function leftProcesses(base: string): { readonly pid: number; readonly command: string }[] {
  const mark = `${MARKER}=${base}`;
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    const of = (file: string): string[] => procText(`/proc/${pid}/${file}`).split('\0');
    return of('environ').includes(mark) ? [{ pid: Number(pid), command: of('cmdline').join(' ') }] : [];
  });
}

function procText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // The process has ended since, or is somebody else's.
    if (['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}

/** `it` with a bed: `it('…', async ({ bed }) => …)`. At its end no process of the test may be left. */
export const it = test.extend<{ readonly bed: Bed }>({
  bed: async ({ task }, use) => {
    const bed = await makeBed();
    let left: readonly string[] = [];
    try {
      await use(bed);
    } finally {
      left = await bed.end();
    }
    expect(left, `processes left by: ${task.name}`).toEqual([]);
  },
});
