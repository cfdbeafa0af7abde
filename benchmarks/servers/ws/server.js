// Node's ws as a server under test, in the manner of its README ("echo", "server broadcast").
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { parseArgs } from 'node:util';
import { WebSocket, WebSocketServer } from 'ws';

const { values: options } = parseArgs({
  options: {
    addr: { type: 'string', default: '127.0.0.1:0' },
    tls: { type: 'string' }, // file with the certificate and its key
    compress: { type: 'boolean', default: false },
  },
});

function createServer() {
  if (!options.tls) return http.createServer();
  const pem = fs.readFileSync(options.tls);
  return https.createServer({ cert: pem, key: pem });
}

function endpoint(onMessage) {
  const wss = new WebSocketServer({ noServer: true, perMessageDeflate: options.compress });
  wss.on('connection', (ws) => {
    ws.on('error', () => {});
    ws.on('message', (data, isBinary) => onMessage(wss, ws, data, isBinary));
  });
  return wss;
}

const endpoints = {
  '/echo': endpoint((wss, ws, data, binary) => ws.send(data, { binary })),
  '/broadcast': endpoint((wss, ws, data, binary) => {
    wss.clients.forEach((client) => {
      if (client.readyState === WebSocket.OPEN) client.send(data, { binary });
    });
  }),
};

const server = createServer();
server.on('upgrade', (request, socket, head) => {
  const wss = endpoints[request.url];
  if (!wss) return socket.destroy();
  wss.handleUpgrade(request, socket, head, (ws) => wss.emit('connection', ws, request));
});

const [host, port] = options.addr.split(':');
server.listen({ host, port: Number(port), backlog: 4096 }, () => {
  const { address, port } = server.address();
  console.log(`${address}:${port}`);
});
