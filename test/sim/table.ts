// The coverage table as text, and the cells that cannot happen, each with the reason.

import type { Coverage } from './coverage.ts';

/** What a fault can meet: the steps of a run, and the moments when none is in flight. */
const WINDOWS = ['recover', 'trial', 'advance', 'prepare', 'attempt', 'check', 'commit', 'verify', 'refresh', 'adopt', 'rework', 'merge', 'prove', 'land', 'finish', 'push', 'catch-up', 'save', 'waiting', 'between'] as const;

/** All cells that were hit, a row a fault. */
export function table(coverage: Coverage): string {
  const faults = [...new Set([...coverage.cells.keys()].map((cell) => cell.split('|')[0] ?? ''))].toSorted();
  const cell = (text: string): string => text.padStart(9);
  const head = `${''.padEnd(22)}${WINDOWS.map(cell).join('')}`;
  return [head, ...faults.map((fault) => `${fault.padEnd(22)}${WINDOWS.map((window) => cell(String(coverage.cells.get(`${fault}|${window}`) ?? '-'))).join('')}`)].join('\n');
}

/** Steps in which programs are run: checks, or setup where a worktree has to be made (again). */
const WITH_CHECKS = ['trial', 'advance', 'attempt', 'check', 'verify', 'prove'];
const WITH_SETUP = ['trial', 'advance', 'prepare', 'attempt', 'check', 'verify', 'rework', 'prove'];

const NO_STEP = 'while units wait no step is in flight that could call git';

/** Rows of which only some cells can happen, and why. The first that fits a fault counts. */
const ROWS: readonly { readonly fault: RegExp; readonly only: readonly string[]; readonly because: string }[] = [
  { fault: /^agent-/, only: ['attempt', 'rework'], because: 'agents run in attempts alone' },
  { fault: /^check-trouble$/, only: WITH_CHECKS, because: 'other steps run no check' },
  { fault: /^setup-fails$/, only: WITH_SETUP, because: 'other steps run no setup' },
  { fault: /^git-error$/, only: WINDOWS.filter((window) => window !== 'waiting'), because: NO_STEP },
  { fault: /^disk-error$/, only: ['trial', 'advance', 'prepare', 'attempt', 'check', 'verify', 'rework', 'prove', 'finish'], because: 'other steps write no file of their own and start no program' },
];

const MADE_AGAIN = 'setup runs there only when somebody deleted the worktree since the step before';
const JOINED = 'a program runs there only when target and landing ref are joined; the same proof is hit in `prove`';

/** Single cells that are too narrow to be aimed at, and why that is good enough. */
const CELLS: Readonly<Record<string, string>> = {
  'setup-fails|check': MADE_AGAIN, 'setup-fails|verify': MADE_AGAIN, 'setup-fails|rework': MADE_AGAIN,
  'setup-fails|advance': JOINED, 'check-trouble|advance': JOINED, 'disk-error|advance': JOINED,
};

/** Why a cell is not counted; undefined when it is. */
function excuse(fault: string, window: string): string | undefined {
  const row = ROWS.find((r) => r.fault.test(fault));
  if (row !== undefined && !row.only.includes(window)) return row.because;
  return CELLS[`${fault}|${window}`];
}

/** Cells that can happen and were hit less than `least` times. */
export function gaps(coverage: Coverage, least: number): string[] {
  const faults = [...new Set([...coverage.cells.keys()].map((cell) => cell.split('|')[0] ?? ''))].toSorted();
  return faults.flatMap((fault) => WINDOWS.filter((window) => excuse(fault, window) === undefined && (coverage.cells.get(`${fault}|${window}`) ?? 0) < least)
    .map((window) => `${fault} in ${window}: ${coverage.cells.get(`${fault}|${window}`) ?? 0}`));
}
