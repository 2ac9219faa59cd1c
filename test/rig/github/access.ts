// Who is let in: tokens with what they may, and GitHub Apps by their signed JSON web tokens. Tells GitHub's refusals.

import { createPublicKey, verify } from 'node:crypto';
import { refuse } from './answer.ts';
import { isObject, type Json } from './description.ts';
import type { App, State, Token } from './state.ts';

/** What a fine-grained token or an installation needs for an operation; any one of the names will do. */
const NEEDED: Readonly<Record<string, readonly (readonly [name: string, level: 'read' | 'write'])[]>> = {
  'pulls/list': [['pull_requests', 'read']],
  'pulls/create': [['pull_requests', 'write']],
  'pulls/get': [['pull_requests', 'read']],
  'pulls/update': [['pull_requests', 'write']],
  'pulls/merge': [['contents', 'write']],
  'pulls/request-reviewers': [['pull_requests', 'write']],
  'pulls/list-reviews': [['pull_requests', 'read']],
  'pulls/create-review': [['pull_requests', 'write']],
  'pulls/list-review-comments': [['pull_requests', 'read']],
  'pulls/create-reply-for-review-comment': [['pull_requests', 'write']],
  'issues/get': [['issues', 'read'], ['pull_requests', 'read']],
  'issues/list-comments': [['issues', 'read'], ['pull_requests', 'read']],
  'issues/create-comment': [['issues', 'write'], ['pull_requests', 'write']],
  'issues/update-comment': [['issues', 'write'], ['pull_requests', 'write']],
  'issues/add-labels': [['issues', 'write'], ['pull_requests', 'write']],
  'reactions/list-for-issue': [['issues', 'read'], ['pull_requests', 'read']],
  'checks/list-for-ref': [['checks', 'read']],
  'checks/list-annotations': [['checks', 'read']],
  'repos/get-combined-status-for-ref': [['statuses', 'read']],
  'actions/download-job-logs-for-workflow-run': [['actions', 'read']],
  'repos/get-branch': [['contents', 'read']],
};

/** The token of a header; refuses unknown, revoked and expired ones with 401. */
export function tokenOf(state: State, authorization: string | undefined): Token {
  const value = secretOf(authorization);
  if (value === undefined) throw refuse(401, 'Requires authentication');
  const token = state.tokens.find((one) => one.value === value);
  if (token === undefined || token.revoked || (token.expires !== undefined && token.expires <= state.now())) throw refuse(401, 'Bad credentials');
  return token;
}

/** Refuses what a token was not given. */
export function demandGrant(token: Token, operation: string): void {
  const { permissions } = token;
  const needed = NEEDED[operation];
  if (permissions === undefined || needed === undefined) return;
  if (!needed.some(([name, level]) => grants(permissions, name, level))) throw refuse(403, `Resource not accessible by ${token.installation ? 'integration' : 'personal access token'}`);
}

/** Whether permissions hold one. */
export function grants(permissions: Readonly<Record<string, string>>, name: string, level: 'read' | 'write'): boolean {
  return permissions[name] === 'write' || permissions[name] === 'admin' || permissions[name] === level;
}

/** The App that signed the token of a header; refuses all others with 401. */
export function appOf(state: State, authorization: string | undefined): App {
  const secret = secretOf(authorization);
  if (secret === undefined) throw refuse(401, 'Requires authentication');
  const [head = '', claims = '', signature = ''] = secret.split('.');
  const [header, said] = [jsonOf(head), jsonOf(claims)];
  if (header?.['alg'] !== 'RS256' || said === undefined) throw refuse(401, 'A JSON web token could not be decoded');
  const issuer = said['iss'];
  const app = state.apps.find(({ id, clientId }) => String(id) === String(issuer) || clientId === issuer);
  if (app === undefined) throw refuse(401, 'Integration not found');
  if (!verify('RSA-SHA256', Buffer.from(`${head}.${claims}`), createPublicKey(app.publicKey), Buffer.from(signature, 'base64url'))) throw refuse(401, 'A JSON web token could not be decoded');
  const now = Math.floor(state.now() / 1000);
  const [from, to] = [said['iat'], said['exp']];
  if (typeof from !== 'number' || from > now) throw refuse(401, '\'Issued at\' claim (\'iat\') must be an Integer representing the time that the assertion was issued.');
  if (typeof to !== 'number' || to <= now) throw refuse(401, '\'Expiration time\' claim (\'exp\') must be a numeric value representing the future time at which the assertion expires.');
  if (to > now + 600) throw refuse(401, '\'Expiration time\' claim (\'exp\') is too far in the future');
  return app;
}

function secretOf(authorization: string | undefined): string | undefined {
  return /^(?:bearer|token) +(\S+)$/i.exec(authorization ?? '')?.[1];
}

function jsonOf(part: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return isObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
