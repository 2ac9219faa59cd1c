// The end of a job's log as an agent can use it: no times, no colours, no groups, and from the first error on when the end is only cleaning up.

import { plain } from './text.ts';

const TIME = /^\uFEFF?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z ?/;
const COMMAND = /^##\[(group|endgroup|section|command|debug)\]/;
const ERROR = /^##\[error\]/;
/** Lines that GitHub writes after what a job did itself. */
const CLEANING = /^(?:Post job cleanup\.|Cleaning up orphan processes|Post Run |Evaluate and set job outputs|Complete job name:)/;
/** Lines that are given, at most. */
const LINES = 200;

/** The lines up to the last error of a log (all, where there is none), without what GitHub adds to them. */
export function logTail(log: string): string {
  const lines = log.split(/\r?\n/).map((line) => line.replace(TIME, '')).filter((line) => !line.startsWith('##[endgroup]'));
  const lastError = lines.findLastIndex((line) => ERROR.test(line));
  const cleaning = lines.findIndex((line, i) => i > lastError && CLEANING.test(line));
  const end = lastError >= 0 ? lastError + 1 : cleaning < 0 ? lines.length : cleaning;
  return plain(lines.slice(0, end).slice(-LINES).map((line) => line.replace(ERROR, 'error: ').replace(COMMAND, '')).join('\n'));
}
