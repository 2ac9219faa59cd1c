// What a tool is: a name, a strict schema of what it takes, and a function. Knows no protocol.

import { z } from 'zod';
import type { Permission } from './permissions.ts';

/** Where the tools look, and who is at the other end. */
export interface Place {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Puts a yes-or-no question to the person at the client; undefined when the client cannot. */
  readonly askPerson: ((question: string, signal: AbortSignal) => Promise<boolean>) | undefined;
}

/** What a call is given: the place, and when nobody waits for it any more. */
export interface Call {
  readonly place: Place;
  readonly signal: AbortSignal;
}

/** What a tool gives back: data that fits its schema, and what the assistant should know of it beside. */
export interface Answer {
  readonly data: unknown;
  readonly notes?: readonly string[];
  /** Names of lists in `data` that the tool has bounded itself. */
  readonly whole?: readonly string[];
}

/** What a tool does to the world, as clients ask their users by it. */
export interface Hints {
  readonly readOnlyHint: boolean;
  readonly destructiveHint: boolean;
  readonly idempotentHint: boolean;
  readonly openWorldHint: boolean;
}

/** One tool. */
export interface Tool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** JSON Schema of what it takes. */
  readonly input: Readonly<Record<string, unknown>>;
  /** Name of the published schema of what it gives back (`schema/NAME.schema.json`), or the JSON Schema itself. */
  readonly output: string | Readonly<Record<string, unknown>>;
  readonly hints: Hints;
  /** Absent: it only looks, and is always there. */
  readonly needs?: Permission;
  /** Checks the arguments and calls it. Throws a WrongArguments. */
  readonly call: (args: unknown, call: Call) => Promise<Answer>;
}

/** Arguments that do not fit; the message says which and why. */
export class WrongArguments extends Error {
  override name = 'WrongArguments';
}

/** Hints of what only looks. */
export const LOOKS: Hints = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false };

/** A unit's id, as an argument. */
export const UNIT = z.string().min(1).max(200).describe('id of a unit');

/** Makes a tool whose function gets arguments that fit the schema. */
export function tool<S extends z.ZodObject>(o: Omit<Tool, 'input' | 'call' | 'output'> & {
  readonly input: S; readonly output: string | z.ZodObject; readonly call: (args: z.infer<S>, call: Call) => Promise<Answer>;
}): Tool {
  const { input, output, call, ...rest } = o;
  return {
    ...rest,
    input: schemaOf(input, 'input'),
    output: typeof output === 'string' ? output : schemaOf(output, 'output'),
    call: async (args, made) => {
      const parsed = input.safeParse(args ?? {});
      if (!parsed.success) throw new WrongArguments(z.prettifyError(parsed.error));
      return call(parsed.data, made);
    },
  };
}

function schemaOf(schema: z.ZodObject, io: 'input' | 'output'): Readonly<Record<string, unknown>> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}
