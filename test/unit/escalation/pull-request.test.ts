// choo's comment on a pull request: whatever is in names and output, it stays text; and of two about the same one the newer stands.

import { describe, expect, it } from 'vitest';
import type { Escalation } from '../../../src/core/told.ts';
import { messenger } from '../../../src/escalation/messenger.ts';
import { commentText, pullRequestChannel } from '../../../src/escalation/pull-request.ts';
import { ForgeError } from '../../../src/forge.ts';
import type { Delivery } from '../../../src/world.ts';

const LATE: Escalation = { severity: 'warning', run: 3, seq: 41, unit: 'a', pull: 7, title: 'unit a waits', detail: ['look: there'] };
const HOSTILE = ['@ann <img src=x onerror=1> [x](http://evil) **b** `c` #12 <!-- choo:told --> \u202Eeno\u202C', '```', '````\n@acme/all', '</code></pre><script>', '\u001b[31mred\r'];

describe('the text', () => {
  it.each(HOSTILE)('%j in the title is text', (text) => {
    const title = commentText({ ...LATE, title: text, detail: [] }, undefined).split('\n')[0] ?? '';
    expect(title).not.toMatch(/@[\w/]|(?<!\\)[<>[\]*`#]|:\/\/|[\u202a-\u202e]|(?!\n)\p{Cc}/u);
  });

  it('has one fence, which nothing in it ends', () => {
    const lines = commentText({ ...LATE, detail: HOSTILE }, undefined).split('\n');
    const fences = lines.flatMap((line, i) => (/^`{5,}/.test(line) ? [i] : []));
    expect(fences).toHaveLength(2);
    expect(lines.slice((fences[0] ?? 0) + 1, fences[1]).join('\n')).toContain('<script>');
    expect(lines.slice((fences[1] ?? 0) + 1)).toEqual(['', 'Run 3, event 41. This comment is changed in place.']);
    expect(lines.join('\n')).not.toMatch(/[\u202a-\u202e]|(?!\n)\p{Cc}/u);
  });

  it('is bounded, and names no home folder', () => {
    const text = commentText({ ...LATE, title: 'x'.repeat(100_000), detail: ['y'.repeat(200_000)] }, undefined);
    expect(text.length).toBeLessThan(30_000);
    expect(text).toMatch(/\n```\n\nRun 3, event 41\./);
    expect(commentText({ ...LATE, title: 'in /home/ann/x', detail: ['log: /home/ann/.local/y', '/home/anna/z'] }, '/home/ann')).toContain('in \\~/x\n\n```text\nlog: ~/.local/y\n/home/anna/z\n');
  });
});

describe('the comment', () => {
  const clock = { sleep: (ms: number, signal?: AbortSignal): Promise<void> => (ms === 10_000 ? new Promise((resolve) => { signal?.addEventListener('abort', () => resolve()); }) : Promise.resolve()) };
  const HERE = ['pull-request'];
  const open = (comment: (number: number, text: string) => Promise<void>): ((e: Escalation) => Promise<readonly Delivery[] | void>) => {
    const channel = pullRequestChannel({ forge: { comment: (number, o) => comment(number, `${o.marker} ${o.body.split('\n')[0]}`) }, home: undefined, now: () => 0 });
    const told = messenger({ routes: { info: HERE, warning: HERE, critical: HERE, blocking: HERE }, channels: new Map([['pull-request', channel]]), terminal: { escalate: () => undefined }, clock, redact: (text) => text.replaceAll('hunter2', '***') });
    return async (e) => told.escalate(e);
  };

  it('is written under one marker, without secrets, for a unit that has a pull request only', async () => {
    const said: string[] = [];
    const tell = open((number, text) => { said.push(`${number} ${text}`); return Promise.resolve(); });
    expect(await tell({ ...LATE, title: 'the hunter2' })).toEqual([{ to: 'pull-request', tries: 1 }]);
    const { pull: _, ...other } = LATE;
    expect(await tell(other)).toEqual([]);
    expect(said).toEqual(['7 told ⚠️ the \\*\\*\\*']);
  });

  it('says what is newest, although an older one is tried for longer', async () => {
    const said: string[] = [];
    let failures = 2;
    const tell = open((_, text) => {
      if (failures-- > 0) return Promise.reject(new ForgeError('unreachable', 'nobody answers'));
      said.push(text);
      return Promise.resolve();
    });
    const [older, newer] = await Promise.all([tell(LATE), tell({ ...LATE, seq: 50, title: 'over', over: true })]);
    expect([older?.[0]?.trouble, newer?.[0]?.trouble]).toEqual([undefined, undefined]);
    expect(said.at(-1)).toBe('told ⚠️ over');
    expect(said).toHaveLength(1);
  });

  it.each([['login', 1], ['refused', 1], ['rate', 4], ['unreachable', 4]] as const)('that the forge does not take (%s): why, after %i tries', async (reason, tries) => {
    const tell = open(() => Promise.reject(new ForgeError(reason, 'no', 5000)));
    expect(await tell(LATE)).toEqual([{ to: 'pull-request', tries, trouble: 'no' }]);
  });
});
