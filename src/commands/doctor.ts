// `choo doctor`: what is missing and the command that mends it. What is looked at is opening/doctor.ts.

import { systemClock } from '../adapters/clock.ts';
import { examine } from '../opening/doctor.ts';
import { doctorData, renderDoctor } from '../show/doctor.ts';
import { report } from './errors.ts';
import type { Io } from './io.ts';

/** Prints the findings; exit code 1 when one of them is an error. */
export async function doctor(flags: { readonly json?: boolean }, io: Io): Promise<number> {
  const json = flags.json === true;
  try {
    const findings = await examine({ cwd: io.cwd, env: io.env, clock: systemClock() });
    io.out.write(json ? `${JSON.stringify(doctorData(findings), null, 2)}\n` : renderDoctor(findings, { color: io.out.color }));
    return findings.some(({ level }) => level === 'error') ? 1 : 0;
  } catch (error) {
    return report(error, { io, json, journal: undefined });
  }
}
