// What a scenario may say, read from data. Pure: reading the file and playing it is script-program.ts.

/** One thing the scripted agent does. */
export type Step =
  | { readonly do: 'write' | 'append'; readonly files: Readonly<Record<string, string>> }
  | { readonly do: 'run'; readonly command: string }
  | { readonly do: 'say'; readonly text: string }
  | { readonly do: 'pause'; readonly ms: number }
  | { readonly do: 'exit'; readonly code: number };

/** Which attempt at what. `task`: a number, or `baseline`, `conflict` or `proof`. */
export interface Part {
  readonly unit: string;
  readonly task: string;
  /** 1 for the first. */
  readonly attempt: number;
}

/** A scenario that cannot be played; says where. */
export class ScenarioError extends Error {
  override name = 'ScenarioError';
}

type Data = Readonly<Record<string, unknown>>;

/** The steps of one attempt. Attempts beyond the last that is written are like the last. Throws ScenarioError. */
export function stepsFor(scenario: unknown, part: Part): readonly Step[] {
  const units = asMap(scenario, 'the scenario', 'maps units to tasks');
  const unit = asMap(units[part.unit], part.unit, 'must map tasks to attempts');
  const where = `${part.unit}, task ${part.task}`;
  const attempts = asList(unit[part.task], where, 'must be a list of attempts');
  const attempt = attempts[Math.min(part.attempt, attempts.length) - 1];
  const at = `${where}, attempt ${Math.min(part.attempt, attempts.length)}`;
  return asList(attempt ?? [], at, 'must be a list of steps').map((step, i) => parseStep(step, `${at}, step ${i + 1}`));
}

function asMap(value: unknown, where: string, must: string): Data {
  if (value === undefined) throw new ScenarioError(`the scenario has nothing for ${where}`);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new ScenarioError(`${where}: ${must}`);
}

function asList(value: unknown, where: string, must: string): readonly unknown[] {
  if (value === undefined) throw new ScenarioError(`the scenario has nothing for ${where}`);
  if (Array.isArray(value)) return value as readonly unknown[];
  throw new ScenarioError(`${where}: ${must}`);
}

function parseStep(value: unknown, where: string): Step {
  const entries = Object.entries(asMap(value, where, 'must be a map with one key'));
  const [name, content] = entries[0] ?? [];
  if (entries.length !== 1) throw new ScenarioError(`${where}: must have exactly one key`);
  switch (name) {
    case 'write': case 'append': return { do: name, files: files(content, where) };
    case 'run': return { do: 'run', command: text(content, where) };
    case 'say': return { do: 'say', text: text(content, where) };
    case 'pause': return { do: 'pause', ms: pause(content, where) };
    case 'exit': return { do: 'exit', code: code(content, where) };
    default: throw new ScenarioError(`${where}: \`${name ?? ''}\` is none of write, append, run, say, pause, exit`);
  }
}

function files(value: unknown, where: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(asMap(value, where, 'must map paths to texts')).map(([path, content]) => [path, text(content, `${where}, ${path}`)]));
}

function text(value: unknown, where: string): string {
  if (typeof value === 'string') return value;
  throw new ScenarioError(`${where}: must be a text`);
}

/** `300ms` or `2s`, in ms; at most an hour. */
function pause(value: unknown, where: string): number {
  const [, number, unit] = /^(\d{1,7})(ms|s)$/.exec(typeof value === 'string' ? value : '') ?? [];
  const ms = Number(number) * (unit === 's' ? 1000 : 1);
  if (number !== undefined && ms <= 3_600_000) return ms;
  throw new ScenarioError(`${where}: a pause is like 300ms or 2s`);
}

function code(value: unknown, where: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 255) return value;
  throw new ScenarioError(`${where}: an exit code is a whole number from 0 to 255`);
}
