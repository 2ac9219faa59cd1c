// From a source of files (a commit, or the working tree for a dry run) to configuration, settings and plan, with everything that is wrong.

import { discover, ARCHIVE_DIR, selectUnits } from '../discovery/discover.ts';
import { CONFIG_FILE, parseConfig } from '../discovery/config.ts';
import type { Config } from '../discovery/config.ts';
import { errorAt, hasErrors, warningAt } from '../discovery/diagnostic.ts';
import type { Diagnostic } from '../discovery/diagnostic.ts';
import { providerProblem } from '../discovery/providers.ts';
import { resolveSettings } from '../discovery/settings.ts';
import type { Flags, ResolvedSettings } from '../discovery/settings.ts';
import type { SourceFile } from '../discovery/source.ts';
import type { Settings } from '../core/event.ts';
import type { Plan, Unit } from '../core/plan.ts';
import { runSettings } from './equip.ts';

/** Where specs are read from. Paths are repository paths. */
export interface FileSource {
  /** All paths, for design specs to be found among. */
  paths(): Promise<ReadonlySet<string>>;
  /** The files with these paths; one that is no readable text says why. */
  read(paths: readonly string[]): Promise<readonly SourceFile[]>;
}

/** What the specs say. `plan` is absent when there is an error. */
export interface Specs {
  readonly config: Config;
  readonly resolved: ResolvedSettings;
  readonly settings: Settings;
  readonly plan?: Plan;
  /** Every readable unit, complete ones too. */
  readonly all: readonly Unit[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Default folder of units. */
export const TASKS_DIR = 'specs/tasks';

const LOCKFILES: readonly (readonly [string, string])[] = [
  ['package-lock.json', 'npm ci'], ['pnpm-lock.yaml', 'pnpm install --frozen-lockfile'], ['yarn.lock', 'yarn install --immutable'],
  ['bun.lock', 'bun install --frozen-lockfile'], ['uv.lock', 'uv sync --frozen'], ['poetry.lock', 'poetry install'],
  ['Gemfile.lock', 'bundle install'], ['composer.lock', 'composer install'],
];

/** The lockfile in the repository's top and the command that installs from it, or undefined. */
export function lockfileSetup(paths: ReadonlySet<string>): { readonly lockfile: string; readonly command: string } | undefined {
  const found = LOCKFILES.find(([name]) => paths.has(name));
  return found === undefined ? undefined : { lockfile: found[0], command: found[1] };
}

/** Reads the configuration alone. */
export async function readConfig(source: FileSource): Promise<{ readonly config: Config; readonly diagnostics: readonly Diagnostic[] }> {
  const [file] = (await source.paths()).has(CONFIG_FILE) ? await source.read([CONFIG_FILE]) : [];
  if (file !== undefined && file.text === undefined) return { ...parseConfig(undefined), diagnostics: [errorAt('unreadable-file', `${CONFIG_FILE} cannot be read (${file.problem})`)] };
  return parseConfig(file?.text);
}

/** Reads everything. `selection` empty: all units. */
export async function readSpecs(source: FileSource, o: { readonly tasksDir: string; readonly selection: readonly string[]; readonly flags: Flags; readonly env: Readonly<Record<string, string | undefined>> }): Promise<Specs> {
  const paths = await source.paths();
  const { config, diagnostics: configDiagnostics } = await readConfig(source);
  const resolved = resolveSettings({ config, env: o.env, flags: o.flags });
  const wanted = [...paths].filter((p) => p.endsWith('.md') && (p.startsWith(`${o.tasksDir}/`) || p.startsWith(`${ARCHIVE_DIR}/`)));
  const found = discover({ tasksDir: o.tasksDir, files: await source.read(wanted), knownPaths: paths, providerProblem: (name) => providerProblem(config, name)?.message });
  const diagnostics = [...configDiagnostics, ...resolved.diagnostics, ...found.diagnostics];
  if (found.all.length === 0 && !hasErrors(found.diagnostics)) {
    diagnostics.push(errorAt('no-units', `there is no unit under ${o.tasksDir}/`, { hint: 'a unit is a folder with an IMPLEMENTATION_PLAN.md and task files 01-….md; `choo init` writes an example' }));
  }
  const selected = found.plan === undefined ? undefined : selectUnits(found.plan, o.selection);
  diagnostics.push(...(selected?.diagnostics ?? []));
  const plan = hasErrors(diagnostics) ? undefined : selected?.plan;
  diagnostics.push(...missingSetup(paths, config), ...unproved(config));
  const settings = runSettings({ config, resolved: resolved.settings, units: plan?.units ?? [] });
  return { config, resolved: resolved.settings, settings, all: found.all, diagnostics, ...(plan === undefined ? {} : { plan }) };
}

/** What the user asked for, said aloud. */
function unproved(config: Config): Diagnostic[] {
  if (config.land.checks === 'proof') return [];
  return [warningAt('unproved', 'NOTHING IS PROVED BEFORE IT LANDS: `land.checks` is `never`', { hint: 'each unit was checked alone; what they do together nobody has tried. Take the key away to have it proved' })];
}

function missingSetup(paths: ReadonlySet<string>, config: Config): Diagnostic[] {
  const found = lockfileSetup(paths);
  if (found === undefined || config.worktree.setup.length > 0) return [];
  const message = `the repository has a ${found.lockfile}, but no \`worktree.setup\`: worktrees will lack their dependencies`;
  return [warningAt('no-setup', message, { hint: `add to ${CONFIG_FILE}:  worktree: { setup: ["${found.command}"] }` })];
}
