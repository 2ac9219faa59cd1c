// The names of the conventions as the conventions' own package has them, and whom an agent most likely asks.

import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import { describe, expect, it } from 'vitest';
import { METRICS } from '../../../src/telemetry/measure.ts';
import { ATTR, INVOKE_AGENT, providerOf, SCHEMA_URL } from '../../../src/telemetry/names.ts';

const values = new Set<unknown>(Object.values(conventions));

describe('the names of the conventions', () => {
  it('are those of the conventions', () => {
    expect(Object.values(ATTR).filter((name) => !values.has(name))).toEqual([]);
    expect(Object.keys(METRICS).filter((name) => name.startsWith('gen_ai.') && !values.has(name))).toEqual([]);
    expect(values.has(INVOKE_AGENT)).toBe(true);
    expect(SCHEMA_URL).toMatch(/\/1\.\d+\.\d+$/);
  });

  it.each([
    [{ agent: 'claude' }, 'anthropic'], [{ agent: 'codex' }, 'openai'], [{ agent: 'gemini' }, 'gcp.gemini'], [{ agent: 'opencode' }, 'opencode'],
    [{ agent: 'opencode', model: 'anthropic/claude-opus' }, 'anthropic'], [{ agent: 'copilot', model: 'gpt-5' }, 'openai'], [{ agent: 'mine', model: 'openai/o3' }, 'openai'], [{ agent: 'mine', model: 'local' }, 'mine'],
  ])('%j asks %s', (who, provider) => {
    expect(providerOf(who)).toBe(provider);
  });
});
