// Secrets of every kind planted wherever a run gets text from: none is in anything that it says, keeps or hands on.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import { DOES_IT, it, type Bed } from '../rig/bed.ts';
import { expectEnd } from '../rig/facts.ts';
import { makeForge } from '../rig/forge.ts';
import { leaked, linesOf, secretsFrom } from '../rig/secrets.ts';

let server: Server;
let url = '';
let posted: { readonly path: string; readonly body: string }[] = [];

beforeEach(async () => {
  const mine: typeof posted = [];
  posted = mine;
  server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => { body += text; }).on('end', () => {
      mine.push({ path: request.url ?? '', body });
      response.writeHead(200).end();
    });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => { server.close(resolve); });
});

/** What the environment holds, under names that say so; the two messengers' own are called anything. */
const ENV = { MY_PASSWORD: 'E-pass/wörd"1\\2+three=', SERVICE_API_KEY: 'E_service_key_0123456789', DATABASE_URL: 'postgres://me:E-hunter2hunter2@db/x', HOOK_WORD: 'E-hmac-of-the-team-77' };
const CHAT = '/chat/E-room-of-the-team-88';
const LITERALS = [ENV.MY_PASSWORD, 'E-pass/w', ENV.SERVICE_API_KEY, 'E-hunter2hunter2', ENV.HOOK_WORD, CHAT.slice(6), ...[ENV.MY_PASSWORD, ENV.SERVICE_API_KEY].flatMap((v) => [encodeURIComponent(v), Buffer.from(v).toString('base64'), JSON.stringify(v).slice(1, -1)])];

/** Where secrets come from; those of the specs are in the repository, so that its agent and the journal, by which a run goes on, have them. */
const SPECS = ['planhead', 'plantext', 'tasktitle', 'check'];
const OTHERS = ['agentout', 'agenterr', 'checkout', 'cilog', 'annotate', 'cisummary', 'ciurl', 'review', 'thread', 'comment', 'hook'];

/** All files below a folder as one text by path. */
function filesOf(folder: string): ReadonlyMap<string, string> {
  return new Map(readdirSync(folder, { recursive: true, withFileTypes: true }).filter((e) => e.isFile()).map((e) => [join(e.parentPath, e.name), readFileSync(join(e.parentPath, e.name), 'utf8')]));
}

function found(text: string, sources: readonly string[]): readonly string[] {
  return [...leaked(text, sources), ...LITERALS.filter((literal) => text.includes(literal))];
}

/** Files that programs of a test print: what is in a script would itself be in the specs. */
function planted(bed: Bed): (source: string) => string {
  const folder = join(bed.base, 'planted');
  mkdirSync(folder);
  for (const source of OTHERS) writeFileSync(join(folder, source), `${linesOf(secretsFrom(source))}\n`);
  return (source) => join(folder, source);
}

describe('no secret', () => {
  it('reaches a pull request, a comment, a messenger, an event, the journal, a log or a prompt', async ({ bed }) => {
    const file = planted(bed);
    const told = join(bed.base, 'told');
    mkdirSync(told);
    const says = (source: string): string => `\n${linesOf(secretsFrom(source))}\n`;
    const title = `Mind ${[...secretsFrom('tasktitle').values()].filter((s) => !s.includes('\n')).join(' ')}`;
    const secretCheck = [...secretsFrom('check').values()].find((s) => s.startsWith('sk-')) ?? '';
    const prints = `cat "${file('agentout')}"; cat "${file('agenterr')}" >&2; env; echo "$MY_PASSWORD" | base64; env >&2; cat > "${told}/$(date +%s%N)-$CHOO_UNIT"`;
    const red = `cat "${file('checkout')}"; env`;
    const forge = await makeForge(bed, {
      a: { plan: `Does it.${says('plantext')}`, tasks: [{ title, check: `${red}; : ${secretCheck}; test -f a-1.txt && test -f "${bed.base}/again" || { touch "${bed.base}/again"; false; }` }] },
      b: { tasks: [{ check: `${red}; false` }] },
      c: {},
    }, {
      agent: `${prints}; ${DOES_IT}`, limits: { attempts: 2 }, review: { max_rounds: 1 }, forge: { title: 'choo: {title} {plan}' },
      escalation: { webhook: { url: `${url}/hook`, secret_env: 'HOOK_WORD' }, slack: { url_env: 'TEAM_CHAT' } },
    });
    const { github, remote } = forge;
    remote.hook('pre-receive', `while read old new ref; do case "$ref" in */unit/c/*) cat "${file('hook')}"; exit 1;; esac; done`);
    const token = forge.options.env?.['GITHUB_TOKEN'] ?? '';
    const options = { env: { ...forge.options.env, ...ENV, TEAM_CHAT: `${url}${CHAT}` } };
    const run = bed.start(['run', '--json'], options);
    const first = await run.event('unit.waiting', { unit: 'a' });
    const a = forge.numberOf('a');
    github.setCheck(github.pull(a).headSha, { name: 'with a log', conclusion: 'failure', log: `${says('cilog')}##[error]no\n` });
    github.setCheck(github.pull(a).headSha, { name: 'with annotations', conclusion: 'failure', foreign: true, annotations: [{ path: 'x', line: 1, message: says('annotate') }] });
    github.setCheck(github.pull(a).headSha, { name: 'with words', conclusion: 'failure', foreign: true, title: 'no', summary: says('cisummary') });
    github.setStatus(github.pull(a).headSha, { context: 'status', state: 'failure', description: says('cisummary').slice(0, 100), url: `https://ci.example/?t=${[...secretsFrom('ciurl').values()][3] ?? ''}` });
    github.comment(a, 'ann', `See:${says('comment')}`);
    github.review(a, { by: 'ann', state: 'CHANGES_REQUESTED', body: `No:${says('review')}`, comments: [{ path: 'a-1.txt', line: 1, body: `This:${says('thread')}` }] });
    await run.event('unit.waiting', { unit: 'a', after: first.seq });
    github.review(a, { by: 'ann', state: 'CHANGES_REQUESTED', body: `Still no:${says('review')}` });
    const ended = await run.ended;
    expectEnd(ended, 1);
    // Everything that was planted has come by.
    expect(ended.events.filter((e) => e.type === 'unit.failed').map((e) => `${e.unit} ${e.failure.kind}`).toSorted()).toEqual(['a feedback', 'b check-failed', 'c git']);
    const prompts = [...filesOf(told).values()];
    const came = ['with a log failed', 'with annotations failed', 'with words failed', 'ann said', 'last lines of its output'];
    expect(came.filter((word) => !prompts.some((prompt) => prompt.includes(word)))).toEqual([]);
    const pulls = github.pulls().flatMap((p) => [p.title, p.body, ...[...p.comments, ...p.threads.flatMap((t) => t.comments)].filter((c) => c.author.login === 'choo-bot').map((c) => c.body)]);
    expect(pulls.some((text) => text.startsWith('<!-- choo:told -->'))).toBe(true);
    expect(new Set(posted.map((p) => p.path))).toEqual(new Set(['/hook', CHAT]));
    const seen = await Promise.all([['status'], ['logs', 'a'], ['logs', 'b']].map((argv) => bed.choo(argv, options)));

    const everywhere = [...SPECS, ...OTHERS];
    const kept = [...filesOf(join(bed.root, '.git', 'choo'))];
    const sinks: readonly (readonly [string, string, readonly string[]])[] = [
      ...pulls.map((text, i) => [`pull request text ${i}`, text, everywhere] as const),
      ...posted.map(({ path, body }, i) => [`message ${i} to ${path}`, body, everywhere] as const),
      ['events', ended.stdout, everywhere], ['stderr', ended.stderr, OTHERS],
      ...prompts.map((text, i) => [`prompt ${i}`, text, OTHERS] as const),
      ...kept.map(([path, text]) => [path, text, path.endsWith('.jsonl') ? OTHERS : everywhere] as const),
      ...seen.map(({ stdout, stderr }, i) => [`command ${i}`, stdout + stderr, OTHERS] as const),
    ];
    expect(sinks.flatMap(([name, text, sources]) => found(text, sources).map((what) => `${name}: ${what}`))).toEqual([]);
    expect(sinks.filter(([, text]) => text.includes(token)).map(([name]) => name)).toEqual([]);
    await forge.close();
  });
});
