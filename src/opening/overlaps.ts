// From a plan, a commit and its history to the pairs of units that may change the same files.

import picomatch from 'picomatch';
import type { OpenGit } from '../adapters/git/index.ts';
import { buildGraph } from '../core/graph.ts';
import type { Overlap } from '../core/overlap.ts';
import type { Plan } from '../core/plan.ts';
import { predictOverlaps } from '../discovery/overlap.ts';
import type { Prediction } from '../discovery/overlap.ts';
import { HISTORY_BOUNDS } from '../discovery/together.ts';
import { GitError } from '../world.ts';

/** Predicts from the files and commits of a commit (undefined: there is none yet). Asks git nothing when fewer than two units name paths. */
export async function overlapsAt(git: Pick<OpenGit, 'readTree' | 'recentChanges'>, o: { readonly commit: string | undefined; readonly plan: Plan }): Promise<Prediction> {
  const { commit, plan } = o;
  if (plan.units.filter((u) => u.touches.length > 0).length < 2) return { overlaps: [] };
  const [tree, history] = commit === undefined ? [[], { commits: [] }] : await Promise.all([git.readTree(commit, ''), historyOf(git, commit)]);
  const prediction = predictOverlaps({ graph: buildGraph(plan.units), paths: tree.map((e) => e.path), commits: history.commits, matcher });
  return 'problem' in history ? { incomplete: history.problem, ...prediction } : prediction;
}

/** A history that cannot be read (a clone without its trees, a git that takes too long) only makes a prediction weaker. */
async function historyOf(git: Pick<OpenGit, 'recentChanges'>, commit: string): Promise<{ readonly commits: readonly (readonly string[])[]; readonly problem?: string }> {
  try {
    return { commits: await git.recentChanges(commit, HISTORY_BOUNDS.commits) };
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    return { commits: [], problem: `the history cannot be read: ${error.message}` };
  }
}

function matcher(glob: string): ((path: string) => boolean) | undefined {
  if (glob.trim() === '') return undefined;
  try {
    return picomatch(glob, { dot: true });
  } catch (error) {
    // It is longer than picomatch takes.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** What is pinned of a prediction; nothing where there is none. */
export function pinnedOverlaps({ overlaps }: Prediction): { readonly overlaps?: readonly Overlap[] } {
  return overlaps.length === 0 ? {} : { overlaps };
}
