// What is asked for while it is looked at: at first, again when something happened, and now and then while time passes in it.

import { useEffect, useRef, useState } from 'preact/hooks';

/** So long nothing is asked for at first, ms: somebody may only pass by. */
const FIRST = 200;
/** And at most so often later, ms. */
const EVERY = 3000;
/** So often although nothing happened, while the run is live or nothing came, ms. */
const ALIVE = 10_000;

/** What came, and why nothing did. */
export interface Fresh<T> {
  readonly value?: T;
  readonly trouble?: string;
}

/** The JSON at `path`; `version` changes when there is something new there. Nothing is asked for unless it is `active`. */
export function useFresh<T>(path: string, o: { readonly version: unknown; readonly live: boolean; readonly active: boolean }): Fresh<T> {
  const [fresh, set] = useState<Fresh<T> & { readonly of: string }>({ of: path });
  const latest = useRef(o);
  latest.current = o;
  useEffect(() => {
    if (!o.active) return undefined;
    const over = new AbortController();
    let timer: number | undefined;
    let had: { readonly version: unknown; readonly when: number; readonly came: boolean } | undefined;
    const look = async (): Promise<void> => {
      const { version, live } = latest.current;
      const due = had === undefined || had.version !== version || ((live || !had.came) && performance.now() - had.when > ALIVE);
      if (due && document.visibilityState === 'visible') {
        const next = await ask<T>(path, over.signal);
        if (over.signal.aborted) return;
        had = { version: versionOf(next.value, version), when: performance.now(), came: next.value !== undefined };
        // What was known stays when it cannot be asked for anew.
        set((old) => (next.value === undefined && old.of === path && old.value !== undefined ? old : { of: path, ...next }));
      }
      again(EVERY);
    };
    const again = (ms: number): void => { timer = setTimeout(() => { void look(); }, ms); };
    again(FIRST);
    return () => {
      over.abort();
      clearTimeout(timer);
    };
  }, [path, o.active]);
  return fresh.of === path ? fresh : {};
}

/** A server may give an answer that was good a moment ago; one that has a number says which events it knows. */
function versionOf(value: unknown, asked: unknown): unknown {
  const seq = typeof value === 'object' && value !== null && 'seq' in value ? value.seq : undefined;
  return typeof asked === 'number' && typeof seq === 'number' ? Math.min(asked, seq) : asked;
}

async function ask<T>(path: string, signal: AbortSignal): Promise<Fresh<T>> {
  try {
    const answer = await fetch(path, { signal });
    return answer.ok ? { value: await answer.json() as T } : { trouble: await answer.text() };
  } catch (error) {
    return { trouble: `the server cannot be reached: ${String(error)}` };
  }
}

/** True while the element is in sight, or nearly. */
export function useInSight(element: { readonly current: Element | null }): boolean {
  const [seen, set] = useState(false);
  useEffect(() => {
    const { current } = element;
    if (current === null) return undefined;
    const watcher = new IntersectionObserver((entries) => set(entries.at(-1)?.isIntersecting === true), { rootMargin: '100px' });
    watcher.observe(current);
    return () => watcher.disconnect();
  }, [element]);
  return seen;
}

/** Now, in ms since 1970; goes on every second while `live`. */
export function useNow(live: boolean): number {
  const [now, set] = useState(Date.now);
  useEffect(() => {
    if (!live) return undefined;
    let timer: number;
    const tick = (): void => {
      set(Date.now());
      timer = setTimeout(tick, 1000);
    };
    tick();
    return () => clearTimeout(timer);
  }, [live]);
  return now;
}
