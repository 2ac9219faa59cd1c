// The demo as the scripted model plays it to a real agent: what the scripted agent does itself becomes shell commands that the
// model asks for. Pure; serving it is the model server's.

import { posix } from 'node:path';
import type { Part, Scenario } from '../model-server/scenario.ts';
import type { Turn } from '../model-server/turn.ts';
import { demoParts } from './demo-files.ts';
import type { DemoStep } from './demo-files.ts';

/** Ends each here-document; no file of the demo has such a line. */
const END = 'END-OF-FILE';

/** Stands for `$` where that would not get through; no file of the demo has it. */
const STAND_IN = '%';

/** What the model does for every task, chosen by the heading of choo's prompt. Attempts beyond the last one written are like the last. */
export function demoScenario(): Scenario {
  return demoParts().flatMap(({ unit, task, attempts }) => {
    const heading = `Task ${task} of unit \`${unit}\``;
    const parts = attempts.map((steps, i): Part => ({ when: i === 0 ? heading : laterAttempt(heading, i + 1 === attempts.length ? String.raw`\d+` : String(i + 1)), turns: turnsOf(steps) }));
    // Where several match at the same place the first counts: those of a certain attempt stand before the one of any.
    return [...parts.slice(1), ...parts.slice(0, 1)];
  });
}

function laterAttempt(heading: string, number: string): RegExp {
  return new RegExp(String.raw`${heading}[^]{0,400}This is attempt ${number}\.`);
}

/** Commands first, what is said last: to an agent that is the end of its work. */
function turnsOf(steps: readonly DemoStep[]): readonly Turn[] {
  const said = steps.flatMap((step) => ('say' in step ? [step.say] : []));
  const commands = steps.flatMap((step) => ('write' in step ? [writing(step.write)] : 'run' in step ? [step.run] : []));
  return [...commands.map((command): Turn => ({ do: 'run', command })), { do: 'say', text: said.join('; ') }];
}

/** A command for `sh` that writes the files. */
function writing(files: Readonly<Record<string, string>>): string {
  return Object.entries(files).map(([path, text]) => {
    const folder = posix.dirname(path);
    // Gemini CLI refuses a command that holds `$(`, also where a shell would not look into it.
    const [program, content] = text.includes('$(') ? [`tr '${STAND_IN}' '$'`, text.replaceAll('$', STAND_IN)] : ['cat', text];
    return `${folder === '.' ? '' : `mkdir -p ${quoted(folder)}\n`}${program} > ${quoted(path)} <<'${END}'\n${content}${END}`;
  }).join('\n');
}

/** One word for `sh`, whatever it holds. */
export function quoted(word: string): string {
  return `'${word.replaceAll('\'', String.raw`'\''`)}'`;
}
