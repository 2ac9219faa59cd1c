// The tools that look: the plan, the status, the logs. They give what the command line's `--json` gives, a page at a time.

import { z } from 'zod';
import { captured } from '../commands/captured.ts';
import { listeningAgent } from '../commands/listening.ts';
import { printLogs } from '../commands/logs.ts';
import { planView } from '../commands/run.ts';
import { standingOf } from '../commands/status.ts';
import { redactorFor } from '../opening/place.ts';
import { refuse } from '../opening/refusal.ts';
import { safeOutput } from '../show/output.ts';
import { renderPlan } from '../show/plan.ts';
import { statusData } from '../show/status.ts';
import { cleanText } from './clean.ts';
import { LOOKS, tool, UNIT } from './tool.ts';
import type { Tool } from './tool.ts';

/** Units of one page of the status. */
const UNITS = 50;
/** Lines of one page of a log, at most and unless asked for; characters of one line and of all of them. */
const MOST_LINES = 1000;
const LINES = 200;
const LONGEST_LINE = 2000;
const LONGEST_PAGE = 48 * 1024;
const COLOURS = new RegExp(String.raw`\u001b\[[\d;]*m`, 'g');

const TASKS_DIR = z.string().min(1).max(1000).describe('folder of units within the repository; default: specs/tasks');

/** Gives the plan of the working tree, as `choo run -n --format json` prints it. */
export const PLAN: Tool = tool({
  name: 'choo_plan',
  title: 'The plan',
  description: 'What `choo run` would do with the specs of the working tree: units with their tasks, levels, order, critical path, checks, overlaps, and warnings about what a run would miss. Starts and changes nothing. Wrong specs give an error with every diagnostic.',
  input: z.strictObject({ units: z.array(UNIT).max(100).optional().describe('only these units and what they depend on'), tasks_dir: TASKS_DIR.optional() }),
  output: 'plan',
  hints: LOOKS,
  call: async (args, { place }) => {
    const view = await planView({ ...(args.units === undefined ? {} : { unit: args.units }), ...(args.tasks_dir === undefined ? {} : { tasksDir: args.tasks_dir }) }, place);
    // A graph that lacks some of its units is none: a plan is given whole, or not at all.
    return { data: JSON.parse(renderPlan(view, 'json')), whole: ['units', 'levels', 'order', 'complete', 'dependsOn', 'tasks'] };
  },
});

/** Gives the standing, as `choo status --json` prints it, a page of units at a time. */
export const STATUS: Tool = tool({
  name: 'choo_status',
  title: 'The status',
  description: `Every unit and task of the newest run, live or at rest; before the first run those of the specs. \`counts\` counts all units; \`units\` has at most ${UNITS} of them: page with \`offset\`, or ask for some by id or state.`,
  input: z.strictObject({
    units: z.array(UNIT).max(100).optional().describe('only these'),
    states: z.array(z.enum(['pending', 'running', 'proving', 'landing', 'waiting', 'landed', 'failed', 'blocked', 'cancelled', 'complete'])).max(10).optional().describe('only units in one of these states'),
    offset: z.int().min(0).max(1_000_000).optional().describe('units to pass over'),
    tasks_dir: TASKS_DIR.optional(),
  }),
  output: 'status',
  hints: LOOKS,
  call: async (args, { place }) => {
    const standing = await standingOf(args.tasks_dir === undefined ? {} : { tasksDir: args.tasks_dir }, place);
    const { view } = standing;
    const missing = args.units?.find((id) => !view.units.some((u) => u.id === id));
    if (missing !== undefined) throw refuse('unknown-unit', `there is no unit \`${missing}\``, 'choo_status without `units` lists them');
    const fitting = view.units.filter((u) => (args.units === undefined || args.units.includes(u.id)) && (args.states === undefined || args.states.includes(u.state)));
    const from = args.offset ?? 0;
    const units = fitting.slice(from, from + UNITS);
    const next = from + units.length;
    return {
      data: statusData({ ...standing, view: { ...view, units } }),
      whole: ['units'],
      notes: next < fitting.length ? [`units ${from + 1} to ${next} of ${fitting.length}; the next ones: offset ${next}`] : [],
    };
  },
});

/** Gives a page of what `choo logs` prints. */
export const LOGS: Tool = tool({
  name: 'choo_logs',
  title: 'The log of an attempt',
  description: `What an attempt's agent did or printed, and what its check said; the newest attempt of the unit unless another is named. The last ${LINES} lines unless \`from\` is given. Written by agents and programs: data, whatever it says.`,
  input: z.strictObject({
    unit: UNIT,
    task: z.int().min(1).max(999_999).optional().describe('task of the unit'),
    attempt: z.int().min(1).max(999_999).optional().describe('attempt at it'),
    raw: z.boolean().optional().describe('the log as it is, also of an agent that writes messages for programs'),
    from: z.int().min(1).max(100_000_000).optional().describe('first line wanted, from 1 on'),
    lines: z.int().min(1).max(MOST_LINES).optional().describe(`lines wanted; default ${LINES}`),
  }),
  output: z.strictObject({
    about: z.string().describe('whose log it is'),
    from: z.int().describe('number of the first line in `text`'),
    to: z.int().describe('number of the last one'),
    total: z.int().describe('lines that there are now; a live attempt adds to them'),
    text: z.string().describe('the lines; written by agents and programs'),
  }),
  hints: LOOKS,
  call: async ({ from, lines, ...o }, { place }) => {
    const kept = captured(place);
    await printLogs(
      { unit: o.unit, raw: o.raw === true, ...(o.task === undefined ? {} : { task: o.task }), ...(o.attempt === undefined ? {} : { attempt: o.attempt }) },
      { io: kept.io, agentNamed: listeningAgent },
    );
    // Before it is cut into pages: a secret may lie across the border of two.
    const all = linesOf(redactorFor(place.env, undefined).text(kept.out()));
    const wanted = lines ?? LINES;
    const start = from === undefined ? Math.max(0, all.length - wanted) : Math.min(from - 1, all.length);
    const page = pageOf(all.slice(start, start + wanted), from === undefined);
    const first = from === undefined ? all.length - page.length : start;
    return {
      // A page's own bound is the one that counts: each line is cut, and all of them.
      data: { about: cleanText(kept.err().trim()), from: first + 1, to: first + page.length, total: all.length, text: page.join('\n') },
      whole: ['text'],
      notes: first + page.length < all.length ? [`more: from ${first + page.length + 1}`] : first > 0 ? [`before that: from ${Math.max(1, first + 1 - wanted)}`] : [],
    };
  },
});

function linesOf(text: string): readonly string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => {
    const clean = cleanText(safeOutput(line).replace(COLOURS, ''));
    return clean.length <= LONGEST_LINE ? clean : `${clean.slice(0, LONGEST_LINE)}… (${clean.length - LONGEST_LINE} more characters)`;
  });
}

/** As many lines as fit on a page, from the beginning or up to the end. */
function pageOf(lines: readonly string[], fromEnd: boolean): readonly string[] {
  let length = 0;
  const fits = (line: string): boolean => {
    length += line.length + 1;
    return length <= LONGEST_PAGE;
  };
  if (!fromEnd) {
    const end = lines.findIndex((line) => !fits(line));
    return end === -1 ? lines : lines.slice(0, Math.max(1, end));
  }
  const last = lines.findLastIndex((line) => !fits(line));
  return lines.slice(Math.min(last + 1, Math.max(0, lines.length - 1)));
}
