// What went wrong between choo and GitHub, as one ForgeError with one clean line. Knows no Octokit, only the shape of its errors.

import { cleanLine } from '../../core/clean.ts';
import { ForgeError, type ForgeReason } from '../../forge.ts';

/** GitHub did not do what it was asked. */
export class GitHubError extends ForgeError {
  override name = 'GitHubError';
  /** HTTP status of the answer; 0: there was none. */
  readonly status: number;
  constructor(o: { readonly reason: ForgeReason; readonly message: string; readonly status: number; readonly until?: number }) {
    super(o.reason, o.message, o.until);
    this.status = o.status;
  }
}

/** What errors are read with. */
export interface ErrorContext {
  /** Takes secrets out. */
  readonly redact: (text: string) => string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

type Headers = Readonly<Record<string, string | number | undefined>>;
interface Problem { readonly type?: string; readonly message?: string; readonly path?: readonly unknown[]; readonly code?: string; readonly field?: string }
interface Body { readonly message?: string; readonly errors?: readonly (Problem | string)[] }
interface HttpError { readonly status: number; readonly message: string; readonly response?: { readonly headers: Headers; readonly data: unknown } }
/** From `octokit.graphql`, or (with a whole response) from the throttling plugin. */
interface GraphqlError { readonly message: string; readonly headers?: Headers; readonly errors?: readonly Problem[]; readonly data?: { readonly errors?: readonly Problem[] } | null; readonly response?: { readonly headers?: Headers } }

/** When nothing is said of how long to leave it alone, ms. */
const REST = 60_000;
/** Characters of a message. */
const LONGEST = 300;

/** True when GitHub may have done what it was asked, although it did not say so. */
export function isLost(error: unknown): error is ForgeError {
  return error instanceof ForgeError && error.reason === 'unreachable';
}

/** True for a refusal that is about what was asked: not of the network, not because too much was asked. */
export function isRefusal(error: unknown): error is GitHubError {
  return error instanceof GitHubError && (error.reason === 'refused' || error.reason === 'login') && error.status !== 401;
}

/** The GitHubError that an error of Octokit means; undefined for what is none of its: a defect. */
export function toForgeError(error: unknown, context: ErrorContext): GitHubError | undefined {
  if (error instanceof GitHubError) return error;
  if (!(error instanceof Error)) return undefined;
  if (error.name === 'GraphqlResponseError' || error.message === 'GraphQL Rate Limit Exceeded') return ofGraphql(error, context);
  return isHttp(error) ? ofHttp(error, context) : undefined;
}

/** One line for people: no secret, no address of the manual, no control character. */
export function line(text: string, redact: (text: string) => string): string {
  const one = cleanLine(redact(text.replace(/\s+/g, ' ')).trim());
  return one.length <= LONGEST ? one : `${one.slice(0, LONGEST - 1)}…`;
}

function isHttp(error: Error): error is Error & HttpError {
  return 'status' in error && typeof error.status === 'number' && 'request' in error;
}

function ofHttp(error: HttpError & { readonly cause?: unknown }, context: ErrorContext): GitHubError {
  const { status, response } = error;
  const make = (reason: ForgeReason, message: string, until?: number): GitHubError => new GitHubError({
    reason, status: response === undefined ? 0 : status, message: line(message, context.redact), ...(until === undefined ? {} : { until }),
  });
  if (response === undefined) return make('unreachable', `GitHub cannot be reached: ${reachProblem(error)}`);
  const said = sentence(response.data);
  if (status >= 500 || status < 300) return make('unreachable', `GitHub answers ${status}${status < 300 ? `, but nothing that can be read` : said}`);
  const until = status === 403 || status === 429 ? restUntil(response.headers, { said, status, now: context.now }) : undefined;
  if (until !== undefined) return make('rate', `GitHub wants to be asked less (${status}${said})`, until);
  if (status === 401 || status === 403) return make('login', `GitHub refuses the login or its rights (${status}${said})`);
  return make('refused', `GitHub says no (${status}${said})`);
}

/** Undefined: it is no matter of how much was asked. */
function restUntil(headers: Headers, o: { readonly said: string; readonly status: number; readonly now: number }): number | undefined {
  const after = Number(headers['retry-after'] ?? Number.NaN);
  if (Number.isFinite(after) && after >= 0) return o.now + after * 1000;
  if (String(headers['x-ratelimit-remaining']) === '0') return resetOf(headers, o.now);
  return o.status === 429 || /\b(?:secondary rate|abuse|rate limit)/i.test(o.said) ? o.now + REST : undefined;
}

/** The moment by our own clock: theirs may go differently. A second more, since theirs is cut to whole ones. */
function resetOf(headers: Headers, now: number): number {
  const reset = Number(headers['x-ratelimit-reset'] ?? Number.NaN) * 1000;
  const theirs = Date.parse(String(headers['date']));
  if (!Number.isFinite(reset)) return now + REST;
  return now + Math.max(0, reset - (Number.isNaN(theirs) ? now : theirs)) + 1000;
}

function ofGraphql(error: GraphqlError, context: ErrorContext): GitHubError {
  const problems = error.errors ?? error.data?.errors ?? [];
  const headers = error.headers ?? error.response?.headers ?? {};
  const types = new Set(problems.map(({ type }) => type));
  const said = problems.map(({ message, path }) => `${(message ?? '?').replace(/\.$/, '')}${path === undefined || path.length < 3 ? '' : ` (${path.join('.')})`}`).slice(0, 3).join('; ');
  const make = (reason: ForgeReason, o: { readonly words: string; readonly status: number; readonly until?: number }): GitHubError => new GitHubError({
    reason, status: o.status, message: line(said === '' ? o.words : `${o.words}: ${said}`, context.redact), ...(o.until === undefined ? {} : { until: o.until }),
  });
  const until = types.has('RATE_LIMITED') || /GraphQL Rate Limit|secondary rate|API rate limit/i.test(`${error.message} ${said}`) ? resetOf(headers, context.now) : undefined;
  if (until !== undefined) return make('rate', { words: 'GitHub wants to be asked less', status: 429, until });
  if (types.has('FORBIDDEN') || types.has('INSUFFICIENT_SCOPES')) return make('login', { words: 'GitHub refuses the login or its rights', status: 403 });
  if (types.has('NOT_FOUND')) return make(/to a Repository/i.test(said) ? 'login' : 'refused', { words: 'GitHub does not know this', status: 404 });
  if (types.has('SERVICE_UNAVAILABLE') || /something went wrong|timed? ?out|couldn't respond/i.test(said)) return make('unreachable', { words: 'GitHub has trouble', status: 500 });
  return make('refused', { words: 'GitHub says no', status: 422 });
}

/** The body of an answer in words, with a colon before them. */
function sentence(data: unknown): string {
  if (typeof data !== 'object' || data === null) return '';
  const { message, errors } = data as Body;
  const more = (Array.isArray(errors) ? errors : []).map((problem: Problem | string) => {
    if (typeof problem === 'string') return problem;
    return problem.message ?? [problem.field, problem.code].filter((word) => word !== undefined).join(' ');
  });
  const words = [message, ...more].filter((word) => typeof word === 'string' && word !== '').join('; ');
  return words === '' ? '' : `: ${words}`;
}

/** What happened below `fetch`; its own words may hold the address, the code does not. */
function reachProblem(error: { readonly message: string; readonly cause?: unknown }): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') return at.code;
  }
  return 'no connection';
}
