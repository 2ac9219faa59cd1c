// The candidate of a batch: each unit merged upon the one before, outside any checkout. Moves no ref.

import { must } from '../core/bug.ts';
import type { EventBody, EventOf, Merge, Note } from '../core/event.ts';
import { unitNamed } from '../core/evolve.ts';
import type { Failure } from '../core/failure.ts';
import type { UnitState } from '../core/state.ts';
import { failpoint } from '../failpoint.ts';
import type { Control } from '../world.ts';
import { mergeIn } from './advance-target.ts';
import { landingCommit } from './landing-commit.ts';
import { landedGone } from './landing-ref.ts';
import { withRemote } from './push.ts';
import { landedSpecs, notesOf, otherTexts } from './spec-text.ts';
import type { Workplace } from './workplace.ts';

/** What became of one unit: merged, landed before, impossible for now because of others of the batches under way, or impossible. */
type Outcome =
  | { readonly kind: 'merged' | 'landed'; readonly commit: string; readonly notes: readonly Note[] }
  | { readonly kind: 'postponed' }
  | { readonly kind: 'failed'; readonly failure: Failure };

/** Merges the units of a batch one upon the other. Answers `batch.candidate` or `batch.merge.failed`. */
export async function mergeBatch(place: Workplace, begun: EventOf<'batch.merging'>, control: Control): Promise<EventBody> {
  const { git } = place.world;
  const { batch } = begun;
  const { ref } = place.state.landing;
  const at = await git.resolve(ref);
  if (at === undefined) return { type: 'batch.merge.failed', batch, failure: { kind: 'target-gone', ref } };
  const gone = await landedGone(place, at);
  if (gone.length > 0) return { type: 'batch.merge.failed', batch, failure: { kind: 'landed-gone', ref, units: gone, landed: must(place.state.landed, 'what landed') } };
  const { onto, remote } = begun.onto === undefined ? await newest(place, { at, control }) : { onto: begun.onto };
  const first = await mergeAll(place, { begun, at, onto, control });
  const isInTheWay = remote !== undefined && first !== undefined && first.failed.length + first.postponed.length > 0;
  // A conflict with what others pushed is no unit's: it lands without, and the push tells of it.
  const all = isInTheWay ? await mergeAll(place, { begun, at, onto: at, control }) : first;
  if (all === undefined) return { type: 'batch.merge.failed', batch, failure: { kind: 'cut', by: 'stop' } };
  failpoint('commit-built');
  const base = isInTheWay ? { onto: at } : { onto, ...(remote === undefined ? {} : { remote }) };
  return { type: 'batch.candidate', batch, ...base, target: begun.onto ?? at, ...all };
}

type Merged = Pick<Extract<EventBody, { type: 'batch.candidate' }>, 'merges' | 'landed' | 'failed' | 'postponed'>;

/** Each unit upon the one before; undefined when it was cut. */
async function mergeAll(place: Workplace, o: { readonly begun: EventOf<'batch.merging'>; readonly at: string; readonly onto: string; readonly control: Control }): Promise<Merged | undefined> {

  const merges: Merge[] = [];
  const landed: Merge[] = [];
  const failed: { readonly unit: string; readonly failure: Failure }[] = [];
  const postponed: string[] = [];
  let tip = o.onto;
  for (const unit of o.begun.units) {
    if (o.control.interrupt.aborted) return undefined;
    const u = unitNamed(place.state, unit);
    const head = must(u.head, 'a head');
    const outcome = await mergeOne(place, { u, at: o.at, tip, stacked: o.begun.onto !== undefined || merges.length > 0 });
    if (outcome.kind === 'merged') { merges.push(mergeOf({ unit, head, outcome })); tip = outcome.commit; }
    else if (outcome.kind === 'landed') landed.push(mergeOf({ unit, head, outcome }));
    else if (outcome.kind === 'failed') failed.push({ unit, failure: outcome.failure });
    else postponed.push(unit);
  }
  return { merges, landed, failed, postponed };
}

function mergeOf({ unit, head, outcome: { commit, notes } }: { readonly unit: string; readonly head: string; readonly outcome: Extract<Outcome, { readonly commit: string }> }): Merge {
  return { unit, commit, head, ...(notes.length === 0 ? {} : { notes }) };
}

async function mergeOne(place: Workplace, o: { readonly u: UnitState; readonly at: string; readonly tip: string; readonly stacked: boolean }): Promise<Outcome> {
  const { git } = place.world;
  const { u, tip } = o;
  const head = must(u.head, 'a head');
  // A ref may have moved although git said that it had failed.
  if (u.proved?.head === head && (await git.isAncestor(u.proved.commit, o.at))) return { kind: 'landed', commit: u.proved.commit, notes: notesOf(place, await otherTexts(place, { u, at: u.proved.commit })) };
  const [merge, before] = await Promise.all([git.mergeTrees(tip, head), git.treeOf(tip)]);
  const impossible = (conflict: 'textual' | 'foreign-change', paths: readonly string[]): Outcome =>
    (o.stacked ? { kind: 'postponed' } : { kind: 'failed', failure: { kind: 'conflict', conflict, paths, onto: tip } });
  if (merge.kind === 'conflict') return impossible('textual', merge.paths);
  const other = await otherTexts(place, { u, at: tip });
  const notes = notesOf(place, other);
  const { tree, left } = await landedSpecs(place, { u, other, tip, tree: merge.tree });
  // What has been merged changes nothing any more; only then is it worth asking.
  if (tree === before && (await git.isAncestor(head, tip))) return { kind: 'merged', commit: tip, notes };
  // A straight line from where the unit began brings what its own commits changed, and nothing else.
  const foreign = merge.since !== undefined && merge.since === u.base ? [] : await foreignPaths(place, { u, head, tip, tree });
  if (foreign.length > 0) return impossible('foreign-change', foreign);
  return { kind: 'merged', commit: await landingCommit(place, { u, head, tip, tree, left }), notes };
}

/**
 * What others brought meanwhile is merged in first: while the run lands on a ref of its own, new commits of the target; else those of the
 * remote target, where there is one. A conflict with them is left to the end of the run, or to the push.
 */
async function newest(place: Workplace, o: { readonly at: string; readonly control: Control }): Promise<{ readonly onto: string; readonly remote?: string }> {
  const { state, world: { git } } = place;
  const { at } = o;
  if (state.landing.diverted === undefined) return withRemote(place, o);
  const target = await git.resolve(state.pinned.targetRef);
  if (target === undefined || (await git.isAncestor(target, at))) return { onto: at };
  return { onto: (await mergeIn(place, { at, other: target, what: 'target' })) ?? at };
}

/** Paths that the merge would change although no commit of the unit's own did, renames by the others followed. */
async function foreignPaths(place: Workplace, o: { readonly u: UnitState; readonly head: string; readonly tip: string; readonly tree: string }): Promise<readonly string[]> {
  const { git } = place.world;
  const [own, changed] = await Promise.all([git.ownPaths(must(o.u.base, 'a base'), o.head), git.changedPaths(o.tip, o.tree)]);
  const foreign = changed.filter((p) => !own.has(p));
  if (foreign.length === 0) return foreign;
  const base = await git.mergeBase(o.tip, o.head);
  if (base === undefined) return foreign;
  const renamed = await git.renames(base, o.tip);
  return foreign.filter((p) => !own.has(renamed.get(p) ?? ''));
}
