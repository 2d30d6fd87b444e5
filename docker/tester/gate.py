"""The host between clients and brokers: relays connections, and loses its network when asked to.

A request is a line in this host's FIFO, `<answer> open <port> <target host> <target port>`, `<answer> cut` or
`<answer> mend`; the file <answer> is made when it is done. A cut takes the network interface down: packets are
lost, and nobody is told.
"""
import os
import pathlib
import socket
import subprocess
import threading

from network import Relay

REQUESTS = pathlib.Path("/plant/hosts") / socket.gethostname()


def interfaces():
    return [name for name in os.listdir("/sys/class/net") if name.startswith("eth")]


def link(state):
    for name in interfaces():
        subprocess.run(["ip", "link", "set", "dev", name, state], check=True)


def main():
    flowing, relays = threading.Event(), []
    flowing.set()
    REQUESTS.unlink(missing_ok=True)
    os.mkfifo(REQUESTS)
    REQUESTS.chmod(0o666)
    # Open for writing as well, so that there is always a writer and the end of the FIFO is never read.
    with open(os.open(REQUESTS, os.O_RDWR)) as requests:
        for line in requests:
            answer, verb, *rest = line.split()
            if verb == "open":
                relays.append(Relay(("", int(rest[0])), (rest[1], int(rest[2])), flowing))
            else:
                link({"cut": "down", "mend": "up"}[verb])
            pathlib.Path(answer).touch()  # the tester, whose folder it is, removes it at once


if __name__ == "__main__":
    main()
