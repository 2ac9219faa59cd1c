// Executes GraphQL against GitHub's published schema: validation, GitHub's own limits and forms of errors. What can be asked
// is in graphql-objects.ts and graphql-mutations.ts; a field that they do not have fails loudly.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildASTSchema, execute, GraphQLError, Kind, parse, validate, type DocumentNode, type GraphQLFieldResolver, type GraphQLSchema, type SelectionSetNode } from 'graphql';
import { isObject, type Json } from './description.ts';
import { mutationsOf } from './graphql-mutations.ts';
import { nodeOf, repositoryOf, viewerOf, type GraphCall } from './graphql-objects.ts';
import { GraphRefusal } from './graphql-pages.ts';

const MOST_NODES = 500_000;
const MOST_OF_A_PAGE = 100;

let built: GraphQLSchema | undefined;

function schema(): GraphQLSchema {
  if (built === undefined) {
    const at = join(dirname(fileURLToPath(import.meta.resolve('@octokit/graphql-schema'))), 'schema.graphql');
    built = buildASTSchema(parse(readFileSync(at, 'utf8'), { noLocation: true }), { assumeValid: true, assumeValidSDL: true });
  }
  return built;
}

/** Answers a body of `/graphql`; GitHub says 200 to nearly everything. */
export async function answerGraph(call: GraphCall, body: Json): Promise<{ readonly status: number; readonly body: Json }> {
  const { query, variables } = body;
  const odd = Object.keys(body).filter((key) => !['query', 'variables', 'operationName'].includes(key));
  if (odd.length > 0) call.violated(`unknown property ${odd.join(', ')} in the body of /graphql`);
  if (typeof query !== 'string' || query === '') return { status: 400, body: { message: 'A query attribute must be specified and must be a string.', documentation_url: 'https://docs.github.com/graphql' } };
  const values = isObject(variables) ? variables : {};
  let document: DocumentNode;
  try {
    document = parse(query);
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    return refused(call, [error]);
  }
  const wrong = validate(schema(), document);
  if (wrong.length > 0) return refused(call, wrong);
  const tooMuch = pagingErrors(document, values);
  if (tooMuch.length > 0) return refused(call, tooMuch);
  const done = await execute({
    schema: schema(), document, variableValues: values, rootValue: rootOf(call), contextValue: call, fieldResolver: resolver(), ...(typeof body['operationName'] === 'string' ? { operationName: body['operationName'] } : {}),
  });
  const errors = done.errors ?? [];
  for (const error of errors) if (!(error.originalError instanceof GraphRefusal) && !(error instanceof GraphRefusal)) call.violated(`GraphQL: ${error.message}`);
  return { status: 200, body: { ...(done.data === undefined ? {} : { data: done.data }), ...(errors.length === 0 ? {} : { errors: errors.map(errorJson) }) } };
}

function refused(call: GraphCall, errors: readonly GraphQLError[]): { readonly status: number; readonly body: Json } {
  for (const { message } of errors) call.violated(`GraphQL: ${message}`);
  return { status: 200, body: { errors: errors.map(errorJson) } };
}

function errorJson(error: GraphQLError): Json {
  const { originalError } = error;
  const type = originalError instanceof GraphRefusal ? originalError.type : error instanceof GraphRefusal ? error.type : undefined;
  return { ...(type === undefined ? {} : { type }), ...(error.path === undefined ? {} : { path: error.path }), ...(error.locations === undefined ? {} : { locations: error.locations }), message: error.message };
}

function rootOf(call: GraphCall): Json {
  return {
    repository: ({ owner, name }: { owner: string; name: string }) => {
      const repository = repositoryOf(call, owner, name);
      if (repository === undefined) throw new GraphRefusal('NOT_FOUND', `Could not resolve to a Repository with the name '${owner}/${name}'.`);
      return repository;
    },
    node: ({ id }: { id: string }) => {
      const node = nodeOf(call, id);
      if (node === undefined) throw new GraphRefusal('NOT_FOUND', `Could not resolve to a node with the global id of '${id}'`);
      return node;
    },
    viewer: () => viewerOf(call),
    ...mutationsOf(call),
  };
}

/** Like the default one, but a field that is not there is an error and not null. */
function resolver(): GraphQLFieldResolver<unknown, GraphCall> {
  return (source, args: unknown, ...[context, info]) => {
    if (!isObject(source) || !(info.fieldName in source)) {
      throw new Error(`${info.parentType.name}.${info.fieldName} is not served here`);
    }
    const value = source[info.fieldName];
    return typeof value === 'function' ? (value as (args: unknown, context: GraphCall) => unknown)(args, context) : value;
  };
}

/** Connections without `first` or `last`, too big ones, and more nodes than GitHub gives at once. */
function pagingErrors(document: DocumentNode, variables: Json): readonly GraphQLError[] {
  const errors: GraphQLError[] = [];
  const fragments = new Map(document.definitions.flatMap((definition) => (definition.kind === Kind.FRAGMENT_DEFINITION ? [[definition.name.value, definition.selectionSet] as const] : [])));
  let nodes = 0;
  const walk = (set: SelectionSetNode, times: number): void => {
    for (const selection of set.selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        const fragment = fragments.get(selection.name.value);
        if (fragment !== undefined) walk(fragment, times);
        continue;
      }
      if (selection.selectionSet === undefined) continue;
      let inner = times;
      if (selection.kind === Kind.FIELD && isConnection(selection.selectionSet)) {
        const size = sizeOf(selection.arguments ?? [], variables);
        const name = selection.name.value;
        if (size === undefined) errors.push(new GraphRefusal('MISSING_PAGINATION_BOUNDARIES', `You must provide a \`first\` or \`last\` value to properly paginate the \`${name}\` connection.`));
        else if (size > MOST_OF_A_PAGE) errors.push(new GraphRefusal('EXCESSIVE_PAGINATION', `Requesting ${size} records on the \`${name}\` connection exceeds the \`first\` limit of ${MOST_OF_A_PAGE} records.`));
        inner = times * (size ?? 1);
        nodes += inner;
      }
      walk(selection.selectionSet, inner);
    }
  };
  for (const definition of document.definitions) if (definition.kind === Kind.OPERATION_DEFINITION) walk(definition.selectionSet, 1);
  if (nodes > MOST_NODES) errors.push(new GraphRefusal('MAX_NODE_LIMIT_EXCEEDED', `This query requests up to ${nodes} possible nodes which exceeds the maximum limit of ${MOST_NODES}.`));
  return errors;
}

/** Connections are what nodes or edges are taken from. */
function isConnection(set: SelectionSetNode): boolean {
  return set.selections.some((selection) => selection.kind === Kind.FIELD && (selection.name.value === 'nodes' || selection.name.value === 'edges'));
}

function sizeOf(args: readonly { readonly name: { readonly value: string }; readonly value: { readonly kind: string } }[], variables: Json): number | undefined {
  const given = args.find(({ name }) => name.value === 'first' || name.value === 'last')?.value;
  if (given === undefined) return undefined;
  if (given.kind === Kind.INT) return Number((given as unknown as { value: string }).value);
  const value = given.kind === Kind.VARIABLE ? variables[(given as unknown as { name: { value: string } }).name.value] : undefined;
  return typeof value === 'number' ? value : undefined;
}
