// What `choo doctor` found, as data for people and programs. Who looks is opening/doctor.ts.

/** One thing that was looked at. */
export interface Finding {
  /** `error`: a run would not start, or not work; `warning`: worth knowing. */
  readonly level: 'ok' | 'warning' | 'error';
  /** What it is about: `git`, `configuration`, `agent claude` … */
  readonly about: string;
  /** A stable word. */
  readonly code: string;
  /** One sentence without a full stop. */
  readonly text: string;
  /** The command that mends it, or what to do. */
  readonly mend?: string;
}
