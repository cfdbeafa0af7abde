"""What a WebSocket client of any maker must see of the server in clients_test.go.

websockets_client.py and tornado_client.py give `run` a coroutine `connect(url, subprotocols=None)` that
returns a peer. A peer has these members; those marked with * are coroutines:

    send*(message)              a str goes as text, bytes as binary
    send_fragments*(pieces)     one message in as many frames, with a ping between any two of them
    receive*()                  the next message
    ping*(data)                 returns when the pong with the same data is there
    close*(code, reason)        code None: without a code, if closes_without_code
    closed*()                   (code, reason) of the close frame; code None or 1005: it had no code
    drop()                      cuts the connection without a close frame
    subprotocol                 what was agreed on, or None
    extensions                  the answer's header Sec-WebSocket-Extensions, or ""
    bytes_in                    how many bytes have arrived, or None if this client can't tell

Each check prints a line. A mismatch ends the script with status 1 and says what is wrong.
"""

import asyncio
import json
import os
import sys
import time
from urllib.parse import quote

MEBIBYTE = 1 << 20
TEXTS = ["", "hello", "你好，世界", "é\u0000\u2028 👩\u200d👧", "a" * 125, "b" * 126, "漢" * 30_000]
BINARIES = [b"", b"\xff\xfe\x00", bytes(range(256)), bytes(65_535), bytes(65_536)]
SIZES = [1, 20, 255, 256, 257, 1_000, 32_768, 65_536, 200_000, MEBIBYTE]


class Mismatch(Exception):
    pass


def show(value):
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:80]}… ({len(value)} long)"


def same(what, got, want):
    if type(got) is not type(want) or got != want:
        raise Mismatch(f"{what}: got {show(got)}, want {show(want)}")


def text_of(size):
    """Text of about that many bytes that looks like what programs send."""
    line = '{"name": "小明", "text": "The same again, and again", "number": %d}\n'
    text = "".join(line % i for i in range(size // 60 + 1)).encode()[:size]
    return text.decode(errors="ignore")


class Checks:
    def __init__(self, connect, url, compression):
        self.connect = connect
        self.url = url
        self.compression = compression

    async def open(self, path="/echo", subprotocols=None):
        return await self.connect(self.url + path, subprotocols)

    async def echo(self, what, peer, messages):
        for message in messages:
            await peer.send(message)
            same(what, await peer.receive(), message)

    async def text(self):
        peer = await self.open()
        await self.echo("text", peer, TEXTS)
        await peer.close(1000, "")
        return f"{len(TEXTS)} messages, the longest of {max(len(t.encode()) for t in TEXTS)} bytes"

    async def binary(self):
        peer = await self.open()
        await self.echo("binary", peer, BINARIES)
        await peer.close(1000, "")
        return f"{len(BINARIES)} messages"

    async def json(self):
        peer = await self.open("/json")
        value = {"名": ["小明", None, True, -1.5, 1 << 40], "nested": {"": {}}, "quote": '"\\\u2028<&>'}
        await peer.send(json.dumps(value))
        answer = await peer.receive()
        same("the type of JSON", type(answer), str)
        same("JSON", json.loads(answer), {"received": value})
        await peer.close(1000, "")
        return answer

    async def ping(self):
        peer = await self.open("/command")
        for data in [b"", b"from the client", bytes(125)]:
            await peer.ping(data)
            same("what the server saw of a ping", await peer.receive(), "ping " + data.hex())
        for data in ["", "from the server", "p" * 125]:
            await peer.send("ping " + data)
            same("what the server saw of a pong", await peer.receive(), "pong " + data.encode().hex())
        await peer.close(1000, "")
        return "3 from each side, with their data"

    async def subprotocol(self):
        for offered, want in [(["chat.v1", "chat.v2"], "chat.v2"), (["chat.v9"], None), (None, None)]:
            peer = await self.open("/command", offered)
            same(f"the subprotocol of {offered}", peer.subprotocol, want)
            await peer.close(1000, "")
        return "chat.v2 where it is offered, else none"

    async def large(self):
        peer = await self.open()
        await self.echo("a large message", peer, [os.urandom(MEBIBYTE), "漢" * (MEBIBYTE // 3) + "x"])
        await peer.close(1000, "")
        return "1 MiB of text and of bytes, both ways"

    async def fragments(self):
        peer = await self.open()
        for pieces in [
            ["one", " ", "", "two 二", " three"],
            ["", ""],
            [b"\x00" * 1000, b"", b"\x01" * 70_000, b"\x02"],
            ["漢字" * 10_000] * 16,
            [b"x"] * 300,
        ]:
            await peer.send_fragments(pieces)
            same("a message in fragments", await peer.receive(), pieces[0][:0].join(pieces))
        await self.echo("a message after those in fragments", peer, ["whole"])
        await peer.close(1000, "")
        return "5 messages in 2 to 300 frames, with pings between"

    async def pipelined(self):
        peer = await self.open()
        messages = [(str(i) + "…") * (1 + i % 50) for i in range(3_000)]
        messages[1_000] = "in the middle " * 20_000

        async def send_all():
            for message in messages:
                await peer.send(message)

        sending = asyncio.ensure_future(send_all())
        for message in messages:
            same("one of many messages", await peer.receive(), message)
        await sending
        await peer.close(1000, "")
        return f"{len(messages)} messages on their way at once, in order"

    async def close_by_server(self):
        for command, want in [
            ("close 4001 再见", (4001, "再见")),
            ("close 1000 ", (1000, "")),
            ("close 0 reason without a code", (1000, "reason without a code")),
            ("close 3000 " + "长" * 60, (3000, "长" * 41)),
        ]:
            peer = await self.open("/command")
            await peer.send(command)
            same(f"the end after {command!r}", await peer.closed(), want)
        peer = await self.open("/command")
        await peer.send("close 0 ")
        code, reason = await peer.closed()
        if code not in (None, 1005) or reason:
            raise Mismatch(f"the end without a code: got {code} {reason!r}")
        return "with and without code and reason"

    async def close_by_client(self):
        # clients_test.go knows which ends the server must see.
        for name, code, reason in [
            ("code and reason", 4002, "bis bald, 小明"),
            ("code", 1001, ""),
            ("no code", None, ""),
        ]:
            peer = await self.open(f"/command?case={quote(name)}")
            if code is None and not peer.closes_without_code:
                code = 1000
            await peer.close(code, reason)
        peer = await self.open("/command?case=dropped")
        peer.drop()
        return "with and without code and reason, and without a close frame"

    async def negotiation(self):
        peer = await self.open()
        await peer.close(1000, "")
        agreed = [parameter.strip() for parameter in peer.extensions.split(";") if parameter.strip()]
        same("compression agreed on", "permessage-deflate" in agreed, self.compression != "off")
        if self.compression != "off":
            # The server may give up its own context, but must not ask for the client's.
            takeover = "server_no_context_takeover" not in agreed
            same("the server keeps its context", takeover, self.compression == "takeover")
            same("the client has to give up its context", "client_no_context_takeover" in agreed, False)
        return peer.extensions or "no extension"

    async def compressed(self):
        peer = await self.open()
        count = 0
        for size in SIZES + SIZES[::-1]:
            text, noise = text_of(size), os.urandom(size)
            for message in [text, text, noise, noise, text, text.encode()]:
                await self.echo(f"a repeated message of {size} bytes", peer, [message])
                count += 1
        result = f"{count} messages of 1 byte to 1 MiB, repeated"
        if peer.bytes_in is not None:
            noise, before = os.urandom(16_384), peer.bytes_in
            await self.echo("noise", peer, [noise] * 5)
            arrived = peer.bytes_in - before
            result += f"; 16 KiB of noise 5 times arrived as {arrived} bytes"
            # Only who remembers the first time makes the others smaller: 2.1 to 3.4 times the size in all,
            # as compress/flate's fastest level looks for repetitions here and there only.
            same("noise arrives smaller when it comes again", arrived < 4 * 16_384, self.compression == "takeover")
        await peer.close(1000, "")
        return result


async def run_all(checks):
    for name in ["text", "binary", "json", "ping", "subprotocol", "large", "fragments", "pipelined",
                 "close_by_server", "close_by_client", "negotiation", "compressed"]:
        begin = time.monotonic()
        try:
            seen = await asyncio.wait_for(getattr(checks, name)(), 60)
        except Mismatch as mismatch:
            sys.exit(f"{name}: {mismatch}")
        except asyncio.TimeoutError:
            sys.exit(f"{name}: nothing came for 60 s")
        print(f"{name}: {seen} ({time.monotonic() - begin:.1f} s)", flush=True)


def run(connect):
    """Usage: SCRIPT ws://HOST:PORT off|independent|takeover"""
    url, compression = sys.argv[1:]
    asyncio.run(run_all(Checks(connect, url, compression)))
