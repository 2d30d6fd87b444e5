"""Ways to a broker other than TLS over TCP: by websockets, by a unix socket. `way(...)` is the broker as seen from there."""
import base64
import copy
import os
import struct

CONTINUED, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


class Websocket:
    """MQTT's bytes in binary frames. `frame` is the most that goes into one of them."""

    def __init__(self, sock, host, frame=None):
        self.sock, self.frame, self.buffer = sock, frame, b""
        key = base64.b64encode(os.urandom(16)).decode()
        sock.sendall((f"GET /mqtt HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
                      "Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.buffer:
            self._read()
        answer, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        if b" 101 " not in answer:
            raise ConnectionError(answer.decode(errors="replace"))

    def _read(self):
        data = self.sock.recv(65536)
        if not data:
            raise ConnectionError("the websocket was closed")
        self.buffer += data

    def _send(self, kind, payload):
        length = len(payload)
        size = bytes([0x80 | length]) if length < 126 else b"\xfe" + struct.pack("!H", length)
        self.sock.sendall(bytes([0x80 | kind]) + size + b"\0\0\0\0" + payload)  # a mask of zeros is a mask

    def sendall(self, data):
        step = min(self.frame or 65535, 65535)
        for at in range(0, len(data), step):
            self._send(BINARY, data[at:at + step])

    def _take_frame(self):
        """The next frame's kind and payload if it is here, or None."""
        if len(self.buffer) < 2:
            return None
        kind, length, at = self.buffer[0] & 15, self.buffer[1] & 127, 2
        for code, form in (126, "!H"), (127, "!Q"):
            if length == code:
                if len(self.buffer) < at + struct.calcsize(form):
                    return None
                length, = struct.unpack_from(form, self.buffer, at)
                at += struct.calcsize(form)
                break
        if len(self.buffer) < at + length:
            return None
        payload, self.buffer = self.buffer[at:at + length], self.buffer[at + length:]
        return kind, payload

    def recv(self, _):
        while True:
            frame = self._take_frame()
            if frame is None:
                self._read()
            elif frame[0] == CLOSE:
                return b""
            elif frame[0] == PING:
                self._send(PONG, frame[1])
            elif frame[1]:
                return frame[1]

    def settimeout(self, seconds):
        self.sock.settimeout(seconds)

    def close(self):
        self.sock.close()


class Context:
    """Stands for the TLS context that mqtt.Client wraps its socket in: TLS if there is one, then whatever `wrap` adds."""

    def __init__(self, tls, wrap):
        self.tls, self.wrap = tls, wrap

    def wrap_socket(self, sock, server_hostname):
        return self.wrap(self.tls.wrap_socket(sock, server_hostname=server_hostname) if self.tls else sock, server_hostname)


class Keys:
    """The PKI, whose contexts are of that way."""

    def __init__(self, pki, tls, wrap):
        self.pki, self.tls, self.wrap = pki, tls, wrap

    def __getattr__(self, name):
        return getattr(self.pki, name)

    def context(self, cert=None):
        return Context(self.pki.context(cert) if self.tls else None, self.wrap)


def way(broker, port, tls=True, wrap=lambda sock, host: sock, host=None):
    """The same broker, whose clients connect to that port, in that manner."""
    seen_from_there = copy.copy(broker)
    seen_from_there.port, seen_from_there.pki = port, Keys(broker.pki, tls, wrap)
    if host:
        seen_from_there.host = host
    return seen_from_there
