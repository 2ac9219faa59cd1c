// What must hold after kills: in the middle of a run, and at its end. Each check gives sentences about what does not.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { journals, proved, provedTogether, standing } from './journal.ts';
import { localChanges, type Scenario } from './scenario.ts';
import { commandOf, marked } from './session.ts';

/** After every kill: the target is at a commit that was proved, at the one it began with, or at a person's. */
export function duringProblems(scenario: Scenario, byHand: ReadonlySet<string>): string[] {
  const at = scenario.repository.git('rev-parse', 'refs/heads/main');
  const good = new Set([scenario.base, ...byHand, ...journals(scenario.repository.root).flatMap((lines) => [...proved(lines)])]);
  return good.has(at) ? [] : [`the target is at ${at}, which nothing proved`];
}

/** At the end, with every unit landed. `status`: what `choo status --json` printed. */
export function endProblems(scenario: Scenario, o: { readonly byHand: ReadonlySet<string>; readonly status: string; readonly trees: number }): string[] {
  return [
    ...historyProblems(scenario), ...valueProblems(scenario, o.byHand), ...contentProblems(scenario), ...repositoryProblems(scenario),
    ...leftProblems(scenario, o.trees), ...agentProblems(scenario), ...statusProblems(scenario, o.status), ...processProblems(scenario),
  ];
}

/** Nothing that choo or its agents started is alive. */
export function processProblems(scenario: Scenario): string[] {
  return marked(scenario.log).map((pid) => `process ${pid} is left: ${commandOf(pid)}`);
}

function tasksOf(scenario: Scenario): readonly { readonly id: string; readonly tasks: number }[] {
  return Object.entries(scenario.units).map(([id, unit]) => ({ id, tasks: Array.isArray(unit.tasks) ? unit.tasks.length : 1 }));
}

/** Every task one commit by its trailers, every unit merged once, in git and in the journal. */
function historyProblems(scenario: Scenario): string[] {
  const trailer = (key: string): string => `%(trailers:key=${key},valueonly,separator=%x20)`;
  const log = scenario.repository.git('log', `--format=${['%H', trailer('Choo-Unit'), trailer('Choo-Task'), trailer('Choo-Landed')].join('%x1f')}`, 'main');
  const commits = log.split('\n').map((line) => line.split('\u001F'));
  const merges = journals(scenario.repository.root).flat().filter((line) => line.type === 'unit.merged');
  return tasksOf(scenario).flatMap(({ id, tasks }) => [
    ...once(`commit that lands ${id}`, commits.filter((c) => c[3] === id).length),
    ...once(`unit.merged of ${id}`, merges.filter((line) => line.unit === id).length),
    ...Array.from({ length: tasks }, (_, i) => once(`commit of ${id}/${i + 1}`, commits.filter((c) => c[1] === id && c[2] === String(i + 1)).length)).flat(),
  ]);
}

function once(what: string, count: number): string[] {
  return count === 1 ? [] : [`${count} times: ${what}`];
}

/** Every value that the target took was proved as exactly that commit, and every landing in it as that or in a batch. */
function valueProblems(scenario: Scenario, byHand: ReadonlySet<string>): string[] {
  const { git, root } = scenario.repository;
  const good = new Set([scenario.base, ...byHand, ...journals(root).flatMap((lines) => [...proved(lines)])]);
  const together = new Set(journals(root).flatMap((lines) => [...provedTogether(lines)]));
  // Where several landings arrived at once, commits between them that only bring in the target were never its value.
  const landings = git('rev-list', '--first-parent', '--grep=^Choo-Landed: ', `${scenario.base}..main`).split('\n').filter((id) => id !== '');
  // A line a move: old value, new value, who, why.
  const reflog = join(root, '.git', 'logs', 'refs', 'heads', 'main');
  const moves = readFileSync(reflog, 'utf8').split('\n').filter((line) => line !== '').map((line) => line.split(' ')[1] ?? '');
  const since = moves.slice(moves.indexOf(scenario.base));
  return [
    ...landings.filter((id) => !good.has(id) && !together.has(id)).map((id) => `${id} landed and was not proved`),
    ...since.filter((id) => !good.has(id)).map((id) => `the target was at ${id}, which was not proved`),
  ];
}

/** The files say so too, whatever trailers say: each task's file made once and right, its status completed once, shared lines there once. */
function contentProblems(scenario: Scenario): string[] {
  const { git } = scenario.repository;
  const shared = ['s1', 's2'].flatMap((name) => git('show', `main:shared/${name}.txt`).split('\n'));
  const doubles = shared.filter((line, i) => shared.indexOf(line) !== i && line !== 'top');
  const strange = shared.filter((line) => line !== 'top' && line !== '' && !/^[^ ]+\/\d$/.test(line));
  return [
    ...doubles.map((line) => `twice in a shared file: ${line}`), ...strange.map((line) => `in a shared file: ${line}`),
    ...tasksOf(scenario).flatMap(({ id, tasks }) => Array.from({ length: tasks }, (_, i) => taskProblems(scenario, { id, number: i + 1 })).flat()),
  ];
}

function taskProblems(scenario: Scenario, o: { readonly id: string; readonly number: number }): string[] {
  const { git, tryGit } = scenario.repository;
  const out = `out/${o.id}-${o.number}.txt`;
  const spec = `specs/tasks/${o.id}/0${o.number}-part.md`;
  const plan = readFileSync(join(scenario.repository.base, 'plan', `${o.id}-${o.number}`), 'utf8');
  const shared = /shared='(.+)'/.exec(plan)?.[1];
  const count = (...args: readonly string[]): number => git('log', '--no-merges', '--format=%H', ...args).split('\n').filter((id) => id !== '').length;
  if (tryGit('cat-file', '-e', `main:${out}`) !== 0) return [`${out} is not in the target`];
  return [
    ...once(`making of ${out}`, count('--diff-filter=A', 'main', '--', out)),
    ...once(`change of ${spec}`, count(`${scenario.base}..main`, '--', spec)),
    ...(git('show', `main:${out}`).split('\n')[0] === `${o.id}/${o.number}` ? [] : [`${out} is wrong`]),
    ...(/^status: complete$/m.test(git('show', `main:${spec}`)) ? [] : [`${spec} is not complete`]),
    ...(shared === undefined || git('show', `main:shared/${shared}.txt`).split('\n').includes(`${o.id}/${o.number}`) ? [] : [`${o.id}/${o.number} is missing in shared/${shared}.txt`]),
  ];
}

/** git finds nothing wrong, and the person's checkouts are as they were, on the newest commit. */
function repositoryProblems(scenario: Scenario): string[] {
  const fsck = scenario.repository.git('fsck', '--full', '--strict').split('\n').filter((line) => line !== '' && !line.startsWith('dangling '));
  const now = localChanges(scenario);
  const same = scenario.checkout === 'in-the-way' ? !now.includes('shared') : now === scenario.before;
  return [...fsck.map((line) => `fsck: ${line}`), ...(same ? [] : [`the checkout was\n${scenario.before}\nand is\n${now}`])];
}

/** No lock, worktree, branch or folder is left that the contract does not name. */
function leftProblems(scenario: Scenario, trees: number): string[] {
  const { git, root, base } = scenario.repository;
  const files = readdirSync(join(root, '.git'), { recursive: true, encoding: 'utf8' });
  const refs = git('for-each-ref', '--format=%(refname)').split('\n').filter((ref) => !/^refs\/(heads\/(main|mine)|choo\/(fence|kept\/.*))$/.test(ref));
  const worktrees = git('worktree', 'list', '--porcelain').split('\n').filter((line) => line.startsWith('worktree ')).map((line) => line.slice('worktree '.length));
  const states = existsSync(scenario.state) ? readdirSync(scenario.state, { recursive: true, encoding: 'utf8' }) : [];
  return [
    ...files.filter((name) => /\.lock$|(^|\/)choo\/lock/.test(name)).map((name) => `a lock is left: .git/${name}`),
    ...refs.map((ref) => `a ref is left: ${ref}`),
    ...worktrees.filter((path) => path !== root && path !== join(base, 'linked')).map((path) => `a worktree is registered: ${path}`),
    ...states.filter((name) => /\/(units|landing|prompts)(\/|$)|removed-/.test(name)).map((name) => `left in the folder of worktrees: ${name}`),
    // What dies with everything it had started can leave files in the system's temporary folder, which the system empties; so can a
    // commit that was just being written.
    ...(trees > 0 ? [] : readdirSync(join(base, 'temporary'))).filter((name) => !/^choo-(commit|object)-/.test(name)).map((name) => `a temporary file is left: ${name}`),
  ];
}

/** No attempt was started twice, and no two agents worked on a unit at once. */
function agentProblems(scenario: Scenario): string[] {
  const starts = linesOf(join(scenario.log, 'attempts'));
  return [...starts.filter((line, i) => starts.indexOf(line) !== i).map((line) => `started twice (run unit task attempt): ${line}`), ...linesOf(join(scenario.log, 'violations'))];
}

function linesOf(path: string): readonly string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter((line) => line !== '') : [];
}

/** What the journal says, folded here, is what `choo status` says. */
function statusProblems(scenario: Scenario, printed: string): string[] {
  const { units } = JSON.parse(printed) as { readonly units: readonly { readonly id: string; readonly state: string; readonly tasks: readonly { readonly number: number; readonly state: string }[] }[] };
  const told = units.flatMap((unit) => [
    `${unit.id} ${unit.state === 'landed' ? 'landed' : 'not landed'}`,
    ...unit.tasks.map((task) => `${unit.id}/${task.number} ${task.state === 'complete' ? 'done' : 'not done'}`),
  ]).toSorted();
  const folded = standing(journals(scenario.repository.root).at(-1) ?? [], tasksOf(scenario));
  return told.join('\n') === folded.join('\n') ? [] : [`status says\n${told.join('\n')}\nthe journal says\n${folded.join('\n')}`];
}
