// Pages of GraphQL: cursors, sizes and what is before and after, and the errors GitHub types. Knows nothing of what is on them.

import { createHash } from 'node:crypto';
import { GraphQLError } from 'graphql';
import type { Json } from './description.ts';

/** What every connection takes. */
export interface PageArgs {
  readonly first?: number | null;
  readonly last?: number | null;
  readonly after?: string | null;
  readonly before?: string | null;
}

/** An error of GraphQL with the type that GitHub gives it. */
export class GraphRefusal extends GraphQLError {
  readonly type: string;
  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

/** A connection over `items`. A cursor stands for an item, so that items that come between move nothing. */
export function connection<T>(call: { readonly pageCap: number }, args: PageArgs, o: { readonly items: readonly T[]; readonly idOf: (item: T) => string; readonly as: (item: T) => unknown }): Json {
  const cursors = o.items.map((item) => cursorOf(o.idOf(item)));
  const at = (cursor: string): number => {
    const found = cursors.indexOf(cursor);
    if (found === -1) throw new GraphRefusal('INVALID_CURSOR_ARGUMENTS', `\`${cursor}\` does not appear to be a valid cursor.`);
    return found;
  };
  let from = typeof args.after === 'string' ? at(args.after) + 1 : 0;
  let to = typeof args.before === 'string' ? at(args.before) : o.items.length;
  if (typeof args.first === 'number') to = Math.min(to, from + Math.min(args.first, call.pageCap));
  else if (typeof args.last === 'number') from = Math.max(from, to - Math.min(args.last, call.pageCap));
  const items = o.items.slice(from, to);
  return {
    totalCount: o.items.length,
    nodes: () => items.map(o.as),
    edges: () => items.map((item, i) => ({ cursor: cursors[from + i], node: () => o.as(item) })),
    pageInfo: { __typename: 'PageInfo', hasNextPage: to < o.items.length, hasPreviousPage: from > 0, startCursor: cursors[from] !== undefined && items.length > 0 ? cursors[from] : null, endCursor: items.length > 0 ? cursors[to - 1] : null },
  };
}

function cursorOf(id: string): string {
  return Buffer.from(`cursor:v2:${createHash('sha256').update(id).digest('base64url').slice(0, 12)}`).toString('base64');
}
