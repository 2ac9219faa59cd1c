// Deliberate defects of the engine. Each is a small change of production source that compiles, passes the unit tests and must be
// caught by a checker of the simulation. Only a list; bundle.ts lays one into a bundle, main.ts plays it.

/** One defect. `find` occurs exactly once in `file`. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** The checkers that may catch it. */
  readonly caughtBy: readonly string[];
  /** Where the search begins, for one that shows only in a rare window; default 1. */
  readonly from?: number;
}

const LAND: readonly Mutant[] = [
  {
    name: 'lands-on-a-target-that-moved', file: 'src/worker/land.ts', caughtBy: ['forward-only', 'landed-is-there'],
    find: 'if (at !== candidate.target || begun.commit === at) {', replace: 'if (begun.commit === at) {',
  },
  {
    name: 'believes-it-landed-when-the-target-moved', file: 'src/worker/land.ts', caughtBy: ['landed-is-there'],
    find: 'const there = await git.isAncestor(begun.commit, at);', replace: 'const there = at !== candidate.target;',
  },
  {
    name: 'calls-a-refused-landing-merged', file: 'src/worker/land.ts', caughtBy: ['landed-is-there'],
    find: 'return divert(step, { commit: begun.commit, merged, outcome });', replace: 'if (diverted === undefined) return merged({ ref, diverted: refusal(outcome) });\n  return divert(step, { commit: begun.commit, merged, outcome });',
  },
  {
    name: 'merges-onto-the-commit-the-run-began-with', file: 'src/worker/land.ts', caughtBy: ['forward-only', 'landed-is-there'],
    find: 'const onto = await withNewestTarget(place, at);', replace: 'const onto = await withNewestTarget(place, step.u.base ?? at);',
  },
  {
    name: 'squashes-the-unit', file: 'src/worker/land.ts', caughtBy: ['one-commit-a-task'],
    find: 'parents: [onto, head],', replace: 'parents: [onto],',
  },
  {
    name: 'tidies-the-run-ref-away-when-refused', file: 'src/worker/land.ts', caughtBy: ['landed-is-there'],
    find: "if (outcome.kind === 'advanced') return arrived(place, own);", replace: "if (outcome.kind === 'advanced' || outcome.kind === 'refused' && outcome.reason === 'busy') return arrived(place, own);",
  },
  {
    name: 'proof-without-the-tasks', file: 'src/worker/land.ts', caughtBy: ['proved'],
    find: "const checks = [...taskChecks(step), ...(await baselineChecks(step, must(step.u.head, 'a head')))];", replace: "const checks = [...(await baselineChecks(step, must(step.u.head, 'a head')))];",
  },
  {
    name: 'proof-without-the-baseline', file: 'src/worker/land.ts', caughtBy: ['proved'],
    find: "const checks = [...taskChecks(step), ...(await baselineChecks(step, must(step.u.head, 'a head')))];", replace: "const checks = [...taskChecks(step), ...(await baselineChecks(step, must(step.u.head, 'a head'))).slice(1)];",
  },
  {
    name: 'joined-without-proof', file: 'src/worker/land.ts', caughtBy: ['proved'], from: 1400,
    find: 'checks: wholeProof(place), logs', replace: 'checks: wholeProof(place).slice(1), logs',
  },
  {
    name: 'resets-a-counter-behind-the-journal', file: 'src/worker/land.ts', caughtBy: ['replay'],
    find: '  place.fence.moved(ref, begun.commit);\n', replace: '  place.fence.moved(ref, begun.commit);\n  u.rework.proof = 9;\n',
  },
  {
    name: 'lands-a-unit-before-what-its-proof-said', file: 'src/worker/prove.ts', caughtBy: ['proved'],
    find: 'if (failure !== undefined) return failure;\n  }\n  const status', replace: "if (failure !== undefined && i === 0) return failure;\n  }\n  const status",
  },
  {
    name: 'proves-what-the-worktree-happens-to-be', file: 'src/worker/prove.ts', caughtBy: ['proved'],
    find: '    await git.resetWorktree(path, { branch: undefined, commit: o.commit });\n    await git.cleanWorktree(path);', replace: '    await git.cleanWorktree(path);',
  },
  {
    name: 'a-formatter-may-change-what-is-proved', file: 'src/worker/prove.ts', caughtBy: ['proved'],
    find: 'if (changed.length === 0 && status.head === o.commit) return undefined;', replace: 'if (status.head === o.commit) return undefined;',
  },
];

const WORK: readonly Mutant[] = [
  {
    name: 'begins-from-the-pinned-commit', file: 'src/worker/prepare.ts', caughtBy: ['dependencies'],
    find: 'const base = await place.world.git.resolve(place.state.landing.ref);', replace: 'const base = await place.world.git.resolve(place.state.pinned.base);',
  },
  {
    name: 'a-check-at-its-limit-passes', file: 'src/worker/workplace.ts', caughtBy: ['checked-is-committed', 'proved'],
    find: 'if (result.code === 0 && result.limit === undefined) return undefined;', replace: 'if (result.code === 0 || result.limit !== undefined) return undefined;',
  },
  {
    name: 'the-agent-decides', file: 'src/worker/check.ts', caughtBy: ['checked-is-committed'],
    find: 'if (failure !== undefined) return failed(failure);', replace: "if (failure !== undefined && failure.kind !== 'check-failed') return failed(failure);",
  },
  {
    name: 'commits-what-setup-left', file: 'src/worker/commit.ts', caughtBy: ['foreign-path'],
    find: 'filter((p) => !never.has(p) && !isSpec(step, p));', replace: 'filter((p) => !isSpec(step, p));',
  },
  {
    name: 'specs-are-the-agents', file: 'src/worker/commit.ts', caughtBy: ['specs', 'foreign-path', 'checked-is-committed'],
    find: '  await git.restorePaths(o.worktree, { commit: o.reference, paths: [...paths] });', replace: '  if (paths.size > 9) await git.restorePaths(o.worktree, { commit: o.reference, paths: [...paths] });',
  },
  {
    name: 'a-status-that-was-put-back-lands', file: 'src/worker/commit.ts', caughtBy: ['specs'],
    find: 'if (isDone(step, path)) paths.add(path);', replace: "if (isDone(step, path) && path === '') paths.add(path);",
  },
  {
    name: 'a-wrong-number-in-the-trailer', file: 'src/worker/check.ts', caughtBy: ['one-commit-a-task'],
    find: "['Choo-Task', String(o.task.number)]", replace: "['Choo-Task', String(o.task.number - 1)]",
  },
  {
    name: 'forged-trailers-pass', file: 'src/worker/settle.ts', caughtBy: ['one-commit-a-task'],
    find: 'if (forged !== null && !(await alreadyLanded(step, c.id)))', replace: 'if (forged !== null && (await alreadyLanded(step, c.id)))',
  },
  {
    name: 'a-rewritten-history-passes', file: 'src/worker/settle.ts', caughtBy: ['one-commit-a-task', 'specs', 'nothing-lost', 'dependencies'],
    find: "return 'the branch no longer contains the last recorded commit';", replace: 'return undefined;',
  },
  {
    name: 'puts-back-without-keeping', file: 'src/worker/settle.ts', caughtBy: ['nothing-lost'],
    find: '    await keep(step, { worktree: o.worktree, ref: kept });\n    await putBack', replace: '    await putBack',
  },
  {
    name: 'changes-outside-do-not-matter', file: 'src/worker/session.ts', caughtBy: ['fence'],
    find: 'if (o.outside.length > 0) return', replace: 'if (o.outside.length > 9) return',
  },
  {
    name: 'agents-without-a-time-limit', file: 'src/worker/session.ts', caughtBy: ['limits'],
    find: 'equipped.totalMs ?? limits.agentTotal;', replace: 'equipped.totalMs ?? limits.agentTotal * 2;',
  },
  {
    name: 'throws-away-before-a-merge', file: 'src/worker/verify.ts', caughtBy: ['nothing-lost'], from: 2700,
    find: '  await place.fence.hold(async () => place.fence.moved(ref, await place.world.git.keep(o.worktree, { ref, message: `choo: was in the worktree of ${u.unit.id} before the target was merged in` })));\n', replace: '  place.fence.moved(ref, undefined);\n',
  },
  {
    name: 'removes-without-keeping-what-is-left', file: 'src/worker/finish.ts', caughtBy: ['nothing-lost'], from: 3390,
    find: '    await keepLeftovers(step, notes);\n', replace: '    if (step.u.notes.length > 99) await keepLeftovers(step, notes);\n',
  },
  {
    name: 'recovers-without-keeping', file: 'src/worker/recover.ts', caughtBy: ['nothing-lost'], from: 2000,
    find: '  await keep(place, at, notes);\n  const now', replace: '  if (at.astray === undefined) await keep(place, at, notes);\n  const now',
  },
];

const LOOP: readonly Mutant[] = [
  {
    name: 'goes-on-behind-its-own-end', file: 'src/orchestrator.ts', caughtBy: ['processes'],
    find: 'if (this.#steps.size === 0) return;', replace: 'if (this.#steps.size < 99) return;',
  },
  {
    name: 'a-unit-that-gave-up-gets-a-slot', file: 'src/core/evolve.ts', caughtBy: ['failed-rests'], from: 4600,
    find: 'if (held && !givenUp.has(u.index))', replace: "if (held && (!givenUp.has(u.index) || u.next.step === 'attempt'))",
  },
];

const MONEY: readonly Mutant[] = [
  {
    name: 'sets-nothing-aside-for-a-retry', file: 'src/core/agents.ts', caughtBy: ['budget'],
    find: '  if (e.cap === undefined) return;', replace: "  if (e.cap === undefined || e.type === 'task.retry') return;",
  },
  {
    name: 'never-gives-back-what-was-set-aside-for-mending', file: 'src/core/agents.ts', caughtBy: ['waits-for-nothing'],
    find: 'if (cap !== undefined) s.reserved -= cap.amount;', replace: "if (cap !== undefined && u.next.step !== 'rework') s.reserved -= cap.amount;",
  },
  {
    name: 'a-crash-forgets-the-charge', file: 'src/core/agents.ts', caughtBy: ['budget'],
    find: '  if (cap === undefined && usage === undefined) return;', replace: '  if (usage === undefined && (cap === undefined || u.tasks.some((t) => t.done))) return;',
  },
  {
    name: 'trouble-counts-after-a-failure', file: 'src/core/evolve-unit.ts', caughtBy: ['trouble'],
    find: "  if (e.failure.kind === 'agent-trouble') return todo(s, u, u.next);\n  t.last", replace: "  if (e.failure.kind === 'agent-trouble' && t.failed === 0) return todo(s, u, u.next);\n  t.last",
  },
  {
    name: 'mends-with-an-agent-that-is-held', file: 'src/core/agents.ts', caughtBy: ['held'],
    find: "return next.step === 'prepare' || next.step === 'attempt' || next.step === 'rework';", replace: "return next.step === 'prepare' || next.step === 'attempt';",
  },
  {
    name: 'goes-on-beyond-the-cap', file: 'src/worker/session.ts', caughtBy: ['over-cap'],
    find: 'used >= cap.amount) this.#over', replace: 'used >= 2 * cap.amount) this.#over',
  },
  {
    name: 'charges-what-was-told-first', file: 'src/worker/session.ts', caughtBy: ['account'],
    find: '    this.usage = usage.model', replace: '    this.usage ??= usage.model',
  },
  {
    name: 'what-was-not-told-was-not-used', file: 'src/worker/session.ts', caughtBy: ['account'],
    find: 'return refused && follower.hasNotWorked()', replace: 'return refused || follower.hasNotWorked()',
  },
  {
    name: 'a-fallback-that-is-back-is-not-asked', file: 'src/core/agents.ts', caughtBy: ['goes-on-by-itself', 'waits-for-nothing', 'right-end'],
    find: 'for (const index of hold.waiting) unpark(s, index);', replace: 'for (const index of hold.waiting) if (s.parked.get(index)?.agents[0] === agent || s.units[index]?.tasks.length === 1) unpark(s, index);',
  },
];

/** All of them. */
export const MUTANTS: readonly Mutant[] = [...LAND, ...WORK, ...LOOP, ...MONEY];
