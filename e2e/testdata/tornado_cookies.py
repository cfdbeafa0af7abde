"""A Tornado with signed cookies and XSRF tokens, for tornado_cookie_test.go, which has the same in Go.

Its argument is JSON: {"secret": HEX or {KEY_VERSION: HEX, ...}, "key_version": NUMBER or null}. It prints the
port that it listens on, and ends with its standard input.
"""

import asyncio
import json
import sys
import time

import tornado.web
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets


class SetHandler(tornado.web.RequestHandler):
    """Sets the cookie user, whose value is in hexadecimal digits."""

    def get(self):
        self.set_secure_cookie("user", bytes.fromhex(self.get_argument("value")))


class SignHandler(tornado.web.RequestHandler):
    """Answers with what a server whose clock is ahead would sign."""

    def get(self):
        now = time.time() + float(self.get_argument("ahead"))
        secret = self.settings["cookie_secret"]
        version = int(self.get_argument("version"))
        key = self.settings["key_version"]
        self.write(tornado.web.create_signed_value(secret, "user", "ann", version, lambda: now, key))


class GetHandler(tornado.web.RequestHandler):
    """Answers with what the cookie user is to a server whose clock is ahead."""

    def get(self):
        now = time.time() + float(self.get_argument("ahead", "0"))
        value = tornado.web.decode_signed_value(
            self.settings["cookie_secret"], "user", self.get_cookie("user"), clock=lambda: now
        )
        if value is None:
            self.write("none")
        else:
            assert now > time.time() + 60 or now < time.time() - 60 or value == self.get_secure_cookie("user")
            self.write("value " + value.hex())


class FormHandler(tornado.web.RequestHandler):
    def get(self):
        self.write("<form method=post>" + self.xsrf_form_html() + "</form>")

    def post(self):
        self.write("done")

    put = patch = delete = post


class LoginHandler(tornado.web.RequestHandler):
    def get(self):
        self.write(
            "<!DOCTYPE html><title>Log in</title><form method=post>" + self.xsrf_form_html() + "<input id=name name=name>"
            "<button id=login>Log in</button></form>"
        )

    def post(self):
        self.set_secure_cookie("user", self.get_argument("name"))
        self.redirect(self.get_query_argument("next"))  # a real one checks where that leads


async def main():
    config = json.loads(sys.argv[1])
    secret = config["secret"]
    if isinstance(secret, dict):
        secret = {int(version): bytes.fromhex(text) for version, text in secret.items()}
    else:
        secret = bytes.fromhex(secret)
    app = tornado.web.Application(
        [("/set", SetHandler), ("/sign", SignHandler), ("/get", GetHandler), ("/form", FormHandler), ("/login", LoginHandler)],
        cookie_secret=secret,
        key_version=config["key_version"],
        xsrf_cookies=True,
        log_function=lambda handler: None,
    )
    sockets = bind_sockets(0, "127.0.0.1")
    HTTPServer(app).add_sockets(sockets)
    print(sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
