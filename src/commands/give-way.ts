// Who only looks on gives way to the run where there is too little processor for both. Never takes more than it was given.

import { constants, getPriority, setPriority } from 'node:os';

/** From now on this process and those it starts come after others. */
export function giveWay(): void {
  const { PRIORITY_BELOW_NORMAL } = constants.priority;
  if (getPriority() < PRIORITY_BELOW_NORMAL) setPriority(PRIORITY_BELOW_NORMAL);
}
