// Text from the run as it is: logs that grow, and what is fetched when it is asked for. A text node, never markup.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { EMPTY, LogStore } from './log-store.ts';
import type { LogKnown } from './log-store.ts';

/** A log's end, which goes on while `live`. Of an agent that speaks in messages: what they say, or the messages themselves. */
export function Log({ label, path, live }: { readonly label: string; readonly path: string; readonly live: boolean }) {
  const [raw, setRaw] = useState(false);
  const { known, earlier } = useLog(path, raw);
  const box = useRef<HTMLPreElement>(null);
  const height = useRef(0);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const { scrollHeight, scrollTop, clientHeight } = element;
    // Whoever looks at the end stays there; whoever asked for what comes before stays where they are.
    if (known.grew === 'front') element.scrollTop += scrollHeight - height.current;
    else if (height.current - scrollTop - clientHeight < 200) element.scrollTop = scrollHeight;
    height.current = scrollHeight;
  }, [known]);
  return (
    <>
      <h3>{label}{live ? ' (live)' : ''}</h3>
      {(known.said || raw) && <p class="log-view"><label><input type="checkbox" checked={raw} onChange={({ currentTarget }) => setRaw(currentTarget.checked)} /> raw</label></p>}
      {known.before !== undefined && <p class="log-view"><button type="button" disabled={known.asking} onClick={earlier}>show earlier</button></p>}
      {known.lost && <p class="log-view trouble" role="status">the log's stream was lost; trying again</p>}
      <pre class="log" ref={box} tabIndex={0} role="log" aria-label={label} aria-live="off">{known.text === '' ? 'nothing was printed yet' : known.text}</pre>
    </>
  );
}

/** Text that is fetched when it is opened. */
export function Text({ label, path, kind }: { readonly label: string; readonly path: string; readonly kind: 'diff' }) {
  const [text, set] = useState<string>();
  const load = (): void => {
    if (text === undefined) void fetch(path).then(async (answer) => set(await answer.text()), (error: unknown) => set(String(error)));
  };
  return (
    <details onToggle={({ currentTarget }) => { if (currentTarget.open) load(); }}>
      <summary>{label}</summary>
      <pre class={kind} tabIndex={0} aria-label={label}>{text === undefined ? 'loading…' : text.split('\n').map((line, i) => <span key={i} class={lineKind(line)}>{`${line}\n`}</span>)}</pre>
    </details>
  );
}

function lineKind(line: string): string {
  return line.startsWith('+') ? 'added' : line.startsWith('-') ? 'removed' : line.startsWith('@@') || line.startsWith('diff ') ? 'place' : '';
}

function useLog(path: string, raw: boolean): { readonly known: LogKnown; readonly earlier: () => void } {
  const [known, set] = useState<LogKnown>(EMPTY);
  const store = useRef<LogStore | undefined>(undefined);
  useEffect(() => {
    const mine = new LogStore({ path, raw, told: set });
    store.current = mine;
    return () => mine.close();
  }, [path, raw]);
  return { known, earlier: () => { void store.current?.earlier(); } };
}
