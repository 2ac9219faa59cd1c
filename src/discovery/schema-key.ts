// What every key of `.choo.yaml` says of itself, for people and editors.

import type * as z from 'zod';

/** A key with what it does and the value it has when it is absent, as written in the file. */
export function key<T extends z.ZodType>(type: T, description: string, fallback?: unknown): z.ZodOptional<T> {
  return type.optional().meta({ description, ...(fallback === undefined ? {} : { default: fallback }) });
}
