// An assistant of a test: the SDK's own client on a server that was started as a user configures it. Decides nothing by itself.

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { CallToolResultSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import type { Tool } from '@modelcontextprotocol/sdk/types.js';
import { execPath } from 'node:process';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Bed } from './bed.ts';

const program = join(import.meta.dirname, '..', '..', 'bin', 'choo');

/** What a call gave: `data` by its schema, the notes beside it; of an error its texts. */
export interface Given {
  readonly error: boolean;
  readonly texts: readonly string[];
  readonly data: Readonly<Record<string, unknown>>;
}

/** One that is connected. */
export class Assistant {
  readonly #client: Client;
  readonly #transport: StdioClientTransport;
  /** What its person was asked. */
  readonly questions: string[] = [];
  #errors = '';

  private constructor(client: Client, transport: StdioClientTransport) {
    this.#client = client;
    this.#transport = transport;
  }

  /** Starts `choo mcp` with these flags. `person`: what the person at the client does with a question; without it there is none to ask. */
  static async open(bed: Bed, flags: readonly string[] = [], o: { readonly person?: (question: string) => 'yes' | 'no' | 'cancel'; readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {}): Promise<Assistant> {
    const client = new Client({ name: 'test', version: '1' }, { capabilities: o.person === undefined ? {} : { elicitation: {} } });
    const transport = new StdioClientTransport({
      command: execPath, args: [program, 'mcp', ...flags], cwd: o.cwd ?? bed.root, stderr: 'pipe',
      env: { ...bed.env, XDG_STATE_HOME: bed.state, TMPDIR: join(bed.base, 'temporary'), RIG_BED: bed.base, ...o.env },
    });
    const made = new Assistant(client, transport);
    transport.stderr?.on('data', (text: Buffer) => { made.#errors += String(text); });
    const { person } = o;
    if (person !== undefined) {
      client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
        made.questions.push(params.message);
        const answer = person(params.message);
        return answer === 'cancel' ? { action: 'cancel' as const } : { action: 'accept' as const, content: { approve: answer === 'yes' } };
      });
    }
    await client.connect(transport);
    return made;
  }

  /** What the server printed for people. */
  get stderr(): string {
    return this.#errors;
  }

  get pid(): number {
    return this.#transport.pid ?? 0;
  }

  instructions(): string {
    return this.#client.getInstructions() ?? '';
  }

  async tools(): Promise<readonly Tool[]> {
    return (await this.#client.listTools()).tools;
  }

  async call(name: string, args: Readonly<Record<string, unknown>> = {}): Promise<Given> {
    const result = await this.#client.callTool({ name, arguments: args }, CallToolResultSchema);
    const texts = (result.content as readonly { readonly text?: string }[]).map(({ text }) => text ?? '');
    return { error: result.isError === true, texts, data: (result.structuredContent ?? {}) as Record<string, unknown> };
  }

  /** Goes away as clients do: closes stdin and waits for the server to end. */
  close(): Promise<void> {
    return this.#client.close();
  }
}

/** Expects an error that says this, without a stack. */
export function expectRefused(given: Given, says: RegExp): void {
  expect(given.texts.join('\n')).toMatch(says);
  expect(given.error).toBe(true);
  expect(given.texts.join('\n')).not.toMatch(/^\s+at .*:\d+/m);
}
