// Streams of the dashboard: who does not read is cut and told to begin again, at a bound; others go on.

import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Clients, message } from '../../../src/web/clients.ts';

describe('a client that never reads', () => {
  it('has a bounded amount waiting, is cut, and finds at the end that it has to begin again', async () => {
    const clients = new Clients(256 * 1024);
    const streams: ServerResponse[] = [];
    const server = createServer((_, response) => {
      response.writeHead(200, { connection: 'close' });
      response.flushHeaders();
      streams.push(response);
      clients.add(response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const slow = connect((server.address() as AddressInfo).port, '127.0.0.1');
    slow.pause();
    slow.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(server, 'request');
    let most = 0;
    for (let n = 0; n < 100_000 && clients.size > 0; n++) {
      clients.tell(message('frame', { id: `1:${n}`, data: 'x'.repeat(16 * 1024) }));
      most = Math.max(most, streams[0]?.writableLength ?? 0);
    }
    expect(clients.size).toBe(0);
    expect(most).toBeLessThan(300 * 1024);
    let last = '';
    slow.on('data', (chunk: Buffer) => { last = (last + chunk.toString('latin1')).slice(-200); });
    slow.resume();
    await once(slow, 'end');
    expect(last).toContain('event: resync\ndata: {}\n\n');
    server.close();
  });

  it('is let go when it does not even take what was left for it', async () => {
    const clients = new Clients(1024);
    const server = createServer((_, response) => { clients.add(response); });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const slow = connect((server.address() as AddressInfo).port, '127.0.0.1');
    slow.pause();
    slow.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(server, 'request');
    while (clients.size > 0) clients.tell(message('frame', { id: '1:1', data: 'x'.repeat(16 * 1024 * 1024) }));
    clients.beat();
    expect(clients.size).toBe(0);
    server.close();
    await once(server, 'close');
  });
});
