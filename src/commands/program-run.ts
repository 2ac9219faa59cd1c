// `choo run` and `choo resume` as commands: their flags and help.

import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { PLAN_FORMATS } from '../show/plan.ts';
import type { PlanFormat } from '../show/plan.ts';
import { collect, count, examples } from './program-shell.ts';
import type { Shell } from './program-shell.ts';
import { parseUntil } from './until.ts';
import type { Until } from './until.ts';

function until(text: string): Until {
  const moment = parseUntil(text, Date.now());
  if ('problem' in moment) throw new InvalidArgumentError(moment.problem);
  return moment;
}

/** Flags that run and resume share. */
function addSessionFlags(command: Command): Command {
  return command
    .option('-p, --parallelism <n>', 'units worked on at the same time', count)
    .option('--json', 'events on stdout, a JSON object a line; everything else on stderr')
    .option('--no-tui', 'lines instead of the screen, also on a terminal')
    .option('--web', 'with a dashboard, whose link is printed first; it ends with this command')
    .option('--no-cache', 'run every check, also one that has passed on the same files before')
    .option('--skip-review', 'land finished units without a review, by another agent or by people')
    .option('--no-wait', 'end when only people can move the run, instead of waiting for their reviews')
    .option('--ci', 'save the run at the remote after each recorded task, for another clone to go on with')
    .option('--until <time>', 'stop gracefully at 07:30, 2026-11-23T07:30 (local) or after 8h', until)
    .addOption(new Option('--detach', 'go on in the background; survives the terminal').conflicts('json'));
}

interface RunFlags {
  readonly parallelism?: number;
  readonly target?: string;
  readonly dryRun?: boolean;
  readonly format?: PlanFormat;
  readonly pr: boolean;
  readonly unit?: readonly string[];
  readonly provider?: string;
  readonly forceTaskProvider?: string;
  readonly json?: boolean;
  readonly new?: boolean;
  readonly ci?: boolean;
  readonly continue?: boolean;
  readonly detach?: boolean;
  readonly until?: Until;
  readonly cache?: boolean;
  readonly skipReview?: boolean;
  readonly wait?: boolean;
  readonly tui?: boolean;
  readonly web?: boolean;
}

/** Adds `choo run`. */
export function addRun({ program, io, exit }: Shell): void {
  const command = addSessionFlags(program.command('run')
    .summary('run the specs of this repository to the end')
    .description('Runs every unit under the tasks folder that is not complete: in worktrees of its own, task by task, proved and landed on the target. Ends when nothing can move but by a person.')
    .argument('[tasks-dir]', 'folder of units (default: specs/tasks)'))
    .option('-t, --target <branch>', 'branch to land on (default: the one checked out)')
    .addOption(new Option('-n, --dry-run', 'print the plan of the working tree; start and change nothing').conflicts(['detach', 'until', 'ci', 'continue', 'web']))
    .addOption(new Option('--format <form>', 'form of the plan, with -n').choices(PLAN_FORMATS))
    .option('--no-pr', 'land locally although there is a forge')
    .option('--unit <id>', 'only this unit and what it depends on; may be repeated', collect)
    .option('--provider <name>', 'agent of the units that name none')
    .option('--force-task-provider <name>', 'agent of all units, whatever they name')
    .option('--new', 'close an open run (all of it is kept) and begin a new one')
    .addOption(new Option('--continue', 'go on with the open run, here or (with --ci) saved at the remote, where there is one').conflicts('new'))
    .addHelpText('after', examples([
      ['choo run -n', 'the plan: levels, order, critical path'],
      ['choo run -n --format mermaid', 'the plan as a picture'],
      ['choo run -p 4', 'four units at a time'],
      ['choo run --unit api --unit page', 'these two and what they need'],
      ['choo run -p 4 --web', 'and look at it in a browser'],
      ['choo run --detach --until 07:30', 'over night, in the background'],
      ['choo run --ci --continue', 'on a machine that may go away at any time'],
      ['choo run --json | jq -r .type', 'events, for programs'],
    ]));
  command.action(async (tasksDir: string | undefined, flags: RunFlags) => {
    if (flags.format !== undefined && flags.dryRun !== true) command.error('error: --format belongs to --dry-run (-n)', { exitCode: 2 });
    const { run, dryRun } = await import('./run.ts');
    const { pr, new: newRun, continue: goOn, dryRun: dry, format, ...rest } = flags;
    const asked = { how: 'run' as const, ...rest, noPr: !pr, newRun: newRun === true, goOn: goOn === true, ...(tasksDir === undefined ? {} : { tasksDir }) };
    exit(dry === true ? await dryRun({ ...asked, format: format ?? (flags.json === true ? 'json' : 'text') }, io) : await run(asked, io));
  });
}

/** Adds `choo resume`. */
export function addResume({ program, io, exit }: Shell): void {
  addSessionFlags(program.command('resume')
    .summary('continue the open run')
    .description('Continues the open run where it stopped: plan and target as they were, settings read anew.'))
    .option('--accept-plan', 'take specs that changed on the target since the run began')
    .addOption(new Option('--keep-plan', 'go on with the specs that the run began with, whatever the target has now').conflicts('acceptPlan'))
    .addOption(new Option('--from-remote [run]', 'first restore a run that was saved with --ci: this one, or the newest').argParser(count))
    .addHelpText('after', examples([
      ['choo resume', 'go on'],
      ['choo resume --from-remote', 'in a fresh clone, after the machine that had the run is gone'],
      ['choo resume --detach --until 8h', 'in the background, for eight hours'],
      ['choo retry api && choo resume', 'try a failed unit again'],
      ['choo resume --accept-plan', 'go on with specs that were changed meanwhile'],
    ]))
    .action(async (flags: Pick<RunFlags, 'parallelism' | 'json' | 'detach' | 'until' | 'cache' | 'skipReview' | 'wait' | 'tui' | 'web' | 'ci'> & { readonly fromRemote?: number | true; readonly acceptPlan?: boolean; readonly keepPlan?: boolean }) => {
      const { acceptPlan, keepPlan, fromRemote, ...rest } = flags;
      const { run } = await import('./run.ts');
      exit(await run({ how: 'resume', ...rest, ...(fromRemote === undefined ? {} : { fromRemote: fromRemote === true ? 'newest' : fromRemote }), ...(acceptPlan === true ? { changedPlan: 'accept' } : keepPlan === true ? { changedPlan: 'keep' } : {}) }, io));
    });
}
