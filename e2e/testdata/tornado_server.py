"""Tornado, of Debian's python3-tornado, as a server for servers_test.go; see the commands there."""

import asyncio
import sys

import tornado.httpserver
import tornado.netutil
import tornado.web
import tornado.websocket


class Handler(tornado.websocket.WebSocketHandler):
    def get_compression_options(self):
        return {} if sys.argv[1] == "on" else None

    def select_subprotocol(self, subprotocols):
        return "chat.v2" if "chat.v2" in subprotocols else None

    def on_pong(self, data):
        self.write_message("pong " + data.decode())

    def on_close(self):
        if name := self.get_argument("case", ""):
            print("end", name, self.close_code or 1005, self.close_reason or "", flush=True)


class Echo(Handler):
    def on_message(self, message):
        self.write_message(message, binary=isinstance(message, bytes))


class Command(Handler):
    def on_message(self, message):
        command, _, argument = message.partition(" ")
        if command == "ping":
            self.ping(argument.encode())
        elif command == "close":
            code, _, reason = argument.partition(" ")
            self.close(int(code) if code else None, reason or None)
        elif command == "drop":
            self.ws_connection.stream.close()


async def main():
    app = tornado.web.Application([("/echo", Echo), ("/command", Command)])
    sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
    tornado.httpserver.HTTPServer(app).add_sockets(sockets)
    print("port", sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
