"""Debian's python3-websockets as a client; see checks.py."""

import asyncio

import websockets

import checks


class Peer:
    bytes_in = None
    closes_without_code = False

    def __init__(self, ws):
        self.ws = ws
        headers = ws.response.headers if hasattr(ws, "response") else ws.response_headers  # before version 14
        self.extensions = headers.get("Sec-WebSocket-Extensions", "")
        self.subprotocol = ws.subprotocol

    async def send(self, message):
        await self.ws.send(message)

    async def send_fragments(self, pieces):
        async def with_pings():
            yield pieces[0]
            for piece in pieces[1:]:
                await self.ping(b"between two fragments")
                yield piece

        await self.ws.send(with_pings())

    async def receive(self):
        return await self.ws.recv()

    async def ping(self, data):
        await (await self.ws.ping(data))

    async def close(self, code, reason):
        await self.ws.close(code, reason)

    async def closed(self):
        await self.ws.wait_closed()
        return self.ws.close_code, self.ws.close_reason

    def drop(self):
        self.ws.transport.abort()


async def connect(url, subprotocols):
    return Peer(await websockets.connect(url, subprotocols=subprotocols, max_size=None, ping_interval=None))


checks.run(connect)
