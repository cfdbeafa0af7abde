"""Debian's python3-websockets as a server for servers_test.go; see the commands there."""

import asyncio
import http
import sys
from urllib.parse import parse_qs, urlsplit

import websockets


async def serve(ws):
    url = urlsplit(ws.path)
    case = parse_qs(url.query).get("case", [""])[0]
    try:
        async for message in ws:
            if url.path == "/echo":
                await ws.send(message)
            else:
                await obey(ws, *message.partition(" ")[::2])
    except websockets.ConnectionClosed:
        pass
    if case:
        print("end", case, ws.close_code, ws.close_reason, flush=True)


async def obey(ws, command, argument):
    if command == "ping":
        await (await ws.ping(argument))
        await ws.send("pong " + argument)
    elif command == "close":
        code, _, reason = argument.partition(" ")
        await ws.close(int(code or 1000), reason)
    elif command == "drop":
        ws.transport.abort()


async def refuse(path, headers):
    if urlsplit(path).path not in ("/echo", "/command"):
        return http.HTTPStatus.NOT_FOUND, [], b"nothing here\n"


async def main():
    server = await websockets.serve(
        serve,
        "127.0.0.1",
        0,
        compression="deflate" if sys.argv[1] == "on" else None,
        subprotocols=["chat.v2"],
        process_request=refuse,
        max_size=None,
    )
    print("port", server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
