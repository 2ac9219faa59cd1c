// The built program on a real pseudo-terminal (by `script` of util-linux), and what a person would see there, by a terminal emulator that is
// not ours. Waits for what the screen shows; asserts nothing.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import headless from '@xterm/headless';
import type { Terminal as Emulator } from '@xterm/headless';
import type { Bed } from './bed.ts';

const program = join(import.meta.dirname, '..', '..', 'bin', 'choo');

/** Size and environment of a terminal; undefined takes a variable out. */
export interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** How it ended: the exit code as a shell saw it, and what of the terminal was not as before. */
export interface Left {
  readonly code: number;
  /** `stty -g` before and after. */
  readonly modes: readonly [string, string];
  readonly screen: 'normal' | 'alternate';
  readonly cursor: 'shown' | 'hidden';
  /** What is written next has no look of its own. */
  readonly plain: boolean;
  /** All that is on the terminal and above it. */
  readonly text: string;
  /** Everything that was written, with what steers the terminal. */
  readonly written: string;
}

interface Waiter { readonly wanted: RegExp | ((text: string) => boolean); readonly resolve: (text: string) => void; readonly reject: (why: Error) => void }

/** A person's shell that runs choo once. */
export class TestTerminal {
  readonly #child: ChildProcess;
  readonly #emulator: Emulator;
  readonly #waiters: Waiter[] = [];
  readonly #folder: string;
  #written = '';
  #hidden = false;
  /** Resolves when the shell has ended. */
  readonly ended: Promise<Left>;

  constructor(bed: Bed, argv: readonly string[], o: TerminalOptions = {}) {
    const { columns = 80, rows = 24 } = o;
    this.#folder = bed.base;
    this.#emulator = new headless.Terminal({ cols: columns, rows, scrollback: 1000, allowProposedApi: true });
    const all = { ...bed.env, XDG_STATE_HOME: bed.state, TMPDIR: join(bed.base, 'temporary'), RIG_BED: bed.base, TERM: 'xterm-256color', SHELL: '/bin/sh', CI: undefined, NO_COLOR: undefined, ...o.env };
    const env = Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
    const words = [process.execPath, program, ...argv].map((word) => `'${word}'`).join(' ');
    // Who restores the terminal for a killed choo needs a moment.
    const shell = `trap : INT TERM HUP; tty > '${this.#path('tty')}'; stty cols ${columns} rows ${rows}; stty -g > '${this.#path('before')}'
      sh -c 'echo $$ > "$0"; exec "$@"' '${this.#path('pid')}' ${words}; code=$?; echo $code > '${this.#path('code')}'
      n=0; while [ $code = 137 ] && [ $n -lt 500 ] && [ "$(stty -g)" != "$(cat '${this.#path('before')}')" ]; do n=$((n + 1)); done; stty -g > '${this.#path('after')}'`;
    this.#child = spawn('script', ['-qfec', shell, '/dev/null'], { cwd: bed.root, env, stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#written += text;
      this.#hidden = text.lastIndexOf('\u001b[?25l') > text.lastIndexOf('\u001b[?25h') || (this.#hidden && !text.includes('\u001b[?25h'));
      // What is drawn between these two marks is seen at once.
      const half = this.#written.lastIndexOf('\u001b[?2026h') > this.#written.lastIndexOf('\u001b[?2026l');
      this.#emulator.write(text, () => { if (!half) this.#look(); });
    });
    this.#child.stdin?.on('error', (error) => { this.#written += `(stdin: ${error.message})`; });
    bed.hand.over(undefined);
    this.ended = once(this.#child, 'close').then(async () => {
      await new Promise<void>((resolve) => { this.#emulator.write('', resolve); });
      const left = { ...this.#left(), plain: await this.#writesPlain() };
      const why = new Error(`choo ended ${left.code}; the terminal has:\n${left.text}`);
      bed.hand.over(why);
      for (const waiter of this.#waiters.splice(0)) waiter.reject(why);
      return left;
    });
  }

  /** What is on the screen now, line by line. */
  get text(): string {
    const { active } = this.#emulator.buffer;
    const lines = Array.from({ length: this.#emulator.rows }, (_, i) => active.getLine(active.baseY + i)?.translateToString(true) ?? '');
    return lines.join('\n').trimEnd();
  }

  /** The program's own process. */
  get pid(): number {
    return Number(readFileSync(this.#path('pid'), 'utf8'));
  }

  /** True when a cell of the screen has a colour. */
  get colored(): boolean {
    const { active } = this.#emulator.buffer;
    return Array.from({ length: this.#emulator.rows }, (_, y) => active.getLine(active.baseY + y)).some((line) => (
      Array.from({ length: this.#emulator.cols }, (_, x) => line?.getCell(x)).some((cell) => cell !== undefined && (!cell.isFgDefault() || cell.isDim() !== 0 || cell.isBold() !== 0))));
  }

  /** Resolves with the screen when it shows this, now or later. Rejects when choo ends before. */
  shows(wanted: RegExp | ((text: string) => boolean)): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ wanted, resolve, reject });
      this.#look();
    });
  }

  /** Types, as a person would. */
  type(keys: string): void {
    this.#child.stdin?.write(keys);
  }

  /** Makes the terminal's window larger or smaller. */
  resize(columns: number, rows: number): void {
    this.#emulator.resize(columns, rows);
    execFileSync('stty', ['-F', readFileSync(this.#path('tty'), 'utf8').trim(), 'cols', String(columns), 'rows', String(rows)]);
  }

  #path(name: string): string {
    return join(this.#folder, `terminal-${name}`);
  }

  #look(): void {
    const { text } = this;
    for (const waiter of this.#waiters.filter(({ wanted }) => (typeof wanted === 'function' ? wanted(text) : wanted.test(text)))) {
      this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
      waiter.resolve(text);
    }
  }

  async #writesPlain(): Promise<boolean> {
    await new Promise<void>((resolve) => { this.#emulator.write('\r\nx', resolve); });
    const { active } = this.#emulator.buffer;
    const cell = active.getLine(active.baseY + active.cursorY)?.getCell(0);
    return cell?.getChars() === 'x' && cell.isAttributeDefault();
  }

  #left(): Omit<Left, 'plain'> {
    const of = (name: string): string => (existsSync(this.#path(name)) ? readFileSync(this.#path(name), 'utf8').trim() : '');
    const { active } = this.#emulator.buffer;
    const text = Array.from({ length: active.length }, (_, i) => active.getLine(i)?.translateToString(true) ?? '').join('\n').trimEnd();
    return { code: Number(of('code')), modes: [of('before'), of('after')], screen: active.type, cursor: this.#hidden ? 'hidden' : 'shown', text, written: this.#written };
  }
}
