// `choo doctor`, agents that keep a run from starting, and a choo inside an agent of choo: the built program, scripts as agents.

import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect } from 'vitest';
import type { Finding } from '../../src/core/doctor.ts';
import { DOES_IT, it, type Bed } from '../rig/bed.ts';
import type { Ended } from '../rig/choo.ts';

const validate = new Ajv2020({ allErrors: true }).compile(JSON.parse(readFileSync(join(import.meta.dirname, '../../schema/doctor.schema.json'), 'utf8')) as object);

/** A shell script in place of an agent; gives back its path. */
function program(bed: Bed, name: string, script: string): string {
  const path = join(bed.base, 'programs', name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** Configuration of agents by the paths of their programs; the first is everybody's. */
function agents(programs: Readonly<Record<string, string>>): Readonly<Record<string, unknown>> {
  const [type] = Object.keys(programs);
  return { provider: { type, providers: Object.fromEntries(Object.entries(programs).map(([name, command]) => [name, { command }])) } };
}

async function doctor(bed: Bed, o: Parameters<Bed['choo']>[1] = {}): Promise<{ readonly code: number | null; readonly findings: readonly Finding[]; readonly ended: Ended }> {
  const ended = await bed.choo(['doctor', '--json'], o);
  const data = JSON.parse(ended.stdout) as { readonly version: number; readonly ok: boolean; readonly findings: readonly Finding[] };
  validate(data);
  expect(validate.errors ?? []).toEqual([]);
  expect(ended.code).toBe(data.ok ? 0 : 1);
  return { code: ended.code, findings: data.findings, ended };
}

/** The findings about one thing, short. */
function about(findings: readonly Finding[], what: string): string[] {
  return findings.filter((f) => f.about === what).map(({ level, code, text, mend }) => `${level} ${code}: ${text}${mend === undefined ? '' : ` → ${mend}`}`);
}

const wrong = (findings: readonly Finding[]): string[] => findings.filter(({ level }) => level === 'error').map(({ about: what, code }) => `${what}: ${code}`);

describe('the doctor', () => {
  it('finds nothing wrong where nothing is, and changes nothing', async ({ bed }) => {
    bed.specs({ a: {}, b: {} });
    const { code, findings } = await doctor(bed);
    expect(wrong(findings)).toEqual([]);
    expect(code).toBe(0);
    expect(about(findings, 'git')).toEqual([expect.stringMatching(/^ok git: version 2\.\d+.*, repository \//)]);
    expect(about(findings, 'target')).toEqual(['ok target: main']);
    expect(about(findings, 'configuration')).toEqual(['ok configuration: .choo.yaml']);
    expect(about(findings, 'specs')).toEqual(['ok specs: 2 of 2 units to do under specs/tasks/']);
    expect(about(findings, 'agent command')).toEqual(['ok agent: is there, permissions: workspace']);
    expect(about(findings, 'space')).toEqual([expect.stringMatching(/^ok space: \d+\.\d GiB are free for \//)]);
    expect(about(findings, 'run')).toEqual(['ok no-open-run: none is open']);
    expect(bed.git('status', '--porcelain')).toBe('');
    expect(existsSync(join(bed.root, '.git/choo'))).toBe(false);
    expect(existsSync(bed.state)).toBe(false);
  });

  it('says in a line each what is missing and what mends it', async ({ bed }) => {
    const claude = program(bed, 'claude', 'echo "1.0.5 (Claude Code)"');
    bed.specs({ a: {} }, agents({ claude, codex: '/no/codex' }));
    const { code, stdout } = await bed.choo(['doctor']);
    expect(code).toBe(1);
    expect(stdout).toContain('error    agent claude: the agent `claude` (Claude Code) is 1.0.5; choo needs 2.1.197 or newer  →  npm install -g @anthropic-ai/claude-code@latest\n');
    expect(stdout).toContain('warning  agent codex: the program `/no/codex` of the agent `codex` (Codex) was not found  →  npm install -g @openai/codex');
    expect(stdout).toMatch(/\n\n1 error, \d warnings?\n$/);
    expect(stdout.split('\n\n')[0]?.split('\n').every((line) => /^(ok {5}|warning|error {2}) {2}\S/.test(line))).toBe(true);
  });

  it('tells who could not be told, by the name of the variable that is missing', async ({ bed }) => {
    bed.specs({ a: {} }, { escalation: { slack: { url_env: 'MY_SLACK' } } });
    expect(about((await doctor(bed)).findings, 'escalation')).toEqual(['error missing-variable: the variable MY_SLACK is not set, which should hold the address of the Slack webhook → set it, or change escalation.slack.url_env']);
    expect(about((await doctor(bed, { env: { MY_SLACK: 'https://example.com/services/T' } })).findings, 'escalation')).toEqual([]);
  });

  it('tells version, login and permissions of an agent', async ({ bed }) => {
    const claude = program(bed, 'claude', 'echo "2.1.330 (Claude Code)"');
    bed.specs({ a: {} }, { ...agents({ claude }), agents: { claude: { permissions: 'full' } } });
    const { findings } = await doctor(bed, { env: { ANTHROPIC_API_KEY: 'k-e-y' } });
    expect(about(findings, 'agent claude')).toEqual(['ok agent: version 2.1.330, login: ANTHROPIC_API_KEY, permissions: full']);
    expect(JSON.stringify(findings)).not.toContain('k-e-y');
    const without = await doctor(bed);
    expect(about(without.findings, 'agent claude')).toEqual([
      'ok agent: version 2.1.330, permissions: full',
      'warning agent-login: nobody seems to be logged in to the agent `claude` (Claude Code) → claude auth login (or set ANTHROPIC_API_KEY)',
    ]);
    expect(without.code).toBe(0);
  });

  it('takes the program that the environment names', async ({ bed }) => {
    const claude = program(bed, 'claude', 'echo "2.1.400 (Claude Code)"');
    bed.specs({ a: {} }, agents({ claude: '/no/claude' }));
    expect(wrong((await doctor(bed)).findings)).toEqual(['agent claude: agent-missing']);
    const named = await doctor(bed, { env: { RALPH_CLAUDE_CMD: claude, ANTHROPIC_API_KEY: 'k' } });
    expect(about(named.findings, 'agent claude')).toEqual(['ok agent: version 2.1.400, login: ANTHROPIC_API_KEY, permissions: workspace']);
  });

  it('tells permissions that are not enforced and spending that cannot be seen', async ({ bed }) => {
    bed.specs({ a: {} }, { agents: { permissions: 'sandboxed' }, budget: { attempt: '2 USD' } });
    expect(about((await doctor(bed)).findings, 'agents')).toEqual([
      expect.stringMatching(/^error permissions: the agent `command` does not enforce the permissions `sandboxed`/),
      expect.stringMatching(/^error unseen-spending: there is a budget/),
    ]);
  });

  it('tells what is wrong with configuration and specs, with places, and uncommitted ones', async ({ bed }) => {
    bed.specs({ a: {} });
    bed.write('.choo.yaml', 'paralelism: 3\n');
    bed.write('specs/tasks/a/02-more.md', '---\ntask: 3\nbackpressure: ""\n---\n');
    const { findings } = await doctor(bed);
    expect(about(findings, 'configuration')).toEqual(['error unknown-key: .choo.yaml:1:1: there is no key `paralelism` → did you mean `parallelism`?']);
    expect(about(findings, 'specs').join('\n')).toMatch(/error .*specs\/tasks\/a\/02-more\.md:\d+:\d+: /);
    expect(about(findings, 'target').join('\n')).toContain('error uncommitted-specs: 1 file under specs/tasks/ has uncommitted changes');
    expect(about(findings, 'target').join('\n')).toContain('warning uncommitted-config');
    expect(findings.filter((f) => f.about.startsWith('agent'))).toEqual([]);
  });

  it('leads from an empty repository to the first steps', async ({ bed }) => {
    const { findings } = await doctor(bed);
    expect(about(findings, 'configuration')).toEqual(['warning no-configuration: there is no .choo.yaml → choo init']);
    expect(about(findings, 'specs').join('\n')).toContain('`choo init` writes an example');
    expect(wrong(findings)).toEqual(['specs: no-units', 'agents: no-provider']);
  });

  it('outside a repository says so', async ({ bed }) => {
    mkdirSync(join(bed.base, 'nowhere'));
    const { findings } = await doctor(bed, { cwd: join(bed.base, 'nowhere') });
    expect(wrong(findings)).toEqual(['git: not-a-repository']);
    expect(findings.some((f) => f.about === 'containment')).toBe(true);
  });

  it('finds a lockfile without setup, worktrees in the way, a full disk and nobody\'s name', async ({ bed }) => {
    bed.write('package-lock.json', '{}');
    bed.specs({ a: {} }, { limits: { free_disk: '8000000GiB' } });
    bed.git('branch', 'choo');
    writeFileSync(join(bed.base, 'home/.gitconfig'), '[user]\n\tuseConfigOnly = true\n');
    const { findings } = await doctor(bed);
    expect(about(findings, 'setup')).toEqual([expect.stringMatching(/^warning no-setup: .* → add to \.choo\.yaml: {2}worktree: \{ setup: \["npm ci"\] \}$/)]);
    expect(about(findings, 'repository')).toEqual([expect.stringMatching(/^error no-identity: .* → git config --global user\.name/)]);
    expect(about(findings, 'target').join('\n')).toContain('error branch-in-the-way');
    expect(about(findings, 'space')).toEqual([expect.stringMatching(/^error disk-full: .* less than limits\.free_disk → choo cleanup$/)]);
    const inside = await doctor(bed, { env: { CHOO_WORKTREE_BASE: join(bed.root, 'trees') } });
    expect(wrong(inside.findings)).toContain('worktrees: worktrees-inside');
  });

  it('finds an open run, and one that is going on', async ({ bed }) => {
    bed.specs({ a: {}, b: { dependsOn: ['a'] } }, { agent: bed.hand.agent, limits: { attempts: 1 } });
    const running = bed.start(['run', '--json']);
    const agent = await bed.hand.next({ unit: 'a' });
    expect(about((await doctor(bed)).findings, 'run')).toEqual([`ok live: run 1 is at work, process ${running.pid}`]);
    await agent.exit(1);
    await running.ended;
    expect(about((await doctor(bed)).findings, 'run')).toEqual(['warning open-run: run 1 is open, and nothing works on it → choo retry --failed && choo resume']);
    expect((await bed.choo(['run'])).stderr).toContain('to try failed units again: choo retry --failed && choo resume · to leave it and begin anew: choo run --new');
    await bed.choo(['cleanup', '--discard', 'a']);
    const advice = 'what is blocked depends on what was given up; to end the run: choo cleanup --discard b';
    expect(about((await doctor(bed)).findings, 'run').join('\n')).toContain(`→ ${advice}`);
    expect((await bed.choo(['run'])).stderr).toContain(`${advice} · to go on with it: choo resume · to give failed units their attempts back: choo retry --failed · to leave it and begin anew: choo run --new`);
  });

  it('with an argument or an unknown flag is usage', async ({ bed }) => {
    expect((await bed.choo(['doctor', '--fix'])).code).toBe(2);
  });
});

describe('a run whose agent cannot work', () => {
  it('does not begin, and names the command that mends it', async ({ bed }) => {
    const claude = program(bed, 'claude', 'echo "2.1.1 (Claude Code)"');
    bed.specs({ a: {} }, { ...agents({ claude, codex: '/no/codex' }), agents: { claude: { fallback: 'codex' } } });
    const { code, stderr } = await bed.choo(['run']);
    expect(code).toBe(2);
    expect(stderr).toContain('error: the agent `claude` (Claude Code) is 2.1.1; choo needs 2.1.197 or newer [agent-too-old]\n  hint: npm install -g @anthropic-ai/claude-code@latest');
    expect(stderr).toContain('error: the program `/no/codex` of the agent `codex` (Codex) was not found [agent-missing]');
    expect(existsSync(join(bed.root, '.git/choo/runs'))).toBe(false);
  });

  it('is the environment\'s, where that names it', async ({ bed }) => {
    const codex = program(bed, 'codex', 'echo codex-cli 0.1.0');
    bed.specs({ a: {} }, agents({ codex: '/no/codex' }));
    const { code, stderr } = await bed.choo(['run'], { env: { CHOO_CODEX_CMD: codex } });
    expect(code).toBe(2);
    expect(stderr).toContain('the agent `codex` (Codex) is 0.1.0; choo needs');
  });

  it('is only warned of before the first login can be known, and a dry run starts nothing', async ({ bed }) => {
    const started = join(bed.base, 'started');
    const claude = program(bed, 'claude', `echo >> ${started}; echo "2.1.330 (Claude Code)"; [ "$1" = --version ]`);
    bed.specs({ a: {} }, { ...agents({ claude }), limits: { attempts: 1 } });
    expect((await bed.choo(['run', '-n'])).code).toBe(0);
    expect(existsSync(started)).toBe(false);
    const { code, stderr } = await bed.choo(['run']);
    expect(stderr).toContain('warning: nobody seems to be logged in to the agent `claude` (Claude Code) [agent-login]');
    expect(code).toBe(1);
    const resumed = await bed.choo(['retry', 'a']);
    expect(resumed.code).toBe(0);
    writeFileSync(claude, '#!/bin/sh\necho "2.1.1 (Claude Code)"\n');
    const again = await bed.choo(['resume']);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('[agent-too-old]');
  });
});

describe('a run of which everything has landed', () => {
  it('needs no agent any more to be resumed', async ({ bed }) => {
    const agent = program(bed, 'agent', DOES_IT);
    bed.specs({ a: {} }, { agent });
    bed.write('a-1.txt', 'in the way\n');
    const { code } = await bed.choo(['run']);
    rmSync(agent);
    rmSync(join(bed.root, 'a-1.txt'));
    const resumed = await bed.choo(['resume']);
    expect({ first: code, then: resumed.code, stderr: resumed.stderr }).toMatchObject({ first: 1, then: 0 });
  });
});

describe('a choo inside an agent of choo', () => {
  const PROGRAM = join(import.meta.dirname, '../../bin/choo');
  const inner = (verb: string): string => `"${process.execPath}" "${PROGRAM}" ${verb} > "$OUT/inner.txt" 2>&1; echo "ended $?" >> "$OUT/inner.txt"`;

  it.for(['run', 'resume', 'run --new', 'run --detach'])('refuses to %s, with the reason', async (verb, { bed }) => {
    bed.specs({ a: {} }, { agent: `${inner(verb)}; ${DOES_IT}` });
    const { code } = await bed.choo(['run'], { env: { OUT: bed.base } });
    expect(code).toBe(0);
    const printed = readFileSync(join(bed.base, 'inner.txt'), 'utf8');
    expect(printed).toContain('error: choo was started by an agent of choo (unit `a` of run 1): its agents would work outside the limits and the budget of that run [inside-choo]');
    expect(printed).toMatch(/ended 2\n$/);
    expect(readdirSync(join(bed.root, '.git/choo')).filter((name) => name.startsWith('detached'))).toEqual([]);
  });

  it.for(['retry a', 'stop', 'stop --now', 'unlock --yes', 'cleanup --discard a'])('refuses to %s, with the reason', async (verb, { bed }) => {
    bed.specs({ a: {} }, { agent: `${inner(verb)}; ${DOES_IT}` });
    const { code } = await bed.choo(['run'], { env: { OUT: bed.base } });
    expect(code).toBe(0);
    expect(readFileSync(join(bed.base, 'inner.txt'), 'utf8')).toMatch(/error: choo was started by an agent of choo \(unit `a` of run 1\): an agent gives no attempts to itself[^]*ended 2\n$/);
  });

  it('may look: a plan, the doctor (which tells it)', async ({ bed }) => {
    bed.specs({ a: {} });
    const env = { CHOO_ATTEMPT: '1', CHOO_UNIT: 'u\u001b[31m', CHOO_RUN: '7' };
    expect((await bed.choo(['run', '-n'], { env })).code).toBe(0);
    const found = await doctor(bed, { env });
    expect(wrong(found.findings)).toEqual(['environment: inside-choo']);
    const refused = await bed.choo(['run'], { env });
    expect(refused.code).toBe(2);
    expect(refused.stderr).not.toContain('\u001b');
    // The way around it is nothing an agent has to be told.
    expect(refused.stderr).not.toContain('unset');
    expect(refused.stderr).toContain('in a terminal of their own');
    expect((await bed.choo(['run'], { env: { ...env, CHOO_ATTEMPT: '' } })).code).toBe(0);
  });

  it('is a check of a unit, which may run choo', async ({ bed }) => {
    // There is nothing to run in that repository; whoever is told so was let in.
    const other = 'cd "$(mktemp -d)" && git init -q . && git commit -q --allow-empty -m first';
    bed.specs({ a: { tasks: [{ check: `test -n "$CHOO_RUN" && test -z "$CHOO_ATTEMPT" && (${other} && "${process.execPath}" "${PROGRAM}" run 2>&1 | grep -q "there is no unit") && test -f a-1.txt` }] } });
    const { code, stderr } = await bed.choo(['run']);
    expect({ code, stderr }).toMatchObject({ code: 0 });
  });
});
