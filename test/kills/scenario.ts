// A random repository of specs, and what its owner does with the checkout meanwhile. Starts nothing of choo's.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeRepository, type TestRepository } from '../rig/repo.ts';
import { specFiles, type Specs } from '../rig/specs.ts';
import type { Chance } from './random.ts';

/** Where the target is checked out, and what stands there. */
const CHECKOUTS = ['clean', 'changes', 'in-the-way', 'elsewhere', 'linked'] as const;
const NAMES = ['a', 'b', 'constructor', 'd.e', 'größe', 'x-1', 'toString', 'z'];
/** Names of variables that tell agents and choo where they are; inherited by every process of the scenario. */
export const MARK = 'KILLS_LOG';

/** One repository with everything around it. */
export interface Scenario {
  readonly repository: TestRepository;
  readonly env: Readonly<Record<string, string>>;
  readonly units: Specs;
  readonly checkout: (typeof CHECKOUTS)[number];
  /** The worktree that has the target checked out, if any. */
  readonly targetRoot: string | undefined;
  /** A person commits to the target between sessions. */
  readonly moving: boolean;
  /** Worktrees come out of a pool. */
  readonly pooled: boolean;
  /** The commit the target began with. */
  readonly base: string;
  readonly log: string;
  readonly state: string;
  /** A unit that cannot succeed before `letGo`. */
  readonly waiting: string | undefined;
  /** Local changes as `git status` and the files themselves tell, by worktree. */
  readonly before: string;
  describe(): string;
}

/** Makes it in a temporary folder; `scenario.repository.close` removes everything. */
export function makeScenario(chance: Chance, agent: string): Scenario {
  const repository = makeRepository();
  const { base: folder } = repository;
  const log = join(folder, 'log');
  const plan = join(folder, 'plan');
  for (const name of [log, plan, join(folder, 'temporary')]) mkdirSync(name);
  const checkout = chance.pick(CHECKOUTS);
  const ids = NAMES.slice(0, chance.whole(3, NAMES.length));
  const waiting = chance.maybe(0.3) ? chance.pick(ids) : undefined;
  const units = randomUnits({ chance, ids, plan, waiting });
  const pooled = chance.maybe(0.7);
  const config = randomConfig(chance, { agent, pooled });
  repository.write('shared/s1.txt', 'top\n');
  repository.write('shared/s2.txt', 'top\n');
  repository.write('mine.txt', 'as committed\n');
  repository.write('format.sh', FORMAT);
  const base = repository.commit({ ...Object.fromEntries(specFiles(units)), '.choo.yaml': JSON.stringify(config) }, 'specs');
  const targetRoot = prepareCheckout(repository, { checkout, first: ids[0] ?? '' });
  const env = {
    ...Object.fromEntries(Object.entries(repository.env).filter((e): e is [string, string] => e[1] !== undefined)),
    XDG_STATE_HOME: join(folder, 'state'), TMPDIR: join(folder, 'temporary'), [MARK]: log, KILLS_PLAN: plan,
  };
  const made = { repository, env, units, checkout, targetRoot, moving: chance.maybe(0.3), pooled, base, log, state: join(folder, 'state'), waiting };
  return {
    ...made, before: localChanges(made),
    describe: () => `${ids.length} units, ${checkout}${made.moving ? ', target moving' : ''}${waiting === undefined ? '' : ', one waits'}, ${JSON.stringify(config)}`,
  };
}

/** Adds a line to what lacks it: a formatter as a check. */
const FORMAT = 'ls out/*.txt >/dev/null 2>&1 || exit 0\ngrep -Lx formatted out/*.txt | while read -r file; do echo formatted >> "$file"; done\n';

function randomUnits(o: { readonly chance: Chance; readonly ids: readonly string[]; readonly plan: string; readonly waiting: string | undefined }): Specs {
  const { chance } = o;
  return Object.fromEntries(o.ids.map((id, i) => {
    const tasks = Array.from({ length: chance.whole(1, 3) }, (_, n) => {
      const shared = chance.maybe(0.35) ? chance.pick(['s1', 's2']) : '';
      const settings = {
        kind: chance.pick(['plain', 'plain', 'plain', 'commits', 'leaves']), first: chance.whole(0, 50) / 1000, second: chance.whole(0, 50) / 1000,
        shared, fails: chance.maybe(0.15) ? 1 : '', waits: id === o.waiting && n === 0 ? 1 : '',
      };
      writeFileSync(join(o.plan, `${id}-${n + 1}`), Object.entries(settings).map(([name, value]) => `${name}='${value}'\n`).join(''));
      const me = `${id}/${n + 1}`;
      return { check: `grep -qxF '${me}' 'out/${id}-${n + 1}.txt'${shared === '' ? '' : ` && grep -qxF '${me}' shared/${shared}.txt`}` };
    });
    return [id, { tasks, dependsOn: o.ids.slice(0, i).filter(() => chance.maybe(0.2)) }];
  }));
}

function randomConfig(chance: Chance, { agent, pooled }: { readonly agent: string; readonly pooled: boolean }): Readonly<Record<string, unknown>> {
  return {
    provider: { type: 'command', providers: { command: { command: `exec sh '${agent}'` } } },
    parallelism: chance.whole(2, 4), target_branch: 'main',
    // Many units that edit the same files: each may be sent back as often as the others land.
    merge: { max_conflict_retries: 50 },
    limits: { cuts: 1000, shutdown: '2s', free_disk: '1MiB' },
    process: { contain: chance.pick(['auto', 'group']) },
    worktree: {
      // So few files would not be worth a pool by themselves.
      pool: pooled ? 'always' : 'auto',
      ...(chance.maybe(0.3) ? { setup: [{ command: 'echo made > made-by-setup.txt' }] } : {}),
    },
    ...(chance.maybe(0.3) ? { baseline_checks: [{ name: 'format', command: 'sh format.sh' }] } : {}),
  };
}

/** Brings the checkouts into their state; gives the worktree that has the target. */
function prepareCheckout(repository: TestRepository, o: { readonly checkout: Scenario['checkout']; readonly first: string }): string | undefined {
  const { root, base, git, write } = repository;
  if (o.checkout === 'elsewhere' || o.checkout === 'linked') {
    git('switch', '-q', '-c', 'mine');
    if (o.checkout === 'elsewhere') return undefined;
    git('worktree', 'add', '-q', join(base, 'linked'), 'main');
    return join(base, 'linked');
  }
  if (o.checkout === 'clean') return root;
  write('notes.txt', 'not for git\n');
  write('mine.txt', 'changed and not committed\n');
  write('staged.txt', 'staged and not committed\n');
  git('add', 'staged.txt');
  if (o.checkout === 'in-the-way') write(`out/${o.first}-1.txt`, 'in the way\n');
  return root;
}

/** What a person would miss if it were gone, of every checkout that is theirs: status, and the content of what is not committed. */
export function localChanges(o: Pick<Scenario, 'repository' | 'targetRoot'>): string {
  const { git, root } = o.repository;
  return [...new Set([root, o.targetRoot ?? root])].map((folder) => {
    const status = git('-C', folder, 'status', '--porcelain', '--untracked-files=all');
    const files = status.split('\n').map((line) => line.slice(3)).filter((path) => path !== '' && existsSync(join(folder, path)));
    return [status, ...files.map((path) => `${path}: ${readFileSync(join(folder, path), 'utf8')}`)].join('\n');
  }).join('\n--\n');
}

/** The person takes away what stands in the target's way. Gives false when nothing did. */
export function clearTheWay(scenario: Scenario): boolean {
  const path = join(scenario.repository.root, 'out');
  if (scenario.checkout !== 'in-the-way' || !existsSync(join(path, `${Object.keys(scenario.units)[0]}-1.txt`))) return false;
  const untracked = scenario.repository.git('ls-files', '-o', '--', 'out').split('\n').filter((name) => name !== '');
  for (const name of untracked) rmSync(join(scenario.repository.root, name));
  return untracked.length > 0;
}

/** Lets the unit that waits succeed from now on. */
export function letGo(scenario: Scenario): void {
  writeFileSync(join(scenario.log, 'go'), '');
}

/** A person commits to the target; gives the commit, or undefined when git would not have it now. */
export function commitByHand(scenario: Scenario, name: string): string | undefined {
  const { git, tryGit, write } = scenario.repository;
  const root = scenario.targetRoot;
  const path = `by-hand/${name}.txt`;
  if (root === undefined) {
    const at = git('rev-parse', 'main');
    const commit = git('commit-tree', `${at}^{tree}`, '-p', at, '-m', `by hand: ${name}`);
    git('update-ref', 'refs/heads/main', commit, at);
    return commit;
  }
  write(path, `${name}\n`, root);
  const added = tryGit('-C', root, 'add', '--', path) === 0;
  if (added && tryGit('-C', root, 'commit', '-q', '-m', `by hand: ${name}`, '--', path) === 0) return git('-C', root, 'rev-parse', 'HEAD');
  if (added) tryGit('-C', root, 'rm', '-q', '--cached', '--', path);
  rmSync(join(root, path), { force: true });
  return undefined;
}
