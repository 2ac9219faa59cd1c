// What the configuration says about reading a worktree, as far as choo must know it to answer a status itself. Reads it through
// git, once for as long as the files it stands in do not change.

import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMissing } from '../errno.ts';
import type { GitRunner } from './exec.ts';
import { splitNul } from './names.ts';
import { YOUNG_MS } from './young.ts';

/** What matters about the configuration. */
export interface Settings {
  /** Nothing in it makes files on disk mean something else than on most machines. */
  readonly ordinary: boolean;
  /** Objects are to be on the disk before anything names them; by itself git leaves that to the system. */
  readonly syncs: boolean;
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
  readonly files: readonly string[];
  readonly ordinary: boolean;
  readonly syncs: boolean;
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

/** Opens a reader; starts nothing yet. */
export function settingsReader(repo: Where): SettingsReader {
  let known: { readonly origin: Origin; readonly stamp: string; readonly rules?: { readonly stamp: string; readonly settings: Settings } } | undefined;
  let reading: Promise<Origin> | undefined;
  return {
    read: async () => {
      let files = known === undefined ? undefined : stampOf(known.origin.files);
      if (known === undefined || files?.stamp !== known.stamp) {
        reading ??= readOrigin(repo).finally(() => (reading = undefined));
        const origin = await reading;
        files = stampOf(origin.files);
        known = { origin, stamp: files.stamp };
      }
      const { origin } = known;
      const rules = stampOf([...origin.ignoreFiles, ...origin.attributeFiles]);
      if (known.rules?.stamp === rules.stamp) return known.rules.settings;
      const young = files.young || rules.young;
      const settings = {
        ordinary: origin.ordinary, syncs: origin.syncs, verbatim: origin.verbatim, idBytes: origin.idBytes, ignores: origin.ignoreFiles.some(holdsRules), attributes: origin.attributeFiles.some(holdsRules),
        stamp: `${files.stamp} ${rules.stamp}`, young,
      };
      known = young ? undefined : { ...known, rules: { stamp: rules.stamp, settings } };
      return settings;
    },
  };
}

async function readOrigin(repo: Where): Promise<Origin> {
  const home = repo.git.environment['HOME'] ?? '';
  const xdg = repo.git.environment['XDG_CONFIG_HOME'] ?? '';
  const own = join(xdg === '' ? join(home, '.config') : xdg, 'git');
  const { stdout } = await repo.git.run({ at: { cwd: repo.commonDir, gitDir: repo.commonDir }, args: ['config', '--list', '--show-origin', '-z'] });
  const fields = splitNul(stdout).map((field) => field.toString('utf8'));
  const files = new Set([join(repo.commonDir, 'config'), join(repo.commonDir, 'config.worktree'), join(home, '.gitconfig'), join(own, 'config'), '/etc/gitconfig']);
  const values = new Map<string, string>();
  let ordinary = true;
  for (let n = 0; n + 1 < fields.length; n += 2) {
    const origin = fields[n] ?? '';
    const [key = '', ...rest] = (fields[n + 1] ?? '').split('\n');
    if (origin.startsWith('file:')) files.add(join('/', origin.slice(5).startsWith('/') ? '' : repo.commonDir, origin.slice(5)));
    values.set(key, rest.join('\n'));
    // What such a section brings in may differ from worktree to worktree.
    if (key.startsWith('includeif.') || EXTENSIONS.test(key)) ordinary = false;
  }
  for (const [key, expected] of Object.entries(EXPECTED)) ordinary &&= !values.has(key) || expected.test(values.get(key) ?? '');
  const configured = (key: string, otherwise: string): string => {
    const value = values.get(key) ?? join(own, otherwise);
    return value.startsWith('~/') ? join(home, value.slice(2)) : join(value.startsWith('/') ? '/' : repo.commonDir, value);
  };
  for (const key of ['core.excludesfile', 'core.attributesfile']) ordinary &&= !/^(?:~[^/]|%)/.test(values.get(key) ?? '');
  return {
    files: [...files], ordinary,
    syncs: [...values.keys()].some((key) => key.startsWith('core.fsync')),
    verbatim: /^(?:false|no|off|0)$/i.test(values.get('core.autocrlf') ?? 'false'),
    idBytes: values.get('extensions.objectformat') === 'sha256' ? 32 : 20,
    ignoreFiles: [join(repo.commonDir, 'info/exclude'), configured('core.excludesfile', 'ignore')],
    attributeFiles: [join(repo.commonDir, 'info/attributes'), configured('core.attributesfile', 'attributes'), '/etc/gitattributes'],
  };
}

/** What a change of any of these files changes, `-` for one that is missing; and whether one is so young that its next change may not show. */
function stampOf(paths: readonly string[]): { readonly stamp: string; readonly young: boolean } {
  const since = Date.now() - YOUNG_MS;
  let young = false;
  const stamp = paths.map((path) => {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    young ||= stat !== undefined && stat.ctimeMs >= since;
    return stat === undefined ? '-' : `${stat.ino}.${stat.size}.${stat.mtimeMs}.${stat.ctimeMs}`;
  }).join(' ');
  return { stamp, young };
}

/** True when a file of rules (ignore, attributes) holds more than comments and blank lines. */
function holdsRules(path: string): boolean {
  try {
    return /^(?!#)[^\S\n]*\S/m.test(readFileSync(path, 'latin1'));
  } catch (error) {
    if (isMissing(error)) return false;
    // Unreadable to us and perhaps to git: it decides.
    return true;
  }
}
