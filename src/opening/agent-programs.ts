// The programs of agents before they cost anything: are they there, in which version, does somebody seem to be logged in?
// Starts them with `--version` only, contained, in a temporary folder, and reads no file of theirs.

import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { installCommand, isTooOld, loginPaths, readVersion, requirementsOf } from '../agents/requirements.ts';
import type { Requirements } from '../agents/requirements.ts';
import { programOf } from '../agents/registry.ts';
import { childEnvironment } from '../adapters/environment.ts';
import { openProcesses } from '../adapters/processes.ts';
import { findProgram } from '../adapters/program.ts';
import type { Config } from '../discovery/config.ts';
import { CONFIG_FILE } from '../discovery/config.ts';
import { errorAt, hasErrors, warningAt } from '../discovery/diagnostic.ts';
import type { Diagnostic } from '../discovery/diagnostic.ts';
import type { ResolvedSettings } from '../discovery/settings.ts';
import type { Clock, CommandResult, Processes } from '../world.ts';
import type { FileSource } from './specs.ts';

/** What is known of one agent's program. */
export interface ProgramLook {
  readonly name: string;
  /** As `1.2.3`, where it was asked and could be read. */
  readonly version?: string;
  /** What shows that somebody is logged in: a variable's name, or a path. */
  readonly login?: string;
  readonly diagnostics: readonly Diagnostic[];
}

/** Where and for whom to look. */
export interface LookOptions {
  readonly config: Config;
  readonly resolved: Pick<ResolvedSettings, 'agentCommands'>;
  readonly source: FileSource;
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  /** Absent: no program is started, so no version is known. */
  readonly clock: Clock | undefined;
  /** Somebody wants it to end: programs that have not answered yet are killed, and nothing is said of them. */
  readonly stop?: AbortSignal;
}

/** Time for a program to tell its version, ms. */
const VERSION_LIMIT = 20_000;
/** Output of it that is looked at, bytes. */
const VERSION_OUTPUT = 64 * 1024;

/** Words a POSIX shell understands by itself; a command that begins with one is not looked up. */
const SHELL_WORDS = new Set(['.', ':', '[', '{', '(', '!', 'alias', 'case', 'cd', 'command', 'eval', 'exec', 'exit', 'export', 'false', 'for', 'if', 'printf', 'read', 'return', 'set', 'test', 'trap', 'true', 'echo', 'umask', 'until', 'wait', 'while']);

/** The program a shell command starts first, when that can be told without running it; else undefined. */
function firstProgram(command: string): string | undefined {
  const words = command.trim().split(/\s+/);
  const word = words.find((w) => !/^[A-Za-z_]\w*=/.test(w));
  if (word === undefined || !/^[\w./@+-]+;?$/.test(word)) return undefined;
  const name = word.replace(/;$/, '');
  return SHELL_WORDS.has(name) ? undefined : name;
}

/** Looks at the program of each of these agents; those that no configuration can name are left out. */
export async function lookAtPrograms(names: Iterable<string>, o: LookOptions): Promise<readonly ProgramLook[]> {
  const known = [...names].filter((name) => Object.hasOwn(o.config.agents, name));
  const looks = await Promise.all(known.map(async (name) => ({ name, ...await whetherThere(name, o) })));
  const asked = looks.filter(({ start }) => start !== undefined);
  const answers = o.clock === undefined || asked.length === 0 ? new Map<string, CommandResult>() : await askVersions(asked, { ...o, clock: o.clock });
  return looks.map(({ name, found }) => {
    const needs = requirementsOf(name);
    const answer = answers.get(name);
    const told = needs === undefined || answer === undefined ? { diagnostics: [] } : judge(needs, { name, answer });
    const login = needs === undefined || hasErrors([...found, ...told.diagnostics]) ? { diagnostics: [] } : loginOf(needs, { ...o, name });
    return { name, ...told, ...login, diagnostics: [...found, ...told.diagnostics, ...login.diagnostics] };
  });
}

interface Presence {
  readonly found: readonly Diagnostic[];
  /** What asks it for its version, when it is there and can be asked before there is a worktree. */
  readonly start?: readonly string[];
}

async function whetherThere(name: string, o: LookOptions): Promise<Presence> {
  const { providers } = o.config.provider;
  if (name === 'script') {
    const file = providers.script?.file;
    if (file === undefined || (await o.source.paths()).has(file)) return { found: [] };
    return { found: [errorAt('agent-missing', `the scenario \`${file}\` of the agent \`script\` is not in the commit that is run`, { hint: 'commit it, or mend provider.providers.script.file' })] };
  }
  const command = commandOf(name, o);
  if (command === undefined) return { found: [] };
  const needs = requirementsOf(name);
  const program = firstProgram(command);
  const inRepository = program !== undefined && program.includes('/') && !program.startsWith('/');
  if (program !== undefined && !(inRepository ? await isMade(program, o) : 'path' in findProgram(program, { cwd: o.root, path: environmentOf(name, o)['PATH'] }))) {
    return { found: [missing(name, { program, inRepository, command })] };
  }
  return { found: [], ...(needs === undefined || inRepository || await namesOfRepository(command, o) ? {} : { start: [...programOf(command), ...needs.versionArgs] }) };
}

/** Whether a command names a file that is seen from the worktree: `node tools/agent.js` would only be broken elsewhere. */
async function namesOfRepository(command: string, { source }: LookOptions): Promise<boolean> {
  const paths = await source.paths();
  return command.trim().split(/\s+/).some((word) => paths.has(word.replace(/^\.\//, '')) || /(?:^|=)\.{1,2}\//.test(word) || /^[\w.][\w.+-]*\/[\w./+-]+$/.test(word));
}

/** The command line of an agent's program, as the environment or the file says, else its usual name. */
function commandOf(name: string, { config, resolved }: Pick<LookOptions, 'config' | 'resolved'>): string | undefined {
  const programs: Readonly<Record<string, { readonly command?: string } | undefined>> = config.provider.providers;
  return resolved.agentCommands[name] ?? programs[name]?.command ?? (requirementsOf(name) === undefined ? undefined : name);
}

/** What it will see when it works, but for choo's own variables. */
function environmentOf(name: string, { env, config }: Pick<LookOptions, 'env' | 'config'>): Record<string, string> {
  return childEnvironment(env, config.agents[name]?.env ?? {});
}

/** A program in the repository is there when the commit has it; what setup makes or copies cannot be seen before. */
async function isMade(program: string, { source, config }: LookOptions): Promise<boolean> {
  const { setup, copy } = config.worktree;
  return setup.length + copy.length > 0 || (await source.paths()).has(program.replace(/^\.\//, ''));
}

function missing(name: string, o: { readonly program: string; readonly inRepository: boolean; readonly command: string }): Diagnostic {
  const what = o.inRepository ? 'is not in the commit that is run' : 'was not found';
  const needs = requirementsOf(name);
  if (needs === undefined) return errorAt('agent-missing', `the agent's program \`${o.program}\` ${what}`, { hint: `provider.providers.${name}.command in ${CONFIG_FILE} is: ${o.command}` });
  const hint = o.command === name ? installCommand(needs) : `${installCommand(needs)} (or mend ${placeOf(name)}, which is: ${o.command})`;
  return errorAt('agent-missing', `the program \`${o.program}\` of the agent \`${name}\` (${needs.title}) ${what}`, { hint });
}

function placeOf(name: string): string {
  return name === 'claude' || name === 'codex' ? `provider.providers.${name}.command or CHOO_${name.toUpperCase()}_CMD` : `provider.providers.${name}.command`;
}

/** Runs the programs, all at the same time, where nothing of the user's is around them. */
async function askVersions(asked: readonly (Presence & { readonly name: string })[], o: LookOptions & { readonly clock: Clock }): Promise<ReadonlyMap<string, CommandResult>> {
  const folder = await mkdtemp(join(tmpdir(), 'choo-look-'));
  try {
    // Whether a namespace that was asked for is to be had is told elsewhere.
    const processes = await openProcesses({ contain: o.config.contain === 'group' ? 'group' : 'auto', env: o.env, clock: o.clock, marker: `choo-look-${process.pid}` });
    try {
      return new Map(await Promise.all(asked.map(async ({ name, start = [] }) => [name, await askVersion(processes, { name, start, folder, env: { ...requirementsOf(name)?.env, ...o.config.agents[name]?.env }, stop: o.stop ?? new AbortController().signal })] as const)));
    } finally {
      await processes.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function askVersion(processes: Processes, o: { readonly name: string; readonly start: readonly string[]; readonly folder: string; readonly env: Readonly<Record<string, string>>; readonly stop: AbortSignal }): Promise<CommandResult> {
  return processes.run({ argv: o.start, cwd: o.folder, env: o.env, log: join(o.folder, `${o.name}.log`), outputLimit: VERSION_OUTPUT, totalMs: VERSION_LIMIT }, { interrupt: new AbortController().signal, kill: o.stop });
}

/** What an answer to `--version` says. */
function judge(needs: Requirements, { name, answer }: { readonly name: string; readonly answer: CommandResult }): Pick<ProgramLook, 'version' | 'diagnostics'> {
  const who = `the agent \`${name}\` (${needs.title})`;
  const asked = needs.versionArgs.join(' ');
  const broken = (what: string): Pick<ProgramLook, 'diagnostics'> => ({ diagnostics: [errorAt('agent-broken', `${who} ${what}`, { hint: `${installCommand(needs)} (or mend ${placeOf(name)})` })] });
  if (answer.cut) return { diagnostics: [] };
  if (answer.limit !== undefined) return broken(`did not answer \`${asked}\` within ${VERSION_LIMIT / 1000} s`);
  if (answer.code === 127) return { diagnostics: [errorAt('agent-missing', `the program of ${who} was not found${lastWords(answer.tail)}`, { hint: `${installCommand(needs)} (or mend ${placeOf(name)})` })] };
  if (answer.code !== 0) return broken(`does not start: \`${asked}\` ended ${answer.code === null ? 'by a signal' : `with ${answer.code}`}${lastWords(answer.tail)}`);
  const version = readVersion(needs, answer.tail);
  if (version === undefined) {
    return { diagnostics: [warningAt('agent-version', `the version of ${who} cannot be read from what \`${asked}\` prints${lastWords(answer.tail)}; choo was measured with ${needs.minimum}`, { hint: `${installCommand(needs)} (or mend ${placeOf(name)})` })] };
  }
  if (!isTooOld(needs, version)) return { version, diagnostics: [] };
  return { version, diagnostics: [errorAt('agent-too-old', `${who} is ${version}; choo needs ${needs.minimum} or newer`, { hint: `${installCommand(needs)}@latest` })] };
}

/** The first line it printed, for people. */
function lastWords(printed: string): string {
  const line = printed.split('\n').map((text) => text.trim()).find((text) => text !== '') ?? '';
  return line === '' ? '' : `: ${line.slice(0, 200)}`;
}

/** Whether somebody seems to be logged in. Without a sign of it that is certain only where choo starts the usual program as it is and nothing could hold another key. */
function loginOf(needs: Requirements, o: LookOptions & { readonly name: string }): Pick<ProgramLook, 'login' | 'diagnostics'> {
  const { name, config } = o;
  const env = environmentOf(name, o);
  const variable = needs.login.variables.find((v) => (env[v] ?? '') !== '');
  if (variable !== undefined) return { login: variable, diagnostics: [] };
  const { files, settings } = loginPaths(needs, { env, home: env['HOME'] ?? homedir(), root: o.root });
  const file = files.find((path) => existsSync(path));
  if (file !== undefined) return { login: file, diagnostics: [] };
  const { args, env: own } = config.agents[name] ?? { args: [], env: {} };
  const plain = commandOf(name, o) === name && args.length === 0 && Object.keys(own).length === 0 && process.platform === 'linux';
  const detail = { hint: `${needs.login.command} (or set ${needs.login.variables[0] ?? ''})` };
  if (plain && settings?.every((path) => !existsSync(path)) === true) return { diagnostics: [errorAt('agent-login', `nobody is logged in to the agent \`${name}\` (${needs.title})`, detail)] };
  return { diagnostics: [warningAt('agent-login', `nobody seems to be logged in to the agent \`${name}\` (${needs.title})`, detail)] };
}
