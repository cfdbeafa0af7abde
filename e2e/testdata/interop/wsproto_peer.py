"""Debian's python3-wsproto; see peer.py."""

import socket
import threading
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Message, Ping, Request, TextMessage
from wsproto.extensions import PerMessageDeflate

import peer


def extensions(params):
    return [] if params == "off" else [PerMessageDeflate(**params)]


class Connection:
    def __init__(self, sock, kind):
        self.sock = sock
        self.ws = WSConnection(kind)
        self.answer = ""
        self.pieces = []

    def events(self):
        """All that comes, with messages as str or bytes."""
        while True:
            data = self.sock.recv(1 << 16)
            self.ws.receive_data(data or None)
            for event in self.ws.events():
                if isinstance(event, Message):
                    self.pieces.append(event.data)
                    if event.message_finished:
                        whole = "".join(self.pieces) if isinstance(event, TextMessage) else b"".join(self.pieces)
                        self.pieces = []
                        yield whole
                    continue
                if isinstance(event, Ping):
                    self.send(event.response())
                elif isinstance(event, CloseConnection):
                    if not self.ws.state.name.endswith("CLOSED"):
                        self.send(event.response())
                    return
                yield event
            if not data:
                return

    def send(self, event):
        self.sock.sendall(self.ws.send(event))

    def send_message(self, message):
        self.send(TextMessage(data=message) if isinstance(message, str) else BytesMessage(data=message))


def client(url, sets):
    where = urlsplit(url)
    for number, params in enumerate(sets):
        with socket.create_connection((where.hostname, where.port)) as sock:
            connection = Connection(sock, ConnectionType.CLIENT)
            connection.send(Request(host=where.netloc, target=where.path, extensions=extensions(params)))
            events = connection.events()
            accepted = next(events)
            if not isinstance(accepted, AcceptConnection):
                raise SystemExit(f"connection {number}: {accepted}")
            for message in peer.messages(number):
                connection.send_message(message)
                peer.check(number, message, next(events))
            connection.send(CloseConnection(code=1000))
            list(events)
            answer = "permessage-deflate" if any(e.enabled() for e in accepted.extensions) else ""
            print("answer", answer, flush=True)


def echo(sock, params):
    with sock:
        connection = Connection(sock, ConnectionType.SERVER)
        for event in connection.events():
            if isinstance(event, Request):
                connection.send(AcceptConnection(extensions=extensions(params)))
            elif isinstance(event, (str, bytes)):
                connection.send_message(event)


def accept(listener, params):
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=echo, args=(sock, params)).start()


def serve(sets):
    for params in sets:
        listener = socket.create_server(("127.0.0.1", 0))
        print("port", listener.getsockname()[1], flush=True)
        threading.Thread(target=accept, args=(listener, params)).start()


url, sets = peer.arguments()
if url:
    client(url, sets)
else:
    serve(sets)
