// Writes specs in the format of docs/spec-format.md: units as data → files as text. Knows no parser of the project.

/** One task; what is left out is made up so that the default agent can do it. */
export interface TaskSpec {
  readonly title?: string;
  /** Its backpressure; default: `test -f <unit>-<number>.txt`. */
  readonly check?: string;
  readonly dependsOn?: readonly number[];
  readonly status?: string;
  readonly body?: string;
}

/** One unit; `tasks` is how many, or what each is. */
export interface UnitSpec {
  readonly dependsOn?: readonly string[];
  readonly tasks?: number | readonly TaskSpec[];
  /** More lines of the plan's front matter. */
  readonly front?: readonly string[];
  /** Text of the plan below its title. */
  readonly plan?: string;
}

/** Units by their id. */
export type Specs = Readonly<Record<string, UnitSpec>>;

/** The files of these units: repository path → text. */
export function specFiles(units: Specs, tasksDir = 'specs/tasks'): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const [id, unit] of Object.entries(units)) {
    files.set(`${tasksDir}/${id}/IMPLEMENTATION_PLAN.md`, planText(id, unit));
    const tasks = typeof unit.tasks === 'object' ? unit.tasks : Array.from({ length: unit.tasks ?? 1 }, () => ({}));
    tasks.forEach((task, i) => files.set(`${tasksDir}/${taskFile(id, i + 1)}`, taskText(task, { unit: id, number: i + 1 })));
  }
  return files;
}

function taskFile(unit: string, number: number): string {
  return `${unit}/${String(number).padStart(2, '0')}-part.md`;
}

function planText(id: string, unit: UnitSpec): string {
  const front = [`unit: ${id}`, `depends_on: [${(unit.dependsOn ?? []).join(', ')}]`, ...(unit.front ?? [])];
  return `---\n${front.join('\n')}\n---\n# Plan of ${id}\n${unit.plan === undefined ? '' : `\n${unit.plan}\n`}`;
}

function taskText(task: TaskSpec, o: { readonly unit: string; readonly number: number }): string {
  const front = [
    `task: ${o.number}`,
    `status: ${task.status ?? 'pending'}`,
    `backpressure: ${JSON.stringify(task.check ?? `test -f ${o.unit}-${o.number}.txt`)}`,
    `depends_on: [${(task.dependsOn ?? []).join(', ')}]`,
  ];
  return `---\n${front.join('\n')}\n---\n# ${task.title ?? `Part ${o.number} of ${o.unit}`}\n\n${task.body ?? 'Write the file that the check looks for.'}\n`;
}
