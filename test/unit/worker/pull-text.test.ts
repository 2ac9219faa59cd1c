// What a pull request says: secrets are gone before anything is quoted or cut, and names stay text.

import { describe, expect, it } from 'vitest';
import { must } from '../../../src/core/bug.ts';
import { pullBody, pullSection, pullTexts, pullTitle } from '../../../src/worker/pull-text.ts';
import { Game, unit } from '../core/rig.ts';

const SECRET = 'sk_a-b*c|0123456789';
const redact = (text: string): string => text.replaceAll(SECRET, '[redacted]');

/** A unit with one task of that title and check. */
function withTask(title: string, check = title): ReturnType<typeof pullBodyOf> {
  const plain = unit('a');
  const game = new Game([{ ...plain, tasks: [{ ...must(plain.tasks[0], 'a task'), title, check }], checks: [{ name: check, command: check }] }]);
  return pullBodyOf(game, title);
}
function pullBodyOf({ state }: Game, title: string): { readonly section: string; readonly title: string; readonly body: string } {
  const u = must(state.units[0], 'a unit');
  const texts = pullTexts('a', redact(`# ${title}\n\n${'x'.repeat(59_000)} ${title} ${'y'.repeat(9000)}`));
  return { section: pullSection(state, u, redact), title: pullTitle(state, u, texts), body: pullBody(state, u, { ...texts, redact }) };
}

describe('a secret', () => {
  it.each([0, 235, 240, 245, 285, 290, 295, 299])('behind %i characters is neither quoted nor cut into what nobody knows', (before) => {
    const { section, title, body } = withTask(`${'z'.repeat(before)}${SECRET}`);
    for (const text of [section, title, body]) {
      expect(text.replaceAll('\\', '')).not.toMatch(/sk_a/);
      expect(text).not.toContain('0123456');
    }
  });
});

it('a title of a task stays in its cell', () => {
  const { section } = withTask('@ann | <b> [x](http://y) `c`', 'echo `x` | wc');
  expect(section).toContain('| 1 | @\u2060ann \\| \\<b\\> \\[x\\]\\(http:\u2060//y\\) \\`c\\` | `` echo `x` \\| wc `` | open | 0 |');
});

it('a command of more than one line is shown as one', () => {
  expect(withTask('A task', 'set -e\ntrue\nfalse').section).toContain('| `set -e; true; false` |');
});
