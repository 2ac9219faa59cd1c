// What may be handed to git as an id, a ref or a path, and how file names travel between bytes and strings. Runs nothing.

import { isUtf8 } from 'node:buffer';
import { Bug } from '../../core/bug.ts';
import { GitError } from '../../world.ts';

/** Checks that `value` is a full object id in hex and gives it back; throws a Bug otherwise, because a moving name here loses work silently. */
export function checkId(value: string): string {
  if (!isId(value)) throw new Bug(`not a full object id: ${JSON.stringify(value)}`);
  return value;
}

/** True for a full object id in lower-case hex (SHA-1 or SHA-256). */
export function isId(value: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(value);
}

/** True for the id that stands for "no commit yet". */
export function isZero(id: string): boolean {
  return /^0+$/.test(id);
}

/** Checks that `value` is a full ref name that git can hold and gives it back; throws a Bug otherwise. */
export function checkRef(value: string): string {
  if (!isRef(value)) throw new Bug(`not a full ref name: ${JSON.stringify(value)}`);
  return value;
}

/** True for a full, well-formed ref name (`refs/…`). */
export function isRef(value: string): boolean {
  // eslint-disable-next-line no-control-regex -- control characters are exactly what must not pass
  return /^refs\/[^\x00-\x20\x7f~^:?*[\\]+$/.test(value)
    && !/\.\.|@\{|\/\/|\/$|\.$/.test(value)
    && value.split('/').every((part) => !part.startsWith('.') && !part.endsWith('.lock'));
}

/** True for a path that git could track: relative, no empty, `.`, `..` or `.git` part, no NUL. */
export function isRepositoryPath(path: string): boolean {
  return !path.includes('\0') && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && part.toLowerCase() !== '.git');
}

/** Checks that `path` is one git could track and gives it back; throws GitError naming it otherwise. */
export function checkPath(command: string, path: string): string {
  if (!isRepositoryPath(path)) throw new GitError(command, `not a path that git can track: ${JSON.stringify(path)}`);
  return path;
}

/** Name bytes as a string. Bytes that are not UTF-8 become lone surrogates U+DC80–U+DCFF, so that `pathBytes` gets them back. */
export function pathText(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const length = [1, 2, 3, 4].find((n) => at + n <= bytes.length && isUtf8(bytes.subarray(at, at + n)));
    text += length === undefined ? String.fromCharCode(0xdc00 + (bytes[at] ?? 0)) : bytes.toString('utf8', at, at + length);
    at += length ?? 1;
  }
  return text;
}

/** What says who somebody is, as text. Bytes that are not UTF-8 are taken for Latin-1, as git itself mends such a commit. */
export function personText(bytes: Buffer): string {
  return isUtf8(bytes) ? bytes.toString('utf8') : bytes.toString('latin1');
}

/** The bytes of a name made by `pathText`. */
export function pathBytes(text: string): Buffer {
  if (!/[\udc80-\udcff]/.test(text)) return Buffer.from(text, 'utf8');
  // Iterating by code point leaves the halves of real pairs together; only lone ones match.
  const parts = [...text].map((c) => (/^[\udc80-\udcff]$/.test(c) ? Buffer.from([c.charCodeAt(0) - 0xdc00]) : Buffer.from(c, 'utf8')));
  return Buffer.concat(parts);
}

/** NUL-terminated names, as git prints them with `-z`; empty ones are left out. */
export function splitPaths(output: Buffer): string[] {
  return splitNul(output).filter((b) => b.length > 0).map(pathText);
}

/** The pieces between NUL bytes; a last empty piece is left out. */
export function splitNul(output: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  let start = 0;
  for (let end = output.indexOf(0); end !== -1; end = output.indexOf(0, start)) {
    pieces.push(output.subarray(start, end));
    start = end + 1;
  }
  if (start < output.length) pieces.push(output.subarray(start));
  return pieces;
}

/** Names as git reads them with `-z` from stdin. */
export function joinPaths(paths: readonly string[]): Buffer {
  return Buffer.concat(paths.map((path) => Buffer.concat([pathBytes(path), Buffer.of(0)])));
}
