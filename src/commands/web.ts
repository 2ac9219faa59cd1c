// `choo web`: serves the dashboard of this repository until it is stopped. Composition only; the server is src/web/.

import { dirname, join } from 'node:path';
import { stdin } from 'node:process';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../adapters/clock.ts';
import { callControl } from '../adapters/control.ts';
import { errnoOf } from '../adapters/errno.ts';
import { listRuns, makeChooFolder, runFolder } from '../adapters/runs.ts';
import { refuseSteering } from '../opening/inside.ts';
import { refuse } from '../opening/refusal.ts';
import { findRepository } from '../opening/repository.ts';
import { lookAt, socketPath } from '../opening/rest.ts';
import type { Request } from '../core/request.ts';
import { readAssets } from '../web/files.ts';
import type { Worth } from '../web/hook.ts';
import type { Translate } from '../web/log-text.ts';
import { isLoopback } from '../web/guard.ts';
import { cookieName, keepPass, readPass } from '../web/pass.ts';
import { serveWeb } from '../web/server.ts';
import type { ServerOptions, WebServer } from '../web/server.ts';
import { findServing, linkTo } from '../web/serving.ts';
import type { Place } from '../web/serving.ts';
import { putWish } from './ask.ts';
import { report } from './errors.ts';
import { giveWay } from './give-way.ts';
import type { Io } from './io.ts';
import { listeningAgent } from './listening.ts';
import { readerOf } from './logs.ts';
import { onStopSignals } from './signals.ts';

/** What `choo web` was asked for. */
export interface WebOptions {
  /** Default: the one of the last time, or one that the system chooses. */
  readonly port?: number;
  /** Address to listen on; default: this machine alone. */
  readonly listen?: string;
  /** The run that the link opens; default: the newest. */
  readonly run?: number;
}

/** Serves until a signal comes; exit code 0. */
export async function web(o: WebOptions, io: Io): Promise<number> {
  try {
    // An agent may neither steer its run nor hand out a link that does.
    refuseSteering(io.env);
    giveWay();
    const clock = systemClock();
    const { facts: { commonDir }, git } = await findRepository({ cwd: io.cwd, env: io.env, clock });
    try {
      await makeChooFolder(commonDir);
      if (o.run !== undefined && !(await listRuns(commonDir)).includes(o.run)) throw refuse('no-run', `there is no run ${o.run} in this repository`);
      const other = await findServing(commonDir, clock);
      const pass = await readPass(commonDir);
      const listen = o.listen ?? '127.0.0.1';
      const server = await serve({
        commonDir, clock, listen, token: pass.token, cookie: cookieName(commonDir), socket: socketPath(commonDir, io.env),
        runDir: (run) => runFolder(commonDir, run), assets: await readAssets(join(dirname(fileURLToPath(import.meta.url)), 'web')),
        act: (request) => act(request, io), translate: (agent, unit) => translatorOf(agent, { unit, io }), diff: (from, to) => git.diffText(from, to, []), say: (line) => io.err.write(`${line}\n`), ...hookOf(io),
      }, { asked: o.port, last: pass.port });
      try {
        // Pages and runs go on finding the one that was there first, as long as it is.
        if (other === undefined) await keepPass(commonDir, { token: pass.token, port: server.port, listen });
        // Whoever has the link may end it.
        const stopped = untilStopped(io);
        tell({ listen, port: server.port, token: pass.token, ...(o.run === undefined ? {} : { run: o.run }) }, io);
        await stopped;
        return 0;
      } finally {
        await server.close();
      }
    } finally {
      await git.close();
    }
  } catch (error) {
    return report(error, { io, json: false, journal: undefined });
  }
}

/** Listens on the port that was asked for, or on that of the last time, which an open page still knows, or on any. */
async function serve(o: Omit<ServerOptions, 'port'>, port: { readonly asked: number | undefined; readonly last: number | undefined }): Promise<WebServer> {
  try {
    return await serveWeb({ ...o, port: port.asked ?? port.last ?? 0 });
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'EADDRINUSE' && port.asked === undefined && port.last !== undefined) return serveWeb({ ...o, port: 0 });
    if (code === undefined) throw error;
    throw refuse('cannot-listen', `nothing can listen on ${o.listen}${port.asked === undefined ? '' : `, port ${port.asked}`}: ${code}`,
      port.asked !== undefined && (code === 'EADDRINUSE' || code === 'EACCES') ? 'leave --port out, and the system chooses a free one' : '`--listen` takes an address of this machine; without it only this machine gets in');
  }
}

function tell(o: Place & { readonly run?: number }, io: Io): void {
  if (!isLoopback(o.listen)) {
    io.err.write(`choo: ${o.listen} is reached from other machines: whoever has this link sees specs, logs and changes, and can stop, retry and approve. Nothing is encrypted on the way.\n`);
  }
  io.out.write(`${linkTo(o)}${o.run === undefined ? '' : `#run=${o.run}`}\n`);
  if ((io.env['CHOO_GITHUB_WEBHOOK_SECRET'] ?? '').trim() !== '') io.err.write('choo: signed webhooks of GitHub are taken at /hooks/github\n');
  if (io.start.beside !== true) io.err.write('choo: open this link in a browser; Ctrl-C ends the server, never the run\n');
}

/** What `choo logs` prints of the messages of an agent; undefined for one whose output is text. */
function translatorOf(name: string, o: { readonly unit: string; readonly io: Io }): Translate | undefined {
  const agent = listeningAgent(name);
  if (agent === undefined) return undefined;
  const { out, err } = o.io;
  return (write) => readerOf(agent, { io: { ...o.io, out: { ...out, color: false }, err: { ...err, write: () => undefined } }, write, unit: o.unit });
}

/** Webhooks are taken when there is a secret to know them by. */
function hookOf(io: Io): Pick<ServerOptions, 'hook'> {
  const secret = io.env['CHOO_GITHUB_WEBHOOK_SECRET'] ?? '';
  return secret.trim() === '' ? {} : { hook: { secret, look: (worth) => passOn(worth, io) } };
}

/** To the run, when one is live; one at rest reads everything when it goes on. */
async function passOn(worth: Worth, io: Io): Promise<void> {
  const look = await lookAt(io.cwd, io.env);
  await look.repository.git.close();
  if (look.holder?.state === 'live' && look.socket !== undefined) await callControl(look.socket, { do: 'look', ...worth });
}

async function act(request: Exclude<Request, { readonly do: 'look' }>, io: Io): Promise<string> {
  if (request.do !== 'stop') return (await putWish(request, io, `cannot-${request.do}`)).answer;
  const look = await lookAt(io.cwd, io.env);
  await look.repository.git.close();
  if (look.holder?.state !== 'live' || look.socket === undefined) throw refuse('not-live', 'no run is live in this repository');
  await callControl(look.socket, { do: 'stop', now: request.now });
  return request.now ? 'killing what runs' : 'stopping: agents are interrupted and given limits.shutdown to end';
}

/** A signal comes or, for the dashboard beside a run, that run's choo is gone. */
function untilStopped(io: Io): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      off();
      resolve();
    };
    const off = onStopSignals(stop, io);
    if (io.start.beside === true) stdin.once('close', stop).resume();
  });
}
