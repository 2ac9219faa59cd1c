// An agent that speaks the Agent Client Protocol as told by its first argument: well, badly or not at all. No SDK: what a
// stranger's program sends is what the test is about.

import { createInterface } from 'node:readline';

const [how] = process.argv.slice(2);
const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const update = (content) => send({ method: 'session/update', params: { sessionId: 's1', update: content } });
const modes = { currentModeId: 'plan', availableModes: [{ id: 'plan', name: 'Plan' }, { id: how === 'strange-modes' ? 'odd' : 'acceptEdits', name: 'Work' }] };

const ANSWERS = {
  initialize: () => ({ result: { protocolVersion: how === 'old' ? 0 : 1, agentCapabilities: {}, authMethods: [{ id: 'key', name: 'Key' }] } }),
  'session/new': () => (how === 'login' ? { error: { code: -32000, message: 'Authentication required' } } : { result: { sessionId: 's1', modes } }),
  'session/set_mode': () => ({ result: {} }),
};

/** Asks to be allowed an edit of the path that stands in the prompt. */
function askFor(path) {
  const options = [{ optionId: 'yes', name: 'Yes', kind: 'allow_once' }, { optionId: 'ever', name: 'Ever', kind: 'allow_always' }, { optionId: 'no', name: 'No', kind: 'reject_once' }];
  send({ id: 'ask', method: 'session/request_permission', params: { sessionId: 's1', options, toolCall: { toolCallId: 't1', title: `edit ${path}`, kind: 'edit', locations: [{ path }] } } });
}

let prompt;
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params, result } = JSON.parse(line);
  if (id === 'ask') {
    update({ sessionUpdate: 'agent_message_chunk', content: { type: 'text', text: `answer: ${result.outcome.optionId}` } });
    send({ id: prompt, result: { stopReason: 'end_turn' } });
    return;
  }
  if (method === 'session/cancel') {
    send({ id: prompt, result: { stopReason: 'cancelled' } });
    return;
  }
  if (method !== 'session/prompt') {
    const answer = ANSWERS[method];
    if (answer !== undefined) send({ id, ...answer(params) });
    return;
  }
  prompt = id;
  if (how === 'dies') process.exit(7);
  if (how === 'waits') return;
  if (how === 'babbles') {
    process.stdout.write('Loading…\n[1,2]\n\u0000\n{"jsonrpc":"2.0","id":99,"result":7}\n{"jsonrpc":"2.0","method":"from/the/future","params":[]}\n');
    send({ id: 'x', method: 'fs/read_text_file', params: { sessionId: 's1', path: '/etc/passwd' } });
    update({ sessionUpdate: 'from_the_future', more: 'x'.repeat(1024 * 1024) });
    send({ id, result: { stopReason: 'end_turn' } });
    return;
  }
  askFor(params.prompt[0].text);
});
