// The table of docs/agents.md is the one that the recorded results make.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { recordedResults, withTable } from '../../agents/matrix.ts';
import { ROW_NAMES } from '../../agents/row-names.ts';

const document = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'agents.md'), 'utf8');

it('is in the document as the results of the whole tests make it: CHOO_RECORD_MATRIX=1 npm run test:agents', () => {
  expect(document).toBe(withTable(document, recordedResults()));
});

it('has every agent that is tried, and no other', () => {
  expect(Object.keys(recordedResults()).toSorted()).toEqual([...ROW_NAMES].toSorted());
});
