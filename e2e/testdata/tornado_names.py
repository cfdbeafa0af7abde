"""Prints the public names of Tornado that docs/porting.md has to tell of, one a line and in full.

These are those that the modules define, the members of their classes, the attributes that a class's __init__
sets, the settings of an application and those of a server. With the argument "check" it reads a JSON list of
lines of Python instead, and prints those that are none.
"""

import importlib
import inspect
import json
import re
import sys
import textwrap

MODULES = ["websocket", "web", "ioloop", "escape", "options"]


def public(names):
    return sorted(name for name in names if not name.startswith("_"))


def names_of(module):
    own = {name: value for name, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__}
    for name in public(own):
        yield name
        if not inspect.isclass(own[name]):
            continue
        members = set(vars(own[name]))
        if "__init__" in members:
            members |= set(re.findall(r"^ +self\.(\w+) = ", inspect.getsource(own[name].__init__), re.M))
        for member in public(members):
            yield name + "." + member


def settings_of(*modules):
    """Whatever is looked up by a text in a dict named settings, and no other."""
    found = set()
    for module in modules:
        source = inspect.getsource(module)
        found |= set(re.findall(r'\bsettings(?:\.get\(|\.setdefault\(|\[)\s*"(\w+)"', source))
        found |= set(re.findall(r'"(\w+)" in (?:self\.)?settings\b', source))
        found |= set(re.findall(r'\brequire_setting\("(\w+)"', source))
    return sorted(found)


def check(lines):
    for line in lines:
        body = line + ("\ndef method(self): pass" if line.startswith("@") else "")
        try:
            compile("async def function(self):\n" + textwrap.indent(body, "    "), "line", "exec")
        except SyntaxError as error:
            print(f"{line}: {error}")


def main():
    loaded = {name: importlib.import_module("tornado." + name) for name in MODULES}
    for name, module in loaded.items():
        for found in names_of(module):
            print(f"tornado.{name}.{found}")
    for setting in settings_of(loaded["web"], loaded["websocket"]):
        print(f"tornado.web.Application.settings.{setting}")
    server = importlib.import_module("tornado.httpserver").HTTPServer
    for parameter in list(inspect.signature(server.initialize).parameters)[1:]:
        print(f"tornado.httpserver.HTTPServer.{parameter}")


if sys.argv[1:] == ["check"]:
    check(json.load(sys.stdin))
else:
    main()
