// The table of agents and what was seen to work, in docs/agents.md: made from the results of whole.test.ts, never by hand.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunnerTask } from 'vitest';

/** Agent → capability → whether its test passed. */
export type Results = Readonly<Record<string, Readonly<Record<string, boolean>>>>;

const resultsPath = join(import.meta.dirname, 'results.json');
const documentPath = join(import.meta.dirname, '..', '..', 'docs', 'agents.md');
const [BEGIN, END] = ['<!-- measured -->', '<!-- /measured -->'];

/** Takes the suites of whole.test.ts, one an agent. Writes results and document when CHOO_RECORD_MATRIX is set; agents that did not run keep what they had. */
export function recordMatrix(suites: readonly RunnerTask[]): void {
  if (process.env['CHOO_RECORD_MATRIX'] === undefined) return;
  const results: Record<string, Readonly<Record<string, boolean>>> = { ...recordedResults() };
  for (const suite of suites) {
    if (suite.type !== 'suite') continue;
    const ran = suite.tasks.filter((task) => task.result !== undefined && task.mode === 'run');
    if (ran.length > 0) results[suite.name] = { ...results[suite.name], ...Object.fromEntries(ran.map((task) => [task.name, task.result?.state === 'pass'])) };
  }
  writeFileSync(resultsPath, `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(documentPath, withTable(readFileSync(documentPath, 'utf8'), results));
}

/** The results as they are in the repository. */
export function recordedResults(): Results {
  return JSON.parse(readFileSync(resultsPath, 'utf8')) as Results;
}

/** The document with the table of these results between its marks. */
export function withTable(document: string, results: Results): string {
  const [before = '', rest = ''] = document.split(BEGIN);
  const after = rest.slice(rest.indexOf(END));
  return `${before}${BEGIN}\n${tableOf(results)}\n${after}`;
}

function tableOf(results: Results): string {
  const agents = Object.keys(results);
  const capabilities = [...new Set(agents.flatMap((agent) => Object.keys(results[agent] ?? {})))];
  const cell = (agent: string, capability: string): string => {
    const passed = results[agent]?.[capability];
    return passed === undefined ? '–' : passed ? 'yes' : 'no';
  };
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    row(['', ...agents.map((agent) => `\`${agent}\``)]), `|---|${agents.map(() => '---|').join('')}`,
    ...capabilities.map((capability) => row([capability, ...agents.map((agent) => cell(agent, capability))])),
  ].join('\n');
}
