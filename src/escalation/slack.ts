// A Slack channel by an incoming webhook. Blocks of plain and preformatted text only: nothing in a title, a path or a program's output is
// read as formatting, a link or a mention, or turns the direction of what stands behind it. Limits of block sizes: Slack's reference of blocks, 2026.

import { plainLines } from '../core/markdown.ts';
import type { Escalation } from '../core/told.ts';
import { cut, SIGNS, type Channel } from './channel.ts';
import { post } from './http.ts';

/** Characters of a header block. */
const LONGEST_HEADER = 150;
/** Characters of one text in a block. */
const LONGEST_TEXT = 3000;

/** Posts to an incoming webhook, whose address is its secret. */
export function slackChannel(o: { readonly url: string; readonly repository: string }): Channel {
  return { send: (e, signal) => post({ url: o.url, headers: {}, body: JSON.stringify(slackMessage(e, o.repository)), signal }) };
}

/** The message as Slack's incoming webhooks take it. `text` is what notifications show, the only one that Slack reads for markup. */
export function slackMessage(e: Escalation, repository: string): object {
  const title = `${SIGNS[e.severity]} ${plainLines(e.title)}`;
  const detail = plainLines(e.detail.join('\n'));
  const where = plainLines(repository);
  return {
    text: escaped(cut(`${where}: ${title}`, LONGEST_TEXT)),
    unfurl_links: false, unfurl_media: false,
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: cut(title, LONGEST_HEADER), emoji: false } },
      { type: 'context', elements: [{ type: 'plain_text', text: cut(`${where}, run ${e.run}${e.unit === undefined ? '' : `, unit ${plainLines(e.unit)}`}`, LONGEST_TEXT), emoji: false }] },
      ...(detail === '' ? [] : [{ type: 'rich_text', elements: [{ type: 'rich_text_preformatted', elements: [{ type: 'text', text: cut(detail, LONGEST_TEXT) }] }] }]),
    ],
  };
}

/** The three characters that begin entities, links and mentions. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
