// The program between choo and an agent that speaks the Agent Client Protocol: starts the agent as its child, talks to it
// through the protocol's SDK and prints a JSON line for everything it hears or does. What that means is acp.ts.

import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { client, MessageTooLargeError, ndJsonStream, PROTOCOL_VERSION, RequestError } from '@agentclientprotocol/sdk';
import type { AnyMessage, ClientContext, InitializeResponse, RequestPermissionRequest, RequestPermissionResponse, Stream } from '@agentclientprotocol/sdk';
import { systemClock } from '../adapters/clock.ts';
import { errnoOf } from '../adapters/errno.ts';
import { VERSION } from '../version.ts';
import { acpJob, CANCEL, type AcpJob, type AcpLine } from './acp.ts';
import { insideOf } from './acp-paths.ts';
import { answerPermission } from './acp-policy.ts';
import { openSession, Unfit } from './acp-session.ts';

/** How long an agent whose stdin was closed may take to end, and then again after SIGTERM, ms. */
const LEAVE_MS = 3000;

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** The agent ended, or its output did, before the work was over. */
class Gone extends Error {
  override name = 'Gone';
}

function tell(line: AcpLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Lines of stdin. Cut at `\n` alone: a prompt may hold the other characters that some take for a line's end. */
async function* linesOf(input: Readable): AsyncGenerator<string> {
  input.setEncoding('utf8');
  let parts: string[] = [];
  for await (const chunk of input as AsyncIterable<string>) {
    const [first = '', ...more] = chunk.split('\n');
    parts.push(first);
    for (const part of more) {
      yield parts.join('');
      parts = [part];
    }
  }
}

/** The messages of the agent, each printed as it came before the SDK reads it. `last` holds the newest result whole: the SDK leaves out what its version does not know. */
function listen(child: Child, last: { result: unknown }): Stream {
  const output = Writable.toWeb(child.stdin) as WritableStream<Uint8Array>;
  const stream = ndJsonStream(output, Readable.toWeb(child.stdout) as ReadableStream<Uint8Array>);
  const print = new TransformStream<AnyMessage, AnyMessage>({
    transform: (message, next) => {
      tell({ acp: message });
      if ('result' in message) last.result = message.result;
      next.enqueue(message);
    },
  });
  return { writable: stream.writable, readable: stream.readable.pipeThrough(print) };
}

function permit(job: AcpJob, request: RequestPermissionRequest): RequestPermissionResponse {
  const { toolCall } = request;
  const kind = toolCall.kind ?? 'other';
  const diffs = (toolCall.content ?? []).flatMap((part) => (part.type === 'diff' ? [part.path] : []));
  const paths = [...(toolCall.locations ?? []).map(({ path }) => path), ...diffs];
  const answer = answerPermission({ permissions: job.permissions, wanted: { kind, paths }, choices: request.options, inside: insideOf(job.worktree) });
  tell({ choo: 'permission', tool: toolCall.title ?? kind, allowed: answer.allowed, ...(answer.why === undefined ? {} : { why: answer.why }) });
  return { outcome: answer.optionId === undefined ? { outcome: 'cancelled' } : { outcome: 'selected', optionId: answer.optionId } };
}

/** Starts the session, gives it the prompt and resolves with why the agent stopped. */
async function converse(agent: ClientContext, o: { readonly job: AcpJob; readonly last: { readonly result: unknown }; readonly cancelled: AbortSignal }): Promise<string> {
  const { job, last, cancelled } = o;
  const hello: InitializeResponse = await agent.request('initialize', {
    protocolVersion: PROTOCOL_VERSION, clientInfo: { name: 'choo', version: VERSION },
    clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
  });
  if (hello.protocolVersion !== PROTOCOL_VERSION) throw new Unfit(`the agent speaks version ${hello.protocolVersion} of the protocol; choo speaks ${PROTOCOL_VERSION}`);
  const sessionId = await openSession(agent, { job, hello, raw: () => last.result, tell });
  if (cancelled.aborted) return 'cancelled';
  const cancel = (): void => { void agent.notify('session/cancel', { sessionId }); };
  cancelled.addEventListener('abort', cancel, { once: true });
  tell({ choo: 'prompted' });
  const { stopReason } = await agent.request('session/prompt', { sessionId, prompt: [{ type: 'text', text: job.prompt }] });
  return stopReason;
}

/** Does the whole job with a started agent; gives back this program's exit code. */
async function work(child: Child, job: AcpJob, cancelled: AbortSignal): Promise<number> {
  const last: { result: unknown } = { result: undefined };
  const app = client({ name: 'choo' })
    .onRequest('session/request_permission', ({ params }) => permit(job, params))
    // Already printed; taken here so that the SDK does not complain about what nobody takes.
    .onNotification('*', () => undefined);
  try {
    const reason = await app.connectWith(listen(child, last), (agent) => {
      const gone = new Promise<never>((_resolve, reject) => { child.once('exit', () => reject(new Gone())); });
      return Promise.race([converse(agent, { job, last, cancelled }), gone]);
    });
    tell({ choo: 'ended', reason });
    return reason === 'end_turn' ? 0 : 1;
  } catch (error) {
    if (error instanceof Unfit) tell({ choo: 'unfit', text: error.message });
    else if (error instanceof RequestError) tell({ choo: 'refused', code: error.code, message: error.message, data: error.data });
    // Its end shows as that of the connection or of the program, whichever is seen first.
    else tell({ choo: 'gone', text: error instanceof MessageTooLargeError ? error.message : 'the agent ended before its work was over' });
    return 1;
  }
}

/** Makes the agent end: first by closing its stdin, which is the protocol's way. */
async function leave(child: Child): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const over = new AbortController();
  const ended = once(child, 'exit').then(() => over.abort());
  child.stdin.destroy();
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    await systemClock().sleep(LEAVE_MS, over.signal);
    if (!over.signal.aborted) child.kill(signal);
  }
  await ended;
}

async function main(argv: readonly string[]): Promise<number> {
  const [program, ...args] = argv;
  const lines = linesOf(process.stdin);
  const first = await lines.next();
  if (program === undefined || first.done === true) throw new Error('usage: acp-agent PROGRAM [ARGUMENT...], with the job as the first line of stdin');
  const job = acpJob(first.value);
  const child = spawn(program, args, { cwd: job.worktree, stdio: ['pipe', 'pipe', 'inherit'] });
  // What it does not read any more shows as its end.
  child.stdin.on('error', () => child.stdin.destroy());
  try {
    await once(child, 'spawn');
  } catch (error) {
    process.stdin.destroy();
    process.stderr.write(`${program}: ${error instanceof Error ? error.message : String(error)}\n`);
    return errnoOf(error) === 'ENOENT' ? 127 : 126;
  }
  const cancelled = new AbortController();
  const orders = (async () => {
    // The end of stdin is the end of choo.
    for await (const line of lines) if (line === CANCEL) break;
    cancelled.abort();
  })();
  const code = await work(child, job, cancelled.signal);
  await leave(child);
  process.stdin.destroy();
  await orders.catch(() => undefined);
  return code;
}

main(process.argv.slice(2)).then((code) => { process.exitCode = code; }, (error: unknown) => {
  process.stderr.write(`acp agent: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
