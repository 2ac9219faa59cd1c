// Holds what is asked and what is answered against GitHub's published OpenAPI description (openapi.json, made by scripts/openapi.mjs).
// Knows no state: it says which operation a request is, and what is wrong with it or with the answer.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';

/** A JSON object of which nothing is known. */
export type Json = { readonly [key: string]: unknown };

/** A request that the description knows. */
export interface Operation {
  /** Like `pulls/merge`. */
  readonly id: string;
  /** The path as it was asked for. */
  readonly asked: string;
  /** Path parameters by name. */
  readonly path: Readonly<Record<string, string>>;
  /** Query parameters with their defaults, converted to their types. */
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: Json;
  /** Each thing the description does not allow in it. */
  readonly problems: readonly string[];
}

/** What of a request is held against the description. */
export interface Asked {
  readonly method: string;
  /** Without the base and without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** The parsed body; undefined: there is none. */
  readonly body: unknown;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: Json;
}

interface Described {
  readonly operationId: string;
  readonly parameters?: readonly Json[];
  readonly requestBody?: { readonly required?: boolean; readonly content: { readonly 'application/json'?: { readonly schema: Json } } };
  readonly responses: Readonly<Record<string, Json>>;
}

interface Route {
  readonly method: string;
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly parameters: readonly Parameter[];
  readonly operation: Described;
}

interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, Json>>>>;
}

const SCHEMA = 'https://schemas.example/github';

/** Statuses that any operation may answer with; the description names them only here and there. */
const ALWAYS = new Set([401, 403, 404, 500, 502, 503]);

/** What GitHub answers and does not say. */
const UNSAID: Readonly<Record<string, number>> = { 'checks/list-for-ref': 422, 'repos/get-combined-status-for-ref': 422, 'pulls/create-reply-for-review-comment': 422 };

const described = JSON.parse(readFileSync(join(import.meta.dirname, 'openapi.json'), 'utf8')) as Description;
// Each schema is used a few times only: compiling it takes longer than checking with it.
const ajv = new Ajv({ strict: false, validateFormats: false, inlineRefs: false, code: { optimize: false } });
ajv.addSchema({ $id: SCHEMA, components: jsonSchemaOf(described.components) as Json });
const compiled = new Map<string, ValidateFunction>();
const routes: readonly Route[] = Object.entries(described.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({
  method: method.toUpperCase(),
  names: [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? ''),
  // Branches and refs may hold slashes.
  pattern: new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{(\w+)\}/g, (_, name: string) => (name === 'branch' ? '((?!.+/protection\\b|.+/rename$).+)' : name === 'ref' ? '(.+)' : '([^/]+)'))}$`),
  parameters: (operation.parameters ?? []).map((parameter) => (resolve(parameter) as unknown as Parameter)),
  operation,
})));

/** The operation a request is, with everything that is wrong in it; undefined: the description has no such method and path. */
export function operationOf(asked: Asked): Operation | undefined {
  for (const route of routes) {
    const match = route.method === asked.method ? route.pattern.exec(asked.path) : null;
    if (match === null) continue;
    const path = Object.fromEntries(route.names.map((name, i) => [name, decodeURIComponent(match[i + 1] ?? '')]));
    const query = queryOf(route, asked.query);
    const body = asked.body ?? {};
    return {
      id: route.operation.operationId, asked: asked.path, path, query: query.values, body: isObject(body) ? body : {},
      problems: [...pathProblems(route, path), ...query.problems, ...bodyProblems(route, asked.body)],
    };
  }
  return undefined;
}

/** The id of the operation that a method and an address are; `graphql` and `log` for what the description does not know. */
export function operationIdOf(method: string, address: string): string | undefined {
  const path = address.replace(/\?.*$/s, '');
  if (path === '/graphql') return 'graphql';
  return path.startsWith('/logs/') ? 'log' : routes.find((route) => route.method === method && route.pattern.test(path))?.operation.operationId;
}

/** What is wrong with an answer to `operation` (its id): a status that is not documented, or a body that does not fit. */
export function answerProblems(operation: string, status: number, body: unknown): readonly string[] {
  const route = routes.find(({ operation: { operationId } }) => operationId === operation);
  const response = route?.operation.responses[String(status)];
  const schema = response === undefined ? undefined : schemaOf(resolve(response));
  if (response === undefined && !ALWAYS.has(status) && UNSAID[operation] !== status) return [`${operation} answers ${status}, which is not documented`];
  if (schema === undefined) return status >= 400 ? check({ $ref: '#/components/schemas/basic-error' }, body) : [];
  return check(schema, body).map((problem) => `${operation} answers ${status}: ${problem}`);
}

/** A value that fits `#/components/schemas/<name>`: what is known, and for each further property that must be there something neutral. */
export function filled(name: string, known: Json): Json {
  return fill(resolve({ $ref: `#/components/schemas/${name}` }), known, '');
}

function fill(schema: Json, known: Json, at: string): Json {
  const properties = (schema['properties'] ?? {}) as Readonly<Record<string, Json>>;
  const missing = ((schema['required'] ?? []) as readonly string[]).filter((key) => !(key in known));
  return { ...Object.fromEntries(missing.map((key) => [key, neutral(resolve(properties[key] ?? {}), `${at}.${key}`)])), ...known };
}

/** Nothing, as a value of this schema; texts say that this part is not modelled, so that nobody takes them for data. */
function neutral(schema: Json, at: string): unknown {
  if (schema['nullable'] === true) return null;
  const first = (((schema['enum'] ?? schema['oneOf'] ?? schema['anyOf']) as readonly unknown[] | undefined) ?? [])[0];
  if (first !== undefined) return isObject(first) ? neutral(resolve(first), at) : first;
  switch (schema['type']) {
    case 'integer': case 'number': return 0;
    case 'boolean': return false;
    case 'array': return [];
    case 'string': return schema['format'] === 'uri' ? `https://unmodelled.example/${at}` : schema['format'] === 'date-time' ? '2020-01-01T00:00:00Z' : `unmodelled${at}`;
    default: return fill(schema, {}, at);
  }
}

function queryOf(route: Route, given: URLSearchParams): { readonly values: Record<string, unknown>; readonly problems: readonly string[] } {
  const known = route.parameters.filter((parameter) => parameter.in === 'query');
  const problems = [...new Set(given.keys())].filter((name) => !known.some((parameter) => parameter.name === name)).map((name) => `unknown query parameter ${name}`);
  const values: Record<string, unknown> = {};
  for (const { name, required, schema } of known) {
    const text = given.get(name);
    if (text === null && required === true) problems.push(`query parameter ${name} is missing`);
    const whole = resolve(schema);
    values[name] = text === null ? whole['default'] : converted(text, whole);
    if (text !== null) problems.push(...check(schema, values[name]).map((problem) => `query parameter ${name}: ${problem}`));
  }
  return { values, problems };
}

function pathProblems(route: Route, path: Readonly<Record<string, string>>): readonly string[] {
  return route.parameters.filter((parameter) => parameter.in === 'path')
    .flatMap(({ name, schema }) => check(schema, converted(path[name] ?? '', resolve(schema))).map((problem) => `path parameter ${name}: ${problem}`));
}

function bodyProblems(route: Route, body: unknown): readonly string[] {
  const wanted = route.operation.requestBody;
  const schema = wanted?.content['application/json']?.schema;
  if (schema === undefined) return body === undefined || (isObject(body) && Object.keys(body).length === 0) ? [] : ['has a body, and takes none'];
  if (body === undefined) return wanted?.required === true ? ['has no body'] : [];
  const alternatives = [schema, ...((schema['oneOf'] ?? schema['anyOf'] ?? []) as readonly Json[])].map(resolve);
  const names = new Set(alternatives.flatMap((one) => Object.keys((one['properties'] ?? {}) as Json)));
  const unknown = isObject(body) ? Object.keys(body).filter((key) => !names.has(key)).map((key) => `unknown property ${key} in the body`) : [];
  return [...unknown, ...check(schema, body).map((problem) => `body: ${problem}`)];
}

function converted(text: string, schema: Json): unknown {
  if (schema['type'] === 'integer') return /^-?\d+$/.test(text) ? Number(text) : text;
  if (schema['type'] === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  return text;
}

function check(schema: Json, value: unknown): readonly string[] {
  const key = JSON.stringify(schema);
  const validate = compiled.get(key) ?? ajv.compile(jsonSchemaOf(schema) as Json);
  compiled.set(key, validate);
  return validate(value) === true ? [] : [ajv.errorsText(validate.errors, { dataVar: 'it' })];
}

/** OpenAPI 3.0 as JSON Schema: `nullable` is another way to be right, and refs point into the one schema that is known. */
function jsonSchemaOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(jsonSchemaOf);
  if (!isObject(value)) return value;
  const { nullable, discriminator: _, ...others } = value;
  const inner: Json = Object.fromEntries(Object.entries(others).map(([key, part]) => [key, key === '$ref' && typeof part === 'string' ? `${SCHEMA}${part}` : jsonSchemaOf(part)]));
  return nullable === true ? { anyOf: [{ type: 'null' }, inner] } : inner;
}

function resolve(value: Json): Json {
  const ref = value['$ref'];
  if (typeof ref !== 'string') return value;
  const [, , kind = '', name = ''] = ref.split('/');
  const found = described.components[kind]?.[name];
  if (found === undefined) throw new Error(`${ref} is not in the description`);
  return resolve(found);
}

function schemaOf(response: Json): Json | undefined {
  const content = response['content'] as Readonly<Record<string, { readonly schema: Json }>> | undefined;
  return content?.['application/json']?.schema;
}

/** Whether something is a JSON object. */
export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
