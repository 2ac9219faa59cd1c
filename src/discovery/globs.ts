// Whether two globs can match one path. Never says no when they can; where a glob uses more than `*`, `?` and `**` it may say
// yes when they cannot. The dialect is picomatch's, which does the matching; this only compares patterns.

/** A glob, cut into what is compared. */
export interface Shape {
  /** Segments of a path, `/` between them. `**` is any number of segments; in others `*` is any text, `?` any character. */
  readonly segments: readonly string[];
  /** How many segments from the start have neither. */
  readonly literal: number;
}

/** Segments of a glob that are compared; what comes after may be anything. */
const MOST_SEGMENTS = 64;
/** Longest segment that is compared character by character. */
const LONGEST_SEGMENT = 256;
/** In brackets, parentheses and quotes a slash may hide, and a negation may span several segments: from there on anything. */
const OPAQUE = /[[\]()"]|\\.*[{}]|[{}].*\\/;
/** These end what is known of a segment. */
const SPECIAL = /[\\{}!+@|]/;

/** The shape of a glob. */
export function shapeOf(glob: string): Shape {
  const segments: string[] = [];
  // A negated glob matches nearly everything.
  const written = glob.startsWith('!') ? ['**'] : glob.replace(/^(\.\/)+/, '').split('/');
  for (const segment of written.slice(0, MOST_SEGMENTS + 1)) {
    const shape = segments.length === MOST_SEGMENTS ? '**' : shapeOfSegment(segment);
    segments.push(shape);
    if (shape === '**' && segment !== '**') break;
  }
  const wild = segments.findIndex((s) => /[*?]/.test(s));
  return { segments, literal: wild < 0 ? segments.length : wild };
}

function shapeOfSegment(segment: string): string {
  if (segment === '' || segment.length > LONGEST_SEGMENT || OPAQUE.test(segment)) return '**';
  if (segment !== '**' && segment.includes('**')) return '**';
  if (!SPECIAL.test(segment)) return segment;
  if (!isBalanced(segment)) return '**';
  return `${segment.slice(0, segment.search(/[\\{}!+@|*?]/))}*`;
}

/** Whether no brace of the segment is open beyond it. */
function isBalanced(segment: string): boolean {
  let depth = 0;
  for (const char of segment) {
    if (char === '{') depth++;
    else if (char === '}' && --depth < 0) return false;
  }
  return depth === 0;
}

/** Whether some path may be matched by both. */
export function meet(a: Shape, b: Shape): boolean {
  return align(a.segments.length, b.segments.length, {
    skipsA: (i) => a.segments[i] === '**', skipsB: (j) => b.segments[j] === '**',
    same: (i, j) => segmentsMeet(a.segments[i] ?? '', b.segments[j] ?? ''),
  });
}

function segmentsMeet(a: string, b: string): boolean {
  if (a === b || a === '*' || b === '*') return true;
  return align(a.length, b.length, {
    skipsA: (i) => a[i] === '*', skipsB: (j) => b[j] === '*',
    same: (i, j) => a[i] === b[j] || a[i] === '?' || b[j] === '?',
  });
}

interface Alignment {
  /** The item stands for any number of the other's, also none. */
  readonly skipsA: (i: number) => boolean;
  readonly skipsB: (j: number) => boolean;
  readonly same: (i: number, j: number) => boolean;
}

/** Whether two sequences can be the same, in time of the product of their lengths. */
function align(n: number, m: number, o: Alignment): boolean {
  // `row[j]`: the first i items of one and the first j of the other can be the same.
  let row: boolean[] = [];
  for (let i = 0; i <= n; i++) {
    const next: boolean[] = [];
    for (let j = 0; j <= m; j++) {
      const [a, b] = [i > 0 && o.skipsA(i - 1), j > 0 && o.skipsB(j - 1)];
      next.push((i === 0 && j === 0)
        || (a && (row[j] === true || next[j - 1] === true))
        || (b && (row[j] === true || next[j - 1] === true))
        || (i > 0 && j > 0 && !a && !b && row[j - 1] === true && o.same(i - 1, j - 1)));
    }
    row = next;
  }
  return row[m] === true;
}
