// What a preflight must know of the repository it is started in, as data. Tells no one what to do; the only thing it makes is
// the dangling commit object with which signing is tried.

import { GitError } from '../../world.ts';
import type { Clock } from '../../world.ts';
import { operationIn } from './advance.ts';
import { GitMissing, gitRunner } from './exec.ts';
import type { GitOutput, GitRunner } from './exec.ts';
import { removeUnreadable } from './half-made.ts';
import { pathText, splitNul } from './names.ts';
import { parseWorktrees } from './worktrees.ts';

/** What a repository is like. All paths absolute and without symbolic links. */
export interface RepositoryFacts {
  readonly kind: 'ok';
  /** Top of the worktree we are in; undefined when we are in none (a bare repository, or inside `.git`). */
  readonly root: string | undefined;
  /** Top of the main worktree; undefined when the repository is bare. */
  readonly mainRoot: string | undefined;
  /** The git directory that all worktrees share. */
  readonly commonDir: string;
  /** As `2.39.5`. */
  readonly gitVersion: string;
  readonly bare: boolean;
  readonly sha256: boolean;
  /** Full ref that HEAD points to; undefined when detached. */
  readonly branch: string | undefined;
  /** Undefined before the first commit. */
  readonly head: string | undefined;
  readonly shallow: boolean;
  /** Objects are fetched when needed. */
  readonly partial: boolean;
  readonly sparse: boolean;
  readonly hasSubmodules: boolean;
  /** `used`: HEAD has files kept by git-lfs; `missing`: paths whose content is not here (only known with git-lfs installed). */
  readonly lfs: { readonly used: boolean; readonly installed: boolean; readonly missing: readonly string[] };
  /** `detail`: what git said when it knows no name or address for commits. */
  readonly identity: { readonly known: boolean; readonly detail: string };
  /** Whether commits are to be signed and, tried without a terminal, can be. */
  readonly signing: { readonly wanted: boolean; readonly works: boolean; readonly detail: string };
  /** A rebase, merge … in the worktree we are in, as a sentence. */
  readonly inProgress: string | undefined;
  readonly remotes: readonly { readonly name: string; readonly url: string }[];
}

/** Why choo cannot work here. `detail` is git's own word or the value concerned. */
export interface RepositoryRefusal {
  readonly kind: 'not-a-repository' | 'dubious-ownership' | 'git-missing' | 'git-too-old' | 'git-dir-set';
  readonly detail: string;
}

/** Variables that point git at a repository other than the one around us. */
const REDIRECTS = ['GIT_DIR', 'GIT_WORK_TREE', 'GIT_COMMON_DIR', 'GIT_INDEX_FILE', 'GIT_OBJECT_DIRECTORY', 'GIT_NAMESPACE'];
const OLDEST = [2, 38] as const;
const SIGNING_LIMIT_MS = 10_000;

interface Inspection {
  readonly git: GitRunner;
  readonly cwd: string;
}

/** Looks at the repository around `cwd` (any folder of it, in any worktree). Throws GitError only for what none of the refusals names. */
export async function inspectRepository(o: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly sleep: Clock['sleep'] }): Promise<RepositoryFacts | RepositoryRefusal> {
  const redirect = REDIRECTS.find((name) => (o.env[name] ?? '') !== '');
  if (redirect !== undefined) return { kind: 'git-dir-set', detail: `${redirect}=${o.env[redirect] ?? ''}` };
  const here: Inspection = { git: gitRunner(o), cwd: o.cwd };
  const version = await gitVersion(here);
  if (typeof version !== 'string') return version;
  const found = await here.git.run({ at: { cwd: here.cwd }, args: ['rev-parse', '--path-format=absolute', '--git-common-dir'], accept: [0, 128] });
  if (found.code !== 0) return whyNotFound(here, found);
  return facts(here, { version, commonDir: line(found) });
}

async function gitVersion(here: Inspection): Promise<string | RepositoryRefusal> {
  try {
    // Not in `cwd`: this must not fail for what that folder is.
    const text = line(await here.git.run({ at: { cwd: '/' }, args: ['version'] }));
    const [, version = '', major = '0', minor = '0'] = /((\d+)\.(\d+)[\w.]*)/.exec(text) ?? [];
    const isOld = Number(major) < OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) < OLDEST[1]);
    return isOld ? { kind: 'git-too-old', detail: text } : version;
  } catch (error) {
    if (error instanceof GitMissing) return { kind: 'git-missing', detail: error.detail };
    throw error;
  }
}

/** A repository that appears once every owner is trusted was refused for its owner. */
async function whyNotFound(here: Inspection, refusal: GitOutput): Promise<RepositoryRefusal> {
  const trusting = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*' };
  const { code } = await here.git.run({ at: { cwd: here.cwd }, args: ['rev-parse', '--git-common-dir'], accept: [0, 128], env: trusting });
  return { kind: code === 0 ? 'dubious-ownership' : 'not-a-repository', detail: refusal.stderr.trim() };
}

/** The worktrees; a registration that was cut in the making, for which git can list none, is removed first. */
async function listed(here: Inspection, commonDir: string): Promise<GitOutput> {
  const args = ['worktree', 'list', '--porcelain', '-z'];
  try {
    return await ask(here, args);
  } catch (error) {
    // By then the command was tried for seconds: what is at work there would have ended.
    if (!(error instanceof GitError) || !(await removeUnreadable(commonDir))) throw error;
    return ask(here, args);
  }
}

async function facts(here: Inspection, o: { readonly version: string; readonly commonDir: string }): Promise<RepositoryFacts> {
  const [state, gitDir, worktrees, config] = await Promise.all([
    ask(here, ['rev-parse', '--is-inside-work-tree', '--is-shallow-repository', '--show-object-format']),
    ask(here, ['rev-parse', '--absolute-git-dir']),
    listed(here, o.commonDir),
    readConfig(here),
  ]);
  const [inside, shallow, format] = line(state).split('\n');
  const [main] = parseWorktrees(worktrees.stdout);
  const bare = main?.bare === true;
  const [root, branch, head] = await Promise.all([
    inside === 'true' ? ask(here, ['rev-parse', '--path-format=absolute', '--show-toplevel']) : undefined,
    ask(here, ['rev-parse', '--symbolic-full-name', 'HEAD'], [0, 128]),
    ask(here, ['rev-parse', '-q', '--verify', 'HEAD^{commit}'], [0, 1, 128]),
  ]);
  const [unborn, contents, identity, signing, inProgress] = await Promise.all([
    head.code === 0 ? undefined : ask(here, ['symbolic-ref', '-q', 'HEAD'], [0, 1]),
    head.code === 0 ? contentFacts(here) : { hasSubmodules: false, lfs: { used: false, installed: true, missing: [] } },
    identityFacts(here),
    signingFacts(here, { wanted: config.get('commit.gpgsign') ?? 'false', sha256: format === 'sha256' }),
    operationIn(line(gitDir)),
  ]);
  const named = unborn === undefined ? line(branch) : line(unborn);
  return {
    kind: 'ok', gitVersion: o.version, commonDir: o.commonDir, root: root === undefined ? undefined : line(root),
    mainRoot: bare ? undefined : main?.path,
    bare, sha256: format === 'sha256', shallow: shallow === 'true',
    branch: named.startsWith('refs/') ? named : undefined,
    head: head.code === 0 ? line(head) : undefined,
    partial: [...config].some(([key, value]) => key === 'extensions.partialclone' || (/^remote\..*\.promisor$/.test(key) && isTrue(value))),
    sparse: isTrue(config.get('core.sparsecheckout') ?? 'false'),
    ...contents, identity, signing, inProgress,
    remotes: [...config].flatMap(([key, url]) => (/^remote\..*\.url$/s.test(key) ? [{ name: key.slice('remote.'.length, -'.url'.length), url }] : [])),
  };
}

async function contentFacts(here: Inspection): Promise<Pick<RepositoryFacts, 'hasSubmodules' | 'lfs'>> {
  const [modules, grep] = await Promise.all([
    ask(here, ['ls-tree', '-z', '--full-tree', 'HEAD', '--', '.gitmodules']),
    here.git.run({
      at: { cwd: here.cwd },
      args: ['grep', '-q', '-F', '-e', 'filter=lfs', 'HEAD', '--', ':(top,glob)**/.gitattributes'],
      env: { GIT_LITERAL_PATHSPECS: '0' },
      accept: [0, 1],
    }),
  ]);
  return { hasSubmodules: modules.stdout.length > 0, lfs: await lfsFacts(here, grep.code === 0) };
}

async function lfsFacts(here: Inspection, used: boolean): Promise<RepositoryFacts['lfs']> {
  if (!used) return { used, installed: true, missing: [] };
  try {
    // `<id> <* or -> <path>`: a `-` is a file whose content is not here.
    const { stdout } = await ask(here, ['lfs', 'ls-files', '--long']);
    const missing = stdout.toString('utf8').split('\n').flatMap((text) => /^[0-9a-f]+ - (.*)$/.exec(text)?.[1] ?? []);
    return { used, installed: true, missing };
  } catch (error) {
    if (error instanceof GitError) return { used, installed: false, missing: [] };
    throw error;
  }
}

async function identityFacts(here: Inspection): Promise<RepositoryFacts['identity']> {
  for (const name of ['GIT_AUTHOR_IDENT', 'GIT_COMMITTER_IDENT']) {
    const { code, stderr } = await ask(here, ['var', name], [0, 1, 128]);
    if (code !== 0) return { known: false, detail: stderr.trim() };
  }
  return { known: true, detail: '' };
}

async function signingFacts(here: Inspection, o: { readonly wanted: string; readonly sha256: boolean }): Promise<RepositoryFacts['signing']> {
  if (!isTrue(o.wanted)) return { wanted: false, works: true, detail: '' };
  const emptyTree = o.sha256 ? '6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321' : '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
  try {
    await here.git.run({ at: { cwd: here.cwd }, args: ['commit-tree', '-S', emptyTree], input: 'choo: can commits be signed?\n', limitMs: SIGNING_LIMIT_MS });
    return { wanted: true, works: true, detail: '' };
  } catch (error) {
    if (error instanceof GitError) return { wanted: true, works: false, detail: error.detail };
    throw error;
  }
}

/** Last value of every key, as git reads the configuration here. */
async function readConfig(here: Inspection): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await ask(here, ['config', '--list', '-z']);
  return new Map(splitNul(stdout).map((record) => {
    const text = pathText(record);
    const end = text.indexOf('\n');
    // A key without a value means true.
    return end === -1 ? [text, 'true'] as const : [text.slice(0, end), text.slice(end + 1)] as const;
  }));
}

function isTrue(value: string): boolean {
  return /^(?:true|yes|on|[1-9]\d*)$/i.test(value);
}

function ask(here: Inspection, args: readonly string[], accept: readonly number[] = [0]): Promise<GitOutput> {
  return here.git.run({ at: { cwd: here.cwd }, args, accept });
}

function line(output: GitOutput): string {
  return output.stdout.toString('utf8').replace(/\n$/, '');
}
