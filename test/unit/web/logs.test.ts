// The stream of a log to a reader that never reads: little waits for it, it is cut, and the log is let go.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { systemClock } from '../../../src/adapters/clock.ts';
import { LogStreams } from '../../../src/web/logs.ts';

it('a reader that takes nothing has little waiting for it and is cut at the second heartbeat', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'choo-test-'));
  const path = join(folder, 'a.log');
  writeFileSync(path, 'a line of the log\n'.repeat(2_000_000));
  const streams = new LogStreams(systemClock());
  const followers = new Set<() => void>();
  const feed = { closed: false, mayGoOn: () => true, eventsOf: () => [], subscribe: (then: () => void) => { followers.add(then); return () => followers.delete(then); } };
  const served: Promise<void>[] = [];
  const responses: ServerResponse[] = [];
  const server = createServer((_, response) => {
    responses.push(response);
    served.push(streams.serve({ path, translate: undefined, feed, unit: 'a', seq: 1, after: { at: 0 } }, response));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const slow = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
  slow.pause();
  slow.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(server, 'request');
  let most = 0;
  // Whoever reads gets it all before a heartbeat comes; these come as fast as they can.
  for (let n = 0; n < 1_000_000 && responses[0]?.destroyed === false; n++) {
    most = Math.max(most, responses[0].writableLength);
    if (n % 1000 === 999) streams.beat();
    await new Promise((resolve) => { setImmediate(resolve); });
  }
  await served[0];
  expect(responses[0]?.destroyed).toBe(true);
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThan(128 * 1024);
  expect(followers.size).toBe(0);
  slow.destroy();
  server.close();
  await once(server, 'close');
  rmSync(folder, { recursive: true });
});
