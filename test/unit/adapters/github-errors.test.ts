// What errors of GitHub mean: whom to blame, when to come back, and one line without secrets for people.

import { describe, expect, it } from 'vitest';
import { isLost, isRefusal, line, toForgeError, type GitHubError } from '../../../src/adapters/github/errors.ts';

const NOW = Date.UTC(2026, 10, 27, 10);
const CONTEXT = { now: NOW, redact: (text: string) => text.replaceAll('hunter2', '[redacted]') };

function http(status: number, data: unknown = {}, headers: Record<string, string> = {}): GitHubError | undefined {
  return toForgeError(Object.assign(new Error('x'), { status, request: {}, response: { headers, data } }), CONTEXT);
}

function graphql(errors: readonly object[], headers: Record<string, string> = {}): GitHubError | undefined {
  return toForgeError(Object.assign(new Error('x'), { name: 'GraphqlResponseError', headers, errors }), CONTEXT);
}

describe('an answer', () => {
  it.each([
    [[401], 'login'], [[403], 'login'], [[404], 'refused'], [[409], 'refused'], [[422], 'refused'], [[500], 'unreachable'], [[503, '<html>'], 'unreachable'],
    [[403, { message: 'You have exceeded a secondary rate limit.' }], 'rate'], [[429], 'rate'], [[403, {}, { 'retry-after': '5' }], 'rate'], [[403, {}, { 'x-ratelimit-remaining': '0' }], 'rate'],
    [[403, {}, { 'x-ratelimit-remaining': '10' }], 'login'], [[404, {}, { 'x-ratelimit-remaining': '0' }], 'refused'],
  ] as const)('%j', ([status, data = {}, headers = {}], reason) => {
    expect(http(status, data, headers)).toMatchObject({ reason, status });
  });

  it('tells when to come back, by our own clock', () => {
    expect(http(403, {}, { 'retry-after': '5' })?.until).toBe(NOW + 5000);
    const theirs = NOW + 3_600_000;
    const headers = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String((theirs + 60_000) / 1000), date: new Date(theirs).toUTCString() };
    expect(http(403, {}, headers)?.until).toBe(NOW + 61_000);
    expect(graphql([{ type: 'RATE_LIMITED', message: 'API rate limit exceeded' }], headers)).toMatchObject({ reason: 'rate', until: NOW + 61_000 });
    expect(http(429)?.until).toBe(NOW + 60_000);
  });

  it('is told in one line, with its details and without secrets', () => {
    const said = http(422, { message: 'Validation\nFailed \u001B[31m', errors: [{ field: 'base', code: 'invalid' }, { message: 'hunter2 is no branch' }, 'and so on'], documentation_url: 'https://docs.github.com' });
    expect(said?.message).toBe('GitHub says no (422: Validation Failed \uFFFD[31m; base invalid; [redacted] is no branch; and so on)');
    expect(line('x'.repeat(1000), CONTEXT.redact)).toHaveLength(300);
  });
});

describe('an answer to a query', () => {
  it.each([
    [[{ type: 'NOT_FOUND', message: 'Could not resolve to a Repository with the name \'a/b\'.' }], 'login'],
    [[{ type: 'NOT_FOUND', message: 'Could not resolve to a PullRequest with the number of 9.' }], 'refused'],
    [[{ type: 'FORBIDDEN', message: 'Resource not accessible by integration', path: ['repository', 'pullRequest', 'commits'] }], 'login'],
    [[{ type: 'INSUFFICIENT_SCOPES', message: 'Your token has not been granted the required scopes' }], 'login'],
    [[{ message: 'Something went wrong while executing your query on 2026-11-27.' }], 'unreachable'],
    [[{ type: 'UNPROCESSABLE', message: 'Pull request is in clean status' }], 'refused'],
    [[], 'refused'],
  ] as const)('%j', (errors, reason) => {
    expect(graphql(errors)).toMatchObject({ reason });
  });
});

describe('a limit of queries', () => {
  it('as the throttling plugin tells it', () => {
    const response = { headers: { 'x-ratelimit-reset': String((NOW + 60_000) / 1000), date: new Date(NOW).toUTCString() } };
    const error = Object.assign(new Error('GraphQL Rate Limit Exceeded'), { response, data: { errors: [{ type: 'RATE_LIMITED', message: 'API rate limit already exceeded' }] } });
    expect(toForgeError(error, CONTEXT)).toMatchObject({ reason: 'rate', until: NOW + 61_000, message: 'GitHub wants to be asked less: API rate limit already exceeded' });
  });
});

describe('no answer', () => {
  it('is told by its code, never by the address', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED https://user:hunter2@host'), { code: 'ECONNREFUSED' });
    const error = toForgeError(Object.assign(new Error('fetch failed', { cause: new TypeError('fetch failed', { cause }) }), { status: 500, request: {} }), CONTEXT);
    expect(error).toMatchObject({ reason: 'unreachable', status: 0, message: 'GitHub cannot be reached: ECONNREFUSED' });
    expect([isLost(error), isRefusal(error)]).toEqual([true, false]);
  });

  it('what is no error of Octokit is left alone', () => {
    expect([toForgeError(new TypeError('x'), CONTEXT), toForgeError('x', CONTEXT)]).toEqual([undefined, undefined]);
  });
});
