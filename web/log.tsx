// Text from the run as it is: logs that grow, and what is fetched when it is asked for. A text node, never markup.

import { useEffect, useRef, useState } from 'preact/hooks';

/** Characters that are kept of a log; what is older is left out. */
const KEPT = 200_000;
/** So often a log that grows is asked for more, ms. */
const EVERY = 700;

/** A log's end, which goes on while `live`. */
export function Log({ label, path, live }: { readonly label: string; readonly path: string; readonly live: boolean }) {
  const text = useLog(path, live);
  const box = useRef<HTMLPreElement>(null);
  useEffect(() => {
    const element = box.current;
    if (element !== null && element.scrollHeight - element.scrollTop - element.clientHeight < 200) element.scrollTop = element.scrollHeight;
  }, [text]);
  return (
    <>
      <h3>{label}{live ? ' (live)' : ''}</h3>
      <pre class="log" ref={box} tabIndex={0} role="log" aria-label={label} aria-live="off">{text === '' ? 'nothing was printed yet' : text}</pre>
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

function useLog(path: string, live: boolean): string {
  const [text, set] = useState('');
  const at = useRef<number | undefined>(undefined);
  useEffect(() => {
    let timer: number | undefined;
    const over = new AbortController();
    const decoder = new TextDecoder();
    const more = async (): Promise<void> => {
      const answer = await fetch(at.current === undefined ? path : `${path}?from=${at.current}`, { signal: over.signal });
      if (answer.ok) {
        const bytes = await answer.arrayBuffer();
        at.current = Number(answer.headers.get('x-choo-from') ?? 0) + bytes.byteLength;
        const added = decoder.decode(bytes, { stream: true });
        if (added !== '') set((old) => (old + added).slice(-KEPT));
        if (at.current < Number(answer.headers.get('x-choo-size') ?? 0)) return again(0);
      }
      if (live) again(EVERY);
    };
    const again = (ms: number): void => {
      timer = setTimeout(() => { more().catch(() => { if (live && !over.signal.aborted) again(EVERY); }); }, ms);
    };
    again(0);
    return () => {
      over.abort();
      clearTimeout(timer);
    };
  }, [path, live]);
  return text;
}
