// `/metrics` of `choo web`, read by a parser that knows only the published format, against the events of the same run.

import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { DOES_IT, it } from '../rig/bed.ts';
import { readExposition } from '../rig/exposition.ts';
import type { Family } from '../rig/exposition.ts';
import { expectEnd } from '../rig/facts.ts';
import { fetchFrom, linkOf } from '../rig/page.ts';
import type { Link } from '../rig/page.ts';
import { at } from '../rig/spans.ts';

async function scraped(link: Link): Promise<ReadonlyMap<string, Family>> {
  const answer = await fetchFrom(link, '/metrics');
  expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } });
  return readExposition(answer.text);
}

/** The sum of the samples that have these labels. */
function of(page: ReadonlyMap<string, Family>, name: string, labels: Readonly<Record<string, string>> = {}): number {
  const samples = [...page.values()].flatMap((family) => family.samples).filter((sample) => sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value));
  return samples.reduce((sum, { value }) => sum + value, 0);
}

/** Claude Code, played: 900 tokens in, 100 more from a cache, 40 out; its first attempt at the task of `b` does nothing. */
const AGENT = `#!/bin/sh
[ "$1" = --version ] && { echo '2.1.330 (Claude Code)'; exit 0; }
read -r line
if [ "$CHOO_UNIT" != b ] || [ "$CHOO_ATTEMPT" != 1 ]; then ${DOES_IT}; fi
echo '${JSON.stringify({ type: 'assistant', message: { id: 'm1', role: 'assistant', model: 'claude-test', content: [{ type: 'text', text: 'done' }], usage: { input_tokens: 900, output_tokens: 40, cache_read_input_tokens: 100 } } })}'
echo '${JSON.stringify({ type: 'result', subtype: 'success', is_error: false, num_turns: 2, result: 'Done.', session_id: 's', total_cost_usd: 0.25, usage: { input_tokens: 900, output_tokens: 40, cache_read_input_tokens: 100 } })}'
`;

describe('/metrics', () => {
  it('follows the newest run from before its first event to its end, adds up to its events, and names no unit', async ({ bed }) => {
    bed.write('../claude', `${AGENT}[ "$CHOO_UNIT" != held ] || (${bed.hand.check('work')}) >&2\n`);
    bed.specs({ a: { tasks: 2 }, b: {}, held: { dependsOn: ['a', 'b'] } }, { provider: { type: 'claude', providers: { claude: { command: `${bed.base}/claude` } } }, agents: { claude: { model: 'claude-test' } }, budget: { run: '20 USD', attempt: '2 USD' } });
    chmodSync(join(bed.base, 'claude'), 0o755);
    const server = bed.start(['web', '--port', '0']);
    const link = await linkOf(server);
    expect([...(await scraped(link)).values()]).toMatchObject([{ name: 'choo_run_number', samples: [{ value: 0 }] }]);
    const run = bed.start(['run', '--json', '-p', '2']);
    const working = await bed.hand.next({ name: 'work' });
    const live = await scraped(link);
    expect([of(live, 'choo_run_live', { run: '1' }), of(live, 'choo_run_units', { state: 'landed' }), of(live, 'choo_run_units', { state: 'running' })]).toEqual([1, 2, 1]);
    await working.exit(0);
    const ended = await run.ended;
    expectEnd(ended, 0);
    const page = await scraped(link);
    const attempts = ended.events.filter((e) => e.type === 'task.started' || e.type === 'task.retry').length;
    expect(attempts).toBe(5);
    expect([of(page, 'choo_attempts_total'), of(page, 'choo_attempts_total', { error_type: 'check-failed' }), of(page, 'choo_units_total', { choo_result: 'landed' })]).toEqual([attempts, 1, 3]);
    expect([of(page, 'gen_ai_client_token_usage_sum', { gen_ai_token_type: 'input' }), of(page, 'gen_ai_client_token_usage_bucket', { gen_ai_token_type: 'input', le: '1024', gen_ai_request_model: 'claude-test' })]).toEqual([attempts * 1000, attempts]);
    expect(of(page, 'choo_agent_cost_total', { gen_ai_provider_name: 'anthropic' })).toBeCloseTo(attempts * 0.25);
    expect(of(page, 'choo_run_spent_usd')).toBeCloseTo(attempts * 0.25);
    const took = ended.events.flatMap((e) => (e.type === 'task.started' || e.type === 'task.retry' ? [at(ended.events.find((end) => end.seq > e.seq && end.type === 'task.attempted' && end.unit === e.unit)) - at(e)] : [])).reduce((sum, one) => sum + one, 0);
    expect(of(page, 'gen_ai_client_operation_duration_seconds_sum')).toBeCloseTo(took / 1000);
    const checks = ended.events.filter((e) => e.type === 'task.backpressure').length;
    expect(of(page, 'choo_check_duration_seconds_count', { choo_check_kind: 'task' })).toBe(checks);
    expect([of(page, 'choo_run_budget_usd'), of(page, 'choo_run_units', { state: 'landed' }), of(page, 'choo_run_closed')]).toEqual([20, 3, 1]);
    const all = [...page.values()].flatMap(({ samples }) => samples);
    expect(all.every(({ labels }) => labels['run'] === '1')).toBe(true);
    expect(all.flatMap(({ labels }) => Object.values(labels))).not.toEqual(expect.arrayContaining(['held']));
    // Asked twice, nothing is counted twice.
    expect(of(await scraped(link), 'choo_attempts_total')).toBe(attempts);
    const status = async (headers: Readonly<Record<string, string | undefined>>, method = 'GET'): Promise<number> => (await fetchFrom(link, '/metrics', { headers, method })).status;
    expect(await status({ authorization: undefined })).toBe(401);
    expect(await status({ authorization: 'Bearer wrong' })).toBe(401);
    expect(await status({ host: `evil.example:${link.port}` })).toBe(421);
    expect(await status({ origin: 'http://evil.example' })).toBe(403);
    expect(await status({ 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await status({ origin: `http://127.0.0.1:${link.port}` }, 'POST')).toBe(404);
    server.signal('SIGINT');
    expect((await server.ended).code).toBe(0);
  });
});
