// How what is thrown reaches an assistant: the diagnostics with their hints, never a stack. What is a defect goes to stderr whole.

import { isTrouble } from '../commands/errors.ts';
import { renderDiagnostic } from '../discovery/diagnostic.ts';
import { Refusal } from '../opening/refusal.ts';
import { FenceLost } from '../world.ts';
import { cleanData, cleanText } from './clean.ts';
import { CommandFailed } from './steer.ts';
import { WrongArguments } from './tool.ts';

/** Diagnostics that are told in one error, and characters of one text. */
const MOST = 50;
const LONGEST = 16 * 1024;

/** What is told of an error: texts, the last of a Refusal being data as schema/diagnostics.schema.json describes it. `defect`: for stderr. */
export interface Told {
  readonly texts: readonly string[];
  readonly defect?: string;
}

/** Tells an error. */
export function tellError(error: unknown): Told {
  if (error instanceof Refusal) {
    const shown = error.diagnostics.slice(0, MOST);
    const more = error.diagnostics.length - shown.length;
    const text = shown.map((d) => renderDiagnostic(d, { color: false })).join('\n');
    return { texts: [bounded(`${text}${more > 0 ? `\n… and ${more} more` : ''}`), JSON.stringify(cleanData({ version: 1, diagnostics: shown }).data)] };
  }
  if (error instanceof WrongArguments) return { texts: [bounded(`error: wrong arguments\n${error.message}`)] };
  if (error instanceof CommandFailed) return { texts: [bounded(error.message)] };
  if (error instanceof FenceLost || isTrouble(error)) return { texts: [bounded(`error: ${error.message}`)] };
  const message = error instanceof Error ? error.message : String(error);
  return { texts: [bounded(`this is a defect in choo: ${message}`)], defect: error instanceof Error ? error.stack ?? message : message };
}

function bounded(text: string): string {
  const clean = cleanText(text.slice(0, LONGEST));
  return text.length > LONGEST ? `${clean}…` : clean;
}
