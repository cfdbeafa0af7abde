"""Debian's python3-autobahn; see peer.py."""

import asyncio

from autobahn.asyncio.websocket import (
    WebSocketClientFactory,
    WebSocketClientProtocol,
    WebSocketServerFactory,
    WebSocketServerProtocol,
)
from autobahn.websocket.compress import (
    PerMessageDeflateOffer,
    PerMessageDeflateOfferAccept,
    PerMessageDeflateResponse,
    PerMessageDeflateResponseAccept,
)

import peer


class Client(WebSocketClientProtocol):
    def onConnect(self, response):
        self.factory.answer = str(response.headers.get("sec-websocket-extensions", ""))

    def onOpen(self):
        self.pending = peer.messages(self.factory.number)
        self.next()

    def next(self):
        self.sent = next(self.pending, None)
        if self.sent is None:
            self.sendClose(1000)
        elif isinstance(self.sent, str):
            self.sendMessage(self.sent.encode())
        else:
            self.sendMessage(self.sent, isBinary=True)

    def onMessage(self, payload, isBinary):
        peer.check(self.factory.number, self.sent, payload if isBinary else payload.decode())
        self.next()

    def onClose(self, wasClean, code, reason):
        self.factory.done.set_result((self.sent is None, code, reason))


class Echo(WebSocketServerProtocol):
    def onMessage(self, payload, isBinary):
        self.sendMessage(payload, isBinary)


def offers(params):
    if params == "off":
        return []
    return [
        PerMessageDeflateOffer(
            accept_no_context_takeover=params.get("client_no_context_takeover", False),
            accept_max_window_bits="client_max_window_bits" in params,
            request_no_context_takeover=params.get("server_no_context_takeover", False),
            request_max_window_bits=params.get("server_max_window_bits", 0),
        )
    ]


def accept_answer(response):
    return PerMessageDeflateResponseAccept(response) if isinstance(response, PerMessageDeflateResponse) else None


def accept_offer(params):
    def accept(offers):
        for offer in offers:
            if params != "off":
                return PerMessageDeflateOfferAccept(
                    offer,
                    request_no_context_takeover=params.get("client_no_context_takeover", False)
                    and offer.accept_no_context_takeover,
                    no_context_takeover=True if params.get("server_no_context_takeover") else None,
                    window_bits=params.get("server_max_window_bits") or None,
                )

    return accept


async def client(url, sets):
    loop = asyncio.get_running_loop()
    for number, params in enumerate(sets):
        factory = WebSocketClientFactory(url)
        factory.protocol, factory.number, factory.done = Client, number, loop.create_future()
        factory.setProtocolOptions(perMessageCompressionOffers=offers(params), perMessageCompressionAccept=accept_answer)
        await loop.create_connection(factory, factory.host, factory.port)
        finished, code, reason = await factory.done
        if not finished:
            raise SystemExit(f"connection {number} was closed with {code} {reason}")
        print("answer", factory.answer, flush=True)


async def serve(sets):
    loop = asyncio.get_running_loop()
    for params in sets:
        factory = WebSocketServerFactory()
        factory.protocol = Echo
        factory.setProtocolOptions(perMessageCompressionAccept=accept_offer(params))
        server = await loop.create_server(factory, "127.0.0.1", 0)
        print("port", server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


url, sets = peer.arguments()
asyncio.run(client(url, sets) if url else serve(sets))
