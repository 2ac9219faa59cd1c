// Which texts of tasks a landing may make complete: those that the run began with, and no others.

import { beforeEach, describe, expect, test } from 'vitest';
import { must } from '../../../src/core/bug.ts';
import type { State, UnitState } from '../../../src/core/state.ts';
import { asTheirs, landedSpecs, notesOf, otherTexts, specText } from '../../../src/worker/spec-text.ts';
import type { Git } from '../../../src/world.ts';
import { openGate } from '../../sim/gate.ts';
import { simGit } from '../../sim/git.ts';
import { Repository } from '../../sim/repository.ts';
import { Game, unit } from '../core/rig.ts';

const text = (status: string, body = 'do it'): string => `---\nstatus: ${status}\n---\n${body}\n`;
const ONE = 'specs/tasks/a/01.md';
const TWO = 'specs/tasks/a/02.md';

/** The run has done both tasks of `a`: `ours` is the unit's head. */
let repo: Repository;
let place: { readonly world: { readonly git: Git }; readonly state: State };
let u: UnitState;
let ours: string;

beforeEach(() => {
  repo = new Repository({ root: '/repo', branch: 'refs/heads/main', files: new Map([[ONE, text('pending')], [TWO, text('pending')]]) });
  const base = must(repo.resolve('refs/heads/main'), 'the first commit');
  const { state } = new Game([unit('a', { tasks: 2 })]);
  const begun = must(state.units[0], 'a unit');
  place = { world: { git: simGit({ repo, gate: openGate, by: { who: 'choo', session: 1 }, trespass: (call) => expect.unreachable(call) }) }, state: { ...state, pinned: { ...state.pinned, base } } };
  u = { ...begun, tasks: begun.tasks.map((t) => ({ ...t, done: true, ours: true })) };
  ours = commit({ [ONE]: text('complete'), [TWO]: text('complete') });
});

/** A commit of these files upon the one that the run began with. */
function commit(files: Readonly<Record<string, string>>): string {
  return repo.objects.commit({ tree: repo.objects.tree(new Map(Object.entries(files))), parents: [place.state.pinned.base], message: '' }).id;
}

/** What becomes of the unit's work merged into `theirs`: files and notes. */
async function landed(theirs: string): Promise<{ readonly files: Record<string, string>; readonly notes: readonly string[] }> {
  const other = await otherTexts(place, { u, at: theirs });
  const merged = repo.objects.merge(theirs, ours);
  const files = new Map([...merged.files, ...[...merged.clashes].map(([path]) => [path, text('complete', 'whatever git makes of it')] as const)]);
  const { tree } = await landedSpecs(place, { u, other, tip: theirs, tree: repo.objects.tree(files).id });
  return { files: Object.fromEntries(repo.objects.filesOf(tree)), notes: notesOf(place, other).map((note) => note.text) };
}

describe('the file of a task that is done', () => {
  test.each([
    ['is complete where its text is the one that the run began with', text('pending'), text('complete')],
    ['is complete whatever its status was', text('failed'), text('complete')],
    ['stays as it is where it has another text', text('pending', 'do more'), text('pending', 'do more')],
    ['stays as it is where it cannot be read', '---\nstatus: [\n---\n', '---\nstatus: [\n---\n'],
  ])('%s', async (_name, there, right) => {
    expect(await specText(place, { reference: commit({ [ONE]: there }), path: ONE, done: true })).toBe(right);
    expect(await specText(place, { reference: commit({ [ONE]: there }), path: ONE, done: false })).toBe(there);
  });

  test('is nowhere where there is none', async () => {
    expect(await specText(place, { reference: commit({}), path: ONE, done: true })).toBeUndefined();
  });
});

describe('a landing', () => {
  test('makes complete what nobody changed, and has nothing to say', async () => {
    expect(await landed(commit({ [ONE]: text('in_progress'), [TWO]: text('pending'), more: '' }))).toMatchObject({ files: { [TWO]: text('complete') }, notes: [] });
  });

  test('leaves another text exactly as it is there, and says so', async () => {
    const { files, notes } = await landed(commit({ [ONE]: text('pending', 'do more'), [TWO]: text('pending') }));
    expect(files).toEqual({ [ONE]: text('pending', 'do more'), [TWO]: text('complete') });
    expect(notes).toEqual(['task 1 of a landed as the run began with it; main has another text now: choo run']);
  });

  test('does not bring a file back that is gone there', async () => {
    const { files, notes } = await landed(commit({ [ONE]: text('failed', 'do more') }));
    expect(files).toEqual({ [ONE]: text('failed', 'do more') });
    expect(notes).toEqual(['task 1 of a landed as the run began with it; main has another text now: choo run', 'task 2 of a landed as the run began with it; main has no such file any more']);
  });

  test('says of another text that is complete there that nobody has proved it', async () => {
    const { files, notes } = await landed(commit({ [ONE]: text('complete', 'do more'), [TWO]: text('complete', 'do less') }));
    expect(files).toEqual({ [ONE]: text('complete', 'do more'), [TWO]: text('complete', 'do less') });
    expect(notes).toEqual(['tasks 1, 2 of a landed as the run began with them; main has another text now and calls it complete, which nobody has proved']);
  });

  test('asks nothing of tasks that were complete before the run', async () => {
    u = { ...u, tasks: u.tasks.map((t) => ({ ...t, ours: false })) };
    expect(await otherTexts(place, { u, at: commit({ [ONE]: text('pending', 'do more') }) })).toEqual([]);
  });

  test('makes complete what has the run\'s text again, although the unit had taken another one in', async () => {
    ours = commit({ [ONE]: text('pending', 'do more'), [TWO]: text('complete') });
    expect((await landed(commit({ [ONE]: text('pending'), [TWO]: text('pending') }))).files).toEqual({ [ONE]: text('complete'), [TWO]: text('complete') });
  });

  test('brings no spec but the status of its own tasks, whatever its branch holds', async () => {
    const OTHER = 'specs/tasks/b/01.md';
    const [NEW, code] = ['specs/tasks/b/02.md', 'b.txt'];
    ours = commit({ [ONE]: text('complete', 'do nothing'), [TWO]: text('complete'), [OTHER]: text('complete'), [NEW]: text('complete'), [code]: 'x' });
    const theirs = commit({ [ONE]: text('pending'), [TWO]: text('pending'), [OTHER]: text('pending') });
    expect((await landed(theirs)).files).toEqual({ [ONE]: text('complete'), [TWO]: text('complete'), [OTHER]: text('pending'), [code]: 'x' });
  });

  test('goes by the text that the unit was done by, when the run has taken another one since', async () => {
    const [old, newer] = [place.state.pinned.base, commit({ [ONE]: text('pending', 'do more'), [TWO]: text('pending') })];
    place = { ...place, state: { ...place.state, pinned: { ...place.state.pinned, base: newer } } };
    u = { ...u, textsAt: old };
    expect((await landed(newer)).files).toEqual({ [ONE]: text('pending', 'do more'), [TWO]: text('complete') });
  });
});

describe('what others brought, joined with what landed', () => {
  test('has another text as they have it, unless what landed has one of its own', async () => {
    const theirs = commit({ [ONE]: text('pending', 'theirs'), [TWO]: text('pending') });
    const other = await otherTexts(place, { u, at: theirs });
    const tree = repo.objects.tree(new Map([[ONE, text('complete', 'theirs')], [TWO, text('complete')]])).id;
    const files = Object.fromEntries(repo.objects.filesOf(await asTheirs(place, { other, ours, theirs, tree })));
    expect(files).toEqual({ [ONE]: text('pending', 'theirs'), [TWO]: text('complete') });
    ours = commit({ [ONE]: text('pending', 'mine'), [TWO]: text('complete') });
    expect(await asTheirs(place, { other, ours, theirs, tree })).toBe(tree);
  });
});
