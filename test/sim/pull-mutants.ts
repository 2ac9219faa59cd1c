// Deliberate defects about pull requests; what a mutant is: mutants.ts.

import type { Mutant } from './mutant.ts';

/** All of them. */
export const PULLS: readonly Mutant[] = [
  {
    name: 'a-head-is-proved-in-part', file: 'src/worker/pull-merge.ts', caughtBy: ['proved'],
    find: 'checks: await proofOf(place, [u]), logs, place: begun.place', replace: 'checks: (await proofOf(place, [u])).slice(1), logs, place: begun.place',
  },
  {
    name: 'what-the-forge-made-of-it-is-not-proved', file: 'src/worker/pull-merge.ts', caughtBy: ['proved'],
    find: "if (same || rules.checks === 'never')", replace: "if (same || proved !== undefined || rules.checks === 'never')",
  },
  {
    name: 'merges-what-is-outdated', file: 'src/worker/pull-merge.ts', caughtBy: ['merges-outdated'],
    find: 'if (!(await git.isAncestor(onto, begun.commit)))', replace: "if (pull.proved?.onto === onto && !(await git.isAncestor(onto, begun.commit)))",
  },
  {
    name: 'a-yes-is-a-yes-for-ever', file: 'src/worker/pull-merge.ts', caughtBy: ['merges-unapproved', 'merges'], from: 2782,
    find: '|| fresh || !mayMerge(state, facts)) return', replace: "|| fresh || facts.state !== 'open' || (facts.queued && !mayMerge(state, facts))) return",
  },
  {
    name: 'passes-over-the-last-words', file: 'src/worker/pull-merge.ts', caughtBy: ['merges-unanswered'], from: 4287,
    find: '|| fresh || !mayMerge', replace: '|| (fresh && facts.draft) || !mayMerge',
  },
  {
    name: 'forgets-what-it-answered', file: 'src/core/pull.ts', caughtBy: ['answers-once'], from: 38,
    find: '  for (const { id } of p.answering) p.handled.add(id);\n', replace: '  if (p.pushedAt === undefined) for (const { id } of p.answering) p.handled.add(id);\n',
  },
  {
    name: 'opens-another-one', file: 'src/worker/pull.ts', caughtBy: ['one-pull'], from: 16233,
    find: 'u.pull?.number ?? await forge.find(pullBranch(step), signal);', replace: 'u.pull?.number;',
  },
  {
    name: 'heeds-a-stranger', file: 'src/core/pull.ts', caughtBy: ['strangers'], from: 231,
    find: 'const said = facts.feedback.filter(', replace: "const said = [...facts.feedback, ...facts.ignored.slice(1).map(({ id, who }) => ({ id, who, kind: 'comment' as const, text: '' }))].filter(",
  },
  {
    name: 'a-check-costs-no-round', file: 'src/core/pull.ts', caughtBy: ['rounds'], from: 506,
    find: '  p.rounds++;\n', replace: "  if (said.some(({ kind }) => kind !== 'check')) p.rounds++;\n",
  },
  {
    name: 'a-rewritten-branch-takes-the-old-one-with-it', file: 'src/worker/pull.ts', caughtBy: ['nothing-lost'], from: 357,
    find: '  if (status.entries.length > 0 || !goesOn) {', replace: '  if (status.entries.length > 0) {',
  },
  {
    name: 'a-closed-one-is-cleaned-up', file: 'src/core/pull.ts', caughtBy: ['closed-stays'], from: 185,
    find: "  setPhase(s, u, 'cancelled');\n", replace: "  setPhase(s, u, 'cancelled');\n  if (u.rework.used > 0) s.finishing.add(u.index);\n",
  },
  {
    name: 'a-forge-that-wants-rest-is-left-alone-for-ever', file: 'src/core/pull-steps.ts', caughtBy: ['goes-on-by-itself', 'right-end', 'stuck'], from: 462,
    find: "failure.reason === 'login' ? undefined : ", replace: "failure.reason === 'login' || tries > 2 ? undefined : ",
  },
  {
    name: 'merges-two-at-once', file: 'src/core/pull-steps.ts', caughtBy: ['one-lands'],
    find: '(merging || s.merging !== undefined)) continue;', replace: '(merging || (s.merging !== undefined && s.inFlight < 2))) continue;',
  },
  {
    name: 'proves-two-heads-in-one-worktree', file: 'src/core/pull-steps.ts', caughtBy: ['one-proof-a-place'], from: 116,
    find: 'if (!taken.has(place)) return place;', replace: 'if (!taken.has(place) || (place === 0 && s.landedOrder.length > 0)) return place;',
  },
  {
    name: 'removes-the-branch-wherever-it-is', file: 'src/worker/finish.ts', caughtBy: ['branch-kept', 'nothing-lost'], from: 183,
    find: 'ref, at: u.landedHead,', replace: 'ref, at: (await place.world.git.remoteTip({ name: target.remote, ref, limitMs: BOUNDS.remote, signal: step.control.interrupt })) ?? u.landedHead,',
  },
  {
    name: 'its-own-branch-goes-with-what-was-merged', file: 'src/worker/finish.ts', caughtBy: ['nothing-lost'], from: 548,
    find: 'at === u.landedHead || ', replace: 'at === u.landedHead || (at === u.head && u.pull !== undefined) || ',
  },
];
