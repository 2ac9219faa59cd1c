// Where the page is, by its address: which run, which unit, what it is compared with. A name from there is only ever looked up or asked for.

import { useEffect, useState } from 'preact/hooks';

/** What is looked at. */
export interface Place {
  /** A number, or `newest`. */
  readonly run: string;
  readonly unit: string | undefined;
  /** Number of the run that it is compared with. */
  readonly with: number | undefined;
}

function placeNow(): Place {
  const hash = new URLSearchParams(location.hash.slice(1));
  const number = (name: string): string | undefined => /^[1-9]\d{0,8}$/.exec(hash.get(name) ?? '')?.[0];
  const other = number('with');
  return { run: number('run') ?? 'newest', unit: hash.get('unit') ?? undefined, with: other === undefined ? undefined : Number(other) };
}

/** The run that the address names now. */
export function runNow(): string {
  return placeNow().run;
}

/** Where the page is, kept up with its address. */
export function usePlace(): Place {
  const [now, set] = useState(placeNow);
  useEffect(() => {
    const changed = (): void => set(placeNow());
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  return now;
}

/** Goes somewhere else; what is not named stays. */
export function go(change: Partial<Place>): void {
  const { run, unit, with: other } = { ...placeNow(), ...change };
  const hash = new URLSearchParams();
  if (run !== 'newest') hash.set('run', run);
  if (other !== undefined) hash.set('with', String(other));
  if (unit !== undefined) hash.set('unit', unit);
  location.hash = hash.toString();
}
