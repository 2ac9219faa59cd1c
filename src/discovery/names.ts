// Which unit names git and the file systems people use can all hold. Looks at the name alone.

import { BOUNDS } from '../core/limits.ts';
import { byteLength } from './source.ts';

const RESERVED = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\.|$)/i;

/** Why this cannot be a unit's id (a branch `choo/unit/<id>/<n>` and a folder on any system), as the end of a sentence; undefined when it can. */
export function unitIdProblem(id: string): string | undefined {
  if (byteLength(id) > BOUNDS.unitId) return `is longer than ${BOUNDS.unitId} bytes`;
  const refused = refPartProblem(id);
  if (refused !== undefined) return refused;
  const odd = /["<>|]/.exec(id)?.[0];
  if (odd !== undefined) return `contains \`${odd}\`, which some file systems refuse`;
  if (RESERVED.test(id)) return 'is a device name on Windows';
  // An object with this key would not be an ordinary one.
  return id === '__proto__' ? 'is reserved' : undefined;
}

/** Why this cannot be a branch name, as the end of a sentence; undefined when it can. */
export function branchProblem(name: string): string | undefined {
  if (name === '@') return 'is no branch name';
  for (const part of name.split('/')) {
    const refused = refPartProblem(part);
    if (refused !== undefined) return refused;
  }
  return undefined;
}

function refPartProblem(part: string): string | undefined {
  if (part === '') return 'has an empty part';
  if (/[\s\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(part)) return 'contains a space, or a character that steers or cannot be seen, which git refuses or hides';
  const odd = /[~^:?*[\\]/.exec(part)?.[0];
  if (odd !== undefined) return `contains \`${odd}\`, which git refuses in a branch name`;
  if (part.includes('..') || part.includes('@{')) return 'contains `..` or `@{`, which git refuses in a branch name';
  if (part.startsWith('.') || part.endsWith('.') || part.endsWith('.lock')) return 'begins or ends with `.` or ends with `.lock`, which git refuses in a branch name';
  if (part.startsWith('-')) return 'begins with `-`, which programs take for a flag';
  return undefined;
}

/** The form in which names that some file system cannot tell apart are equal. */
export function foldName(name: string): string {
  return name.normalize('NFC').toUpperCase().toLowerCase();
}
