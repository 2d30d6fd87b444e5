"""A network between client and broker that can be cut without either of them being told."""
import os
import select
import socket
import threading


def host_of(broker):
    return getattr(broker, "host", "127.0.0.1")


def here(broker):
    """This machine's name as that broker's host knows it, and as the broker's certificates have it."""
    return "127.0.0.1" if host_of(broker) == "127.0.0.1" else socket.gethostname()


def connection_to(target):
    """To a host and port, or to the path of a unix socket: by its folder, since such a path may have 107 bytes only."""
    if isinstance(target, tuple):
        return socket.create_connection(target)
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        made = socket.socket(socket.AF_UNIX)
        made.connect(f"/proc/self/fd/{folder}/{target.name}")
        return made
    finally:
        os.close(folder)


class Relay:
    """Passes bytes between each connection to its own port and one to the target. While `flowing` is not set
    nothing passes, the end of a connection neither."""

    def __init__(self, address, target, flowing=None):
        self.target, self.flowing = target, flowing or threading.Event()
        self.listener = socket.create_server(address)
        self.port, self.sockets, self.closed = self.listener.getsockname()[1], [], False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
                far = connection_to(self.target)
            except OSError:
                if self.closed:
                    return
                continue
            self.sockets += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source, sink):
        data = b"x"
        try:
            while data and not self.closed:
                if not select.select([source], [], [], 0.05)[0] or not self.flowing.is_set():
                    self.flowing.wait(0.05)
                    continue
                data = source.recv(65536)
                self.flowing.wait()
                sink.sendall(data)
        except (OSError, ValueError):
            pass
        for end in source, sink:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.closed = True
        self.flowing.set()
        for each in [self.listener, *self.sockets]:
            each.close()


class Gate:
    """The way to a broker on this machine. Clients connect to `host` and `port` instead of the broker's."""

    ALONE = True  # its cut is nobody else's

    def __init__(self, broker):
        self.host = "127.0.0.1"
        self.relay = Relay((self.host, 0), (host_of(broker), broker.port))
        self.port = self.relay.port
        self.mend()

    def cut(self):
        self.relay.flowing.clear()

    def mend(self):
        self.relay.flowing.set()

    def close(self):
        self.relay.close()
