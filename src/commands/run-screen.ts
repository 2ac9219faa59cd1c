// The screen of a live run: takes the terminal with the first event, draws when something changed, makes wishes of keys, and gives the
// terminal back. What is drawn is show/tui/; what is wished goes through the same door as everybody's.

import { dirname } from 'node:path';
import { stdin, stdout } from 'node:process';
import { emitKeypressEvents } from 'node:readline';
import { systemClock } from '../adapters/clock.ts';
import type { Event } from '../core/event.ts';
import type { Request } from '../core/request.ts';
import type { State } from '../core/state.ts';
import { draw } from '../show/tui/draw.ts';
import type { Drawing } from '../show/tui/draw.ts';
import { FactsGatherer } from '../show/tui/facts.ts';
import type { Facts } from '../show/tui/facts.ts';
import { NO_LOG } from '../show/tui/log.ts';
import type { LogText } from '../show/tui/log.ts';
import { logPage, screenModel } from '../show/tui/screen.ts';
import { chosenUnit, FIRST_UI, press } from '../show/tui/ui.ts';
import type { Key, Ui, Wish } from '../show/tui/ui.ts';
import type { Seen } from '../world.ts';
import { showInBrowser } from './browser.ts';
import { Changes } from './changes.ts';
import type { Io, Printer } from './io.ts';
import { isInForeground, Terminal } from './terminal.ts';
import { UnitLog } from './unit-log.ts';

/** Least time between two drawings, and most, ms. */
const FRAME = 100;
const TICK = 1000;
/** What is printed meanwhile is kept for later, so many pieces. */
const HELD = 500;

/** What the screen asks of the run. */
export interface Asked {
  readonly request: (request: Request) => Promise<string>;
  readonly journal: () => string | undefined;
  /** Opens the dashboard in a browser and gives its address. */
  readonly dashboard: () => Promise<string>;
}

/** A screen; at first it waits for the run to begin. */
export class Screen {
  /** Prints through the screen: not while it is there. What was said on stderr is printed when it is gone. */
  readonly io: Io;
  readonly #own: Io;
  readonly #asked: Asked;
  readonly #clock = systemClock();
  readonly #facts = new FactsGatherer();
  readonly #terminal = new Terminal();
  readonly #changes = new Changes();
  readonly #over = new AbortController();
  readonly #log: UnitLog;
  readonly #held: string[] = [];
  #state: 'before' | 'on' | 'suspended' | 'gone' = 'before';
  #drawing: Drawing | undefined;
  #ui: Ui = FIRST_UI;
  #text: LogText = NO_LOG;

  constructor(io: Io, asked: Asked) {
    this.#own = io;
    this.#asked = asked;
    this.#log = new UnitLog(io);
    const out: Printer = { ...io.out, write: (text) => { if (!this.#covers()) io.out.write(text); } };
    // Where stderr goes elsewhere, it disturbs nothing.
    const err: Printer = io.err.terminal ? { ...io.err, write: (text) => this.#hold(text) } : io.err;
    this.io = { ...io, out, err };
  }

  /** An event. The first one brings the screen up. */
  event(event: Event, state: State): void {
    this.#facts.event(event, state);
    if (this.#state === 'before') this.#comeUp();
    this.#changes.tell();
  }

  /** What an agent is seen doing. */
  activity(seen: Seen): void {
    this.#facts.activity(seen.unit, seen.activity, this.#clock.now());
    this.#changes.tell();
  }

  /** Gives the terminal back for good, and prints what was held. The run is not touched. */
  leave(): void {
    const was = this.#state;
    this.#state = 'gone';
    if (was === 'before' || was === 'gone') return;
    this.#over.abort();
    this.#changes.tell();
    this.#goDown();
    stdin.off('keypress', this.#onKey);
    stdout.off('resize', this.#onResize);
    process.off('SIGCONT', this.#onContinue);
    if (this.#terminal.keys) stdin.pause().unref();
    for (const text of this.#held.splice(0)) this.#own.err.write(text);
  }

  #covers(): boolean {
    return this.#state === 'on' || this.#state === 'suspended';
  }

  #hold(text: string): void {
    if (!this.#covers()) return this.#own.err.write(text);
    this.#held.push(text);
    if (this.#held.length > HELD) this.#held.shift();
  }

  #comeUp(): void {
    this.#goUp();
    stdout.on('resize', this.#onResize);
    process.on('SIGCONT', this.#onContinue);
    if (this.#terminal.keys) {
      emitKeypressEvents(stdin);
      stdin.on('keypress', this.#onKey);
      stdin.resume();
    }
    this.#goOn().catch((error: unknown) => {
      this.leave();
      this.#own.err.write(`choo: the screen failed, the run goes on: ${error instanceof Error ? error.stack ?? error.message : String(error)}\n`);
    });
  }

  #goUp(): void {
    this.#terminal.take();
    this.#begin();
    this.#state = 'on';
  }

  #begin(): void {
    this.#drawing = draw({ stdout, stdin, color: this.#own.out.color });
  }

  #goDown(): void {
    this.#drawing?.end();
    this.#drawing = undefined;
    this.#terminal.giveBack();
  }

  /** Draws at each change, at most ten times a second, and once a second for what only grows older. */
  async #goOn(): Promise<void> {
    const { signal } = this.#over;
    const tick = async (): Promise<void> => {
      for (; !signal.aborted; await this.#clock.sleep(TICK, signal)) this.#changes.tell();
    };
    void tick();
    while (!signal.aborted) {
      await this.#changes.next();
      await this.#readLog();
      if (!signal.aborted) this.#show();
      await this.#clock.sleep(FRAME, signal);
    }
  }

  async #readLog(): Promise<void> {
    const facts = this.#facts.facts();
    const journal = this.#asked.journal();
    const unit = facts === undefined ? undefined : chosenUnit(this.#ui, facts);
    if (facts === undefined || journal === undefined || unit === undefined) return;
    this.#text = await this.#log.read({ unit, attempt: facts.attempt(unit), folder: dirname(journal), running: facts.units.get(unit)?.attempt !== undefined });
  }

  #show(): void {
    const facts = this.#facts.facts();
    if (facts === undefined || this.#state !== 'on') return;
    this.#drawing?.show(screenModel({ facts, ui: this.#ui, log: this.#text, now: this.#clock.now(), size: this.#terminal.size, unicode: showsUnicode(this.#own.env), keys: this.#terminal.keys }));
  }

  readonly #onResize = (): void => {
    if (this.#state === 'on') this.#drawAnew();
  };

  /** What was drawn for another size, or is no longer there, is not drawn upon. */
  #drawAnew(): void {
    this.#drawing?.end();
    this.#terminal.clear();
    this.#begin();
    this.#show();
  }

  readonly #onKey = (text: string | undefined, key: { readonly name?: string; readonly ctrl?: boolean; readonly sequence?: string }): void => {
    const facts: Facts | undefined = this.#facts.facts();
    if (facts === undefined || this.#state !== 'on') return;
    const typed: Key = { name: key.name ?? '', text: text ?? '', ctrl: key.ctrl === true };
    const { ui, wish } = press(this.#ui, typed, { facts, lines: this.#text.lines, page: logPage(this.#ui, this.#terminal.size) });
    this.#ui = ui;
    if (wish !== undefined) this.#fulfil(wish, facts);
    this.#changes.tell();
  };

  #fulfil(wish: Wish, facts: Facts): void {
    switch (wish.do) {
      // The same way as from outside, so that the second one kills.
      case 'interrupt': process.kill(process.pid, 'SIGINT'); return;
      case 'suspend': return this.#suspend();
      case 'redraw': return this.#drawAnew();
      case 'leave': this.leave(); return this.#own.err.write('choo: the screen is closed, the run goes on; Ctrl-C stops it\n');
      case 'stop': return this.#await(this.#asked.request({ do: 'stop', by: 'the screen', now: false }));
      case 'retry': case 'approve': return this.#await(this.#asked.request({ do: wish.do, units: [wish.unit] }));
      case 'dashboard': return this.#await(this.#asked.dashboard());
      default: return this.#openPage(facts.units.get(wish.unit)?.pull?.url);
    }
  }

  /** Tells what came of it. */
  #await(answer: Promise<string>): void {
    const tell = (note: string): void => {
      this.#ui = { ...this.#ui, note };
      this.#changes.tell();
    };
    answer.then(tell, (error: unknown) => tell(error instanceof Error ? error.message : String(error)));
  }

  #openPage(url: string | undefined): void {
    if (url === undefined || !/^https?:\/\//.test(url)) return;
    this.#ui = { ...this.#ui, note: url };
    showInBrowser(url, this.#own.env);
  }

  /** As a terminal does it for a program that takes no keys: all of the foreground stops. */
  #suspend(): void {
    this.#state = 'suspended';
    this.#goDown();
    process.kill(0, 'SIGSTOP');
  }

  readonly #onContinue = (): void => {
    if (this.#state === 'gone') return;
    this.#goDown();
    // Put into the background: the terminal belongs to somebody else now.
    if (!isInForeground()) return this.leave();
    this.#goUp();
    this.#show();
  };
}

function showsUnicode(env: NodeJS.ProcessEnv): boolean {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((value) => value !== undefined && value !== '');
  return env['TERM'] !== 'linux' && (locale === undefined || /utf-?8/i.test(locale));
}
