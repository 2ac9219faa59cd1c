// Makes texts from GitHub fit for a prompt: no control characters, no secrets, not too long.

import { BOUNDS } from '../../core/limits.ts';

const CONTROLS = /[^\P{Cc}\n\t]/gu;
/** Characters that are not seen but read: of directions, of nothing, of tags. Joiners stay, emoji are made of them. */
const INVISIBLE = /(?![\u200c\u200d])[\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** The sequences of terminals: colours, titles, links. */
// oxlint-disable-next-line no-control-regex -- they begin with a control character
const ANSI = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]{0,4096}(?:\u0007|\u001b\\)|[ -/]*[0-~])/g;
const CUT = '[…]';

/** A text of several lines as people may read it. */
export function plain(text: string): string {
  return text.replace(ANSI, '').replace(/\r\n?/g, '\n').replace(CONTROLS, '').replace(INVISIBLE, '').replace(/[ \t]+$/gm, '').trim();
}

/** At most `BOUNDS.feedback` characters of it: its beginning, or its end. No character is cut in half. */
export function bounded(text: string, keep: 'beginning' | 'end'): string {
  if (text.length <= BOUNDS.feedback) return text;
  const room = BOUNDS.feedback - CUT.length - 1;
  if (keep === 'beginning') return `${text.slice(0, room).replace(/[\ud800-\udbff]$/, '')}\n${CUT}`;
  return `${CUT}\n${text.slice(-room).replace(/^[\udc00-\udfff]/, '')}`;
}

/** A web address that may be shown, or nothing. */
export function webUrl(url: string | null | undefined): { readonly url?: string } {
  if (url === null || url === undefined || url.length > 2000 || !URL.canParse(url)) return {};
  const { protocol, username, password, href } = new URL(url);
  return (protocol === 'https:' || protocol === 'http:') && username === '' && password === '' ? { url: href } : {};
}
