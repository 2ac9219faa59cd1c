// The adapter and a GitHub that has trouble, loses answers, wants to be left alone, or does not know the login.

import { generateKeyPairSync } from 'node:crypto';
import { createAppAuth } from '@octokit/auth-app';
import { Octokit } from '@octokit/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DRAFT, failureOf, makeRig, WORDS, type Rig } from './github.rig.ts';

let rig: Rig;

beforeEach(async () => { rig = await makeRig(); });
afterEach(async () => {
  expect(rig.github.violations).toEqual([]);
  await rig.close();
});

describe('answers that are lost', () => {
  const lost = [
    ['reset', { kind: 'reset', after: true }],
    ['a bad gateway', { kind: 'answer', status: 502, after: true }],
    ['half an answer', { kind: 'answer', status: 201, body: undefined, after: true, headers: { 'content-length': '0' } }],
  ] as const;

  it.each(lost)('%s: nothing is there twice', async (_, trouble) => {
    const forge = await rig.open();
    rig.push('choo/a', { 'a.txt': 'one\n' });
    const order = rig.github.misbehave(trouble, { method: 'POST', path: /\/pulls$/ });
    const { number } = await forge.open(DRAFT);
    expect([order.hits, rig.github.pulls().length, rig.asked('pulls/create')]).toEqual([1, 1, 1]);

    rig.github.misbehave(trouble, { method: 'POST', path: /\/comments$/ });
    await forge.comment(number, { marker: 'status', body: 'x' });
    expect(rig.github.pull(number).comments).toHaveLength(1);

    rig.github.review(number, { by: 'ann', state: 'COMMENTED', comments: [{ path: 'a.txt', line: 1, body: 'why' }] });
    const { feedback: [feedback], head } = await forge.read(number);
    rig.github.misbehave(trouble.kind === 'answer' ? { ...trouble, status: 502 } : trouble, { body: 'addPullRequestReviewThreadReply' });
    await forge.answer(number, { id: feedback?.id ?? '', body: 'done' });
    expect(rig.github.pull(number).threads[0]?.comments).toHaveLength(2);

    rig.github.misbehave(trouble, { method: 'PUT' });
    const merged = await forge.merge(number, { head, ...WORDS });
    expect([merged.kind, rig.asked('pulls/merge')]).toEqual(['merged', 1]);
  });

  it('of a pull request that is not listed yet', async () => {
    const forge = await rig.open();
    rig.push('choo/a', { 'a.txt': 'one\n' });
    rig.github.hideNew(3);
    rig.github.misbehave({ kind: 'reset', after: true }, { method: 'POST', path: /\/pulls$/ });
    const { number } = await forge.open(DRAFT);
    expect([number, rig.github.pulls().length]).toEqual([1, 1]);
  });

  it('what did not happen is done again', async () => {
    const forge = await rig.open();
    rig.push('choo/a', { 'a.txt': 'one\n' });
    rig.github.misbehave({ kind: 'reset' }, { method: 'POST', path: /\/pulls$/ });
    const { number } = await forge.open(DRAFT);
    rig.github.misbehave({ kind: 'answer', status: 503 }, { method: 'POST', path: /\/comments$/ });
    await forge.comment(number, { marker: 'status', body: 'x' });
    rig.github.misbehave({ kind: 'reset' }, { method: 'PUT' });
    const { head } = await forge.read(number);
    expect(await forge.merge(number, { head, ...WORDS })).toMatchObject({ kind: 'merged' });
    expect([rig.github.pulls().length, rig.github.pull(number).comments.length]).toEqual([1, 1]);
  });

  it('of an entry into the queue', async () => {
    rig.github.setRules('main', { queue: true });
    const forge = await rig.open();
    const { number, head } = await rig.pull(forge);
    rig.github.misbehave({ kind: 'reset', after: true }, { body: 'enqueuePullRequest' });
    expect(await forge.merge(number, { head, ...WORDS })).toEqual({ kind: 'queued' });
  });
});

describe('trouble', () => {
  it('that passes is not seen by who reads', async () => {
    const forge = await rig.open();
    const { number } = await rig.pull(forge);
    rig.github.misbehave({ kind: 'answer', status: 502 }, { path: '/graphql', times: 2 });
    rig.github.misbehave({ kind: 'reset' }, { path: '/pulls/' });
    expect([(await forge.read(number)).number, await forge.body(number)]).toEqual([number, 'What and why']);
  });

  it.each([
    ['a bad gateway', { kind: 'answer', status: 502 }],
    ['no connection', { kind: 'reset' }],
    ['no JSON', { kind: 'answer', status: 200, body: 'hello' }],
    ['a failed query', { kind: 'answer', status: 200, body: { errors: [{ message: 'Something went wrong while executing your query.' }] } }],
  ] as const)('that stays is unreachable: %s', async (_, trouble) => {
    const forge = await rig.open();
    const { number } = await rig.pull(forge);
    rig.github.misbehave(trouble, { times: Infinity });
    expect(await failureOf(forge.read(number))).toMatchObject({ reason: 'unreachable' });
  });

  it('a GitHub that is not there', async () => {
    expect(await failureOf(rig.open({ apiUrl: 'http://127.0.0.1:9' }))).toMatchObject({ reason: 'unreachable' });
  });

  it('a login that is not taken, at once or later', async () => {
    expect(await failureOf(rig.open({ auth: { token: 'ghp_wrongwrongwrongwrongwrong' } }))).toMatchObject({ reason: 'login' });
    expect(await failureOf(rig.open({ repo: 'other' }))).toMatchObject({ reason: 'login', message: expect.stringContaining('acme/other') as string });
    const forge = await rig.open();
    const { number } = await rig.pull(forge);
    expect(await failureOf(forge.read(99))).toMatchObject({ reason: 'refused' });
    expect(await failureOf(forge.body(99))).toMatchObject({ reason: 'refused' });
    rig.github.revoke(rig.github.token);
    expect(await failureOf(forge.read(number))).toMatchObject({ reason: 'login' });
    expect(await failureOf(forge.find('choo/a'))).toMatchObject({ reason: 'login' });
  });

  it('a repository that is shown no longer', async () => {
    const closed = await makeRig({ isPrivate: true });
    try {
      const forge = await closed.open();
      const { number } = await closed.pull(forge);
      closed.github.addUser('choo-bot', 'none');
      expect(await failureOf(forge.body(number))).toMatchObject({ reason: 'login' });
      expect(await failureOf(forge.find('choo/a'))).toMatchObject({ reason: 'login' });
    } finally {
      await closed.close();
    }
  });

  it('a token without the rights', async () => {
    const forge = await rig.open({ auth: { token: rig.github.addToken('choo-bot', { permissions: { metadata: 'read', pull_requests: 'read' } }) } });
    rig.push('choo/a', { 'a.txt': 'one\n' });
    expect(await failureOf(forge.open(DRAFT))).toMatchObject({ reason: 'login', message: expect.stringContaining('not accessible') as string });
  });

  it('a base that is not there is refused in GitHub\'s words', async () => {
    const forge = await rig.open();
    rig.push('choo/a', { 'a.txt': 'one\n' });
    expect(await failureOf(forge.open({ ...DRAFT, base: 'nowhere' }))).toMatchObject({ reason: 'refused', message: expect.stringContaining('base invalid') as string });
  });

  it('a short rest is taken; a change is made once for all that', async () => {
    const forge = await rig.open();
    const { number } = await rig.pull(forge);
    rig.github.misbehave({ kind: 'secondary-limit', retryAfter: 30 }, { method: 'POST', path: /\/comments$/ });
    const done = forge.comment(number, { marker: 'status', body: 'x' });
    expect(await rig.clock.asleep()).toBe(30_000);
    rig.clock.advance(30_000);
    await done;
    expect(rig.github.pull(number).comments).toHaveLength(1);
  });

  it('changes are a second apart, what only reads is not', async () => {
    const forge = await rig.open({ paceMs: 1000 });
    const { number } = await rig.pull(forge);
    const before = rig.clock.passed.length;
    const begin = rig.clock.now();
    await Promise.all(['a', 'b', 'c'].map((marker) => forge.comment(number, { marker, body: 'x' })));
    expect(rig.clock.passed.length - before).toBe(3);
    expect(rig.clock.now() - begin).toBeGreaterThanOrEqual(2000);
    await Promise.all([forge.read(number), forge.read(number), forge.body(number)]);
    expect(rig.clock.passed.length - before).toBe(3);
  });

  it('a long rest is told, with its end', async () => {
    const forge = await rig.open();
    const { number } = await rig.pull(forge);
    const now = rig.clock.now();
    rig.github.misbehave({ kind: 'secondary-limit', retryAfter: 600, status: 429 });
    expect(await failureOf(forge.body(number))).toMatchObject({ reason: 'rate', until: now + 600_000 });
    rig.github.exhaust({ resource: 'core' });
    rig.github.exhaust({ resource: 'graphql' });
    for (const ask of [() => forge.body(number), () => forge.read(number)]) {
      const { reason, until } = await failureOf(ask());
      expect(reason).toBe('rate');
      expect(Math.abs((until ?? 0) - now - 3_600_000)).toBeLessThan(10_000);
    }
  });

  it('an answer that never comes', async () => {
    const forge = await rig.open();
    const { number } = await rig.pull(forge);
    const held = rig.github.hold({ path: '/graphql', times: Infinity });
    const failed = failureOf(forge.read(number));
    await held.arrived;
    rig.clock.advance(60_000);
    expect(await failed).toMatchObject({ reason: 'unreachable', message: 'GitHub does not answer within 60 s' });
    held.release();
  });

  it('who stops is not kept waiting', async () => {
    const forge = await rig.open();
    const { number } = await rig.pull(forge);
    const held = rig.github.hold({ path: '/graphql', times: Infinity });
    const stop = new AbortController();
    const read = forge.read(number, stop.signal).then(() => undefined, (error: unknown) => error);
    await held.arrived;
    const why = new Error('enough');
    stop.abort(why);
    expect(await read).toBe(why);
    held.release();
    forge.close();
    expect(await failureOf(forge.read(number))).toMatchObject({ reason: 'unreachable', message: expect.stringContaining('closed') as string });
  });
});

describe('a GitHub App', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048, publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs1', format: 'pem' } });

  it('acts under its own name', async () => {
    const installationId = rig.github.installApp({ id: 7, slug: 'choo-app', publicKey });
    for (const app of [{ appId: '7', privateKey }, { appId: '7', privateKey, installationId }]) {
      const forge = await rig.open({ auth: { app } });
      const { number } = rig.github.pulls().length === 0 ? await rig.pull(forge) : { number: 1 };
      await forge.comment(number, { marker: 'status', body: app === undefined ? '' : 'x' });
      expect(rig.github.pull(number).comments.map(({ author }) => author.login)).toEqual(['choo-app[bot]']);
      expect(await forge.read(number)).toMatchObject({ feedback: [], ignored: [] });
    }
  });

  it('whose token somebody else asked for, as in a workflow', async () => {
    const installationId = rig.github.installApp({ id: 7, slug: 'choo-app', publicKey });
    const asker = new Octokit({ baseUrl: rig.github.url, authStrategy: createAppAuth, auth: { appId: 7, privateKey, installationId } });
    const { token } = await asker.auth({ type: 'installation' }) as { readonly token: string };
    const forge = await rig.open({ auth: { token } });
    const { number } = await rig.pull(forge);
    await forge.comment(number, { marker: 'status', body: 'x' });
    await forge.comment(number, { marker: 'status', body: 'y' });
    expect(rig.github.pull(number).comments.map(({ author, body }) => `${author.login} ${body}`)).toEqual(['choo-app[bot] <!-- choo:status -->\ny']);
  });

  it('that is not installed, or has a broken key', async () => {
    expect(await failureOf(rig.open({ auth: { app: { appId: '7', privateKey } } }))).toMatchObject({ reason: 'login' });
    const broken = '-----BEGIN PRIVATE KEY-----\nhunter2hunter2\n-----END PRIVATE KEY-----\n';
    const error = await failureOf(rig.open({ auth: { app: { appId: '7', privateKey: broken } } }));
    expect(error).toMatchObject({ reason: 'login' });
    expect(error.message).not.toContain('hunter2');
  });
});
