// Every command with its flags and help. Loads the code of a command only when it is asked for.

import { Argument, Command, Option } from 'commander';
import { makeIo } from './io.ts';
import type { Io } from './io.ts';
import { REPORT_FORMATS } from '../report/data.ts';
import type { ReportFormat } from '../report/data.ts';
import { WRITES } from '../mcp/permissions.ts';
import { VERSION } from '../version.ts';
import { SHELLS } from './shells.ts';
import type { ShellName } from './shells.ts';
import { addResume, addRun } from './program-run.ts';
import { collect, count, examples, port } from './program-shell.ts';
import type { Shell } from './program-shell.ts';

/** What the program is given: where it prints, and who is told the exit code of a command. */
export interface ProgramParts {
  readonly io?: Io;
  readonly exit?: (code: number) => void;
}

/** The whole command line. A wrong one makes `parseAsync` throw a CommanderError. */
export function buildProgram({ io = makeIo(), exit = () => undefined }: ProgramParts = {}): Command {
  const program = new Command('choo')
    .description('Runs coding agents in parallel over a repository\'s specs: every task proved by a command, every unit landed on the target branch.')
    .version(`choo ${VERSION}`, '--version', 'print the version')
    .helpOption('-h, --help', 'print this, or the help of a command')
    .configureOutput({ writeOut: io.out.write, writeErr: io.err.write, getOutHasColors: () => io.out.color, getErrHasColors: () => io.err.color })
    .showHelpAfterError('(choo --help lists the commands; choo COMMAND --help its flags)')
    .exitOverride();
  const shell: Shell = { program, io, exit };
  for (const add of [addInit, addRun, addResume, addStatus, addWeb, addStop, addUnlock, addRetry, addApprove, addLogs, addReport, addPrompt, addCleanup, addArchive, addDoctor, addDemo, addMcp, addCompletion, addVersion]) add(shell);
  program.addHelpText('after', examples([
    ['choo demo', 'watch a whole run in a throw-away repository'],
    ['choo init', 'begin in your own repository'],
    ['choo run -n', 'see the plan; starts nothing'],
    ['choo run -p 4', 'run it'],
  ]));
  return program;
}

function addStatus({ program, io, exit }: Shell): void {
  const command = program.command('status')
    .summary('show every unit and task, live or at rest')
    .description('Shows every unit and task of the newest run, live or at rest; before the first run those of the specs.')
    .argument('[tasks-dir]', 'folder of units (default: specs/tasks)')
    .option('--json', 'as data')
    .option('--watch', 'again with every change, until the session ends; with --json one object a line')
    .addHelpText('after', examples([['choo status', 'from any terminal'], ['choo status --watch', 'as it goes on'], ['choo status --json', 'for programs']]));
  command.action(async (tasksDir: string | undefined, flags: { readonly json?: boolean; readonly watch?: boolean }) => {
    if (flags.watch === true) {
      if (tasksDir !== undefined) command.error('error: --watch follows the run of the repository and takes no folder', { exitCode: 2 });
      const { watchStatus } = await import('./watch.ts');
      return exit(await watchStatus({ json: flags.json === true }, io));
    }
    const { status } = await import('./status.ts');
    exit(await status({ ...flags, ...(tasksDir === undefined ? {} : { tasksDir }) }, io));
  });
}

function addWeb({ program, io, exit }: Shell): void {
  program.command('web')
    .summary('serve a page that follows the run, live or at rest')
    .description('Serves a page with the graph, every unit, its logs and changes, and what waits for a person, and prints the link to it. A process of its own: the run never waits for it, and may begin and end meanwhile. Only this machine is listened to, and only who has the link gets in.')
    .option('--port <n>', 'port to listen on (default: the one of the last time, or a free one)', port)
    .option('--listen <address>', 'address to listen on, for other machines to reach; nothing is encrypted on the way')
    .option('--run <n>', 'the run that the link opens (default: the newest)', count)
    .addHelpText('after', examples([['choo web', 'prints the link'], ['choo web --run 3', 'an earlier run'], ['choo web --listen 192.168.0.7', 'for a phone in the same network']]))
    .action(async (flags: { readonly port?: number; readonly listen?: string; readonly run?: number }) => {
      const { web } = await import('./web.ts');
      exit(await web(flags, io));
    });
}

function addStop({ program, io, exit }: Shell): void {
  program.command('stop')
    .summary('stop the running orchestrator, gracefully')
    .description('Asks the orchestrator that runs in this repository to stop, and waits until it has. Work in progress is kept.')
    .option('--now', 'kill what runs at once')
    .addHelpText('after', examples([['choo stop', 'agents get limits.shutdown to end'], ['choo stop --now', 'they get no time']]))
    .action(async (flags: { readonly now?: boolean }) => {
      const { stop } = await import('./stop.ts');
      exit(await stop({ now: flags.now === true }, io));
    });
}

function addUnlock({ program, io, exit }: Shell): void {
  program.command('unlock')
    .summary('give away the lock of an orchestrator that is gone')
    .description('Says who holds this repository and, when that one is gone, removes its lock. One on another machine or in another container cannot be seen from here: then it asks for --yes. One that runs here is never robbed: choo stop ends it.')
    .option('--yes', 'also when its holder cannot be seen from here; be certain that it is gone')
    .addHelpText('after', examples([['choo unlock', 'see who holds it; removes what a dead one left'], ['choo unlock --yes', 'the container or machine that had it is gone']]))
    .action(async (flags: { readonly yes?: boolean }) => {
      const { unlock } = await import('./unlock.ts');
      exit(await unlock({ yes: flags.yes === true }, io));
    });
}

function addRetry({ program, io, exit }: Shell): void {
  const command = program.command('retry')
    .summary('give failed units their attempts back')
    .description('Gives failed units their attempts back and unblocks what depends on them. A live run goes on with them at once, one at rest with `choo resume`.')
    .argument('[unit...]', 'units that failed')
    .option('--failed', 'all units that failed')
    .addHelpText('after', examples([['choo retry api', 'in a live run'], ['choo retry --failed && choo resume', 'in one at rest']]));
  command.action(async (units: readonly string[], flags: { readonly failed?: boolean }) => {
    if ((units.length > 0) === (flags.failed === true)) command.error('error: name units, or give --failed', { exitCode: 2 });
    const { retry } = await import('./retry.ts');
    exit(await retry(units, io));
  });
}

function addApprove({ program, io, exit }: Shell): void {
  program.command('approve')
    .summary('let a unit land although it changes protected paths')
    .description('Lets units land that wait because they change paths which land.protected names (with land.protect: approve). What is approved is what `choo status` shows; a later change of these paths waits again. A live run goes on with them at once, one at rest with `choo resume`.')
    .argument('<unit...>', 'units that wait for approval')
    .addHelpText('after', examples([['choo status', 'who waits, and the command that shows the change'], ['choo approve api', 'in a live run'], ['choo approve api && choo resume', 'in one at rest']]))
    .action(async (units: readonly string[]) => {
      const { approve } = await import('./approve.ts');
      exit(await approve(units, io));
    });
}

function addLogs({ program, io, exit }: Shell): void {
  program.command('logs')
    .summary('print what an attempt printed')
    .description('Prints what an attempt did and printed, and what its check said; the newest of the unit unless another is named.')
    .argument('<unit>', 'unit of the newest run')
    .option('--task <n>', 'task of the unit', count)
    .option('--attempt <n>', 'attempt at it', count)
    .option('-f, --follow', 'go on until the attempt has ended')
    .option('--raw', 'the log as it is, also of an agent that writes messages for programs')
    .addHelpText('after', examples([['choo logs api', 'the newest attempt'], ['choo logs api --task 2 --attempt 1', 'an earlier one'], ['choo logs api -f', 'as it is printed']]))
    .action(async (unit: string, flags: { readonly task?: number; readonly attempt?: number; readonly follow?: boolean; readonly raw?: boolean }) => {
      const { logs } = await import('./logs.ts');
      exit(await logs({ unit, ...flags }, io));
    });
}

function addReport({ program, io, exit }: Shell): void {
  program.command('report')
    .summary('a run as one HTML page, or as JSON')
    .description('Reports on a run, live or at rest: units with times and costs, every attempt and check, what failed with its last lines, what waits for a person, and the critical path as it happened. The page is one file that loads nothing from elsewhere. Printed to stdout; on a terminal the page is written beside the journal instead, and its path printed.')
    .argument('[run]', 'number of the run (default: the newest)', count)
    .addOption(new Option('--format <form>', 'form of the report').choices(REPORT_FORMATS).default('html'))
    .option('-o, --output <file>', 'write it there and print the path; - is stdout')
    .addHelpText('after', examples([
      ['choo report -o report.html', 'the newest run as a page'],
      ['choo report 3 --format json | jq .criticalPath', 'an earlier one, for programs'],
    ]))
    .action(async (run: number | undefined, flags: { readonly format: ReportFormat; readonly output?: string }) => {
      const { report } = await import('./report.ts');
      exit(await report({ ...flags, ...(run === undefined ? {} : { run }) }, io));
    });
}

function addPrompt({ program, io, exit }: Shell): void {
  program.command('prompt')
    .summary('print the exact text an agent would get')
    .description('Prints the exact text that an agent would get for the next task of a unit, or for the one that is named.')
    .argument('<unit>', 'unit')
    .option('--task <n>', 'task of the unit', count)
    .addHelpText('after', examples([['choo prompt api', 'for its next task'], ['choo prompt api --task 2', 'for another one']]))
    .action(async (unit: string, flags: { readonly task?: number }) => {
      const { prompt } = await import('./prompt.ts');
      exit(await prompt({ unit, ...flags }, io));
    });
}

function addCleanup({ program, io, exit }: Shell): void {
  program.command('cleanup')
    .summary('remove what has provably landed')
    .description('Removes worktrees and branches of all runs that have provably landed, and what choo left of itself; lists the rest and why it stays. With --discard also what has not landed, after saving it under refs/choo/backup/ (files that git ignores are not saved).')
    .option('--discard <unit>', 'give a unit up, in every run (or in one: unit/run); may be repeated', collect)
    .option('-n, --dry-run', 'tell what would be done; change nothing')
    .option('--json', 'as data')
    .addHelpText('after', examples([
      ['choo cleanup -n', 'what is there and what would go'],
      ['choo cleanup', 'remove what has landed'],
      ['choo cleanup --discard api', 'give api up; its work is saved first'],
      ['choo cleanup --discard api/3', 'only what run 3 left of it'],
    ]))
    .action(async (flags: { readonly discard?: readonly string[]; readonly dryRun?: boolean; readonly json?: boolean }) => {
      const { cleanup } = await import('./cleanup.ts');
      exit(await cleanup(flags, io));
    });
}

function addArchive({ program, io, exit }: Shell): void {
  program.command('archive')
    .summary('move complete units to specs/completed/')
    .description('Moves units whose tasks are all complete in the commit that is checked out, and the design specs that only they name, to specs/completed/, as git mv does. Prints the commit to make. Overwrites nothing; leaves alone what has uncommitted changes and what an open run works on.')
    .argument('[tasks-dir]', 'folder of units (default: specs/tasks)')
    .option('-n, --dry-run', 'tell what would be moved; change nothing')
    .option('--json', 'as data')
    .addHelpText('after', examples([['choo archive -n', 'what would go'], ['choo archive', 'move it, then make the commit it prints']]))
    .action(async (tasksDir: string | undefined, flags: { readonly dryRun?: boolean; readonly json?: boolean }) => {
      const { archive } = await import('./archive.ts');
      exit(await archive({ ...flags, ...(tasksDir === undefined ? {} : { tasksDir }) }, io));
    });
}

function addInit({ program, io, exit }: Shell): void {
  program.command('init')
    .summary('write a first configuration and a first spec')
    .description('Writes .choo.yaml, with the setup that the lockfile asks for, and an example unit. Overwrites nothing.')
    .addHelpText('after', examples([['choo init', 'in your repository']]))
    .action(async () => {
      const { init } = await import('./init.ts');
      exit(await init(io));
    });
}

function addDoctor({ program, io, exit }: Shell): void {
  program.command('doctor')
    .summary('what is missing, and the command that mends it')
    .description('Looks at git, the repository, configuration, specs, agents (program, version, login, permissions), containment, free space and the last run, and says what is missing and what mends it. Changes nothing; agents are started with --version only. Exit code 1 when something is wrong.')
    .option('--json', 'as data')
    .addHelpText('after', examples([['choo doctor', 'before the first run'], ['choo doctor --json', 'for programs']]))
    .action(async (flags: { readonly json?: boolean }) => {
      const { doctor } = await import('./doctor.ts');
      exit(await doctor(flags, io));
    });
}

function addDemo({ program, io, exit }: Shell): void {
  const command = program.command('demo')
    .summary('a whole run in a throw-away repository')
    .description('Makes a repository in the temporary folder and runs it with the built-in scripted agent: no key, no network, some seconds. With --agent by that agent\'s own program, against a scripted model on 127.0.0.1 and without your settings, keys and logins: no bill.')
    .option('--agent <name>', 'a real agent: claude, codex, gemini, opencode, copilot or acp')
    .option('--command <program>', 'its program (default: its name on PATH)')
    .option('--keep', 'leave the repository there to look at')
    .addHelpText('after', examples([
      ['choo demo', 'watch'],
      ['choo demo --keep', 'and look around afterwards'],
      ['choo demo --agent claude', 'your own Claude Code, with a scripted model'],
      ['choo demo --agent acp --command "gemini --acp"', 'anything that speaks ACP'],
    ]));
  command.action(async (flags: { readonly keep?: boolean; readonly agent?: string; readonly command?: string }) => {
    if (flags.command !== undefined && flags.agent === undefined) command.error('error: --command belongs to --agent', { exitCode: 2 });
    const { demo } = await import('./demo.ts');
    exit(await demo({ ...flags, keep: flags.keep === true }, io));
  });
}

function addMcp({ program, io, exit }: Shell): void {
  program.command('mcp')
    .summary('tools for an assistant, by the Model Context Protocol')
    .description('Serves the plan, the status, events and logs of this repository to an assistant, by the Model Context Protocol on stdin and stdout. It only looks, unless it is allowed more. Ends when stdin closes; a run that was started goes on.')
    .addOption(new Option('--allow <what...>', 'what the assistant may do besides, each by its name; may be repeated').choices(WRITES))
    .option('--allow-approve', 'it may ask the person at its client to approve changes of protected paths')
    .option('--repository <folder>', 'the repository (default: the one of the current folder)')
    .addHelpText('after', examples([
      ['choo mcp', 'look only'],
      ['choo mcp --allow run resume stop retry', 'drive runs, too'],
      ['choo mcp --repository ~/shop', 'for assistants that start in a folder of their own'],
    ]))
    .action(async (flags: { readonly allow?: readonly (typeof WRITES)[number][]; readonly allowApprove?: boolean; readonly repository?: string }) => {
      const { mcp } = await import('./mcp.ts');
      exit(await mcp(flags, io));
    });
}

function addCompletion({ program, io, exit }: Shell): void {
  program.command('completion')
    .summary('a script that completes commands in a shell')
    .description('Prints a script for a shell that completes commands, flags and their values, and names of units, runs and branches.')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText('after', examples([
      ['choo completion fish | source', 'in ~/.config/fish/config.fish'],
      ['source <(choo completion bash)', 'in ~/.bashrc'],
      ['source <(choo completion zsh)', 'in ~/.zshrc, after compinit'],
    ]))
    .action(async (name: ShellName) => {
      const { completion } = await import('./completion.ts');
      exit(completion(name, program, io));
    });
}

function addVersion({ program, io, exit }: Shell): void {
  program.command('version')
    .summary('print the version')
    .description('Prints the version.')
    .addHelpText('after', examples([['choo version', '']]).trimEnd())
    .action(() => {
      io.out.write(`choo ${VERSION}\n`);
      exit(0);
    });
}
