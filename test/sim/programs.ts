// The programs of a simulation: agents, checks, setup, teardown. And what checkers note of each: what it proved, what it left.

import { BOUNDS } from '../../src/core/limits.ts';
import type { Command } from '../../src/world.ts';
import { agentScript } from './agents.ts';
import type { Checkout } from './checkout.ts';
import { isIgnored } from './checkout.ts';
import { checkSlots } from './checkers/leaks.ts';
import type { Machine } from './machine.ts';
import { WORKTREES } from './machine.ts';
import type { Process, Programs, Script } from './processes.ts';
import { TASKS_DIR } from './scenario.ts';
import type { Bill } from './economy.ts';

/** The programs of one machine. */
export function simPrograms(m: Machine): Programs {
  return {
    script: (command) => scriptOf(m, command),
    started: (process) => started(m, process),
    ended: (process) => ended(m, process),
  };
}

function scriptOf(m: Machine, command: Command): Script {
  const checkout = m.repo.checkouts().find((c) => c.path === command.cwd);
  if (checkout === undefined) return { deeds: [], code: () => 126 };
  const { CHOO_UNIT: unit = '', CHOO_TASK: subject = '', CHOO_ATTEMPT: attempt = '' } = command.env;
  if (command.argv[0] === 'agent') return agentScript({ m, checkout, unit, subject, attempt, bill: billOf(m, command) });
  const text = command.argv[2] ?? '';
  if (text === 'setup') return setupScript(m, { checkout, unit });
  if (text === 'teardown') return { deeds: [{ after: 10, act: () => undefined }], code: () => (!m.calm && m.rng.chance(m.scenario.flaky) ? 1 : 0) };
  return checkScript(m, { checkout, text, unit });
}

function billOf(m: Machine, { env, argv }: Command): Bill {
  const { CHOO_UNIT: unit = '', CHOO_TASK: subject = '', CHOO_ATTEMPT: attempt = '' } = env;
  const bill: Bill = { unit, subject, attempt, agent: argv[1] ?? '', model: argv[2] ?? '', session: m.session, startedAt: m.timeline.now, endedAt: undefined, points: 0, told: [] };
  m.accounts.bills.push(bill);
  return bill;
}

/** Makes what a checkout needs; sometimes it fails, and it always leaves something behind. */
function setupScript(m: Machine, { checkout, unit }: { readonly checkout: Checkout; readonly unit: string }): Script {
  const bad = !m.calm && m.rng.chance(m.scenario.flaky);
  if (bad) m.coverage.hit('setup-fails', [m.windowOf(unit === '' ? undefined : unit)]);
  const act = (): void => {
    if (!checkout.present) return;
    checkout.files.set('node_modules/dep', 'dependency');
    checkout.files.set('setup-left', 'made by setup');
    if (m.rng.chance(0.5)) checkout.files.set('lock', 'v2 by setup');
  };
  return { deeds: [{ after: m.rng.between(1, 5000), act }], code: () => (bad ? m.rng.pick([1, 127]) : 0), hangs: bad && m.rng.chance(0.3) };
}

function checkScript(m: Machine, o: { readonly checkout: Checkout; readonly text: string; readonly unit: string }): Script {
  const { checkout, text, unit } = o;
  const { rng, scenario } = m;
  const trouble = !m.calm && rng.chance(scenario.flaky);
  if (trouble) m.coverage.hit('check-trouble', [m.windowOf(unit === '' ? undefined : unit)]);
  const before = look(m, checkout);
  let code = 0;
  let after = before;
  let sources: readonly string[] = [];
  let broken: readonly string[] = [];
  const act = (): void => {
    code = passes(checkout, text) === (trouble && rng.chance(0.7)) ? 1 : 0;
    if (trouble && rng.chance(0.1)) code = 127;
    sources = [...checkout.files.keys()].filter((path) => path.startsWith('src/'));
    broken = sources.filter((path) => checkout.files.get(path)?.includes('broken') === true);
    if (!checkout.present) return;
    format(m, o);
    if (trouble && rng.chance(0.2)) m.write(checkout, rng.pick(['left-by-check', 'node_modules/left']), 'left');
    after = look(m, checkout);
  };
  const exit = (): number => {
    m.checkRuns.push({ command: text, cwd: checkout.path, head: before.head, tree: after.tree, steady: before.head === after.head && before.tree === after.tree && before.tree !== undefined, passed: code === 0, code, broken, at: m.journal.lines.length });
    return code;
  };
  return { deeds: [{ after: rng.between(1, 5000), act }], code: exit, output: () => reportOf(sources, broken), hangs: trouble && rng.chance(0.1), stubborn: rng.chance(0.1) };
}

/** What the baseline check prints: a test for each source file. */
function reportOf(sources: readonly string[], broken: readonly string[]): string {
  return [...sources.map((path, i) => `${broken.includes(path) ? 'not ok' : 'ok'} ${i + 1} - ${path}`), `1..${sources.length}`, ''].join('\n');
}

/** What a check finds, by the files alone. */
function passes(checkout: Checkout, text: string): boolean {
  const [what, unit, task] = text.split(' ');
  const sources = [...checkout.files].filter(([path]) => path.startsWith('src/'));
  switch (what) {
    case 'check': return checkout.files.get(`src/${unit}/${task}`)?.startsWith('done') === true;
    case 'baseline': return !sources.some(([, is]) => is.includes('broken'));
    case 'compat': return new Set(sources.map(([, is]) => / tag=\d/.exec(is)?.[0]).filter((tag) => tag !== undefined)).size <= 1;
    default: throw new Error(`no such check: ${text}`);
  }
}

/** A formatter changes what it looks at: once, or every time it runs. */
function format(m: Machine, o: { readonly checkout: Checkout; readonly text: string }): void {
  const { formatter } = m.scenario;
  if (formatter === 'none' || (formatter === 'always' && m.calm) || !o.text.startsWith('baseline')) return;
  for (const [path, is] of o.checkout.files) {
    if (!path.startsWith('src/') || (formatter === 'once' && is.endsWith('~'))) continue;
    m.write(o.checkout, path, `${is}~`);
  }
}

function look(m: Machine, checkout: Checkout): { readonly head: string; readonly tree: string | undefined } {
  const same = checkout.unmerged.size === 0 && [...checkout.index].every(([path, text]) => checkout.files.get(path) === text);
  return { head: m.repo.headOf(checkout), tree: same ? m.repo.objects.tree(checkout.index).id : undefined };
}

function started(m: Machine, process: Process): void {
  const { argv, cwd, env } = process.command;
  if (cwd === m.repo.root) m.violate('main-checkout', `a program was started in the main checkout: ${argv.join(' ')}`);
  checkSlots(m, process);
  if (argv[0] !== 'agent') return;
  const { CHOO_UNIT: unit = '', CHOO_TASK: subject = '', CHOO_ATTEMPT: attempt = '' } = env;
  const checkout = m.repo.checkouts().find((c) => c.path === cwd);
  if (m.launches.some((l) => l.unit === unit && l.subject === subject && l.attempt === attempt)) m.violate('attempt-once', `the agent was started twice for ${unit} ${subject}, attempt ${attempt}`);
  if (!cwd.startsWith(`${WORKTREES}/units/`)) m.violate('fence', `an agent was started in ${cwd}`);
  m.working.add(unit);
  m.launches.push({ unit, subject, attempt, head: checkout === undefined ? '' : m.repo.headOf(checkout) });
}

/** Whatever an agent leaves is somebody's work from now on. */
function ended(m: Machine, { command, result, startedAt, endedAt }: Process): void {
  const { agentTotal, check, setup, shutdown } = m.scenario.settings.limits;
  const limit = command.argv[0] === 'agent' ? agentTotal : Math.max(check, setup);
  if ((endedAt ?? 0) - startedAt > limit + shutdown + BOUNDS.killGrace) m.violate('limits', `${command.argv.join(' ')} ran ${(endedAt ?? 0) - startedAt} ms`);
  if (command.argv[0] !== 'agent' || result === undefined) return;
  m.working.delete(command.env['CHOO_UNIT'] ?? '');
  const bill = m.accounts.bills.findLast((b) => b.unit === command.env['CHOO_UNIT'] && b.endedAt === undefined);
  if (bill !== undefined) bill.endedAt = m.timeline.now;
  const checkout = m.repo.checkouts().find((c) => c.path === command.cwd);
  if (checkout === undefined) return;
  const where = `${command.env['CHOO_UNIT']} ${command.env['CHOO_TASK']}, attempt ${command.env['CHOO_ATTEMPT']}`;
  const mine = m.written.get(checkout.path);
  for (const [path, text] of checkout.files) {
    if (mine?.has(path) === true && text.includes('#') && !isIgnored(path) && !path.startsWith(`${TASKS_DIR}/`)) m.left.set(text, `${path} by ${where}`);
  }
}
