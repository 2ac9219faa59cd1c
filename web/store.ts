// What the page knows: the run as the server tells it, kept up over lost connections. Draws nothing.

import type { Answer, Frame, Head, Snapshot } from '../src/web/protocol.ts';
import type { UnitView } from '../src/core/view.ts';

/** How the page stands with its server. */
export type Connection = 'connecting' | 'connected' | 'lost' | 'no-run' | 'shut-out';

/** All that is drawn. A new object with every change; units that did not change are the same objects. */
export interface Known {
  readonly connection: Connection;
  readonly head?: Head;
  readonly seq: number;
  readonly units: readonly UnitView[];
  readonly byId: ReadonlyMap<string, UnitView>;
  /** Changes when units or their dependencies do, not with their states. */
  readonly shape: string;
}

/** Time until a refused stream is asked for again, ms. */
const AGAIN = 2000;

/** Follows one run, by its number or the newest. */
export class Store {
  known: Known = { connection: 'connecting', seq: 0, units: [], byId: new Map(), shape: '' };
  #run: string;
  #source: EventSource | undefined;
  #timer: number | undefined;
  #drawing = false;
  readonly #told = new Set<() => void>();

  constructor(run: string) {
    this.#run = run;
    this.#open();
  }

  /** Calls back at most once a frame when something changed; gives back what ends that. */
  subscribe(then: () => void): () => void {
    this.#told.add(then);
    return () => this.#told.delete(then);
  }

  /** Follows another run. */
  follow(run: string): void {
    if (run === this.#run) return;
    this.#run = run;
    this.#set({ connection: 'connecting', seq: 0, units: [], byId: new Map(), shape: '' });
    this.#open();
  }

  #open(): void {
    this.#source?.close();
    clearTimeout(this.#timer);
    const source = new EventSource(`/api/runs/${this.#run}/stream`);
    this.#source = source;
    source.addEventListener('snapshot', ({ data }: MessageEvent<string>) => this.#whole(JSON.parse(data) as Snapshot));
    source.addEventListener('frame', ({ data }: MessageEvent<string>) => this.#changed(JSON.parse(data) as Frame));
    source.addEventListener('resync', () => this.#open());
    source.addEventListener('error', () => {
      this.#set({ ...this.known, connection: this.known.head === undefined ? this.known.connection : 'lost' });
      if (source.readyState === EventSource.CLOSED) void this.#refused();
    });
  }

  /** A stream that the server refused does not begin again by itself. */
  async #refused(): Promise<void> {
    const status = await fetch(`/api/runs/${this.#run}`, { method: 'HEAD' }).then((answer) => answer.status, () => 0);
    if (status === 401) this.#set({ ...this.known, connection: 'shut-out' });
    else if (status === 404) this.#set({ ...this.known, connection: 'no-run' });
    this.#timer = setTimeout(() => this.#open(), AGAIN);
  }

  #whole({ head, seq, units }: Snapshot): void {
    this.#set(known({ head, seq, units }));
  }

  #changed({ head, seq, units }: Frame): void {
    // A newer run has begun, and the newest is what is looked at.
    if (this.#run === 'newest' && head.newest > head.run) return this.#open();
    const changes = new Map(units.map((unit) => [unit.id, unit]));
    const old = this.known.units.map((unit) => {
      const change = changes.get(unit.id);
      changes.delete(unit.id);
      return change ?? unit;
    });
    this.#set(known({ head, seq, units: changes.size === 0 ? old : [...old, ...changes.values()] }));
  }

  #set(known: Known): void {
    this.known = known;
    // In the background frames do not come; what is known is drawn when they do.
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      for (const then of this.#told) then();
    });
  }
}

/** Asks the run for something; gives what to tell the person. */
export async function act(wish: { readonly do: 'stop'; readonly now: boolean } | { readonly do: 'retry' | 'approve'; readonly units: readonly string[] }): Promise<Answer> {
  try {
    const answer = await fetch('/api/actions', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(wish) });
    return answer.headers.get('content-type')?.startsWith('application/json') === true ? await answer.json() as Answer : { error: await answer.text() };
  } catch (error) {
    return { error: `the server cannot be reached: ${String(error)}` };
  }
}

function known(o: Pick<Snapshot, 'head' | 'seq' | 'units'>): Known {
  return { connection: 'connected', ...o, byId: new Map(o.units.map((unit) => [unit.id, unit])), shape: o.units.map(({ id, dependsOn }) => `${id}<${dependsOn.join(',')}`).join(' ') };
}
