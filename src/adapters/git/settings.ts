// What the configuration says about reading worktrees and writing objects, as far as choo must know it to do so itself. Reads it
// through git, once for as long as the files it stands in do not change.

import { lstatSync, statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { smallFile } from '../small-file.ts';
import type { GitRunner } from './exec.ts';
import { splitNul } from './names.ts';
import { YOUNG_MS } from './young.ts';

/** What matters about the configuration. */
export interface Settings {
  /** Nothing in it makes files on disk mean something else than on most machines. */
  readonly ordinary: boolean;
  /** Objects may be written as plain files: none is to be synced, shared, or kept in another way. */
  readonly writes: boolean;
  /** No configured conversion of contents. */
  readonly verbatim: boolean;
  /** Bytes of an object id. */
  readonly idBytes: 20 | 32;
  /** Files outside the worktree with ignore rules that are in effect now. */
  readonly ignores: boolean;
  /** Files outside the worktree give paths attributes. */
  readonly attributes: boolean;
  /** Changes when any of the files concerned does. */
  readonly stamp: string;
  /** One of them is so young that a later change could carry the same stamp. */
  readonly young: boolean;
}

/** Keeps the settings of one repository. */
export interface SettingsReader {
  read(): Promise<Settings>;
}

interface Where { readonly git: GitRunner; readonly commonDir: string }

interface Origin {
  /** As the files were before git read them. */
  readonly stamp: string;
  /** One of them changed so shortly before, or while, git read it that what was read may be older than its stamp. */
  readonly young: boolean;
  readonly files: readonly string[];
  readonly ordinary: boolean;
  readonly writes: boolean;
  readonly verbatim: boolean;
  readonly idBytes: 20 | 32;
  readonly ignoreFiles: readonly string[];
  readonly attributeFiles: readonly string[];
}

/** Values that choo's own reading of a worktree relies on. Others of these keys leave it to git. */
const EXPECTED: Readonly<Record<string, RegExp>> = {
  'core.filemode': /^(true|yes|on|1)?$/i, 'core.symlinks': /^(true|yes|on|1)?$/i, 'core.ignorecase': /^(false|no|off|0)$/i,
  'core.precomposeunicode': /^(false|no|off|0)$/i, 'core.splitindex': /^(false|no|off|0)$/i,
  'core.sharedrepository': /^(false|no|off|0|umask)$/i,
};
const EXTENSIONS = /^extensions\.(?!objectformat$|partialclone$|noop$|noop-v1$)/;
/** Settings of how objects are written, but for extensions that say nothing of objects. */
const OF_OBJECTS = /^core\.fsync|^extensions\.(?!objectformat$|partialclone$|noop$|noop-v1$|worktreeconfig$|refstorage$|relativeworktrees$|preciousobjects$)/;

/** Opens a reader; starts nothing yet. */
export function settingsReader(repo: Where): SettingsReader {
  let known: { readonly origin: Origin; readonly rules?: { readonly stamp: string; readonly settings: Settings } } | undefined;
  return {
    read: async () => {
      if (known === undefined || stampOf(known.origin.files).stamp !== known.origin.stamp) known = { origin: await readOrigin(repo) };
      const { origin } = known;
      const rules = stampOf([...origin.ignoreFiles, ...origin.attributeFiles]);
      if (known.rules?.stamp === rules.stamp) return known.rules.settings;
      const young = origin.young || rules.young;
      const settings = {
        ordinary: origin.ordinary, writes: origin.writes, verbatim: origin.verbatim, idBytes: origin.idBytes, ignores: origin.ignoreFiles.some(holdsRules), attributes: origin.attributeFiles.some(holdsRules),
        stamp: `${origin.stamp} ${rules.stamp}`, young,
      };
      known = young ? undefined : { origin, rules: { stamp: rules.stamp, settings } };
      return settings;
    },
  };
}

async function readOrigin(repo: Where): Promise<Origin> {
  const { HOME: home = '', XDG_CONFIG_HOME: xdg = '', GIT_CONFIG_GLOBAL: global, GIT_CONFIG_SYSTEM: system } = repo.git.environment;
  const own = join(xdg === '' ? join(home, '.config') : xdg, 'git');
  const files = new Set([join(repo.commonDir, 'config'), join(repo.commonDir, 'config.worktree'), join(home, '.gitconfig'), join(own, 'config'), '/etc/gitconfig', ...[global, system].flatMap((path) => path ?? [])]);
  const began = Date.now();
  const { stdout } = await repo.git.run({ at: { cwd: repo.commonDir, gitDir: repo.commonDir }, args: ['config', '--list', '--show-origin', '-z'] });
  const fields = splitNul(stdout).map((field) => field.toString('utf8'));
  /** Files that git has just read. */
  const named = new Set<string>();
  const values = new Map<string, string>();
  let ordinary = true;
  let writes = true;
  for (let n = 0; n + 1 < fields.length; n += 2) {
    const origin = fields[n] ?? '';
    const [key = '', ...rest] = (fields[n + 1] ?? '').split('\n');
    const file = origin.startsWith('file:') ? join('/', origin.slice(5).startsWith('/') ? '' : repo.commonDir, origin.slice(5)) : undefined;
    if (file !== undefined) named.add(file);
    values.set(key, rest.join('\n'));
    // It may be missing now and there later.
    if (key === 'include.path') files.add(includedFile(file ?? '/', { home, path: rest.join('\n') }));
    writes &&= !OF_OBJECTS.test(key);
    // What such a section brings in may differ from worktree to worktree.
    if (key.startsWith('includeif.') || EXTENSIONS.test(key)) ordinary = false;
  }
  for (const [key, expected] of Object.entries(EXPECTED)) ordinary &&= !values.has(key) || expected.test(values.get(key) ?? '');
  const configured = (key: string, otherwise: string): string => {
    const value = values.get(key) ?? join(own, otherwise);
    return value.startsWith('~/') ? join(home, value.slice(2)) : join(value.startsWith('/') ? '/' : repo.commonDir, value);
  };
  for (const key of ['core.excludesfile', 'core.attributesfile']) ordinary &&= !/^(?:~[^/]|%)/.test(values.get(key) ?? '');
  const shared = values.get('core.sharedrepository');
  const all = [...new Set([...files, ...named])];
  const { stamp, young } = stampOf(all, began);
  return {
    stamp, young: young || [...named].some((path) => targetOf(path) === undefined), files: all, ordinary,
    writes: writes && (shared === undefined || EXPECTED['core.sharedrepository']?.test(shared) === true),
    // `attr.tree` names a tree whose attributes hold here.
    verbatim: /^(?:false|no|off|0)$/i.test(values.get('core.autocrlf') ?? 'false') && !values.has('attr.tree'),
    idBytes: values.get('extensions.objectformat') === 'sha256' ? 32 : 20,
    ignoreFiles: [join(repo.commonDir, 'info/exclude'), configured('core.excludesfile', 'ignore')],
    attributeFiles: [join(repo.commonDir, 'info/attributes'), configured('core.attributesfile', 'attributes'), '/etc/gitattributes'],
  };
}

/** Where an included file is: beside the one that names it, unless it says otherwise. */
function includedFile(file: string, o: { readonly home: string; readonly path: string }): string {
  if (o.path.startsWith('~/')) return join(o.home, o.path.slice(2));
  return o.path.startsWith('/') ? o.path : join(dirname(file), o.path);
}

/** What a change of any of these files changes, `-` for one that is missing; and whether one was so young at that time that its next change may not show. */
function stampOf(paths: readonly string[], at = Date.now()): { readonly stamp: string; readonly young: boolean } {
  let young = false;
  const stampFor = (stat: Stats | undefined): string => {
    young ||= stat !== undefined && stat.ctimeMs >= at - YOUNG_MS;
    return stat === undefined ? '-' : `${stat.ino}.${stat.size}.${stat.mtimeMs}.${stat.ctimeMs}`;
  };
  const stamp = paths.map((path) => {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    // Of a link both it and what it leads to.
    return stat?.isSymbolicLink() === true ? `${stampFor(stat)}>${stampFor(targetOf(path))}` : stampFor(stat);
  }).join(' ');
  return { stamp, young };
}

/** What a link leads to; undefined when that is nothing. */
function targetOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

/** A larger file of rules holds some, bytes. */
const LARGEST_RULES = 1024 * 1024;

/** True when a file of rules (ignore, attributes) holds more than comments and blank lines, or cannot be read: then git decides. */
function holdsRules(path: string): boolean {
  try {
    const file = smallFile(path, { most: LARGEST_RULES });
    return typeof file === 'string' ? file === 'odd' : /^(?!#)[^\S\n]*\S/m.test(file.content.toString('latin1'));
  } catch {
    return true;
  }
}
