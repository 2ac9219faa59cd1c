// Opens the session of an ACP agent: goes on with an earlier one or makes a new one, logs in when told how, sets mode and
// model. Part of the program acp-program.ts; the prompt is not its business.

import { RequestError } from '@agentclientprotocol/sdk';
import type { ClientContext, InitializeResponse, NewSessionResponse, SessionConfigOption } from '@agentclientprotocol/sdk';
import type { AcpJob, AcpLine } from './acp.ts';
import { chooseMode } from './acp-policy.ts';

/** The protocol's code for "log in first". */
const AUTH_REQUIRED = -32000;

/** The agent cannot work here as it is installed or configured; the message says what to do. */
export class Unfit extends Error {
  override name = 'Unfit';
}

interface Opening {
  readonly job: AcpJob;
  readonly hello: InitializeResponse;
  /** The newest result of the agent, as it came. */
  readonly raw: () => unknown;
  readonly tell: (line: AcpLine) => void;
}

/** What a session offers to choose from: how it is set, and the values there are. */
interface Choice {
  readonly values: readonly string[];
  set(value: string): Promise<unknown>;
}

type Opened = Pick<NewSessionResponse, 'sessionId' | 'modes' | 'configOptions'>;

/** Gives back the session's id. Rejects with Unfit, or with RequestError when the agent refuses. */
export async function openSession(agent: ClientContext, o: Opening): Promise<string> {
  const { job, hello, tell } = o;
  if (job.auth !== undefined) {
    const methods = (hello.authMethods ?? []).map(({ id }) => id);
    if (!methods.includes(job.auth)) throw new Unfit(`the agent knows no way to log in named ${job.auth}; it has ${list(methods)}`);
    await agent.request('authenticate', { methodId: job.auth });
  }
  const { opened, wentOn } = await openedSession(agent, o);
  const { sessionId } = opened;
  const offered = o.raw();
  const mode = modeChoice(agent, opened);
  const model = modelChoice(agent, opened, offered);
  const chosen = mode === undefined ? undefined : job.mode ?? chooseMode(job.permissions, mode.values);
  if (job.mode !== undefined && mode === undefined) throw new Unfit(`the agent has no modes; it cannot work in ${job.mode}`);
  if (mode !== undefined) {
    if (chosen === undefined) throw new Unfit(`none of the agent's modes is known to work unattended: ${list(mode.values)}; name the one to use in the configuration`);
    if (!mode.values.includes(chosen)) throw new Unfit(`the agent has no mode ${chosen}; it has ${list(mode.values)}`);
    await mode.set(chosen);
  }
  if (job.model !== undefined) {
    if (model === undefined) throw new Unfit(`the agent offers no choice of model over the protocol; give it as an argument of its program`);
    if (!model.values.includes(job.model)) throw new Unfit(`the agent has no model ${job.model}; it has ${list(model.values)}`);
    await model.set(job.model);
  }
  tell({ choo: 'session', id: sessionId, wentOn, ...(chosen === undefined ? {} : { mode: chosen }), ...(job.model === undefined ? {} : { model: job.model }) });
  return sessionId;
}

async function openedSession(agent: ClientContext, { job, hello }: Opening): Promise<{ readonly opened: Opened; readonly wentOn: boolean }> {
  const place = { cwd: job.worktree, mcpServers: [] };
  const able = hello.agentCapabilities;
  const { goOn: sessionId } = job;
  const again = able?.sessionCapabilities?.resume ? 'session/resume' : able?.loadSession === true ? 'session/load' : undefined;
  if (sessionId !== undefined && again !== undefined) {
    try {
      return { opened: { ...await agent.request(again, { sessionId, ...place }), sessionId }, wentOn: true };
    } catch (error) {
      // A session that is gone is no reason not to work; what failed is in the prompt, and `wentOn` tells.
      if (!(error instanceof RequestError) || error.code === AUTH_REQUIRED) throw error;
    }
  }
  return { opened: await agent.request('session/new', place), wentOn: false };
}

function modeChoice(agent: ClientContext, { sessionId, modes, configOptions }: Opened): Choice | undefined {
  if (modes === undefined || modes === null) return configChoice(agent, { sessionId, category: 'mode', options: configOptions ?? [] });
  return { values: modes.availableModes.map(({ id }) => id), set: (modeId) => agent.request('session/set_mode', { sessionId, modeId }) };
}

/** As an option of the session, or the way agents had before there were options. */
function modelChoice(agent: ClientContext, { sessionId, configOptions }: Opened, raw: unknown): Choice | undefined {
  const option = configChoice(agent, { sessionId, category: 'model', options: configOptions ?? [] });
  if (option !== undefined) return option;
  const models: unknown = typeof raw === 'object' && raw !== null && 'models' in raw ? raw.models : undefined;
  if (typeof models !== 'object' || models === null || !('availableModels' in models) || !Array.isArray(models.availableModels)) return undefined;
  const values = (models.availableModels as readonly unknown[]).flatMap((m) => (typeof m === 'object' && m !== null && 'modelId' in m && typeof m.modelId === 'string' ? [m.modelId] : []));
  return { values, set: (modelId) => agent.request<unknown>('session/set_model', { sessionId, modelId }) };
}

function configChoice(agent: ClientContext, o: { readonly sessionId: string; readonly category: string; readonly options: readonly SessionConfigOption[] }): Choice | undefined {
  const option = o.options.find(({ category }) => category === o.category);
  if (option?.type !== 'select') return undefined;
  const values = option.options.flatMap((entry) => ('options' in entry ? entry.options.map(({ value }) => value) : [entry.value]));
  return { values, set: (value) => agent.request('session/set_config_option', { sessionId: o.sessionId, configId: option.id, value }) };
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.slice(0, 12).join(', ');
}
