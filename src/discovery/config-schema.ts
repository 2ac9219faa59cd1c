// The shape of `.choo.yaml`, once: types, descriptions and defaults for people, editors and the JSON Schema. Checks only what a schema can say.

import * as z from 'zod';
import { OVERLAP_MODES } from '../core/overlap.ts';
import { RECOGNISERS } from '../core/recognise.ts';
import { guardKeys } from './guard-config.ts';
import { landKeys } from './land-config.ts';
import { escalationKeys } from './escalation-config.ts';
import { forgeKeys, githubKeys, pullReviewKeys } from './pull-config.ts';
import { reviewKeys } from './review-config.ts';
import { AMOUNT_PATTERN, DURATION_PATTERN, SIZE_PATTERN } from './quantity.ts';
import { key } from './schema-key.ts';

const text = z.string().min(1);
const count = z.int().min(1);
const duration = z.union([z.string().regex(new RegExp(DURATION_PATTERN)), z.literal(0)]).meta({ kind: 'duration' });
const size = z.string().regex(new RegExp(SIZE_PATTERN)).meta({ kind: 'size' });

/** A key that is accepted and warned of, because its feature is not built yet. */
function later(feature: string): z.ZodOptional<z.ZodUnknown> {
  return z.unknown().optional().meta({ description: `${feature} Not in effect in this version.` });
}

const commandKeys = {
  command: text.meta({ description: 'Run as `sh -c` in the top folder of the worktree.' }),
  if: key(text, 'Path in the worktree that must exist for the command to run.'),
};
const command = z.union([text, z.strictObject(commandKeys)]);

const setup = z.union([
  text,
  z.strictObject({
    ...commandKeys,
    reuse: key(z.strictObject({
      by: z.array(text).min(1).meta({ description: 'Files that decide what the command makes, such as lockfiles: every one of them, and the scripts it runs.' }),
      makes: z.array(text).min(1).meta({ description: 'What it makes: files and folders that git ignores. What else it does is not done again.' }),
    }), 'What the command makes is kept, and copied into the next worktree instead of running it, as long as these files, the command and this machine are the same.'),
  }),
]);

const check = z.union([
  text,
  z.strictObject({
    name: key(text, 'Shown to people and used in the commit subject of a fix; default: the start of the command.'),
    command: text.meta({ description: 'Run as `sh -c` in the top folder of the worktree; exit code 0 is a pass.' }),
    pattern: key(text, 'Glob; the check runs only when a changed path matches.'),
    retries: key(z.int().min(0), 'How often it is run again when it failed; default: `limits.check_retries`.'),
    recogniser: key(z.enum(RECOGNISERS), 'The test runner whose output tells the failing tests by name, for `land.base: record`.'),
  }),
]);

const worktree = z.strictObject({
  base_path: key(text, 'Folder outside any work tree for the worktrees; default: `$XDG_STATE_HOME/choo/`.'),
  setup: key(z.array(setup), 'Commands that make a fresh worktree ready, in order; each a text or `{command, if, reuse}`.', []),
  teardown: key(z.array(command), 'Commands run in a worktree before it is removed; each a text or `{command, if}`.', []),
  copy: key(z.array(text), 'Globs of ignored files that are copied from the main checkout into each worktree.', []),
  pool: key(z.enum(['auto', 'always', 'never']), 'Whether the worktree of a landed unit is made into that of a later one: where a checkout has so many files that it pays, always, or never.', 'auto'),
  keep: key(z.array(text), 'Patterns, as in `.gitignore`, of ignored files that stay in a worktree which goes to another unit.', []),
  port_base: key(z.int().min(1024).max(60_000), 'Where the blocks of ports begin of which each worktree has one (`CHOO_PORT_BASE`).', 20_000),
});

/** An agent with a program of its own. */
function providerOf(title: string, fallback?: string): z.ZodOptional<z.ZodObject<{ command: z.ZodOptional<z.ZodString> }>> {
  const program = key(text, `The program of ${title}, by name or path, with first arguments if it needs any; a shell reads it.`, fallback);
  return z.strictObject({ command: program }).optional().meta({ description: `The agent ${title}.` });
}

const amount = z.string().regex(new RegExp(AMOUNT_PATTERN)).meta({ kind: 'amount' });
const dollars = z.number().min(0);

const rules = z.strictObject({
  permissions: key(z.enum(['sandboxed', 'workspace', 'full']), 'How far this agent may go by itself; default: `agents.permissions`.'),
  model: key(text, 'The model, as the agent names it; default: its own.'),
  args: key(z.array(z.string()), 'More arguments for its program.', []),
  env: key(z.record(z.string(), z.string()), 'More variables for its environment. Not for secrets: the file is committed.', {}),
  retry: key(z.enum(['fresh', 'continue']), 'Whether a retry begins anew or goes on with the agent\'s own session.', 'fresh'),
  fallback: key(text, 'The agent that takes over while this one has no quota, no login or no service.'),
  attempts: key(z.array(z.strictObject({ agent: key(text, 'The agent of this attempt.'), model: key(text, 'The model of this attempt.') })).min(1), 'Agent or model of the first attempt, the second and so on; the last one is for all further attempts.'),
  agent_idle: key(duration, '`limits.agent_idle` for this agent.'),
  agent_total: key(duration, '`limits.agent_total` for this agent.'),
  max_turns: key(count, 'Turns after which the agent ends by itself, where it knows such a limit.'),
  prices: key(z.record(z.string(), z.strictObject({
    input: dollars.meta({ description: 'US dollars for a million tokens read.' }),
    output: dollars.meta({ description: 'US dollars for a million tokens written.' }),
    cache_read: key(dollars, 'US dollars for a million tokens read from a cache; default: as `input`.'),
    cache_write: key(dollars, 'US dollars for a million tokens put into a cache; default: as `input`.'),
  })), 'Prices by model (`*`: all others), for an agent that reports tokens but no money.'),
});

const agents = z.strictObject({
  permissions: key(z.enum(['sandboxed', 'workspace', 'full']), 'How far agents may go by themselves: within their own sandbox, in the worktree with any command, or without any question.', 'workspace'),
  claude: rules.optional(), codex: rules.optional(), gemini: rules.optional(), opencode: rules.optional(), copilot: rules.optional(), acp: rules.optional(),
  command: rules.optional(), script: rules.optional(),
});

const budget = z.strictObject({
  run: key(amount, 'What all attempts of a run may use together, like `20 USD` or `5M tokens`.'),
  unit: key(amount, 'What the attempts of one unit may use together.'),
  attempt: key(amount, 'What one attempt may use: so much is set aside when it begins, and there it is ended. Needed for any budget.'),
  unseen: key(z.enum(['refuse', 'allow']), 'Whether agents may be used whose spending cannot be seen; each of their attempts is then charged `budget.attempt`.', 'refuse'),
});

const provider = z.strictObject({
  type: key(text, 'The agent of all units that name no other: `claude`, `codex`, `gemini`, `opencode`, `copilot`, `acp`, `command` or `script`.'),
  command: key(text, 'Old name of `provider.providers.<type>.command`.'),
  providers: z.strictObject({
    command: z.strictObject({
      command: key(text, 'Program of the agent `command`, run as `sh -c` in the worktree with the prompt on stdin.'),
    }).optional().meta({ description: 'The agent `command`: any program.' }),
    script: z.strictObject({
      file: key(text, 'Repository path of the scenario that the agent `script` plays.'),
    }).optional().meta({ description: 'The built-in scripted agent, for trials and tests.' }),
    claude: providerOf('Claude Code', 'claude'),
    codex: providerOf('Codex', 'codex'),
    gemini: providerOf('Gemini CLI', 'gemini'),
    opencode: providerOf('OpenCode', 'opencode'),
    copilot: providerOf('Copilot CLI', 'copilot'),
    acp: z.strictObject({
      command: key(text, 'A program that speaks the Agent Client Protocol on stdin and stdout, like `gemini --acp`; a shell reads it.'),
      mode: key(text, 'The mode to work in, by the program\'s own name; default: the one that fits the permissions.'),
      auth: key(text, 'The way of logging in to choose before the session, by the program\'s own name; default: it is logged in.'),
    }).optional().meta({ description: 'Any agent that speaks the Agent Client Protocol.' }),
  }).optional().meta({ description: 'What each agent needs.' }),
});

const limits = z.strictObject({
  attempts: key(count, 'Attempts of a task, or of mending a failed check, before its unit fails.', 3),
  agent_idle: key(duration, 'An agent that prints nothing for this long is ended; `0` is never. The agent `command` has this limit only when it is set.', '15m'),
  agent_total: key(duration, 'An agent that runs this long is ended.', '2h'),
  check: key(duration, 'A check that runs this long has failed.', '15m'),
  check_retries: key(z.int().min(0), 'How often any check that failed is run again before its failure counts.', 0),
  setup: key(duration, 'A setup or teardown command that runs this long has failed.', '20m'),
  shutdown: key(duration, 'Time that agents get between the first stop signal and being killed.', '30s'),
  output: key(size, 'Output kept of one command: half from its head, half from its tail.', '10MiB'),
  failures_in_a_row: key(count, 'Units that may fail with nothing landed between before dispatch pauses.', 3),
  cuts: key(z.int().min(0), 'Attempts of one task that may be cut by a stop or crash.', 10),
  free_disk: key(size, 'Free space below which no worktree is made.', '1GiB'),
});

const land = z.strictObject({ ...landKeys, ...guardKeys });

const schedule = z.strictObject({
  overlap: key(z.enum(OVERLAP_MODES), 'Units that are expected to change the same files: taken as they come, the others first, or one only after the other has landed.', 'order'),
});

/** Everything `.choo.yaml` may hold. */
export const ConfigFile = z.strictObject({
  target_branch: key(text, 'Branch that finished units land on; default: the branch checked out.'),
  parallelism: key(z.int().min(1).max(1000), 'Units that are worked on at the same time.', 4),
  branch_prefix: key(text, 'What the names of choo\'s branches begin with.', 'choo/'),
  log_level: key(z.enum(['debug', 'info', 'warn', 'error']), 'How much is told on the way.', 'info'),
  worktree: worktree.optional().meta({ description: 'Where and how worktrees are made.' }),
  provider: provider.optional().meta({ description: 'The coding agent.' }),
  baseline_checks: key(z.array(check), 'Checks that every unit must pass after its last task; each a text or `{name, command, pattern}`.', []),
  merge: z.strictObject({
    max_conflict_retries: key(z.int().min(0), 'How often the agent may try to resolve a merge conflict before a person has to.', 3),
  }).optional().meta({ description: 'Landing on the target.' }),
  limits: limits.optional().meta({ description: 'Limits of time, size and number.' }),
  process: z.strictObject({
    contain: key(z.enum(['auto', 'namespace', 'group']), 'How programs are kept from outliving the run: a PID namespace, the process group, or the best there is.', 'auto'),
  }).optional().meta({ description: 'How programs are started.' }),
  github: z.strictObject(githubKeys).optional().meta({ description: 'The repository on GitHub.' }),
  claude: z.strictObject({
    command: key(text, 'Old name of `provider.providers.claude.command`.'),
    max_turns: key(count, 'Old name of `agents.claude.max_turns`.'),
  }).optional().meta({ description: 'The agent Claude Code.' }),
  codex: z.strictObject({ command: key(text, 'Old name of `provider.providers.codex.command`.') }).optional().meta({ description: 'The agent Codex.' }),
  review: z.strictObject(pullReviewKeys).optional().meta({ description: 'Waiting for reviews of pull requests.' }),
  code_review: z.strictObject(reviewKeys).optional().meta({ description: 'Review of finished units by another agent, before they land.' }),
  feature: later('Feature branches.'),
  land: land.optional().meta({ description: 'How finished units come onto the target.' }),
  budget: budget.optional().meta({ description: 'Caps on what may be spent, all in money or all in tokens.' }),
  agents: agents.optional().meta({ description: 'How agents are used.' }),
  schedule: schedule.optional().meta({ description: 'When units are begun.' }),
  escalation: z.strictObject(escalationKeys).optional().meta({ description: 'Where people are told, beside the terminal.' }),
  forge: z.strictObject(forgeKeys).optional().meta({ description: 'What pull requests look like.' }),
});

/** `.choo.yaml` as parsed. */
export type ConfigInput = z.infer<typeof ConfigFile>;

/** Keys, as dotted paths, that are accepted but have no effect in this version. */
export const NOT_IN_EFFECT: readonly string[] = [
  'feature',
];

/** The JSON Schema (draft 2020-12) of `.choo.yaml`, for editors. */
export function jsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(ConfigFile, {
    io: 'input',
    override: ({ jsonSchema: node }) => { delete node['kind']; },
  });
  return { ...schema, title: '.choo.yaml', description: 'Configuration of choo, at the top of a repository.' };
}
