"""What the Python peers of interop_test.go share.

A peer is run as `client URL SETS` or as `server SETS`, where SETS is a JSON list of what to offer or to
accept: "off", or a dict with the parameters of permessage-deflate (RFC 7692, 7.1) that there are. A client
connects once for each of them, has messages echoed, and prints what the server has answered. A server
echoes, on a port for each of them, and prints the ports.
"""

import json
import random
import sys

LARGE = 16 << 20


def messages(number):
    """Messages of random sizes; every twentieth connection has one of 16 MiB."""
    source = random.Random(number)
    sizes = [0, 1] + [int(2 ** source.uniform(0, 17)) for _ in range(6)]
    if number % 20 == 1:
        sizes.append(LARGE)
    for size in sizes:
        if source.random() < 0.5:
            yield source.randbytes(size)
        else:
            line = "明白 is said again by %d.\n" % size
            text = (line * (size // len(line.encode()) + 1)).encode()[:size]
            yield text.decode(errors="ignore")


def check(number, want, got):
    if type(got) is not type(want) or got != want:
        sys.exit(f"connection {number}: {type(want)} of {len(want)} came back as {type(got)} of {len(got)}")


def arguments():
    """Returns the URL, "" for a server, and the sets."""
    if sys.argv[1] == "client":
        return sys.argv[2], json.loads(sys.argv[3])
    return "", json.loads(sys.argv[2])
