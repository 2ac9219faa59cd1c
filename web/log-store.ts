// What the page knows of one log: its stream, kept up over lost connections, and earlier pieces where they were asked for. Draws nothing.
// A page that nobody looks at holds no stream: a browser has few connections for one server.

/** Characters that are kept of a log's end; what is older can be asked for. */
const KEPT = 200_000;
/** Characters that are kept when earlier pieces were asked for. */
const MOST = 8_000_000;
/** Time until a refused stream is asked for again, ms. */
const AGAIN = 2000;

/** All that is drawn. */
export interface LogKnown {
  readonly text: string;
  /** The place where the text begins, when there is something before it; undefined: it begins with the log. */
  readonly before: string | undefined;
  /** What the agent's messages say, not the messages. */
  readonly said: boolean;
  /** An earlier piece is on its way. */
  readonly asking: boolean;
  readonly lost: boolean;
  /** At which end the text grew last. */
  readonly grew: 'end' | 'front';
}

/** Of a log nothing is known yet. */
export const EMPTY: LogKnown = { text: '', before: undefined, said: false, asking: false, lost: false, grew: 'end' };

/** A piece of the text and the place at which it ends, so that the oldest can be left out. */
interface Part { readonly text: string; readonly end: string }

/** Reads one log until it is closed. */
export class LogStore {
  #known = EMPTY;
  #parts: Part[] = [];
  /** The stream goes on from here; undefined: from the log's end. */
  #at: string | undefined;
  #source: EventSource | undefined;
  #timer: number | undefined;
  #over = false;
  #asked = false;
  #drawing = false;
  readonly #path: string;
  readonly #raw: boolean;
  readonly #told: (known: LogKnown) => void;
  readonly #aborted = new AbortController();

  constructor(o: { readonly path: string; readonly raw: boolean; readonly told: (known: LogKnown) => void }) {
    this.#path = o.path;
    this.#raw = o.raw;
    this.#told = o.told;
    document.addEventListener('visibilitychange', this.#seen);
    this.#seen();
  }

  /** Ends the stream. */
  close(): void {
    this.#over = true;
    document.removeEventListener('visibilitychange', this.#seen);
    this.#pause();
    this.#aborted.abort();
  }

  /** Fetches what comes before the text. */
  async earlier(): Promise<void> {
    const { before } = this.#known;
    if (before === undefined || this.#known.asking) return;
    this.#set({ asking: true });
    try {
      const answer = await fetch(`${this.#path}?${this.#query()}before=${before}`, { signal: this.#aborted.signal });
      const text = await answer.text();
      if (!answer.ok || this.#known.before !== before) return this.#set({ asking: false });
      this.#asked = true;
      this.#parts.unshift({ text, end: before });
      this.#set({ asking: false, before: beforeOf(answer.headers.get('x-choo-from')), text: this.#text(), grew: 'front' });
    } catch (error) {
      if (!this.#aborted.signal.aborted) this.#set({ asking: false, lost: error instanceof Error });
    }
  }

  readonly #seen = (): void => {
    if (document.visibilityState === 'hidden') this.#pause();
    else if (this.#source === undefined && !this.#over) this.#open();
  };

  #pause(): void {
    this.#source?.close();
    this.#source = undefined;
    clearTimeout(this.#timer);
  }

  #open(): void {
    this.#pause();
    const source = new EventSource(`${this.#path}/stream?${this.#query()}${this.#at === undefined ? '' : `after=${this.#at}`}`);
    this.#source = source;
    source.addEventListener('begin', ({ data, lastEventId }: MessageEvent<string>) => {
      const { from, said } = JSON.parse(data) as { readonly from: string; readonly said: boolean };
      this.#parts = [];
      this.#at = lastEventId;
      this.#set({ ...EMPTY, before: beforeOf(from), said });
    });
    source.addEventListener('text', ({ data, lastEventId }: MessageEvent<string>) => {
      this.#at = lastEventId;
      this.#add((JSON.parse(data) as { readonly text: string }).text, lastEventId);
    });
    source.addEventListener('end', ({ data }: MessageEvent<string>) => {
      this.#over = true;
      this.#pause();
      this.#add((JSON.parse(data) as { readonly text: string }).text, this.#at ?? '');
    });
    source.addEventListener('open', () => this.#set({ lost: false }));
    source.addEventListener('resync', () => this.#open());
    source.addEventListener('error', () => {
      this.#set({ lost: true });
      if (source.readyState === EventSource.CLOSED) this.#timer = setTimeout(() => this.#open(), AGAIN);
    });
  }

  #query(): string {
    return this.#raw ? '' : 'said&';
  }

  #add(text: string, end: string): void {
    this.#parts.push({ text, end });
    let { before } = this.#known;
    let length = this.#parts.reduce((sum, part) => sum + part.text.length, 0);
    while (length > (this.#asked ? MOST : KEPT) && this.#parts.length > 1) {
      const first = this.#parts.shift();
      length -= first?.text.length ?? 0;
      before = first?.end;
    }
    this.#set({ text: this.#text(), before, lost: false, grew: 'end' });
  }

  #text(): string {
    return this.#parts.map(({ text }) => text).join('');
  }

  #set(known: Partial<LogKnown>): void {
    this.#known = { ...this.#known, ...known };
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      if (!this.#aborted.signal.aborted) this.#told(this.#known);
    });
  }
}

/** The place before which there is something. */
function beforeOf(from: string | null): string | undefined {
  return from === null || /^0(:|$)/.test(from) ? undefined : from;
}
