// From the files of a repository to the plan: which folders are units, which file is what. Reads nothing itself.

import { byCodeUnit } from '../core/plan.ts';
import type { Plan } from '../core/plan.ts';
import { errorAt } from './diagnostic.ts';
import type { Diagnostic } from './diagnostic.ts';
import { linkUnits } from './link.ts';
import type { Linked, LinkContext } from './link.ts';
import { unitIdProblem } from './names.ts';
import { folderPath, wholeFile } from './source.ts';
import type { SourceFile } from './source.ts';
import { SpecIndex } from './specs.ts';
import { didYouMean } from './suggest.ts';
import { PLAN_FILE, readUnit } from './unit.ts';
import type { UnitDraft } from './unit.ts';

/** Where `choo archive` puts complete units. */
export const ARCHIVE_DIR = 'specs/completed/tasks';

/** What discovery needs of a repository. */
export interface Repository {
  /** Repository path of the folder of units. */
  readonly tasksDir: string;
  /** The markdown files below `tasksDir` and below `ARCHIVE_DIR`, in any order; others are ignored. */
  readonly files: readonly SourceFile[];
  /** Paths that a `Design spec:` line may name: all of the repository, or at least those of markdown files. */
  readonly knownPaths: ReadonlySet<string>;
  readonly providerProblem?: LinkContext['providerProblem'];
}

interface Folder {
  plan?: SourceFile;
  readonly tasks: SourceFile[];
}

/** Finds, reads and links all units. Takes texts, gives the plan or everything that is wrong with them; never throws for them. */
export function discover(repository: Repository): Linked {
  const tasksDir = folderPath(repository.tasksDir);
  const folders = foldersOf(repository.files, tasksDir);
  const specs = new SpecIndex(repository.knownPaths);
  const drafts: UnitDraft[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const [id, folder] of [...folders].toSorted(([a], [b]) => byCodeUnit(a, b))) {
    const dir = tasksDir === '' ? id : `${tasksDir}/${id}`;
    const problem = unitIdProblem(id);
    if (problem !== undefined) diagnostics.push(errorAt('unit-name', `the name of the unit \`${id}\` ${problem}`, { place: wholeFile(dir), hint: 'rename the folder' }));
    const read = readUnit({ id, dir, plan: folder.plan, tasks: folder.tasks, specs });
    diagnostics.push(...read.diagnostics);
    if (read.draft !== undefined) drafts.push(read.draft);
  }
  // A unit whose own files cannot be read is still no unknown name for those that depend on it.
  const unreadable = new Set(folders.keys());
  const archive = archiveOf(repository.files, { tasksDir, specs });
  const archived = (id: string): 'complete' | 'incomplete' | undefined => (unreadable.has(id) ? 'complete' : archive(id));
  const { providerProblem } = repository;
  return linkUnits(drafts, providerProblem === undefined ? { archived } : { archived, providerProblem }, diagnostics);
}

const TASK_FILE = /^\d+-.*\.md$/s;

function foldersOf(files: readonly SourceFile[], dir: string): Map<string, Folder> {
  const folders = new Map<string, Folder>();
  const prefix = dir === '' ? '' : `${dir}/`;
  for (const file of files) {
    if (!file.path.startsWith(prefix)) continue;
    const [id, name, deeper] = file.path.slice(prefix.length).split('/', 3);
    if (id === undefined || name === undefined || deeper !== undefined) continue;
    const isPlan = name === PLAN_FILE;
    if (!isPlan && !TASK_FILE.test(name)) continue;
    const folder: Folder = folders.get(id) ?? { tasks: [] };
    folders.set(id, folder);
    if (isPlan) folder.plan = file;
    else folder.tasks.push(file);
  }
  return folders;
}

function archiveOf(files: readonly SourceFile[], o: { readonly tasksDir: string; readonly specs: SpecIndex }): LinkContext['archived'] {
  const folders = o.tasksDir === ARCHIVE_DIR ? new Map<string, Folder>() : foldersOf(files, ARCHIVE_DIR);
  const known = new Map<string, 'complete' | 'incomplete'>();
  return (id) => {
    const folder = folders.get(id);
    if (folder === undefined) return undefined;
    const before = known.get(id);
    if (before !== undefined) return before;
    const { draft } = readUnit({ id, dir: `${ARCHIVE_DIR}/${id}`, plan: folder.plan, tasks: folder.tasks, specs: o.specs });
    const state = draft?.complete === true ? 'complete' : 'incomplete';
    known.set(id, state);
    return state;
  };
}

/** The part of a plan that `--unit` asks for: the units named and all they depend on. Names of complete units add nothing; unknown names are errors. No names: the whole plan. */
export function selectUnits(plan: Plan, ids: readonly string[]): { readonly plan: Plan; readonly diagnostics: readonly Diagnostic[] } {
  if (ids.length === 0) return { plan, diagnostics: [] };
  const byId = new Map(plan.units.map((unit) => [unit.id, unit]));
  const complete = new Set(plan.complete);
  const diagnostics: Diagnostic[] = [];
  const chosen = new Set<string>();
  const open = [...ids];
  for (const id of ids) {
    if (byId.has(id) || complete.has(id)) continue;
    diagnostics.push(errorAt('unknown-unit', `there is no unit \`${id}\``, { hint: didYouMean(id, [...byId.keys(), ...complete]) }));
  }
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const unit = byId.get(id);
    if (unit === undefined || chosen.has(id)) continue;
    chosen.add(id);
    open.push(...unit.dependsOn);
  }
  return { plan: { units: plan.units.filter((unit) => chosen.has(unit.id)), complete: plan.complete }, diagnostics };
}
