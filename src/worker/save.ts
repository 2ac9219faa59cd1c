// Saves the run at a remote, for another clone to go on with: the journal as a chain of commits that keep everything it needs, and the
// units' branches, in one push that goes only forward. Whoever finds somebody else's journal there has lost the run. When: core/save.ts.

import { must } from '../core/bug.ts';
import type { EventBody } from '../core/event.ts';
import { BOUNDS } from '../core/limits.ts';
import { savedCommits } from '../core/save.ts';
import type { SaveTrouble } from '../core/save-state.ts';
import type { State } from '../core/state.ts';
import { isOver } from '../core/state.ts';
import { failpoint } from '../failpoint.ts';
import { GitError } from '../world.ts';
import type { CommitId, Control } from '../world.ts';
import type { Workplace } from './workplace.ts';

const refused = (reason: SaveTrouble, text: string): EventBody => ({ type: 'run.save.refused', reason, text });

/** Where a run is saved at the remote; `what` is `journal`, `target`, `heads/<unit>` or `kept/…`. */
export function savedRef(run: number, what: string): string {
  return `refs/choo/${run}/${what}`;
}

/** Saves everything up to the newest event. Answers `run.saved` or `run.save.refused`. A graceful stop does not cut it short. */
export async function saveRun(place: Workplace, control: Control): Promise<EventBody> {
  const { state, world: { git } } = place;
  const name = must(state.settings.ci, 'a remote to save at').remote;
  const ref = savedRef(state.run, 'journal');
  // All at once: what is written down after this moment is for the next save.
  const now = { upTo: state.seq, commits: savedCommits(state), refs: refsOf(state), known: { ...state.save } };
  const call = { name, limitMs: BOUNDS.remote, signal: control.kill };
  try {
    const at = await git.remoteTip({ ...call, ref });
    const lines = await journalLines(place, now.upTo);
    const from = await before(place, { at, known: now.known, lines });
    if (from === undefined) return refused('taken', `another session has gone on from what was saved of run ${state.run} at ${name}`);
    const commit = await git.makeSave({
      ...(from.commit === undefined ? {} : { parent: from.commit }), first: from.lines, text: lines.slice(from.lines).join(''),
      keeps: await those(place, now.commits), message: `choo: run ${state.run} up to event ${now.upTo}\n`,
    });
    const outcome = await git.pushAll({ ...call, refs: new Map([...now.refs, ...await keptRefs(place), [ref, commit]]) });
    if (outcome.kind === 'pushed') return saved(commit, now.upTo);
    if (control.kill.aborted) return refused('cut', 'cut by a stop');
    // Where the remote is now tells a lost race from a refusal.
    const after = await git.remoteTip({ ...call, ref });
    if (after === commit) return saved(commit, now.upTo);
    if (after !== at) return refused('taken', `another session has gone on from what was saved of run ${state.run} at ${name}`);
    return refused('refused', `${name} refuses it: ${outcome.detail}`);
  } catch (error) {
    if (!(error instanceof GitError)) throw error;
    return control.kill.aborted ? refused('cut', 'cut by a stop') : refused('unreachable', `${name} cannot be reached: ${error.detail}`);
  }
}

function saved(commit: CommitId, upTo: number): EventBody {
  failpoint('saved');
  return { type: 'run.saved', commit, upTo };
}

/** The refs that go with the journal: where each branch of a unit is, and what has landed. */
function refsOf(state: State): ReadonlyMap<string, CommitId> {
  // Only what is recorded moves forward for certain.
  // That of one with a pull request is at the forge, and people may have rewritten it.
  const heads = state.units.flatMap((u) => (isOver(u) || u.branch === undefined || u.head === undefined || u.pull !== undefined ? [] : [[savedRef(state.run, `heads/${u.unit.id}`), u.head] as const]));
  return new Map([...heads, ...(state.landed === undefined ? [] : [[savedRef(state.run, 'target'), state.landed] as const])]);
}

/** What was set aside. Another clone may use the same name for something else, so the commit is part of it. */
async function keptRefs(place: Workplace): Promise<readonly (readonly [string, CommitId])[]> {
  const { run } = place.state;
  const prefix = `refs/choo/kept/${run}/`;
  return [...await place.world.git.refsBelow(prefix)].map(([ref, commit]) => [savedRef(run, `kept/${ref.slice(prefix.length)}-${commit.slice(0, 12)}`), commit] as const);
}

/** The lines of the journal up to that event, the header first. */
async function journalLines(place: Workplace, upTo: number): Promise<readonly string[]> {
  const { files, journal } = place.world;
  const text = must(await files.readText(journal.path, Infinity), 'a journal');
  return text.split('\n').slice(0, upTo + 1).map((line) => `${line}\n`);
}

/** What the next save comes upon, and how many lines it has; undefined when that is not ours. */
async function before(place: Workplace, o: { readonly at: CommitId | undefined; readonly known: { readonly commit?: CommitId; readonly upTo: number }; readonly lines: readonly string[] }): Promise<{ readonly commit?: CommitId; readonly lines: number } | undefined> {
  const { at, known } = o;
  const last = known.commit === undefined ? { lines: 0 } : { commit: known.commit, lines: known.upTo + 1 };
  if (at === undefined || at === known.commit) return last;
  // A save whose answer was not written down. Everybody who goes on from one writes something down that nobody else has.
  const theirs = await place.world.git.readSave(at);
  if (theirs === '' || !theirs.endsWith('\n') || !o.lines.join('').startsWith(theirs)) return undefined;
  return { commit: at, lines: theirs.split('\n').length - 1 };
}

/** Those of the commits that are there. */
async function those(place: Workplace, commits: readonly CommitId[]): Promise<readonly CommitId[]> {
  const found = await Promise.all(commits.map((id) => place.world.git.resolve(id)));
  return commits.filter((id, i) => found[i] === id);
}
