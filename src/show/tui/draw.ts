// Draws lines on a terminal by Ink. Knows no run and no key.

import { Box, Text, render } from 'ink';
import { createElement } from 'react';
import type { ReactNode } from 'react';
import type { Look, Row } from './row.ts';

/** A drawing that is there until it is ended. */
export interface Drawing {
  readonly show: (rows: readonly Row[]) => void;
  readonly end: () => void;
}

const PROPS: Readonly<Record<Look, Readonly<Record<string, string | boolean>>>> = {
  loud: { bold: true }, dim: { dimColor: true }, inverse: { inverse: true }, red: { color: 'red' }, green: { color: 'green' }, yellow: { color: 'yellow' }, cyan: { color: 'cyan' },
};

/** Begins a drawing at the cursor. Without `color` a text has no look at all. */
export function draw(o: { readonly stdout: NodeJS.WriteStream; readonly stdin: NodeJS.ReadStream; readonly color: boolean }): Drawing {
  const options = { stdout: o.stdout, stdin: o.stdin, exitOnCtrlC: false, patchConsole: false, maxFps: 30 };
  const instance = render(createElement(Box), options);
  return {
    show: (rows) => instance.rerender(lines(rows, o.color)),
    end: () => instance.unmount(),
  };
}

function lines(rows: readonly Row[], color: boolean): ReactNode {
  return createElement(Box, { flexDirection: 'column' }, ...rows.map((row, i) => createElement(Text, { key: i, wrap: 'truncate' }, row.length === 0 ? ' ' : row.map(({ text, look }, j) => (
    createElement(Text, { key: j, ...(color && look !== undefined ? PROPS[look] : {}) }, text)
  )))));
}
