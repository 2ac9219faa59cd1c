// What the scripted model does, and how one of the model protocols is plugged in. No agent is known here by name.

import type { IncomingHttpHeaders } from 'node:http';

/** What the model does when it is asked. */
export type Turn =
  /** Calls the agent's own tool for shell commands. */
  | { readonly do: 'run'; readonly command: string }
  /** Says something and ends its turn; to the agent that is the end of the work. */
  | { readonly do: 'say'; readonly text: string }
  /** Begins an answer after `ms`, then goes on as `then` says. */
  | { readonly do: 'slow'; readonly ms: number; readonly then: Turn }
  /** Refuses: the account's quota is used up, for so many seconds. Without a number the answer names no time. */
  | { readonly do: 'quota'; readonly resetSeconds?: number }
  /** Refuses: too busy. */
  | { readonly do: 'overload' }
  /** Refuses: the key is wrong. */
  | { readonly do: 'login' }
  /** Sends the first part of an answer and drops the connection. */
  | { readonly do: 'cut' }
  /** Takes the request and never answers; the connection stays open until the client or the server ends. */
  | { readonly do: 'hang' };

/** One request for an answer, as a protocol's file read it. */
export interface Asked {
  /** All texts of the system and of the user, in order, joined by newlines: what the scenario is chosen by. */
  readonly prompt: string;
  /** Results of tools given since the last text of the user: how far the scenario has come. */
  readonly results: readonly string[];
  /** Names of the tools that the agent offers. */
  readonly tools: readonly string[];
  readonly model: string;
  readonly stream: boolean;
}

/** Tokens that an answer claims to have used; the same in all protocols. */
export interface Spent {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

/** A request that the real interface would refuse: it is answered with this status and text in the protocol's own shape, and the test fails. */
export class BadRequest extends Error {
  override name = 'BadRequest';
}

/** An HTTP request with its body as JSON. */
export interface HttpRequest {
  readonly method: string;
  /** Path without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** An answer: written in `pieces`, one write each, so that streams are streams. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly pieces: readonly string[];
  /** The connection is dropped after the last piece instead of being ended. */
  readonly drop?: boolean;
}

/** One model interface. Pure: requests in, answers out. */
export interface Protocol {
  readonly name: 'anthropic' | 'responses' | 'chat' | 'gemini';
  /** True for requests of this interface, those that ask for an answer and those beside them (lists of models, counts of tokens). */
  mine(request: HttpRequest): boolean;
  /** What is asked; an answer, when it is not a request for the model. Throws BadRequest for what the real interface would refuse (missing key, wrong types, unknown fields it refuses, tool results without their call). */
  read(request: HttpRequest): Asked | HttpAnswer;
  /** Answers with what the model does; never called with `slow` or `hang`, which the server does itself. */
  answer(turn: Exclude<Turn, { do: 'slow' | 'hang' }>, o: { readonly asked: Asked; readonly request: HttpRequest; readonly spent: Spent }): HttpAnswer;
}
