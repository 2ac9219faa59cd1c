// Deliberate defects of the engine. Each is a small change of production source that compiles, passes the unit tests and must be
// caught by a checker of the simulation. Only a list; bundle.ts lays one into a bundle, main.ts plays it.

import type { Mutant } from './mutant.ts';
import { PULLS } from './pull-mutants.ts';

const REVIEW: readonly Mutant[] = [
  {
    name: 'lands-what-a-review-blocks', file: 'src/core/review.ts', caughtBy: ['reviewed'], from: 1153,
    find: "if (review.mode === 'advisory') return land(s, u);", replace: "if (review.mode === 'advisory' || u.rework.cuts > 0) return land(s, u);",
  },
  {
    name: 'what-was-mended-later-is-not-reviewed', file: 'src/core/review.ts', caughtBy: ['reviewed'],
    find: "if (reason === 'review' || s.settings.review?.mode === 'blocking') u.review.due = true;", replace: "if (reason === 'review' || (s.settings.review?.mode === 'blocking' && reason === 'baseline')) u.review.due = true;",
  },
  {
    name: 'no-answer-is-no-objection', file: 'src/worker/review.ts', caughtBy: ['reviewed'], from: 1272,
    find: 'readReview(text === undefined || redact === undefined ? text : redact(text));', replace: "readReview((text === undefined || redact === undefined ? text : redact(text)) ?? (begun.attempt > 1 ? '[]' : undefined));",
  },
];

const PUSH: readonly Mutant[] = [
  {
    name: 'pushes-what-nobody-proved', file: 'src/worker/push.ts', caughtBy: ['remote-proved', 'remote-has-it'], from: 90,
    find: 'await git.push({ ...remote, commit,', replace: 'await git.push({ ...remote, commit: (await git.resolve(place.state.pinned.targetRef)) ?? commit,',
  },
  {
    name: 'calls-a-refused-push-pushed', file: 'src/worker/push.ts', caughtBy: ['remote-has-it'], from: 102,
    find: "  if (outcome.kind === 'pushed') {", replace: "  if (outcome.kind === 'pushed' || commit !== '') {",
  },
  {
    name: 'takes-the-remote-in-without-proof', file: 'src/worker/push.ts', caughtBy: ['proved'],
    find: 'checks: wholeProof(place), logs', replace: 'checks: wholeProof(place).slice(1), logs',
  },
  {
    name: 'moves-the-target-to-the-remote-when-it-is-behind', file: 'src/worker/push.ts', caughtBy: ['forward-only', 'landed-is-there', 'right-end', 'remote-has-it', 'remote-forward'], from: 184,
    find: '  if (await git.isAncestor(o.at, o.remote)) return o.remote;', replace: '  if (await git.isAncestor(o.at, o.remote) || o.at !== o.remote) return o.remote;',
  },
];

const SAVE: readonly Mutant[] = [
  {
    name: 'saves-without-what-is-about-to-be-committed', file: 'src/worker/save.ts', caughtBy: ['saved-whole'], from: 142,
    find: 'keeps: await those(place, now.commits),', replace: "keeps: (await those(place, now.commits)).filter((id) => !state.units.some((u) => u.next.step === 'commit' && u.next.commit === id)),",
  },
  {
    name: 'takes-its-own-lost-save-for-anothers', file: 'src/worker/save.ts', caughtBy: ['saved-own'], from: 124,
    find: "if (theirs === '' ||", replace: "if (known.commit !== undefined ||",
  },
  {
    name: 'pushes-a-later-landing-before-it-is-saved', file: 'src/core/save.ts', caughtBy: ['saved-first'],
    find: 's.save.landed !== s.landed;', replace: 's.save.landed === undefined && s.landed !== undefined;',
  },
  {
    name: 'saves-what-is-written-down-meanwhile', file: 'src/worker/save.ts', caughtBy: ['saved-whole'],
    find: '.slice(0, upTo + 1).map(', replace: '.slice(0, Math.max(upTo, place.state.seq) + 1).map(',
  },
];

const LAND: readonly Mutant[] = [
  {
    name: 'lands-on-a-target-that-moved', file: 'src/worker/land.ts', caughtBy: ['forward-only', 'landed-is-there'], from: 154,
    find: 'if (at !== target || commit === at) {', replace: 'if (commit === at) {',
  },
  {
    name: 'believes-it-landed-when-the-target-moved', file: 'src/worker/land.ts', caughtBy: ['landed-is-there'],
    find: 'const there = await git.isAncestor(commit, at);', replace: 'const there = at !== target;',
  },
  {
    name: 'calls-a-refused-landing-merged', file: 'src/worker/land.ts', caughtBy: ['landed-is-there'],
    find: 'return divert(place, { batch, commit, landed, outcome });', replace: 'if (diverted === undefined) return landed({ ref, diverted: refusal(outcome) });\n  return divert(place, { batch, commit, landed, outcome });',
  },
  {
    name: 'merges-onto-the-commit-the-run-began-with', file: 'src/worker/merge-batch.ts', caughtBy: ['forward-only', 'landed-is-there'],
    find: 'await newest(place, { at, control })', replace: 'await newest(place, { at: place.state.pinned.base, control })',
  },
  {
    name: 'squashes-the-unit', file: 'src/worker/landing-commit.ts', caughtBy: ['one-commit-a-task'],
    find: 'parents: [o.tip, o.head],', replace: 'parents: [o.tip],',
  },
  {
    name: 'tidies-the-run-ref-away-when-refused', file: 'src/worker/advance-target.ts', caughtBy: ['landed-is-there'],
    find: "if (outcome.kind === 'advanced') return arrived(place, own);", replace: "if (outcome.kind === 'advanced' || outcome.kind === 'refused' && outcome.reason === 'busy') return arrived(place, own);",
  },
  {
    name: 'proof-without-the-tasks', file: 'src/worker/proof.ts', caughtBy: ['proved'],
    find: '  for (const u of units) checks.push(...ofUnit(u, taskChecks({ u })));\n', replace: '',
  },
  {
    name: 'proof-without-the-baseline', file: 'src/worker/proof.ts', caughtBy: ['proved'],
    find: "ofUnit(u, await baselineChecks({ u, place }, must(u.head, 'a head')))", replace: "ofUnit(u, (await baselineChecks({ u, place }, must(u.head, 'a head'))).slice(1))",
  },
  {
    name: 'joined-without-proof', file: 'src/worker/advance-target.ts', caughtBy: ['proved'], from: 3476,
    find: 'checks: wholeProof(place), logs', replace: 'checks: wholeProof(place).slice(1), logs',
  },
  {
    name: 'resets-a-counter-behind-the-journal', file: 'src/worker/land.ts', caughtBy: ['replay'], from: 222,
    find: '  const outcome = await advanceRef(place, { ref, from: at, to: commit });\n', replace: '  const outcome = await advanceRef(place, { ref, from: at, to: commit });\n  place.state.failuresInARow = 9;\n',
  },
  {
    name: 'lands-a-unit-before-what-its-proof-said', file: 'src/worker/prove.ts', caughtBy: ['proved'],
    find: 'if (failure !== undefined) return { failure: failure.kind', replace: 'if (failure !== undefined && i === 0) return { failure: failure.kind',
  },
  {
    name: 'proves-what-the-worktree-happens-to-be', file: 'src/worker/prove.ts', caughtBy: ['proved'],
    find: '    await git.resetWorktree(path, { branch: undefined, commit: o.commit });\n    await git.cleanWorktree(path);', replace: '    await git.cleanWorktree(path);',
  },
  {
    name: 'proves-the-first-unit-of-a-batch-alone', file: 'src/worker/proof.ts', caughtBy: ['proved'],
    find: 'const all = await proofOf(place, units);', replace: 'const all = await proofOf(place, units.slice(0, 1));',
  },
  {
    name: 'lands-the-whole-batch-when-half-is-proved', file: 'src/core/landing-steps.ts', caughtBy: ['proved', 'crash'], from: 1673,
    find: "case 'land': return at === 0 ? [{ type: 'batch.landing', batch: b.id, ...prefix(s, b) }] : [];", replace: "case 'land': return at === 0 ? [{ type: 'batch.landing', batch: b.id, units: ids(s, b.units), commit: must(b.merges.at(-1), 'a merge').commit }] : [];",
  },
  {
    name: 'proves-two-batches-in-one-worktree', file: 'src/core/landing-steps.ts', caughtBy: ['one-proof-a-place'],
    find: 'if (!taken.has(place)) return place;', replace: 'if (!taken.has(place) || place === 0) return place;',
  },
  {
    name: 'takes-a-pass-for-another-tree', file: 'src/worker/prove.ts', caughtBy: ['proved'],
    find: 'JSON.stringify([outside, o.tree, c.command', replace: 'JSON.stringify([outside, c.command',
  },
  {
    name: 'forgets-the-checks-of-landed-neighbours', file: 'src/worker/proof.ts', caughtBy: ['proved'],
    find: '  for (const u of await overlapping(place, units)) checks.push(...ofUnit(u, taskChecks({ u })));\n', replace: '',
  },
  {
    name: 'a-formatter-may-change-what-is-proved', file: 'src/worker/prove.ts', caughtBy: ['proved'], from: 91,
    find: 'if (changed.length === 0 && !moved) return undefined;', replace: 'if (!moved) return undefined;',
  },
];

const WORK: readonly Mutant[] = [
  {
    name: 'begins-from-the-pinned-commit', file: 'src/worker/remote-target.ts', caughtBy: ['dependencies'],
    find: '  return place.world.git.resolve(place.state.landing.ref);', replace: '  return place.world.git.resolve(place.state.pinned.base);',
  },
  {
    name: 'a-check-at-its-limit-passes', file: 'src/worker/workplace.ts', caughtBy: ['checked-is-committed', 'proved'], from: 35,
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
    name: 'specs-are-the-agents', file: 'src/worker/commit.ts', caughtBy: ['specs', 'foreign-path', 'checked-is-committed'], from: 1379,
    find: 'of from) await git.restorePaths(', replace: 'of from) if (those.length > 9) await git.restorePaths(',
  },
  {
    name: 'a-wrong-number-in-the-trailer', file: 'src/worker/check.ts', caughtBy: ['one-commit-a-task'],
    find: "['Choo-Task', String(o.task.number)]", replace: "['Choo-Task', String(o.task.number - 1)]",
  },
  {
    name: 'forged-trailers-pass', file: 'src/worker/settle.ts', caughtBy: ['one-commit-a-task'], from: 124,
    find: 'if (forged !== null && !(await alreadyLanded(step, c.id)))', replace: 'if (forged !== null && (await alreadyLanded(step, c.id)))',
  },
  {
    name: 'a-rewritten-history-passes', file: 'src/worker/settle.ts', caughtBy: ['one-commit-a-task', 'specs', 'nothing-lost', 'dependencies'], from: 166,
    find: "return 'the branch no longer contains the last recorded commit';", replace: 'return undefined;',
  },
  {
    name: 'puts-back-without-keeping', file: 'src/worker/settle.ts', caughtBy: ['nothing-lost'],
    find: '    await keep(step, { worktree: o.worktree, ref: kept });\n    await putBack', replace: '    await putBack',
  },
  {
    name: 'changes-outside-do-not-matter', file: 'src/worker/session.ts', caughtBy: ['fence'], from: 210,
    find: 'if (o.outside.length > 0) return', replace: 'if (o.outside.length > 9) return',
  },
  {
    name: 'agents-without-a-time-limit', file: 'src/worker/session.ts', caughtBy: ['limits'],
    find: 'equipped.totalMs ?? limits.agentTotal;', replace: 'equipped.totalMs ?? limits.agentTotal * 2;',
  },
  {
    name: 'recovers-without-keeping', file: 'src/worker/recover.ts', caughtBy: ['nothing-lost'], from: 371,
    find: '  await keep(place, at, notes);\n  const now', replace: '  if (at.astray === undefined) await keep(place, at, notes);\n  const now',
  },
];

const LOOP: readonly Mutant[] = [
  {
    name: 'goes-on-behind-its-own-end', file: 'src/orchestrator.ts', caughtBy: ['processes'],
    find: 'if (this.#steps.size === 0) return;', replace: 'if (this.#steps.size < 99) return;',
  },
  {
    name: 'a-unit-that-gave-up-gets-a-slot', file: 'src/core/evolve.ts', caughtBy: ['failed-rests'], from: 3155,
    find: 'if (held && !givenUp.has(u.index))', replace: "if (held && (!givenUp.has(u.index) || u.next.step === 'attempt'))",
  },
];

const MONEY: readonly Mutant[] = [
  {
    name: 'sets-nothing-aside-for-a-retry', file: 'src/core/agents.ts', caughtBy: ['budget'],
    find: '  if (e.cap === undefined) return;', replace: "  if (e.cap === undefined || e.type === 'task.retry') return;",
  },
  {
    name: 'never-gives-back-what-was-set-aside-for-mending', file: 'src/core/agents.ts', caughtBy: ['waits-for-nothing'], from: 149,
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
    name: 'mends-with-an-agent-that-is-held', file: 'src/core/agents.ts', caughtBy: ['held'], from: 138,
    find: "return next.step === 'prepare' || isSession(next);", replace: "return next.step === 'prepare' || next.step === 'attempt' || next.step === 'review';",
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
    name: 'what-was-not-told-was-not-used', file: 'src/worker/session.ts', caughtBy: ['account'], from: 71,
    find: 'return refused && follower.hasNotWorked()', replace: 'return refused || follower.hasNotWorked()',
  },
  {
    name: 'a-fallback-that-is-back-is-not-asked', file: 'src/core/agents.ts', caughtBy: ['goes-on-by-itself', 'waits-for-nothing', 'right-end'], from: 109,
    find: 'for (const index of hold.waiting) unpark(s, index);', replace: 'for (const index of hold.waiting) if (s.parked.get(index)?.agents[0] === agent || s.units[index]?.tasks.length === 1) unpark(s, index);',
  },
];

const GUARD: readonly Mutant[] = [
  {
    name: 'an-approval-holds-whatever-follows', file: 'src/worker/guard.ts', caughtBy: ['protected'],
    find: 'return !o.paths.some((path) => since.has(path));', replace: 'return o.paths.length > 0 || since.size > 0;',
  },
  {
    name: 'what-was-committed-before-is-not-protected', file: 'src/worker/guard.ts', caughtBy: ['protected'],
    find: 'const bases = await standingOn(step, head);', replace: 'const bases = u.head === undefined ? await standingOn(step, head) : [u.head];',
  },
  {
    name: 'refuses-once', file: 'src/core/approval.ts', caughtBy: ['protected'], from: 48,
    find: "!== 'refuse' || change === undefined ?", replace: "!== 'refuse' || change === undefined || u.rework.baseline > 0 ?",
  },
  {
    name: 'any-failure-is-known', file: 'src/core/red.ts', caughtBy: ['proved'], from: 602,
    find: 'return fresh.length > 0 ? { beyond: { was, fresh } } : { still: { code: was, failing: found.failing } };',
    replace: 'return fresh.length > 9 ? { beyond: { was, fresh } } : { still: { code: was, failing: found.failing.filter((name) => before.has(name)) } };',
  },
  {
    name: 'what-was-mended-may-come-back', file: 'src/core/landing.ts', caughtBy: ['proved'], from: 249,
    find: '  forgetMended(s, b.notes ?? []);\n', replace: '',
  },
  {
    name: 'a-flake-is-not-told', file: 'src/worker/run-check.ts', caughtBy: ['flake-told'], from: 82,
    find: '  if (s.failed > 0) {', replace: '  if (s.failed > 1) {',
  },
  {
    name: 'runs-again-on-what-the-failure-left', file: 'src/worker/run-check.ts', caughtBy: ['retries'], from: 120,
    find: 'if (failed < retries && (await o.untouched())) continue;', replace: 'if (failed < retries) continue;',
  },
  {
    name: 'tries-a-missing-program-again', file: 'src/worker/run-check.ts', caughtBy: ['retries'], from: 82,
    find: "if (failure.kind !== 'check-failed') return { failure,", replace: "if (failure.kind === 'environment' && failed < retries) continue;\n    if (failure.kind !== 'check-failed') return { failure,",
  },
];

const OVERLAP: readonly Mutant[] = [
  {
    name: 'begins-beside-one-that-is-just-landing', file: 'src/core/crowd.ts', caughtBy: ['overlap'], from: 668,
    find: '?.find((n) => atWork.has(n.index));', replace: "?.find((n) => atWork.has(n.index) && s.units[n.index]?.phase !== 'landing');",
  },
  {
    name: 'a-retried-landing-is-in-nobodys-way', file: 'src/core/by-hand.ts', caughtBy: ['overlap'], from: 578,
    find: '    enqueue(s, u);\n    beginWork(s, u.index);\n', replace: '    enqueue(s, u);\n',
  },
];

const POOL: readonly Mutant[] = [
  {
    name: 'removes-without-keeping-what-is-left', file: 'src/worker/finish.ts', caughtBy: ['nothing-lost'], from: 6963,
    find: "const settled = await keepLeftovers(step, notes);\n", replace: "const settled = u.tasks.length > 0 || await keepLeftovers(step, notes);\n",
  },
  {
    name: 'two-worktrees-may-have-one-slot', file: 'src/worker/slots.ts', caughtBy: ['slots'],
    find: '?? lowestFree(new Set(all.values()));', replace: '?? lowestFree(new Set([...all.values()].slice(1)));',
  },
  {
    name: 'slots-of-other-sessions-are-free', file: 'src/worker/slots.ts', caughtBy: ['slots'],
    find: "const told = parseSlots(await this.#o.files.readText(this.#o.file));", replace: "const told = this.#mine.size === 0 ? [] : parseSlots(await this.#o.files.readText(this.#o.file));",
  },
];

/** All of them. */
export const MUTANTS: readonly Mutant[] = [...PULLS, ...POOL, ...GUARD, ...LAND, ...PUSH, ...SAVE, ...REVIEW, ...WORK, ...LOOP, ...MONEY, ...OVERLAP];
