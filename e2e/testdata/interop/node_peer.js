// Node's ws and undici. Run as peer.py says, with "ws" or "undici" in front; undici is a client only and has
// no settings.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket as Undici } from 'undici';
import { WebSocket, WebSocketServer } from 'ws';

const [kind, role, ...rest] = process.argv.slice(2);

function options(params) {
  if (params === 'off') return { perMessageDeflate: false, maxPayload: 0 };
  return {
    maxPayload: 0,
    perMessageDeflate: {
      threshold: 0,
      serverNoContextTakeover: params.server_no_context_takeover,
      clientNoContextTakeover: params.client_no_context_takeover,
      serverMaxWindowBits: params.server_max_window_bits,
      clientMaxWindowBits: params.client_max_window_bits,
    },
  };
}

function* messages(number) {
  const sizes = [0, 1];
  while (sizes.length < 8) sizes.push(Math.floor(2 ** (17 * Math.random())));
  if (number % 20 === 1) sizes.push(16 << 20);
  for (const size of sizes) {
    yield Math.random() < 0.5 ? randomBytes(size) : '明白 is said again.\n'.repeat(size / 24 + 1).slice(0, size / 2);
  }
}

function fail(number, why) {
  console.error(`connection ${number}: ${why}`);
  process.exit(1);
}

async function client(url, sets) {
  for (const [number, params] of sets.entries()) {
    const ws = kind === 'ws' ? new WebSocket(url, options(params)) : new Undici(url);
    ws.binaryType = 'arraybuffer';
    let arrived = () => {};
    const queue = [];
    ws.onmessage = (event) => (queue.push(event.data), arrived());
    ws.onerror = (event) => fail(number, event.message ?? event.error);
    await new Promise((resolve) => (ws.onopen = resolve));
    ws.onclose = (event) => fail(number, `closed with ${event.code}`);
    for (const message of messages(number)) {
      ws.send(message);
      if (queue.length === 0) await new Promise((resolve) => (arrived = resolve));
      const got = queue.shift();
      const same = typeof message === 'string' ? got === message : message.equals(Buffer.from(got));
      if (!same) fail(number, `a message of ${message.length} came back as ${got.length ?? got.byteLength}`);
    }
    const ended = new Promise((resolve) => (ws.onclose = resolve));
    ws.close(1000);
    const { code } = await ended;
    if (code !== 1000) fail(number, `ended with ${code}`);
    console.log('answer', ws.extensions);
  }
}

async function serve(sets) {
  for (const params of sets) {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options(params) });
    server.on('connection', (ws) => ws.on('message', (data, binary) => ws.send(data, { binary })));
    await once(server, 'listening');
    console.log('port', server.address().port);
  }
}

if (role === 'client') await client(rest[0], JSON.parse(rest[1]));
else await serve(JSON.parse(rest[0]));
