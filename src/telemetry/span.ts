// The shape of what a run did in time: spans, whatever sends or draws them. Data only.

/** What a span is of. `agent` is one session of an agent, `attempt` that and the check of what it did; `step` is everything else that choo does. */
export type SpanKind = 'session' | 'unit' | 'task' | 'attempt' | 'agent' | 'check' | 'landing' | 'wait' | 'step';

/** What can be said about a span: no output of a program, no command, nothing of the environment. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** Something that took time. Times are those of the events that began and ended it, ms since 1970. */
export interface Span {
  /** Tells it from all others of its run, for ever; its id is derived from this. */
  readonly key: string;
  /** Key of the span it is a part of; absent: a session. */
  readonly parent?: string;
  readonly kind: SpanKind;
  /** One of a small number of names; which one it is of many is in the attributes. */
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly unit?: string;
  readonly task?: number;
  readonly attempt?: number;
  readonly attributes: Attributes;
  /** The kind of failure it ended with. */
  readonly error?: string;
  /** Keys of spans that it has to do with, of other sessions or branches of the tree. */
  readonly links: readonly string[];
  /** `cut`: its session ended before it did. `crash`: its session ended without a word, so it ends with the last event before the next one. */
  readonly ended: 'event' | 'cut' | 'crash';
}

/** A span whose end has not come. */
export interface OpenSpan extends Omit<Span, 'end' | 'ended' | 'attributes' | 'error' | 'links'> {
  readonly seq: number;
  attributes: Record<string, string | number | boolean>;
  links: string[];
}
