// Chooses how programs are held: the strongest way that was asked for and that this machine has. See docs/adr/0003-containment.md.

import type { Clock } from '../world.ts';
import { holdByGroup } from './group.ts';
import type { Containment, ContainMode } from './held.ts';
import type { Keeper } from './keeper.ts';
import { holdByNamespace } from './namespace.ts';

/** A namespace was asked for and cannot be had here: a mistake of the configuration, exit 2. */
export class ContainmentUnavailable extends Error {
  override name = 'ContainmentUnavailable';
}

/** Gives the strongest containment that `wanted` allows; throws ContainmentUnavailable when there is none. Starts one process to find out. */
export async function chooseContainment(wanted: 'auto' | ContainMode, o: { readonly env: Readonly<Record<string, string>>; readonly clock: Clock; readonly keeper: Keeper }): Promise<Containment> {
  const namespace = wanted === 'group' ? undefined : await holdByNamespace(o);
  if (namespace !== undefined) return namespace;
  if (wanted === 'namespace') {
    throw new ContainmentUnavailable(
      'process.contain is `namespace`, but no PID namespace can be made here (needs Linux, util-linux 2.38 and, without root, '
      + 'unprivileged user namespaces); use `auto` or `group`');
  }
  return holdByGroup(o);
}
