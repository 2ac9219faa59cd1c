// Slots: numbers by which worktrees that live at the same time can be told apart.

import { describe, expect, it } from 'vitest';
import { Slots } from '../../src/worker/slots.ts';

/** A disk with a file of reservations and the worktrees that are there. */
function machine(): { readonly there: Set<string>; readonly disk: Map<string, string>; readonly open: (o?: { readonly portBase?: number }) => Slots } {
  const there = new Set<string>();
  const disk = new Map<string, string>();
  const files = {
    readText: (path: string) => Promise.resolve(disk.get(path)),
    writeText: (path: string, text: string) => { disk.set(path, text); return Promise.resolve(); },
    exists: (path: string) => Promise.resolve(there.has(path)),
    remove: (path: string) => { disk.delete(path); return Promise.resolve(); },
  };
  return { there, disk, open: (o = {}) => new Slots({ files, file: '/slots', portBase: o.portBase ?? 20_000, project: 'choo-1a2b' }) };
}

describe('slots', () => {
  it('ports, databases and compose names do not collide: each worktree has its own', async () => {
    const slots = machine().open();
    const all = await Promise.all(['/a', '/b', '/landing'].map((path) => slots.environment(path)));
    expect(all).toEqual([1, 2, 3].map((n) => ({ CHOO_SLOT: String(n), CHOO_PORT_BASE: String(20_000 + 10 * n), COMPOSE_PROJECT_NAME: `choo-1a2b-${n}` })));
    expect(await slots.environment('/b')).toEqual(all[1]);
  });

  it('a worktree has its slot as long as it lives, over crashes and for other runs, too', async () => {
    const m = machine();
    const first = m.open();
    for (const path of ['/1/a', '/1/b', '/1/c']) await first.environment(path);
    for (const path of ['/1/a', '/1/c']) m.there.add(path);
    const second = m.open();
    expect((await second.environment('/2/x'))['CHOO_SLOT']).toBe('2');
    m.there.delete('/1/c');
    expect((await second.environment('/1/c'))['CHOO_SLOT']).toBe('3');
    expect((await second.environment('/2/y'))['CHOO_SLOT']).toBe('4');
    // Away for a while, made again by the same session.
    expect((await second.environment('/2/x'))['CHOO_SLOT']).toBe('2');
  });

  it('one that is gone for good gives its slot back; the last takes the file with it', async () => {
    const m = machine();
    const slots = m.open();
    for (const path of ['/a', '/b']) await slots.environment(path);
    await slots.release('/a');
    await slots.release('/never');
    expect((await slots.environment('/c'))['CHOO_SLOT']).toBe('1');
    for (const path of ['/b', '/c']) await slots.release(path);
    expect([...m.disk]).toEqual([]);
  });

  it('beyond the last port there is no block; what is no reservation is none', async () => {
    const m = machine();
    m.disk.set('/slots', '{"/a": "1", "/b": -1, "/c": 555');
    const slots = m.open({ portBase: 65_490 });
    for (const path of ['/a', '/b', '/c']) expect((await slots.environment(path))['CHOO_PORT_BASE']).toBeDefined();
    expect(await slots.environment('/d')).toEqual({ CHOO_SLOT: '4', COMPOSE_PROJECT_NAME: 'choo-1a2b-4' });
  });
});
