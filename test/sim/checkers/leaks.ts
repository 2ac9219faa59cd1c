// Promises about worktrees: nothing of one unit is found in that of another, and no two share a slot.

import type { EventOf } from '../../../src/core/event.ts';
import type { Machine } from '../machine.ts';
import type { Process } from '../processes.ts';

/** What setup and copies put there. */
const OWN = new Set(['node_modules/dep', 'setup-left', 'local.env']);

/** A worktree that is ready holds its base and what was put there for it. */
export function checkLeaks(m: Machine, e: EventOf<'unit.prepared'>): void {
  const checkout = m.repo.linked.get(e.worktree);
  if (checkout?.present !== true) return;
  const base = m.repo.objects.filesOf(e.base);
  const written = m.written.get(e.worktree) ?? new Set();
  const foreign = [...checkout.files].filter(([path, text]) => !written.has(path) && !OWN.has(path) && base.get(path) !== text).map(([path]) => path);
  const missing = [...base.keys()].filter((path) => !written.has(path) && !checkout.files.has(path));
  if (foreign.length > 0) m.violate('leak', `the worktree of ${e.unit} was ready with ${foreign.join(', ')} in it`);
  if (missing.length > 0) m.violate('leak', `the worktree of ${e.unit} was ready without ${missing.join(', ')}`);
}

/** A program that starts has a slot that no program in another worktree has, and always the same while its worktree lives. */
export function checkSlots(m: Machine, { command }: Process): void {
  const slot = command.env['CHOO_SLOT'];
  if (slot === undefined) return m.violate('slots', `${command.argv.join(' ')} has no slot`);
  const checkout = m.repo.linked.get(command.cwd);
  const before = m.slots.get(command.cwd);
  if (before !== undefined && checkout?.present === true && before.checkout === checkout && before.slot !== slot) m.violate('slots', `the slot of ${command.cwd} was ${before.slot} and is ${slot}`);
  m.slots.set(command.cwd, { slot, checkout });
  for (const [cwd, other] of m.slots) {
    const alive = other.checkout?.present === true && m.repo.linked.get(cwd) === other.checkout;
    if (cwd !== command.cwd && other.slot === slot && alive) m.violate('slots', `${cwd} and ${command.cwd} both have the slot ${slot}`);
  }
}
