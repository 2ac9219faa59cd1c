// Reads a page in Prometheus' text format 0.0.4, strictly by its published description, and refuses whatever that does not allow. Knows
// nothing of the code that writes one.

/** One sample. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One metric with its samples, as they stand. */
export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];
const NUMBER = /^[+-]?(?:Inf|NaN|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)$/;

/** The metrics of a page by name; throws an Error that says what is wrong with it. */
export function readExposition(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, { name: string; type: string; help: string; samples: Sample[] }>();
  let open: { name: string; type: string; help: string; samples: Sample[] } | undefined;
  const begin = (name: string): { name: string; type: string; help: string; samples: Sample[] } => {
    if (open?.name === name) return open;
    if (families.has(name)) throw new Error(`${name} is in two places`);
    open = { name, type: '', help: '', samples: [] };
    families.set(name, open);
    return open;
  };
  for (const line of text.slice(0, -1).split('\n')) {
    const [, what, name, rest] = new RegExp(`^# (HELP|TYPE) (${NAME}) (.*)$`).exec(line) ?? [];
    if (line.startsWith('#') && name === undefined) throw new Error(`no HELP and no TYPE: ${line}`);
    if (name !== undefined && rest !== undefined) {
      const family = begin(name);
      if (family.samples.length > 0) throw new Error(`${what} of ${name} comes after its samples`);
      if (what === 'HELP' ? family.help !== '' : family.type !== '') throw new Error(`a second ${what} of ${name}`);
      if (what === 'HELP') family.help = unescaped(rest, /\\[\\n]/g);
      else if (TYPES.includes(rest)) family.type = rest;
      else throw new Error(`no type: ${rest}`);
      continue;
    }
    const sample = sampleOf(line);
    if (open === undefined || !belongs(open, sample.name)) throw new Error(`nothing says what ${sample.name} is`);
    open.samples.push(sample);
  }
  for (const family of families.values()) check(family);
  return families;
}

function belongs({ name, type }: Pick<Family, 'name' | 'type'>, sample: string): boolean {
  return sample === name ? type !== 'histogram' : type === 'histogram' && ['_bucket', '_sum', '_count'].some((end) => sample === name + end);
}

function sampleOf(line: string): Sample {
  const [, name, inside, number] = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)(?: -?\\d+)?$`).exec(line) ?? [];
  if (name === undefined || number === undefined || !NUMBER.test(number)) throw new Error(`no sample: ${line}`);
  const labels: Record<string, string> = {};
  let left = inside ?? '';
  while (left !== '') {
    const [pair, label, text] = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/.exec(left) ?? [];
    if (pair === undefined || label === undefined || text === undefined) throw new Error(`no labels: ${line}`);
    if (label.startsWith('__') || label in labels) throw new Error(`the label ${label} may not be here: ${line}`);
    labels[label] = unescaped(text, /\\[\\"n]/g);
    left = left.slice(pair.length);
  }
  return { name, labels, value: number.endsWith('Inf') ? (number.startsWith('-') ? -Infinity : Infinity) : Number(number) };
}

function unescaped(text: string, escape: RegExp): string {
  if (text.replaceAll(escape, '').includes('\\')) throw new Error(`no such escape: ${text}`);
  return text.replaceAll(escape, (found) => (found === '\\n' ? '\n' : found.slice(1)));
}

function check({ name, type, samples }: Family): void {
  if (type === '' || samples.length === 0) throw new Error(`${name} has no type or no samples`);
  const keys = samples.map((sample) => keyOf(sample));
  if (new Set(keys).size !== keys.length) throw new Error(`${name} has a series twice`);
  if (type === 'counter' && (!name.endsWith('_total') || samples.some(({ value }) => !(value >= 0)))) throw new Error(`${name} is no counter`);
  if (type === 'histogram') checkHistogram(name, samples);
}

function checkHistogram(name: string, samples: readonly Sample[]): void {
  const series = new Map<string, Sample[]>();
  for (const { labels: { le, ...labels }, ...sample } of samples) {
    const key = keyOf({ name: '', labels });
    series.set(key, [...(series.get(key) ?? []), { ...sample, labels: le === undefined ? {} : { le } }]);
  }
  for (const all of series.values()) {
    const buckets = all.filter((sample) => sample.name === `${name}_bucket`).map(({ labels, value }) => ({ le: labels['le'] === '+Inf' ? Infinity : Number(labels['le']), value }));
    const [sum, count] = ['_sum', '_count'].map((end) => all.filter((sample) => sample.name === name + end));
    if (sum?.length !== 1 || count?.length !== 1) throw new Error(`${name} has no sum or no count`);
    if (buckets.at(-1)?.le !== Infinity || buckets.at(-1)?.value !== count[0]?.value) throw new Error(`${name} has no bucket +Inf with all of it`);
    for (const [i, { le, value }] of buckets.entries()) {
      const before = buckets[i - 1] ?? { le: -Infinity, value: 0 };
      if (!(le > before.le) || value < before.value) throw new Error(`the buckets of ${name} do not grow`);
    }
  }
}

function keyOf({ name, labels }: Pick<Sample, 'name' | 'labels'>): string {
  return `${name} ${JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)))}`;
}
