// Promises about the repository: what landed is there, was proved, is nobody else's; and nothing that an agent made is lost.

import type { Event, EventOf } from '../../../src/core/event.ts';
import type { CheckRun, Machine } from '../machine.ts';
import { RUN, WORKTREES } from '../machine.ts';
import { isByHand } from '../reviewers.ts';
import { TARGET, TASKS_DIR } from '../scenario.ts';

const LANDING = `${WORKTREES}/landing`;
const RUN_REF = `refs/heads/choo/run/${RUN}`;

/** What holds at any moment, also right after a death. */
export function checkGround(m: Machine, events: readonly Event[]): void {
  const { repo } = m;
  // Somebody else threw a value of the target away; what landed went with it.
  const rewound = repo.moves.some(({ by, ref, from, to }) => by.who !== 'choo' && ref === TARGET && from !== undefined && (to === undefined || !repo.objects.isAncestor(from, to)));
  if (rewound && m.host === undefined) return;
  const tips = (m.host === undefined ? [TARGET, RUN_REF].map((ref) => repo.resolve(ref)) : [m.remote.tip]).filter((id) => id !== undefined);
  for (const e of events) {
    if (e.type === 'unit.merged' && !tips.some((tip) => repo.objects.isAncestor(e.commit, tip))) m.violate('landed-is-there', `${e.unit} landed by ${e.commit}, which no landing ref contains`);
  }
}

/** What holds at the very end of a seed. */
export function checkEnd(m: Machine, events: readonly Event[]): void {
  checkMoves(m, events);
  checkCommits(m, events);
  checkTasks(m, events);
  checkLaunches(m, events);
  checkTrespasses(m, events);
  checkNothingLost(m);
}

/** Every value that choo gave the target or its own landing ref: a continuation, proved on that very commit, with nobody else's changes. */
function checkMoves(m: Machine, events: readonly Event[]): void {
  const { repo } = m;
  for (const { by, ref, from, to } of repo.moves) {
    if (by.who !== 'choo' || (ref !== TARGET && ref !== RUN_REF)) continue;
    if (ref === TARGET && to === undefined) m.violate('forward-only', 'choo deleted the target');
    if (to === undefined) continue;
    // A landing beside the target that was cut before it was recorded is made anew, on what the target is by then.
    const known = ref === TARGET || events.some((e) => (e.type === 'batch.landed' || e.type === 'run.joined') && e.commit === from);
    if (from !== undefined && known && !repo.objects.isAncestor(from, to)) m.violate('forward-only', `choo moved ${ref} from ${from} to ${to}, which does not contain it`);
    const landing = events.findLast((e): e is EventOf<'batch.landing'> => e.type === 'batch.landing' && e.commit === to);
    const merges = landing === undefined ? [] : mergesOf(landing, events);
    const caughtUp = events.find((e) => e.type === 'run.remote-joined' && e.commit === to);
    if (landing === undefined && caughtUp !== undefined && unproved(m, { landing: caughtUp, events })) continue;
    const before = from ?? m.scenario.old;
    if (landing === undefined) checkProof(m, { to, before, events, commands: wholeProof(m, { to, events }) });
    else if (!unproved(m, { landing, events })) checkProof(m, { to, before, events, commands: proofOf(m, { landing, merges, events }) });
    for (const merge of merges) checkForeign(m, merge);
  }
}

/** The settings said that nothing is proved when this landed. */
export function unproved(m: Machine, o: { readonly landing: Event; readonly events: readonly Event[] }): boolean {
  const resumed = o.events.findLast((e): e is EventOf<'orch.resumed'> => e.type === 'orch.resumed' && e.seq < o.landing.seq);
  return (resumed?.settings ?? m.scenario.settings).land?.checks === 'never';
}

/** One unit's merge: what it was merged upon, and what that made. */
interface Merged { readonly unit: string; readonly onto: string; readonly commit: string; readonly seq: number }

/** How the units that landed together were merged, first to last. */
function mergesOf(landing: EventOf<'batch.landing'>, events: readonly Event[]): readonly Merged[] {
  const candidate = events.findLast((e): e is EventOf<'batch.candidate'> => e.type === 'batch.candidate' && e.batch === landing.batch && e.seq < landing.seq);
  return (candidate?.merges ?? [])
    .map(({ unit, commit }, i) => ({ unit, commit, onto: candidate?.merges[i - 1]?.commit ?? candidate?.onto ?? '', seq: candidate?.seq ?? 0 }))
    .filter(({ unit }) => landing.units.includes(unit));
}

/** The checks of what is done of the units when they were merged, those of units landed before that changed a file which they change, and the baseline. */
function proofOf(m: Machine, o: { readonly landing: EventOf<'batch.landing'>; readonly merges: readonly Merged[]; readonly events: readonly Event[] }): string[] {
  const { objects } = m.repo;
  const pathsOf = ({ onto, commit }: Merged): string[] => objects.changed(onto, commit).filter((path) => !path.startsWith(`${TASKS_DIR}/`));
  const mine = new Set(o.merges.flatMap(pathsOf));
  const before = o.events.flatMap((e) => (e.type === 'batch.landing' && e.seq < o.landing.seq ? mergesOf(e, o.events) : []));
  const landed = new Set(o.events.flatMap((e) => (e.type === 'unit.merged' && e.seq < o.landing.seq ? [e.unit] : [])));
  const touched = before.filter((merge) => landed.has(merge.unit) && pathsOf(merge).some((path) => mine.has(path)));
  const tasks = (units: readonly { readonly unit: string; readonly seq: number }[]): string[] => units.flatMap(({ unit, seq }) => o.events.flatMap((e) => (e.type === 'task.committed' && e.unit === unit && e.seq < seq ? [`check ${unit} ${e.task}`] : [])));
  const own = o.merges.flatMap(({ unit }) => m.scenario.units.find((u) => u.id === unit)?.checks ?? []);
  return [...tasks(o.merges), ...tasks(touched), ...own.map((c) => c.command), ...m.scenario.checks.map((c) => c.command)];
}

/** The checks of everything that had landed when target and landing ref were joined. */
function wholeProof(m: Machine, o: { readonly to: string; readonly events: readonly Event[] }): string[] {
  const joined = o.events.find((e) => (e.type === 'run.joined' || e.type === 'run.remote-joined') && e.commit === o.to)?.seq ?? 0;
  const landed = o.events.flatMap((e) => (e.type === 'unit.merged' && e.seq < joined ? [e.unit] : []));
  const tasks = o.events.flatMap((e) => (e.type === 'task.committed' && landed.includes(e.unit) ? [`check ${e.unit} ${e.task}`] : []));
  const own = landed.flatMap((unit) => m.scenario.units.find((u) => u.id === unit)?.checks.map((c) => c.command) ?? []);
  return [...tasks, ...own, ...m.scenario.checks.map((c) => c.command)];
}

/** That everything passed on a commit, in choo's own worktree. `before`: the commit that the ref was at, or what was broken at the very beginning. */
export function checkProof(m: Machine, o: { readonly to: string; readonly before: string | readonly string[]; readonly commands: readonly string[]; readonly events: readonly Event[] }): void {
  const { id } = m.repo.objects.get(o.to).tree;
  const still = (path: string): boolean => typeof o.before !== 'string' || m.repo.objects.find(o.before)?.tree.files.get(path)?.includes('broken') === true;
  // Only a check that every proof runs tells what was mended.
  const always = (command: string): boolean => m.scenario.checks.some((c) => c.command === command) && m.scenario.settings.land?.checks !== 'never';
  for (const command of new Set(o.commands)) {
    // A failure that was there before is one that fails in nothing else, as far as the check tells what fails.
    const named = [...m.scenario.checks, ...m.scenario.units.flatMap((u) => u.checks)].some((c) => c.command === command && c.recogniser !== undefined);
    const red = m.scenario.guard.base === 'record' && o.events.some((e) => e.type === 'trial.ok' && e.checks.some((c) => c.command === command && c.ending.code === 1 && c.unclear === undefined));
    const known = (run: CheckRun): boolean => red && run.code === 1 && (!named || (run.broken.length > 0 && run.broken.every((path) => m.scenario.old.includes(path) && (!always(command) || still(path)))));
    const proved = m.checkRuns.some((run) => run.command === command && run.cwd.startsWith(LANDING) && run.tree === id && run.steady && (run.passed || known(run)));
    if (!proved) m.violate('proved', `${o.to} landed, but \`${command}\` never passed on it in choo's own worktree`);
  }
}

/** A landing changes only what programs of its own unit wrote, and its own specs. */
function checkForeign(m: Machine, { unit, onto, commit }: Merged): void {
  const written = m.written.get(`${WORKTREES}/units/${unit}`) ?? new Set();
  const foreign = m.repo.objects.changed(onto, commit).filter((path) => !written.has(path) && !path.startsWith(`${TASKS_DIR}/${unit}/`));
  if (foreign.length > 0) m.violate('foreign-path', `the landing of ${unit} changes ${foreign.join(', ')}, which its agents did not`);
}

/** Exactly one commit by choo for each completed task of what landed, and one landing commit for each unit. */
function checkCommits(m: Machine, events: readonly Event[]): void {
  const { repo } = m;
  const tip = m.host === undefined ? repo.resolve(TARGET) : m.remote.tip;
  if (tip === undefined) return;
  const history = [...repo.objects.reachable([tip])].map((id) => repo.objects.get(id));
  const landed = events.filter((e): e is EventOf<'unit.merged'> => e.type === 'unit.merged');
  const on = landed.filter((e) => repo.objects.isAncestor(e.commit, tip));
  for (const c of history) {
    const forged = /#forged/.test(c.message);
    if (forged) m.violate('forged', `${c.id} with forged trailers is in the target`);
  }
  for (const e of on) {
    const merges = history.filter((c) => c.message.includes(`Choo-Landed: ${e.unit}\n`)).length;
    if (merges > 1) m.violate('merged-once', `the target has ${merges} landing commits of ${e.unit}`);
    // What people rewrote, and what they merged as they liked, is as they left it.
    if (m.rewritten.has(e.unit) || m.host?.hosting.squash === true || isByHand(m, e.unit)) continue;
    for (const task of m.scenario.units.find((u) => u.id === e.unit)?.tasks ?? []) {
      const feats = history.filter((c) => c.message.includes(`Choo-Unit: ${e.unit}\nChoo-Task: ${task.number}\n`)).length;
      if (feats !== 1) m.violate('one-commit-a-task', `the target has ${feats} commits for task ${task.number} of ${e.unit}`);
      const text = repo.objects.get(tip).tree.files.get(task.path);
      if (text !== `---\nstatus: complete\n---\n# ${task.title}\n`) m.violate('specs', `${task.path} in the target is ${JSON.stringify(text)}`);
    }
  }
  for (const unit of m.scenario.units) {
    const there = history.some((c) => c.message.includes(`Choo-Landed: ${unit.id}\n`));
    if (there && !landed.some((e) => e.unit === unit.id)) m.violate('landed-is-known', `${unit.id} is in the target, but the journal does not say so`);
  }
}

/** The commit of a task is the tree its check passed on. */
function checkTasks(m: Machine, events: readonly Event[]): void {
  for (const e of events) {
    if (e.type !== 'task.committed') continue;
    const { tree, parents } = m.repo.objects.get(e.commit);
    const cwd = `${WORKTREES}/units/${e.unit}`;
    const proved = m.checkRuns.some((run) => run.command === `check ${e.unit} ${e.task}` && run.cwd === cwd && run.tree === tree.id && run.passed && run.head === parents[0]);
    if (!proved) m.violate('checked-is-committed', `task ${e.task} of ${e.unit} was committed as a tree that its check did not pass on`);
  }
}

/** No agent begins before the work it depends on is under it. */
function checkLaunches(m: Machine, events: readonly Event[]): void {
  for (const launch of m.launches) {
    // Somebody took the worktree away in that very moment: nothing could begin in it.
    if (launch.head === '') continue;
    const unit = m.scenario.units.find((u) => u.id === launch.unit);
    for (const dependency of unit?.dependsOn ?? []) {
      const landed = events.find((e) => e.type === 'unit.merged' && e.unit === dependency);
      const under = landed !== undefined && 'commit' in landed && m.repo.objects.find(launch.head) !== undefined && m.repo.objects.isAncestor(landed.commit, launch.head);
      if (!under) m.violate('dependencies', `the agent of ${launch.unit} began without ${dependency} under it`);
    }
  }
}

/** An attempt in which an agent changed something outside its worktree is no success. */
function checkTrespasses(m: Machine, events: readonly Event[]): void {
  for (const e of events) {
    const attempt = e.type === 'task.attempted' ? `${e.unit} ${e.task} ${e.attempt}` : e.type === 'rework.attempted' ? `${e.unit} ${e.reason} ${e.attempt}` : undefined;
    if (attempt !== undefined && m.trespasses.has(attempt)) m.violate('fence', `the attempt ${attempt} changed something outside and counts as done`);
  }
}

/** What an agent left when its attempt ended is reachable, in a worktree, or superseded. */
function checkNothingLost(m: Machine): void {
  const { repo } = m;
  const found = new Set<string>();
  // What somebody else threw away is not choo's loss.
  const thrown = [...repo.moves.flatMap(({ by, from }) => (by.who === 'choo' || from === undefined ? [] : [from])), ...m.remote.moves.flatMap(({ by, from }) => (by === 'other' && from !== undefined ? [from] : []))];
  // What was squashed is in the target as far as it was still there.
  const squashed = m.host?.pulls.flatMap(({ merged }) => merged?.head ?? []) ?? [];
  for (const id of repo.objects.reachable([...repo.refs.values(), ...m.remote.branches.values(), ...thrown, ...squashed])) for (const text of repo.objects.get(id).tree.files.values()) found.add(text);
  for (const checkout of repo.checkouts()) for (const text of checkout.files.values()) found.add(text);
  for (const [text, where] of m.left) if (!found.has(text) && !m.superseded.has(text)) m.violate('nothing-lost', `${text} at ${where} is nowhere any more`);
}
