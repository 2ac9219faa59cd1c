// The landing queue: who is merged, proved and landed with whom, and who waits behind them.

import type { QueuedView } from '../src/core/view.ts';
import type { Known } from './store.ts';

/** Units of a group that are named before the rest is counted. */
const NAMED = 40;

interface Group { readonly doing: QueuedView['doing']; readonly batch: number | undefined; readonly units: readonly string[] }

/** What is done with a batch of one unit, and of several. */
const WORDS: Readonly<Record<QueuedView['doing'], readonly [one: string, several: string]>> = {
  merging: ['is being merged', 'are being merged together'], proving: ['is being proved', 'are being proved together'], landing: ['lands', 'land together'], waiting: ['waits', 'wait'],
};
const MARK: Readonly<Record<QueuedView['doing'], string>> = { merging: '⇉', proving: '◆', landing: '⇣', waiting: '…' };

/** The queue of a run that is not over. */
export function Queue({ known, choose }: { readonly known: Known; readonly choose: (id: string) => void }) {
  const { head } = known;
  if (head === undefined || head.closed || known.units.length === 0) return null;
  return (
    <section class="queue" aria-labelledby="queue">
      <h2 id="queue">Landing queue ({head.queue.length})</h2>
      {head.queue.length === 0 ? <p class="soft">Nothing waits to land.</p> : (
        <ol>
          {groups(head.queue).map(({ doing, batch, units }) => (
            <li key={`${batch ?? ''} ${doing}`} class={doing}>
              <strong><span aria-hidden="true">{MARK[doing]} </span>{title({ doing, batch, units })}</strong>{' '}
              {units.slice(0, NAMED).map((id) => <span key={id} class="queued"><button type="button" class="link" onClick={() => choose(id)}>{id}</button> </span>)}
              {units.length > NAMED && <span>and {units.length - NAMED} more</span>}
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function title({ doing, batch, units }: Group): string {
  return batch === undefined ? 'Waiting to land:' : `Batch ${batch}, ${WORDS[doing][units.length === 1 ? 0 : 1]}:`;
}

function groups(queue: readonly QueuedView[]): readonly Group[] {
  const all: (Group & { readonly units: string[] })[] = [];
  for (const { unit, batch, doing } of queue) {
    const last = all.at(-1);
    if (last?.doing === doing && last.batch === batch) last.units.push(unit);
    else all.push({ doing, batch, units: [unit] });
  }
  return all;
}
