"""The chat that docs/worked-port.md ports to Go, for Tornado 6 (Debian: python3-tornado).

    python3 examples/port/tornado/app.py --port=8888
"""

import asyncio
import datetime
import os
import secrets
import signal

import tornado.httpserver
import tornado.netutil
import tornado.web
import tornado.websocket
from tornado.options import define, options, parse_command_line

define("port", default=8888, help="port to listen on; 0 takes any that is free")


class User:
    def __init__(self, username):
        self.username = username


class SessionMixin:
    """Sessions in memory: a random token in a cookie names a dict."""

    sessions = {}

    @property
    def session(self):
        return self.sessions.get(self.get_cookie("session"), {})

    def start_session(self):
        token = secrets.token_urlsafe()
        self.set_cookie("session", token, httponly=True, samesite="lax")
        self.sessions[token] = {}
        return self.sessions[token]


class BaseHandler(tornado.web.RequestHandler, SessionMixin):
    def get_current_user(self):
        return self.session.get("user")


class LoginHandler(BaseHandler):
    def get(self):
        self.render("login.html", problem="")

    def post(self):
        name = self.get_argument("name", "")
        if not name:
            self.render("login.html", problem="Type a name.")
            return
        self.start_session()["user"] = User(name)
        self.redirect("/")


class ChatHandler(BaseHandler):
    @tornado.web.authenticated
    def get(self):
        self.render("chat.html")


class BaseWebSocketHandler(tornado.websocket.WebSocketHandler, SessionMixin):
    def get_current_user(self):
        return self.session.get("user")


class MessageWSHandler(BaseWebSocketHandler):
    users = set()

    def open(self):
        MessageWSHandler.users.add(self)

    def on_message(self, message):
        for u in self.users:
            u.write_message('%s-%s-说:%s' % (
                self.current_user.username,
                datetime.datetime.now().strftime("%Y-%m-%d %H:%M:%S"), message))

    def on_close(self):
        MessageWSHandler.users.remove(self)


def make_app():
    return tornado.web.Application(
        [
            (r"/", ChatHandler),
            (r"/login", LoginHandler),
            (r"/websocket", MessageWSHandler),
        ],
        login_url="/login",
        template_path=os.path.join(os.path.dirname(__file__), "templates"),
    )


async def main():
    parse_command_line()
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    sockets = tornado.netutil.bind_sockets(options.port, "127.0.0.1")
    tornado.httpserver.HTTPServer(make_app()).add_sockets(sockets)
    print("The chat is at http://127.0.0.1:%d" % sockets[0].getsockname()[1], flush=True)
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(main())
