// Which texts are secrets: values of variables by the variable's name, in every form they may be printed in, and well-known
// shapes of keys. Looks at no file; finding them in output is redact.ts.

/** A set of bytes, as a table of 256. */
export type ByteClass = Uint8Array;

/** A shape of secrets: how one begins and which bytes it goes on with. */
export interface Shape {
  /** What it begins with; the first four bytes of each are how it is found. */
  readonly begins: readonly string[];
  /** The whole of its head, where the beginning alone is too common: tried where a beginning is found, on at most `LONGEST_HEAD` bytes. */
  readonly head?: RegExp;
  /** What the bytes from the beginning on look like while more are needed to tell; for shapes with a `head`. */
  readonly maybe?: RegExp;
  /** What follows the head. */
  readonly body: ByteClass;
  /** Bytes that must follow at least. */
  readonly least: number;
  /** Ends it although the bytes go on, for blocks of several lines. */
  readonly until?: RegExp;
}

/** One exact text that must not be seen. */
export interface Literal {
  /** At least `SHORTEST` bytes. */
  readonly bytes: Buffer;
  /** What may follow that belongs to it: the rest of a longer coded text. */
  readonly body?: ByteClass;
}

/** Values shorter than this are no secrets, but words. Bytes. */
const SHORTEST = 8;
/** A longer value is looked for in pieces of this many bytes. */
const PIECE = 4096;
/** Lines of a value of several lines that are looked for by themselves, bytes at least. */
const SHORTEST_LINE = 16;
/** The longest head of a shape, bytes. */
export const LONGEST_HEAD = 96;

/** The bytes that a pattern for one Latin-1 character takes. */
function bytesLike(pattern: RegExp): ByteClass {
  return Uint8Array.from({ length: 256 }, (_, byte) => (pattern.test(String.fromCharCode(byte)) ? 1 : 0));
}

const WORD = bytesLike(/[\w-]/);
const CODED = bytesLike(/[\w+/=-]/);

/** Keys and tokens that are known by how they begin. No left border is asked for: in a JSON text a line break before one is a `\n` of two letters. */
export const SHAPES: readonly Shape[] = [
  { begins: ['sk-ant-', 'sk-proj-', 'sk-svcacct-', 'sk-admin-', 'sk-or-'], body: WORD, least: 16 },
  { begins: ['ghp_', 'gho_', 'ghs_', 'ghu_', 'ghr_'], body: bytesLike(/\w/), least: 20 },
  { begins: ['github_pat_'], body: bytesLike(/\w/), least: 20 },
  { begins: ['glpat-', 'gldt-', 'glrt-'], body: bytesLike(/[\w.-]/), least: 16 },
  { begins: ['xoxa-', 'xoxb-', 'xoxe-', 'xoxe.', 'xoxo-', 'xoxp-', 'xoxr-', 'xoxs-', 'xapp-'], body: bytesLike(/[\w.-]/), least: 10 },
  { begins: ['AKIA', 'ASIA'], body: bytesLike(/[A-Z0-9]/), least: 16 },
  { begins: ['AIza'], body: WORD, least: 30 },
  { begins: ['npm_'], body: bytesLike(/[A-Za-z0-9]/), least: 30 },
  { begins: ['hooks.slack.com/services/', 'discord.com/api/webhooks/', 'discordapp.com/api/webhooks/'], body: bytesLike(/[\w/-]/), least: 16 },
  {
    begins: ['Auth', 'auth', 'AUTH'],
    head: /authorization["'\\]{0,4}[ \t]{0,4}[:=][ \t]{0,4}["'\\]{0,4}(?:bearer|basic|token|digest)[ \t]{1,4}/iy,
    maybe: /^auth[a-z]*["'\\]*[ \t]*[:=]?[ \t]*["'\\]*[a-z]*[ \t]*$/i,
    body: bytesLike(/[\w.~+/=:-]/), least: 6,
  },
  {
    begins: ['BEGIN '],
    head: /BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/y,
    maybe: /^BEGIN?(?: [A-Z0-9 ]*-{0,4})?$/,
    // The key's lines as a file, a diff, a numbered listing or a JSON text has them, with the words of its header.
    body: bytesLike(new RegExp(String.raw`[\w+/=\s\\:,"'|>[\u001b\u0080-\u00ff-]`)), least: 0,
    until: /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/,
  },
];

const ANYWHERE = /TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|APIKEY/;
const WORDS = /(?:^|_)(?:[A-Z0-9]*KEYS?|[A-Z0-9]*AUTH|PASS|PAT|PWD|COOKIE|BEARER|WEBHOOK|DSN|JWT)(?:_|$)/;
/** Names that only say where a secret is, or where we are. */
const PLACES = /_(?:FILE|PATH|DIR|HOME|SOCK|SOCKET)$/;
const PASSWORD_IN_ADDRESS = /^[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:([^/\s@]+)@/i;
/** Headers for who takes traces and metrics: `key=value,key=value`, percent-coded. */
const HEADERS = /^OTEL_EXPORTER_OTLP_(?:[A-Z]+_)?HEADERS$/;
const NO_SECRETS: ReadonlySet<string> = new Set(['PWD', 'OLDPWD']);

/** True when a variable of that name is taken to hold a secret. */
function isSecretName(name: string): boolean {
  const upper = name.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_');
  return !NO_SECRETS.has(upper) && (ANYWHERE.test(upper) || WORDS.test(upper));
}

/** The secrets among the variables, in all forms in which programs print them. */
export function secretsOf(environments: readonly Readonly<Record<string, string | undefined>>[]): readonly Literal[] {
  const found = new Map<string, Literal>();
  const add = (text: Buffer, body?: ByteClass): void => {
    for (let at = 0; at < text.length; at += PIECE) {
      const piece = text.subarray(at, at + PIECE);
      const key = piece.toString('latin1');
      if (piece.length >= SHORTEST && (body === undefined || !found.has(key))) found.set(key, body === undefined ? { bytes: piece } : { bytes: piece, body });
    }
  };
  for (const [name, value = ''] of environments.flatMap((env) => Object.entries(env))) {
    for (const secret of secretsIn(name, value)) {
      if (Buffer.byteLength(secret) < SHORTEST) continue;
      for (const form of [...written(secret), ...linesOf(secret)]) add(Buffer.from(form));
      for (const form of coded(Buffer.from(secret))) add(Buffer.from(form), CODED);
    }
  }
  return [...found.values()];
}

/** True for a variable that has a secret in it. */
export function holdsSecret(name: string, value: string): boolean {
  return secretsIn(name, value).length > 0;
}

/** What is secret of a variable: all of it by its name, the values of headers, else the password of an address. */
function secretsIn(name: string, value: string): readonly string[] {
  if (HEADERS.test(name)) return value.split(',').flatMap(headerValues);
  const place = PLACES.test(name.toUpperCase()) && /^[~.]?\//.test(value);
  if (isSecretName(name) && !place) return [value.trim()];
  const password = PASSWORD_IN_ADDRESS.exec(value)?.[1];
  return password === undefined ? [] : [password];
}

/** The value of one `key=value`, as it stands there and as it is sent; of `Bearer …` and its like also what follows that word. */
function headerValues(header: string): string[] {
  const value = header.slice(header.indexOf('=') + 1).trim();
  const sent = /%[0-9A-F]{2}/i.test(value) ? decoded(value) : value;
  return [...new Set([value, sent, sent.replace(/^\w+ +/, '')])];
}

function decoded(value: string): string {
  return value.replaceAll(/%([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** A text as it is, in a JSON text, in one within another, and in an address. */
function written(text: string): string[] {
  const json = JSON.stringify(text).slice(1, -1);
  const address = encodeURIComponent(Buffer.from(text).toString('utf8'));
  return [
    text, json, json.replaceAll('/', String.raw`\/`), JSON.stringify(json).slice(1, -1),
    address, address.replaceAll(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase()), address.replaceAll('%20', '+'),
  ];
}

/** The lines of a text of several: programs indent, number and reorder them. */
function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  return lines.length === 1 ? [] : lines.filter((line) => line.length >= SHORTEST_LINE);
}

/** What is certain of a value in a base64 text, wherever in that text it begins; in both alphabets. */
function coded(value: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const all = Buffer.concat([Buffer.alloc(before), value]).toString('base64').replaceAll('=', '');
    // The characters at both ends also depend on what stands before and behind.
    const sure = all.slice(before === 0 ? 0 : before + 1, (before + value.length) % 3 === 0 ? undefined : -1);
    return [sure, sure.replaceAll('+', '-').replaceAll('/', '_')];
  });
}
