// What keys make of the person's choices, and which wishes they become.

import { describe, expect, it } from 'vitest';
import { chosenUnit, FIRST_UI, press } from '../../../../src/show/tui/ui.ts';
import type { Key, Ui } from '../../../../src/show/tui/ui.ts';
import { scene } from './plays.ts';

const lines = Array.from({ length: 50 }, (_, i) => (i === 7 ? 'an Error' : i === 30 ? 'no error' : `line ${i}`));

function key(name: string, more: Partial<Key> = {}): Key {
  return { name, text: name.length === 1 ? name : '', ctrl: false, ...more };
}

function pressed(ui: Ui, keys: readonly Key[], name: Parameters<typeof scene>[0] = 'failed'): ReturnType<typeof press> {
  const { facts } = scene(name);
  return keys.reduce<ReturnType<typeof press>>((now, k) => press(now.ui, k, { facts, lines, page: 10 }), { ui });
}

describe('keys of the screen', () => {
  it('choose units; what is at work is chosen first', () => {
    const { facts } = scene('failed');
    expect(chosenUnit(FIRST_UI, facts)).toBe('front');
    expect(pressed(FIRST_UI, [key('up')]).ui.chosen).toBe('edge');
    expect(pressed(FIRST_UI, [key('end'), key('down')]).ui.chosen).toBe('gateway');
    expect(pressed(FIRST_UI, [key('tab')]).ui.chosen).toBe('billing');
  });

  it('ask before the run is stopped or left, and take Esc for no', () => {
    expect(pressed(FIRST_UI, [key('s')])).toEqual({ ui: { ...FIRST_UI, question: 'stop' } });
    expect(pressed(FIRST_UI, [key('s'), key('y')]).wish).toEqual({ do: 'stop' });
    expect(pressed(FIRST_UI, [key('s'), key('escape')])).toEqual({ ui: FIRST_UI });
    expect(pressed(FIRST_UI, [key('q'), key('k')]).wish).toEqual({ do: 'leave' });
    expect(pressed(FIRST_UI, [key('q'), key('s')]).wish).toEqual({ do: 'stop' });
    expect(pressed(FIRST_UI, [key('q'), key('x')])).toEqual({ ui: { ...FIRST_UI, question: 'quit' } });
  });

  it('pass on Ctrl-C and Ctrl-Z whatever is asked or typed', () => {
    expect(pressed({ ...FIRST_UI, question: 'quit' }, [key('c', { ctrl: true })]).wish).toEqual({ do: 'interrupt' });
    expect(pressed({ ...FIRST_UI, log: { find: 'a', typing: true } }, [key('z', { ctrl: true })]).wish).toEqual({ do: 'suspend' });
  });

  it('ask for a retry of the chosen unit; say why there is nothing to approve or to open', () => {
    expect(pressed(FIRST_UI, [key('tab'), key('r')]).wish).toEqual({ do: 'retry', unit: 'billing' });
    expect(pressed(FIRST_UI, [key('a')]).ui.note).toBe('front does not wait for approval');
    expect(pressed(FIRST_UI, [key('d')])).toEqual({ ui: { ...FIRST_UI, note: 'opening the dashboard' }, wish: { do: 'dashboard' } });
    expect(pressed(FIRST_UI, [key('p')]).ui.note).toBe('front has no pull request');
  });

  it('scroll the log, follow it at its end, and find', () => {
    const log = pressed(FIRST_UI, [key('return')]).ui;
    expect(log).toMatchObject({ pane: 'log', chosen: 'front' });
    expect(pressed(log, [key('up')]).ui.log.top).toBe(39);
    expect(pressed(log, [key('up'), key('down')]).ui.log.top).toBeUndefined();
    expect(pressed(log, [key('g')]).ui.log.top).toBe(0);
    const found = pressed(log, [key('/'), ...Array.from('error', (c) => key(c)), key('return')]).ui;
    expect(found.log).toEqual({ find: 'error', typing: false, top: 30 });
    expect(pressed(found, [key('n', { text: 'N' })]).ui.log.top).toBe(7);
    expect(pressed(found, [key('n')]).ui.note).toBe('no later line has error');
    expect(pressed(found, [key('escape')]).ui).toMatchObject({ pane: 'log', log: { find: '' } });
    expect(pressed(found, [key('escape'), key('escape')]).ui.pane).toBe('run');
  });
});
