"""Debian's python3-websockets; see peer.py."""

import asyncio

import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory

import peer


def options(params, factory):
    extensions = [] if params == "off" else [factory(**{"client_max_window_bits": None, **params})]
    return {"compression": None, "extensions": extensions, "max_size": None, "ping_interval": None}


async def client(url, sets):
    for number, params in enumerate(sets):
        async with websockets.connect(url, **options(params, ClientPerMessageDeflateFactory)) as ws:
            for message in peer.messages(number):
                await ws.send(message)
                peer.check(number, message, await ws.recv())
            print("answer", ws.response_headers.get("Sec-WebSocket-Extensions", ""), flush=True)


async def echo(ws):
    async for message in ws:
        await ws.send(message)


async def serve(sets):
    for params in sets:
        server = await websockets.serve(echo, "127.0.0.1", 0, **options(params, ServerPerMessageDeflateFactory))
        print("port", server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


url, sets = peer.arguments()
asyncio.run(client(url, sets) if url else serve(sets))
