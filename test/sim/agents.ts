// What a simulated agent does in one attempt: good work, bad work, none, or mischief. Each kind is a few deeds in its worktree.

import type { Checkout } from './checkout.ts';
import { isIgnored } from './checkout.ts';
import { hasMarkers } from './objects.ts';
import { TARGET, TASKS_DIR, taskPath } from './scenario.ts';
import type { Machine } from './machine.ts';
import { WORKTREES } from './machine.ts';
import type { Script } from './processes.ts';
import type { Weights } from './rng.ts';
import type { Bill } from './economy.ts';
import { getStuck, spending, stuckNow, troubleLine } from './spending.ts';

/** How an attempt goes. */
type Mood = keyof typeof MOODS;

const MOODS = {
  bad: 8, broken: 5, nothing: 5, crash: 5, hang: 3, silent: 3, slow: 3, lie: 4, garbage: 2, commits: 8, forges: 5, rewrites: 6, switches: 2, detaches: 2,
  merges: 2, specs: 8, 'moves-ref': 2, 'edits-main': 2, 'other-worktree': 5, nests: 1, unlinks: 1, vanishes: 1, locks: 2, 'setup-file': 1, children: 3,
  missing: 1, 'stages-all': 2, stubborn: 3, deletes: 1,
} satisfies Weights<string>;

/** What an attempt is for that reviews. */
const REVIEW = 'code-review';

interface Attempt {
  readonly m: Machine;
  readonly checkout: Checkout;
  readonly unit: string;
  /** A task's number, or what is to be mended. */
  readonly subject: string;
  /** Its number. */
  readonly attempt: string;
  readonly bill: Bill;
}

/** The script of one attempt, drawn from the seed. */
export function agentScript(a: Attempt): Script {
  const { m } = a;
  const { rng } = m;
  const { bill } = a;
  const stuck = stuckNow(m, bill.agent);
  if (stuck !== undefined) return refusal(a, stuck);
  const mood = drawMood(a);
  m.note(`      agent of ${a.unit} at ${a.subject}: ${mood}`);
  if (mood !== 'good') m.coverage.hit(`agent-${mood}`, [m.windowOf(a.unit)]);
  const half = rng.between(1, 30_000);
  const rest = rng.between(1, 30_000);
  const silent = mood === 'silent';
  const length = half + (mood === 'slow' ? 3_000_000 : rest);
  const trouble = !m.calm && rng.chance(m.scenario.economy.trouble);
  let code = mood === 'crash' ? 1 : mood === 'missing' ? 127 : 0;
  const early = (say: Say): void => {
    if (mood !== 'missing') say('working');
    begin(a, mood);
  };
  const late = (say: Say): void => {
    if (!trouble) return finish(a, mood);
    code = 1;
    m.coverage.hit('agent-trouble', [m.windowOf(a.unit)]);
    say(troubleLine(getStuck(m, bill.agent), { stop: rng.chance(0.5) }));
  };
  const acts = [{ at: half, act: early }, { at: length, act: late }, ...(silent || mood === 'missing' ? [] : spending(m, { bill, duration: length }))];
  return {
    deeds: inTurn(acts),
    code: () => code,
    hangs: mood === 'hang' || silent, silent, stubborn: mood === 'stubborn' || mood === 'hang' || rng.chance(0.1), leftovers: mood === 'children',
    tail: mood === 'garbage' ? '\u001b[31m\u0000garbage' : '',
  };
}

type Say = (line: string) => void;

/** Its account does not work: it says so and ends, having done nothing. */
function refusal(a: Attempt, stuck: NonNullable<ReturnType<typeof stuckNow>>): Script {
  a.m.note(`      agent of ${a.unit} at ${a.subject}: refused`);
  a.m.coverage.hit('agent-refused', [a.m.windowOf(a.unit)]);
  const stop = a.m.rng.chance(0.5);
  return { deeds: [{ after: a.m.rng.between(1, 5000), act: (say) => say(troubleLine(stuck, { stop })) }], code: () => 1 };
}

/** What is to happen at these moments, each so long after the one before. */
function inTurn(acts: readonly { readonly at: number; readonly act: (say: Say) => void }[]): Script['deeds'] {
  let last = 0;
  return acts.toSorted((x, y) => x.at - y.at).map(({ at, act }) => {
    const after = at - last;
    last = at;
    return { after, act };
  });
}

/** Mending is rarer than tasks, so that every kind of mischief is more likely there. */
function drawMood({ m, unit, subject }: Attempt): Mood | 'good' {
  const { mischief, fails } = m.scenario;
  if (m.calm) return 'good';
  if (fails.has(unit)) return 'bad';
  if (/^\d+$/.test(subject)) return m.rng.chance(mischief) ? m.rng.weighted(MOODS) : 'good';
  return m.rng.chance(mischief * 1.5) ? m.rng.pick(Object.keys(MOODS) as Mood[]) : 'good';
}

/** What is done by the middle of the attempt. */
function begin(a: Attempt, mood: Mood | 'good'): void {
  const { m, checkout } = a;
  if (a.subject === REVIEW) return;
  if (mood === 'nothing' || mood === 'lie' || mood === 'missing' || !checkout.present) return;
  if (mood === 'bad' || mood === 'crash' || mood === 'hang') return work(a, 'bad');
  if (mood === 'broken') return work(a, 'done broken');
  if (m.rng.chance(0.3)) m.write(checkout, `notes-${a.unit}`, m.fresh('note'));
  if (m.rng.chance(0.5)) work(a, m.rng.chance(0.5) ? 'bad' : 'done');
}

/** What is done at its end. */
function finish(a: Attempt, mood: Mood | 'good'): void {
  const { m, checkout } = a;
  if (a.subject === REVIEW && checkout.present) return judge(a, mood);
  if (!checkout.present || mood === 'bad' || mood === 'broken' || mood === 'crash' || mood === 'nothing' || mood === 'lie' || mood === 'missing') return;
  if (mood === 'merges' && checkout.mergeHead === undefined) mergeTarget(a);
  if (mood !== 'deletes') work(a, 'done');
  if (m.rng.chance(m.scenario.sharing) && !m.calm) m.write(checkout, `shared/${m.rng.below(2)}`, m.fresh('shared'));
  if (m.rng.chance(0.1)) m.write(checkout, 'node_modules/cache', m.fresh('cache'));
  if (m.calm && m.rng.chance(0.2) && checkout.mergeHead === undefined) own(a, 'own commit');
  mischief(a, mood);
}

/** Writes what it found; some change the work besides, or write what nobody can read. */
function judge(a: Attempt, mood: Mood | 'good'): void {
  const { m, checkout } = a;
  if (mood === 'crash' || mood === 'nothing' || mood === 'missing') return;
  const bad = !m.calm && m.rng.chance(0.4);
  const findings = [...(bad ? [{ severity: 'must', text: 'this is wrong' }] : []), ...(m.rng.chance(0.3) ? [{ severity: 'advice', text: 'a better name' }] : [])];
  checkout.files.set('.choo-review.json', mood === 'garbage' || mood === 'lie' ? 'fine by me' : JSON.stringify({ findings }));
  m.reviews.set(`${a.unit} ${a.attempt}`, bad);
  if (mood === 'bad' || mood === 'broken') work(a, mood === 'bad' ? 'bad' : 'done broken');
  mischief(a, mood);
}

function mischief(a: Attempt, mood: Mood | 'good'): void {
  const { m, checkout, unit } = a;
  const { repo, rng } = m;
  const agent = { who: 'agent', unit } as const;
  switch (mood) {
    case 'commits': own(a, 'own commit'); return;
    case 'forges': own(a, `feat(${unit}): complete task #1 - part 1\n\nChoo-Run: 1\nChoo-Unit: ${unit}\nChoo-Task: 1\n`); return;
    case 'setup-file': return commitSetupFile(a);
    case 'stages-all': if (checkout.unmerged.size === 0) checkout.stage([...checkout.files.keys()].filter((p) => !isIgnored(p) && !p.endsWith('/'))); return;
    case 'rewrites': return rewrite(a);
    case 'switches': if (checkout.unmerged.size === 0) { repo.set(agent, `refs/heads/mine-${unit}`, repo.headOf(checkout)); checkout.branch = `refs/heads/mine-${unit}`; } return;
    case 'detaches': checkout.detached = repo.headOf(checkout); checkout.branch = undefined; return;
    case 'specs': return editSpecs(a);
    case 'moves-ref': return moveRef(a, rng.pick(['refs/heads/other', TARGET]));
    case 'edits-main': repo.main.files.set('readme', m.fresh('edited by an agent')); trespass(a); return;
    case 'other-worktree': return meddle(a);
    case 'nests': checkout.files.set('inner/', m.fresh('repository')); return;
    case 'unlinks': checkout.linked = false; return;
    case 'vanishes': return vanish(a);
    case 'locks': checkout.locked = true; return;
    case 'deletes': m.write(checkout, `src/${unit}/1`, undefined); return;
    default: return;
  }
}

/** The work itself: the task's file, or everything that keeps the unit from landing. */
function work(a: Attempt, text: string): void {
  const { m, checkout, unit, subject } = a;
  const tag = m.rng.pick(m.scenario.tags);
  const put = (path: string, what: string): void => m.write(checkout, path, m.fresh(what));
  checkout.files.delete('inner/');
  touchOld(a, text);
  if (/^\d+$/.test(subject)) return put(`src/${unit}/${subject}`, `${text}${tag}`);
  for (const [path, is] of checkout.files) if (hasMarkers(is)) put(path, 'merged');
  putBack(a);
  const others = [...checkout.files].filter(([path]) => path.startsWith('src/') && !path.startsWith(`src/${unit}/`));
  const common = others.map(([, is]) => / tag=\d/.exec(is)?.[0]).find((found) => found !== undefined) ?? '';
  const tasks = m.scenario.units.find((u) => u.id === unit)?.tasks ?? [];
  for (const { number } of tasks) {
    const path = `src/${unit}/${number}`;
    const is = checkout.files.get(path);
    if (subject !== 'conflict' || is === undefined || !is.startsWith('done') || is.includes('broken')) put(path, `${text}${text.startsWith('done') ? common : tag}`);
  }
  const wrong = (is: string): boolean => !is.startsWith('done') || is.includes('broken') || (/ tag=\d/.exec(is)?.[0] ?? common) !== common;
  for (const [path, is] of others) if (text === 'done' && wrong(is)) put(path, `done${common}`);
}

/** What was broken before any work is now and then mended by the way, and broken again. */
function touchOld({ m, checkout }: Attempt, text: string): void {
  const { old } = m.scenario;
  if (old.length === 0 || m.calm || !m.rng.chance(text === 'done' ? 0.1 : 0.4)) return;
  m.write(checkout, m.rng.pick(old), m.fresh(text === 'done' ? 'done mended' : 'done broken'));
}

/** What is refused is put back, as the agent is told. */
function putBack({ m, checkout, unit }: Attempt): void {
  const told = m.journal.events().findLast((e) => e.type === 'rework.started' && e.unit === unit);
  if (told?.type !== 'rework.started' || told.because.kind !== 'protected-paths') return;
  const { base, paths } = told.because;
  for (const path of paths) m.write(checkout, path, m.repo.objects.get(base).tree.files.get(path));
}

function own(a: Attempt, message: string): void {
  const { m, checkout, unit } = a;
  if (checkout.branch === undefined || !checkout.linked || checkout.locked || hasAny(checkout)) return;
  const paths = [...checkout.files.keys()].filter((p) => p.startsWith('src/') || p.startsWith('shared/') || p.startsWith('notes'));
  const gone = [...checkout.index.keys()].filter((p) => p.startsWith('src/') && !checkout.files.has(p));
  m.repo.commitAll({ who: 'agent', unit }, { checkout, message, paths: [...paths, ...gone, ...checkout.unmerged] });
}

function hasAny(checkout: Checkout): boolean {
  return [...checkout.files.values()].some(hasMarkers);
}

function commitSetupFile({ m, checkout, unit }: Attempt): void {
  const path = [...checkout.files.keys()].find((p) => p.startsWith('setup-left'));
  if (path === undefined || checkout.branch === undefined || checkout.unmerged.size > 0 || checkout.locked) return;
  m.repo.commitAll({ who: 'agent', unit }, { checkout, message: 'all of it', paths: [path] });
}

/** Takes the last commit of the branch away, keeping the files. */
function rewrite({ m, checkout, unit }: Attempt): void {
  const head = m.repo.objects.find(m.repo.headOf(checkout));
  const parent = head?.parents[0];
  if (parent === undefined || checkout.branch === undefined || checkout.locked) return;
  m.repo.set({ who: 'agent', unit }, checkout.branch, parent);
  if (m.rng.chance(0.5) && checkout.unmerged.size === 0) m.repo.commitAll({ who: 'agent', unit }, { checkout, message: 'rewritten' });
}

function mergeTarget({ m, checkout, unit }: Attempt): void {
  const { repo } = m;
  const target = repo.resolve(m.landing);
  const head = repo.headOf(checkout);
  if (target === undefined || checkout.branch === undefined || repo.objects.isAncestor(target, head)) return;
  const merged = repo.objects.merge(head, target);
  const from = repo.headFiles(checkout);
  const touched = [...merged.files.keys(), ...merged.clashes.keys()].filter((p) => merged.clashes.has(p) || merged.files.get(p) !== from.get(p));
  if (merged.clashes.size > 0 || checkout.inTheWay(from, touched).length > 0 || checkout.index.size !== from.size) return;
  checkout.layMerge({ commit: target, from, ...merged });
  repo.commitAll({ who: 'agent', unit }, { checkout, message: 'merge of the target', paths: [] });
}

function editSpecs({ m, checkout, unit }: Attempt): void {
  if (m.rng.chance(0.4) && checkout.branch !== undefined && !checkout.locked && checkout.unmerged.size === 0) {
    // A task that is done is made pending again, in a commit.
    checkout.files.set(taskPath(unit, 1), `---\nstatus: pending\n---\n# part 1\n`);
    m.repo.commitAll({ who: 'agent', unit }, { checkout, message: 'not done yet', paths: [taskPath(unit, 1)] });
    return;
  }
  const victim = m.rng.pick(m.scenario.units).id;
  const path = m.rng.chance(0.5) ? taskPath(victim, 1) : `${TASKS_DIR}/${victim}/IMPLEMENTATION_PLAN.md`;
  checkout.files.set(path, `---\nstatus: complete\n---\n# forged by ${unit}\n`);
  if (m.rng.chance(0.3) && checkout.branch !== undefined && !checkout.locked && checkout.unmerged.size === 0) m.repo.commitAll({ who: 'agent', unit }, { checkout, message: 'specs', paths: [path] });
}

/** Commits on a branch that is not the agent's, from outside of any checkout. */
function moveRef(a: Attempt, ref: string): void {
  const { m, unit } = a;
  const { repo } = m;
  const at = repo.resolve(ref);
  if (at === undefined) return;
  const files = new Map(repo.objects.filesOf(at)).set(`src/${unit}/astray`, m.fresh('done astray'));
  repo.set({ who: 'agent', unit }, ref, repo.objects.commit({ tree: repo.objects.tree(files), parents: [at], message: 'elsewhere' }).id);
  trespass(a);
}

function trespass({ m, unit, subject, attempt }: Attempt): void {
  m.trespasses.add(`${unit} ${subject} ${attempt}`);
}

/** Writes into the worktree of another unit, at a moment when choo itself is not at work there: what would become of it then nobody can say. */
function meddle({ m, unit }: Attempt): void {
  const idle = (other: string): boolean => m.working.has(other) || ['merge', 'prove', 'land'].includes(m.windowOf(other));
  const others = m.repo.checkouts().filter((c) => c.path.startsWith(`${WORKTREES}/units/`)).map((c) => ({ checkout: c, id: c.path.slice(`${WORKTREES}/units/`.length) }));
  const victims = others.filter(({ id }) => id !== unit && idle(id));
  if (victims.length === 0) return;
  const { checkout, id } = m.rng.pick(victims);
  const text = m.fresh('bad meddled');
  m.write(checkout, `src/${id}/1`, text);
  if (!m.working.has(id)) m.left.set(text, `src/${id}/1 by the agent of ${unit}`);
}

/** The worktree is deleted, with everything uncommitted in it. */
function vanish({ m, checkout }: Attempt): void {
  for (const text of checkout.files.values()) m.superseded.add(text);
  checkout.files.clear();
  checkout.present = false;
}
