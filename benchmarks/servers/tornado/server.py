"""Tornado as a server under test, in the manner of its documentation and its demo "chat"."""

import argparse
import asyncio
import ssl

import tornado.httpserver
import tornado.netutil
import tornado.web
import tornado.websocket

parser = argparse.ArgumentParser()
parser.add_argument("--addr", default="127.0.0.1:0")
parser.add_argument("--tls", help="file with the certificate and its key; serve TLS")
parser.add_argument("--compress", action="store_true")
options = parser.parse_args()


class Echo(tornado.websocket.WebSocketHandler):
    def get_compression_options(self):
        return {} if options.compress else None

    def on_message(self, message):
        self.write_message(message, binary=isinstance(message, bytes))


class Broadcast(Echo):
    members = set()

    def open(self):
        Broadcast.members.add(self)

    def on_message(self, message):
        for member in Broadcast.members:
            member.write_message(message, binary=isinstance(message, bytes))

    def on_close(self):
        Broadcast.members.discard(self)


async def main():
    context = None
    if options.tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(options.tls)
    app = tornado.web.Application(
        [("/echo", Echo), ("/broadcast", Broadcast)],
        log_function=lambda handler: None,
    )
    server = tornado.httpserver.HTTPServer(app, ssl_options=context)
    host, port = options.addr.rsplit(":", 1)
    sockets = tornado.netutil.bind_sockets(int(port), host, backlog=4096)
    server.add_sockets(sockets)
    print("%s:%d" % sockets[0].getsockname()[:2], flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
