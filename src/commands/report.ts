// `choo report`: a run as one HTML page or as JSON, from its journal, live or at rest. Changes nothing of the run.

import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { systemClock } from '../adapters/clock.ts';
import { redactorFor } from '../opening/place.ts';
import { refuse } from '../opening/refusal.ts';
import { lookAt } from '../opening/rest.ts';
import type { Look } from '../opening/rest.ts';
import type { Report, ReportFormat } from '../report/data.ts';
import { renderPage } from '../report/page.ts';
import { reportOf } from '../report/report.ts';
import { STYLE } from '../report/style.ts';
import { report as tell } from './errors.ts';
import type { Io } from './io.ts';

/** What `choo report` was asked for. */
export interface ReportOptions {
  /** Default: the newest. */
  readonly run?: number;
  readonly format: ReportFormat;
  /** Where it is written; `-` is stdout. */
  readonly output?: string;
}

/** Writes the report; exit code 0 whatever became of the run. */
export async function report(o: ReportOptions, io: Io): Promise<number> {
  try {
    const look = await lookAt(io.cwd, io.env, o.run);
    await look.repository.git.close();
    const text = render(clean(dataOf(look, o), io), o.format);
    const file = fileFor(o, { look, io });
    if (file === undefined) io.out.write(text);
    else {
      await save(file, text);
      io.out.write(`${file}\n`);
    }
    return 0;
  } catch (error) {
    return tell(error, { io, json: o.format === 'json', journal: undefined });
  }
}

function dataOf(look: Look, o: ReportOptions): Report {
  const { state, events } = look;
  if (state === undefined || events === undefined) {
    throw o.run === undefined ? refuse('no-run', 'there was no run yet', 'start one: choo run') : refuse('no-run', `there is no run ${o.run} in this repository`, 'leave the number out for the newest: choo report');
  }
  return reportOf({ events, state, at: standing(look), now: systemClock().now() });
}

function standing({ holder, newest }: Look): Report['at'] {
  return newest !== true || holder === undefined || holder.state === 'stale' ? 'rest' : holder.state;
}

/** What is in the journal went through the redactor when it was written, but for what came from the specs. */
function clean(data: Report, io: Io): Report {
  const { text } = redactorFor(io.env, undefined);
  return JSON.parse(JSON.stringify(data), (_key, value: unknown) => (typeof value === 'string' ? text(value) : value)) as Report;
}

function render(data: Report, format: ReportFormat): string {
  if (format === 'json') return `${JSON.stringify(data, null, 2)}\n`;
  return renderPage(data, { styleHash: createHash('sha256').update(STYLE).digest('base64') });
}

/** The file to write; undefined: stdout. Nobody wants a page's source in the terminal. */
function fileFor(o: ReportOptions, { look, io }: { readonly look: Look; readonly io: Io }): string | undefined {
  if (o.output !== undefined) return o.output === '-' ? undefined : resolve(io.cwd, o.output);
  return o.format === 'html' && io.out.terminal && look.runDir !== undefined ? join(look.runDir, 'report.html') : undefined;
}

async function save(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { mode: 0o600 });
  } catch (error) {
    throw refuse('output', `${file} cannot be written: ${error instanceof Error && 'code' in error ? String(error.code) : String(error)}`);
  }
}
