// The names under which things are known elsewhere: OpenTelemetry's semantic conventions, and choo's own below `choo.`.

/** The conventions that names and units follow; those for generative AI are of status "development" in it. */
const CONVENTIONS = '1.41.0';
/** Where that version is described. */
export const SCHEMA_URL = `https://opentelemetry.io/schemas/${CONVENTIONS}`;

/** Attributes of the conventions. */
export const ATTR = {
  errorType: 'error.type',
  exitCode: 'process.exit.code',
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  agent: 'gen_ai.agent.name',
  requestModel: 'gen_ai.request.model',
  responseModel: 'gen_ai.response.model',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  cacheRead: 'gen_ai.usage.cache_read.input_tokens',
  cacheWrite: 'gen_ai.usage.cache_creation.input_tokens',
  tokenType: 'gen_ai.token.type',
  baseName: 'vcs.ref.base.name',
  baseRevision: 'vcs.ref.base.revision',
  headRevision: 'vcs.ref.head.revision',
  change: 'vcs.change.id',
} as const;

/** Attributes that the conventions have no name for. */
export const CHOO = {
  runId: 'choo.run.id',
  run: 'choo.run.number',
  session: 'choo.session.kind',
  mode: 'choo.run.mode',
  ended: 'choo.ended',
  result: 'choo.result',
  landed: 'choo.units.landed',
  failed: 'choo.units.failed',
  blocked: 'choo.units.blocked',
  waiting: 'choo.units.waiting',
  unit: 'choo.unit.id',
  task: 'choo.task.number',
  title: 'choo.task.title',
  attempt: 'choo.attempt.number',
  purpose: 'choo.attempt.purpose',
  attempts: 'choo.task.attempts',
  check: 'choo.check.kind',
  flaky: 'choo.check.flaky',
  reused: 'choo.check.reused',
  batch: 'choo.batch.number',
  units: 'choo.batch.units',
  waitFor: 'choo.wait.for',
  usd: 'choo.usage.cost',
} as const;

/** The one operation of an agent that the conventions have a word for. */
export const INVOKE_AGENT = 'invoke_agent';

const PROVIDERS: readonly (readonly [RegExp, string])[] = [
  [/claude|sonnet|opus|haiku|anthropic/i, 'anthropic'],
  [/gemini/i, 'gcp.gemini'],
  [/(?:^|[/-])(?:gpt|o\d|codex)|openai/i, 'openai'],
];

/** Whose model an agent most likely asks, as the conventions spell it; by the model where one is named, else by the agent. */
export function providerOf(o: { readonly agent: string; readonly model?: string | undefined }): string {
  for (const text of [o.model ?? '', o.agent]) {
    const found = PROVIDERS.find(([pattern]) => pattern.test(text));
    if (found !== undefined) return found[1];
  }
  return o.agent;
}
