// A unit's panel: where it stands, its tasks, its attempts with their logs, what it changed.

import { useEffect, useRef, useState } from 'preact/hooks';
import type { AttemptLine, UnitDetail } from '../src/web/protocol.ts';
import type { UnitView } from '../src/core/view.ts';
import { Log, Text } from './log.tsx';
import { Move } from './people.tsx';
import { UnitTimeline } from './unit-timeline.tsx';
import { clock, lasted, MARKS, spentText } from './words.ts';

/** Everything about one unit. */
export function Unit({ unit, run, live, close, say }: { readonly unit: UnitView; readonly run: number; readonly live: boolean; readonly close: () => void; readonly say: (text: string) => void }) {
  const detail = useDetail(unit, run);
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), []);
  const base = `/api/runs/${run}/units/${encodeURIComponent(unit.id)}`;
  return (
    <aside class="unit" aria-labelledby="unit" onKeyDown={({ key }) => { if (key === 'Escape') close(); }}>
      <button type="button" class="close" onClick={close} aria-label="close the unit">✕</button>
      <h2 id="unit" tabIndex={-1} ref={title}>{unit.id}</h2>
      <p><span class={`state ${unit.state}`}><span aria-hidden="true">{MARKS[unit.state]} </span>{unit.state}</span> {unit.step ?? ''} {lasted(unit.startedAt, live ? unit.endedAt : unit.endedAt ?? unit.startedAt)} {spentText(unit.spent)}</p>
      {unit.failure !== undefined && <p class="trouble" role="alert">{unit.failure.message}</p>}
      {unit.waiting !== undefined && <p class="waiting-text">waits: {unit.waiting.text}{unit.waiting.until === undefined ? '' : `, until ${clock(unit.waiting.until)}`}</p>}
      <Move unit={unit} say={say} />
      {unit.pull !== undefined && <Pull pull={unit.pull} />}
      <Facts unit={unit} />
      <h3>Tasks</h3>
      <ol class="tasks">
        {unit.tasks.map((task) => <li key={task.number} value={task.number}><span class={`task ${task.state}`}>{task.state}</span> {task.title} {task.attempts > 0 && <small>{task.attempts} {task.attempts === 1 ? 'attempt' : 'attempts'}{spent(task.spent)}</small>}</li>)}
      </ol>
      {detail !== undefined && detail.attempts.length > 0 && <Attempts attempts={detail.attempts} base={base} />}
      <UnitTimeline unit={unit} run={run} live={live} />
      {detail?.diff === true && <Text label="Changes" path={`${base}/diff`} kind="diff" />}
      {unit.notes.length > 0 && <><h3>Notes</h3><ul>{unit.notes.map((note, i) => <li key={i}>{note.text}</li>)}</ul></>}
    </aside>
  );
}

function spent(of: UnitView['spent']): string {
  const text = spentText(of);
  return text === '' ? '' : `, ${text}`;
}

function Pull({ pull }: { readonly pull: NonNullable<UnitView['pull']> }) {
  // Only an address of the web is a link: what a forge answers is not believed to be one.
  const label = `pull request ${pull.number}${pull.draft ? ' (draft)' : ''}`;
  return <p>{/^https?:\/\//.test(pull.url) ? <a href={pull.url} target="_blank" rel="noopener noreferrer">{label}</a> : label} {pull.checks === undefined ? '' : `checks: ${typeof pull.checks === 'string' ? pull.checks : JSON.stringify(pull.checks)}`} {pull.approvedBy.length > 0 ? `approved by ${pull.approvedBy.join(', ')}` : ''}</p>;
}

function Facts({ unit }: { readonly unit: UnitView }) {
  const facts = [
    ['depends on', unit.dependsOn.join(', ')], ['worktree', unit.worktree], ['branch', unit.branch], ['landed as', unit.landed],
    ['changes what is protected', unit.protected?.paths.join(', ')],
  ].filter((fact): fact is [string, string] => fact[1] !== undefined && fact[1] !== '');
  return facts.length === 0 ? null : <dl>{facts.map(([name, text]) => <div key={name}><dt>{name}</dt><dd>{text}</dd></div>)}</dl>;
}

function Attempts({ attempts, base }: { readonly attempts: readonly AttemptLine[]; readonly base: string }) {
  const [open, set] = useState<number>();
  const shown = attempts.find(({ seq }) => seq === open) ?? attempts.at(-1);
  return (
    <>
      <h3>Attempts</h3>
      <ul class="attempts">
        {attempts.map((one) => (
          <li key={one.seq}>
            <button type="button" aria-pressed={one.seq === shown?.seq} onClick={() => set(one.seq)}>{one.what}, attempt {one.attempt}</button>
            <span class={`attempt ${one.state}`}> {one.state}</span> {one.agent}{one.model === undefined ? '' : ` (${one.model})`}, {clock(one.startedAt)}, {lasted(one.startedAt, one.endedAt)}{one.usd === undefined ? '' : `, $${one.usd.toFixed(2)}`}
            {one.text !== undefined && <p class="trouble">{one.text}</p>}
          </li>
        ))}
      </ul>
      {shown !== undefined && <Log key={`log ${shown.seq}`} label={`Output of ${shown.what}, attempt ${shown.attempt}`} path={`${base}/logs/${shown.seq}`} live={shown.state === 'running'} />}
      {shown?.check !== undefined && <Log key={`check ${shown.check}`} label="Output of its check" path={`${base}/logs/${shown.check}`} live={shown.state === 'checking'} />}
    </>
  );
}

/** What the journal tells beyond the view, again whenever the view changes. */
function useDetail(unit: UnitView, run: number): UnitDetail | undefined {
  const [detail, set] = useState<UnitDetail>();
  useEffect(() => {
    const over = new AbortController();
    void fetch(`/api/runs/${run}/units/${encodeURIComponent(unit.id)}`, { signal: over.signal })
      .then(async (answer) => { if (answer.ok) set(await answer.json() as UnitDetail); }, () => undefined);
    return () => over.abort();
  }, [unit, run]);
  return detail;
}
