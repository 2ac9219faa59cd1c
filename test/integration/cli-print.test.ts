// What commands print and where: events, progress, plans, refusals; readers that go away; init and demo as a new user has them.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { INTERNAL } from '../../src/core/event.ts';
import { DOES_IT, it } from '../rig/bed.ts';
import { completedTasks, expectEnd, expectNothingLeft, refs } from '../rig/facts.ts';

const program = join(import.meta.dirname, '..', '..', 'bin', 'choo');

describe('run', () => {
  it('tells progress and the outcome on stdout, nothing on stderr, no colour', async ({ bed }) => {
    bed.specs({ a: {} });
    const ended = await bed.choo(['run', '--unit', 'a', '-p', '1']);
    expectEnd(ended, 0);
    expect(ended.stderr).toBe('');
    expect(ended.stdout).toMatch(/^\d\d:\d\d:\d\d +run 1: 1 unit, 1 task to do, onto main \([0-9a-f]{7}\), 1 at a time\n/);
    expect(ended.stdout).toMatch(/\nrun 1: 1 of 1 unit landed, [\d.]+s\n\n {2}landed +a +[0-9a-f]{7} /);
    expect(ended.stdout).not.toContain('\u001b');
    const again = await bed.choo(['run']);
    expectEnd(again, 0);
    expect(again.stdout).toBe('nothing to do: the one unit is complete\n');
  });

  it('--json: the public events on stdout, everything else on stderr', async ({ bed }) => {
    bed.specs({ a: {} });
    const ended = await bed.choo(['run', '--json']);
    expectEnd(ended, 0);
    expect(ended.events.map((e) => e.type)).toEqual(expect.arrayContaining(['orch.started', 'task.completed', 'unit.merged', 'orch.completed']));
    expect(ended.events.filter((e) => INTERNAL.has(e.type))).toEqual([]);
    expect(ended.stdout.trimEnd().split('\n')).toHaveLength(ended.events.length);
    expect(ended.stderr).toContain('landed on main');
  });

  it('says that a disk did not take what was printed: a run goes on, what was only to be told has failed', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: `echo at work; ${DOES_IT}` });
    // Where there is no such device, nothing may be written to any file; then a run cannot be made either.
    const device = existsSync('/dev/full');
    const through = ['/bin/sh', device ? '"$0" "$@" >/dev/full' : 'trap "" XFSZ; ulimit -f 0; "$0" "$@" >out'] as const;
    if (!device) expectEnd(await bed.choo(['run']), 0);
    for (const [argv, code] of [...(device ? [[['run'], 0] as const] : []), [['status', '--json'], 1], [['report', '--format', 'json'], 1], [['logs', 'a'], 1], [['--help'], 1]] as const) {
      const ended = await bed.choo(argv, { through });
      expect([argv, ended.code]).toEqual([argv, code]);
      expect(ended.stderr).toMatch(/standard output cannot be written \((?:ENOSPC|EFBIG)\)/);
    }
    expect(completedTasks(bed)).toEqual(['a#1']);
  });

  it('goes on when its reader goes away', async ({ bed }) => {
    bed.specs({ a: { tasks: 3 } });
    const child = spawn(process.execPath, [program, 'run'], { cwd: bed.root, env: { ...bed.env, XDG_STATE_HOME: bed.state }, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    child.stderr.destroy();
    const [code] = await once(child, 'close') as [number | null];
    expect(code).toBe(0);
    expect(completedTasks(bed)).toEqual(['a#1', 'a#2', 'a#3']);
    expectNothingLeft(bed);
  });

  it('started by nohup passes over a hangup', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: bed.hand.agent });
    const run = bed.start(['run', '--json'], { env: { _: '/usr/bin/nohup' } });
    const held = await bed.hand.next();
    run.signal('SIGHUP');
    expect((await bed.choo(['status'])).stdout).toContain('running (process');
    await held.finish();
    const ended = await run.ended;
    expectEnd(ended, 0);
    expect(ended.events.map((e) => e.type)).not.toContain('orch.stopping');
  });

  it('tells as much as log_level asks for', async ({ bed }) => {
    bed.specs({ a: {} }, { log_level: 'warn' });
    const quiet = await bed.choo(['run']);
    expectEnd(quiet, 0);
    expect(quiet.stdout).toMatch(/^\nrun 1: 1 of 1 unit landed/);
    bed.specs({ b: {} });
    expect((await bed.choo(['run'], { env: { CHOO_LOG_LEVEL: 'debug' } })).stdout).toContain('checking: ');
  });
});

describe('run -n', () => {
  it('prints the plan in four forms and changes nothing', async ({ bed }) => {
    bed.specs({ a: {}, b: { dependsOn: ['a'] } });
    const before = [refs(bed), bed.git('status', '--porcelain')];
    expect((await bed.choo(['run', '-n', '-p', '2'])).stdout).toMatch(/^Execution Plan\n=+\n\nUnits to execute: 2\nMax parallelism: 2\nExecution levels: 2\n/);
    expect(JSON.parse((await bed.choo(['run', '-n', '--json'])).stdout)).toMatchObject({ version: 1, order: ['a', 'b'], warnings: [] });
    expect((await bed.choo(['run', '-n', '--format', 'mermaid'])).stdout).toMatch(/^graph LR\n/);
    expect((await bed.choo(['run', '-n', '--format', 'dot'])).stdout).toMatch(/^digraph choo \{\n/);
    expect([refs(bed), bed.git('status', '--porcelain')]).toEqual(before);
    expect(existsSync(join(bed.root, '.git', 'choo', 'runs'))).toBe(false);
  });

  it('warns of what would keep a real run from starting', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: 'no-such-agent --now' });
    bed.write('specs/tasks/a/01-part.md', '---\ntask: 1\nbackpressure: "true"\n---\n# Changed\n');
    const { stdout, code } = await bed.choo(['run', '-n']);
    expect(code).toBe(0);
    expect(stdout).toContain('warning: the agent\'s program `no-such-agent` was not found');
    expect(stdout).toContain('warning: 1 file differs from the last commit');
    mkdirSync(join(bed.root, 'deep'));
    expect((await bed.choo(['run', '-n'], { cwd: join(bed.root, 'deep') })).stdout).toContain('git add ../specs/tasks && git commit');
  });

  it('with wrong specs is a list of diagnostics, as text or as data', async ({ bed }) => {
    bed.specs({ a: { dependsOn: ['nope'] } });
    const text = await bed.choo(['run', '-n']);
    expectEnd(text, 2);
    expect(text.stderr).toMatch(/specs\/tasks\/a\/IMPLEMENTATION_PLAN.md:3:\d+: error: /);
    const data = await bed.choo(['run', '-n', '--format', 'json']);
    expectEnd(data, 2);
    expect(JSON.parse(data.stdout)).toMatchObject({ version: 1, diagnostics: [{ severity: 'error', place: { line: 3 } }] });
  });
});

describe('init', () => {
  it('writes what can be committed and run, with the setup of the lockfile', async ({ bed }) => {
    bed.write('package-lock.json', '{"lockfileVersion":3,"packages":{}}\n');
    mkdirSync(join(bed.root, 'deep'));
    const ended = await bed.choo(['init'], { cwd: join(bed.root, 'deep') });
    expectEnd(ended, 0);
    expect(ended.stdout).toContain('wrote .choo.yaml\n');
    const config = bed.read('.choo.yaml');
    expect(config).toMatch(/^# .*schema\/choo\.schema\.json .*docs\/configuration\.md .*\n\nprovider:\n/);
    expect(config).not.toMatch(/schema=|: \//);
    expect(ended.stdout).not.toContain('schema');
    expect(ended.stdout).toContain('git add ../.choo.yaml ../specs && git commit');
    expect(config).toContain('\n    - npm ci ');
    bed.write('.choo.yaml', config.replace('your-agent --non-interactive', 'echo Hello > HELLO.md').replace('npm ci', '"true"'));
    bed.commit({}, 'specs');
    // For somebody's own editor: nobody else's matter.
    bed.write('.choo.yaml', `# yaml-language-server: $schema=/somewhere/choo.schema.json\n${bed.read('.choo.yaml')}`);
    const run = await bed.choo(['run']);
    expectEnd(run, 0);
    expect(run.stderr).not.toContain('.choo.yaml');
    expect(bed.read('HELLO.md')).toBe('Hello\n');
  });

  it('names the schema of the repository\'s own installation', async ({ bed }) => {
    const path = 'node_modules/choo-orchestrator/schema/choo.schema.json';
    bed.write(path, '{}');
    const { stdout } = await bed.choo(['init']);
    expect(bed.read('.choo.yaml')).toMatch(`# yaml-language-server: $schema=./${path}\n\nprovider:\n`);
    expect(stdout).not.toContain('yaml-language-server');
    expect(stdout).toContain('git add .choo.yaml specs && git commit');
  });

  it('overwrites nothing and says what is there', async ({ bed }) => {
    bed.write('.choo.yaml', 'parallelism: 1\n');
    const ended = await bed.choo(['init']);
    expectEnd(ended, 2);
    expect(ended.stderr).toContain('.choo.yaml exists already; nothing was written');
    expect(bed.read('.choo.yaml')).toBe('parallelism: 1\n');
    expect(existsSync(join(bed.root, 'specs'))).toBe(false);
  });

  it('writes a configuration that names a missing agent, which a run refuses', async ({ bed }) => {
    expectEnd(await bed.choo(['init']), 0);
    bed.commit({}, 'specs');
    const ended = await bed.choo(['run']);
    expectEnd(ended, 2);
    expect(ended.stderr).toContain('the agent\'s program `your-agent` was not found');
  });
});

describe('demo', () => {
  it('lands everything in an empty HOME, in and out of a repository, and leaves nothing', async ({ bed }) => {
    const [home, temporary] = ['empty-home', 'tmp'].map((name) => join(bed.base, name));
    mkdirSync(home ?? '');
    mkdirSync(temporary ?? '');
    const ended = await bed.choo(['demo'], { env: { HOME: home, TMPDIR: temporary, XDG_CONFIG_HOME: undefined, GIT_CONFIG_NOSYSTEM: undefined, GIT_DIR: join(bed.root, '.git'), CHOO_PROVIDER: 'command' } });
    expectEnd(ended, 0);
    expect(ended.stdout).toMatch(/order\/1 +attempt 1: the check .* failed[^]*order\/1 +done, in 2 attempts/);
    expect(ended.stdout).toMatch(/run 1: 6 of 6 units landed/);
    expect(ended.stdout).toMatch(/merge\(welcome\)[^]*\$ sh inn.sh\n +welcome; a stew is 9[^]*choo init\n$/);
    expect(readdirSync(temporary ?? '')).toEqual([]);
    expect(readdirSync(home ?? '')).toEqual([]);
  });
});

describe('the scripted agent', () => {
  const config = { provider: { type: 'script', providers: { script: { file: 'scenario.yaml' } } }, limits: { attempts: 1 } };

  it('plays its part, task by task', async ({ bed }) => {
    bed.write('scenario.yaml', 'a:\n  1:\n    - - say: hello\n      - write: { dir/a-1.txt: "x" }\n      - run: mv dir/a-1.txt .\n');
    bed.specs({ a: {} }, config);
    expectEnd(await bed.choo(['run']), 0);
    expect(bed.read('a-1.txt')).toBe('x');
    expect((await bed.choo(['logs', 'a'])).stdout).toBe('hello\n');
  });

  it('says what its scenario lacks', async ({ bed }) => {
    bed.write('scenario.yaml', 'b: {}\n');
    bed.specs({ a: {} }, { ...config, log_level: 'error' });
    expectEnd(await bed.choo(['run']), 1);
    expect((await bed.choo(['logs', 'a'])).stdout).toContain('script agent: the scenario has nothing for a\n');
  });
});

describe('an agent that steers the terminal', () => {
  it('does not reach it through messages', async ({ bed }) => {
    bed.specs({ a: {} }, { agent: `printf '\\033[2Jowned\\007\\n'; exit 1; ${DOES_IT}`, limits: { attempts: 1 } });
    const ended = await bed.choo(['run']);
    expectEnd(ended, 1);
    expect(ended.stdout + ended.stderr).not.toContain('\u001b');
    expect(ended.stderr).toContain('| owned');
  });
});
