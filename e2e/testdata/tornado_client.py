"""Tornado's websocket_connect, of Debian's python3-tornado, as a client; see checks.py."""

import asyncio

from tornado.websocket import websocket_connect

import checks


class Peer:
    closes_without_code = True

    def __init__(self, ws):
        self.ws = ws
        self.protocol = ws.protocol  # ws forgets it when it closes
        self.extensions = ws.headers.get("Sec-WebSocket-Extensions", "")
        self.subprotocol = ws.selected_subprotocol
        self.pongs = asyncio.Queue()
        ws.on_pong = self.pongs.put_nowait
        ws.protocol.set_nodelay(True)  # else each ping behind a fragment waits for the server's delayed ACK

    @property
    def bytes_in(self):
        return self.protocol._wire_bytes_in

    async def send(self, message):
        await self.ws.write_message(message, binary=isinstance(message, bytes))

    async def send_fragments(self, pieces):
        # Tornado's client has no way to send fragments; these are its frames all the same, and they part
        # texts where a character may be cut.
        whole = b"".join(piece if isinstance(piece, bytes) else piece.encode() for piece in pieces)
        opcode = 0x2 if isinstance(pieces[0], bytes) else 0x1
        last = len(pieces) - 1
        for i in range(len(pieces)):
            part = whole[i * len(whole) // len(pieces) : (i + 1) * len(whole) // len(pieces)]
            await self.protocol._write_frame(i == last, opcode if i == 0 else 0x0, part)
            if i < last:
                await self.ping(b"between two fragments")

    async def receive(self):
        message = await self.ws.read_message()
        if message is None:
            raise checks.Mismatch(f"the connection ended with {self.ws.close_code} {self.ws.close_reason!r}")
        return message

    async def ping(self, data):
        self.ws.ping(data)
        checks.same("a pong's data", await self.pongs.get(), data)

    async def close(self, code, reason):
        self.ws.close(code, reason or None)
        await self.closed()

    async def closed(self):
        message = await self.ws.read_message()
        if message is not None:
            raise checks.Mismatch(f"got {checks.show(message)} instead of the end")
        return self.ws.close_code, self.ws.close_reason or ""

    def drop(self):
        self.protocol.stream.close()


async def connect(url, subprotocols):
    return Peer(await websocket_connect(url, subprotocols=subprotocols, compression_options={}))


checks.run(connect)
