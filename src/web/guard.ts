// Who may ask the dashboard's server for what: host, origin, token. Pure but for the comparison; knows no route.

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

/** Headers of every answer. */
export const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'cache-control': 'no-store',
};

/** What a server is known by. */
export interface Door {
  /** The address it listens on, as it was given. */
  readonly listen: string;
  readonly port: number;
  readonly token: string;
  /** Name of the cookie that carries the token. */
  readonly cookie: string;
}

/** True for an address that only this machine reaches. */
export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}

/** Why a request is refused before anything else is looked at; undefined when it may go on. A name that merely leads here is no host of ours. */
export function refusedHost(headers: IncomingHttpHeaders, door: Door): string | undefined {
  const host = headers.host ?? '';
  const found = /^(\[[0-9a-f:.]+\]|[^:[\]]+):(\d+)$/i.exec(host);
  const name = (found?.[1] ?? '').replaceAll(/^\[|\]$/g, '').toLowerCase();
  if (found === null || Number(found[2]) !== door.port) return 'this server is not known by that name';
  if (name === door.listen.toLowerCase() || isLoopback(name)) return undefined;
  // Where it listens on all addresses, each address is its own; names could be anybody's.
  return isIP(name) !== 0 && isAny(door.listen) ? undefined : 'this server is not known by that name';
}

/** Why a request that a page of somebody else may have made is refused. `must`: it has to say where it comes from. */
export function refusedOrigin(headers: IncomingHttpHeaders, must: boolean): string | undefined {
  const { origin } = headers;
  if (origin === undefined) return must ? 'it does not say where it comes from' : undefined;
  return origin === `http://${headers.host ?? ''}` ? undefined : 'it comes from another page';
}

/** True when a browser says that another site makes it ask. */
export function isCrossSite(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  return site === 'cross-site' || site === 'same-site';
}

/** True for a request that bears the token, as a cookie or as a bearer's. */
export function hasToken(headers: IncomingHttpHeaders, door: Door): boolean {
  const bearer = /^Bearer ([\w-]+)$/.exec(headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return isToken(bearer, door);
  return (headers.cookie ?? '').split(';').some((pair) => {
    const at = pair.indexOf('=');
    return pair.slice(0, at).trim() === door.cookie && isToken(pair.slice(at + 1).trim(), door);
  });
}

/** Compares in a time that tells nothing. */
export function isToken(given: string, door: Door): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given), hash(door.token));
}

/** What only a server with this token answers on this port: by it one is known without being shown the token. */
export function proofOf(door: Pick<Door, 'token' | 'port'>, nonce: string): string {
  return createHmac('sha256', door.token).update(`choo web\n${door.port}\n${nonce}`).digest('base64url');
}

function isAny(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}
