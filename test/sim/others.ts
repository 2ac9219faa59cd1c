// What happens at the remote while a run goes on: others push, it is away, its hook refuses; and how a person merges it by hand.

import { fold } from '../../src/core/replay.ts';
import type { Machine } from './machine.ts';
import { TARGET } from './scenario.ts';
import type { Rng, Weights } from './rng.ts';

const DEEDS = { push: 6, 'push-shared': 2, away: 2, refuse: 1 } satisfies Weights<string>;

/** Something happens at the remote, drawn from a stream of its own. */
export function happenAtRemote(m: Machine, rng: Rng): void {
  const { remote } = m;
  if (m.calm) return;
  const deed = rng.weighted(DEEDS);
  m.note(`      at the remote: ${deed}`);
  switch (deed) {
    case 'push': pushByOthers(m, `others/${rng.below(3)}`); return;
    case 'push-shared': pushByOthers(m, `shared/${rng.below(2)}`); return;
    case 'away': remote.away = true; m.timeline.after(rng.between(1, 120_000), () => { remote.away = false; }); return;
    case 'refuse': remote.refuses = true; m.timeline.after(rng.between(1, 120_000), () => { remote.refuses = false; }); return;
    default: return deed satisfies never;
  }
}

function pushByOthers(m: Machine, path: string): void {
  const { objects } = m.repo;
  const { tip } = m.remote;
  if (tip === undefined) return;
  const files = new Map(objects.filesOf(tip)).set(path, m.fresh('by others'));
  m.remote.push('other', objects.commit({ tree: objects.tree(files), parents: [tip], message: 'by others' }).id);
}

/** The remote is well again. */
export function mendRemote(m: Machine): void {
  m.remote.away = false;
  m.remote.refuses = false;
}

/** A person does what the escalation asks: merges what the remote has into the target, conflicts and all, mends what the checks find there, commits. */
export function pullByHand(m: Machine): void {
  const { repo, remote } = m;
  const target = repo.resolve(TARGET);
  if (target === undefined || remote.tip === undefined) return;
  const pulls = !repo.objects.isAncestor(remote.tip, target);
  const merged = pulls ? repo.objects.merge(target, remote.tip) : { files: new Map(repo.objects.get(target).tree.files), clashes: new Map<string, never>() };
  for (const [path, { ours, theirs }] of merged.clashes) merged.files.set(path, `${ours ?? ''}\n${theirs ?? ''}`);
  const mended = mendSources(m, merged.files);
  if (!pulls && !mended) return;
  repo.set({ who: 'person' }, TARGET, repo.objects.commit({ tree: repo.objects.tree(merged.files), parents: pulls ? [target, remote.tip] : [target], message: 'pulled and mended by hand' }).id);
  for (const checkout of repo.checkouts()) if (checkout.branch === TARGET) checkout.reset(repo.headFiles(checkout));
  m.note(`      a person ${pulls ? 'pulls' : 'mends the target'}`);
}

/** Makes every source one that the checks pass on, formatter and all: a failure that was there before counts as mended once it has passed, and no agent works at what is only pulled. */
function mendSources(m: Machine, files: Map<string, string>): boolean {
  // A check that passed by trouble may have let a landing do away with what it is about.
  for (const { unit, tasks, phase } of fold(m.journal.events()).units) {
    if (phase === 'landed') for (const t of unit.tasks) if (tasks[t.number - 1]?.ours === true && !files.has(`src/${unit.id}/${t.number}`)) files.set(`src/${unit.id}/${t.number}`, '');
  }
  const sources = [...files].filter(([file]) => file.startsWith('src/'));
  const tag = sources.map(([, text]) => / tag=\d/.exec(text)?.[0]).find((found) => found !== undefined) ?? '';
  let changed = false;
  for (const [file, text] of sources) {
    const wrong = text.includes('broken') || !text.startsWith('done') || (/ tag=\d/.exec(text)?.[0] ?? tag) !== tag;
    const right = wrong ? `done${tag} by hand` : text;
    // The proof of everything may ask for a formatter that some of what landed never met.
    const formatted = m.scenario.formatter === 'once' && !right.endsWith('~') ? `${right}~` : right;
    if (formatted === text) continue;
    files.set(file, formatted);
    changed = true;
  }
  return changed;
}
