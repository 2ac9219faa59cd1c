// `choo init`: a first configuration and a first spec. Writes two things, never over anything that exists.

import { existsSync, readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemClock } from '../adapters/clock.ts';
import { CONFIG_FILE } from '../discovery/config.ts';
import { errorAt } from '../discovery/diagnostic.ts';
import { Refusal } from '../opening/refusal.ts';
import { findRepository, wordFromHere } from '../opening/repository.ts';
import type { Repository } from '../opening/repository.ts';
import { lockfileSetup, TASKS_DIR } from '../opening/specs.ts';
import { report } from './errors.ts';
import type { Io } from './io.ts';

const UNIT = `${TASKS_DIR}/hello`;

const PLAN = `# Hello

What this unit is for, and what every task of it should know. An agent gets this text with each of its tasks.
`;

const TASK = `---
task: 1
backpressure: grep -q "Hello" HELLO.md
---
# Say hello

Write a file \`HELLO.md\` at the top of the repository that greets whoever reads it, beginning with the word Hello.
`;

/** Writes \`.choo.yaml\` and an example unit into the repository around the current folder; exit code 2 when one of them is there already. */
export async function init(io: Io): Promise<number> {
  try {
    const repository = await findRepository({ cwd: io.cwd, env: io.env, clock: systemClock() });
    await repository.git.close();
    const top = repository.root;
    if (top === undefined) throw new Refusal([errorAt('bare', 'a bare repository has no working tree to write to', { hint: 'go to a worktree of it' })]);
    const files = new Map([[CONFIG_FILE, configText(top)], [`${UNIT}/IMPLEMENTATION_PLAN.md`, PLAN], [`${UNIT}/01-say-hello.md`, TASK]]);
    const existing = [CONFIG_FILE, UNIT].filter((path) => existsSync(join(top, path)));
    if (existing.length > 0) throw new Refusal(existing.map((path) => errorAt('exists', `${path} exists already; nothing was written`, { hint: 'this repository is set up: choo run -n' })));
    for (const [path, text] of files) {
      await mkdir(dirname(join(top, path)), { recursive: true });
      await writeFile(join(top, path), text, { flag: 'wx' });
      io.out.write(`wrote ${path}\n`);
    }
    io.out.write(next(repository));
    return 0;
  } catch (error) {
    return report(error, { io, json: false, journal: undefined });
  }
}

function next(repository: Repository): string {
  return `
next:
  1. name your agent's program in ${CONFIG_FILE}
  2. git add ${wordFromHere(repository, CONFIG_FILE)} ${wordFromHere(repository, 'specs')} && git commit -m "Specs for choo"
  3. choo run -n        the plan; starts nothing
  4. choo run
`;
}

function configText(top: string): string {
  return `${schemaLines(top)}
provider:
  type: command
  providers:
    command:
      # Your agent. It is run by sh in the unit's own worktree and reads the prompt on its stdin; exit code 0 means that
      # it thinks it is done. For example: claude -p --permission-mode acceptEdits
      command: your-agent --non-interactive

# Run once in every new worktree, before an agent works in it.
worktree:
  setup:${setupLines(top)}

# Proved before anything lands, beside each task's own check.
# baseline_checks:
#   - npm test

# Units that are worked on at the same time.
# parallelism: 4
`;
}

/** Lockfiles of tools that fetch what they need when they need it. */
const NO_SETUP = [['Cargo.lock', 'cargo'], ['go.sum', 'go']] as const;

function setupLines(top: string): string {
  const names = new Set(readdirSync(top));
  const found = lockfileSetup(names);
  if (found !== undefined) return `\n    - ${found.command}    # for ${found.lockfile}`;
  if (names.has('requirements.txt')) return '\n    - python3 -m venv .venv && .venv/bin/pip install -r requirements.txt';
  const fetching = NO_SETUP.find(([name]) => names.has(name));
  return fetching === undefined ? ' []' : ` []    # ${fetching[1]} fetches what ${fetching[0]} names by itself`;
}

const OWN_SCHEMA = 'node_modules/choo-orchestrator/schema/choo.schema.json';

/** Names the schema. The file is committed, so it says only what is right wherever the repository is. */
function schemaLines(top: string): string {
  if (existsSync(join(top, OWN_SCHEMA))) return `# yaml-language-server: $schema=./${OWN_SCHEMA}\n`;
  return '# Its JSON Schema is schema/choo.schema.json in the folder of choo; docs/configuration.md there says how an editor gets it.\n';
}
