"""A small MQTT client (3.1, 3.1.1 and 5) that shows exactly what the broker answered.

Blocking and without threads: packets are read when a method waits for one, and the messages that
arrive meanwhile are kept in `inbox`. Every wait is bounded.
"""
import collections
import socket
import ssl
import struct
import time

from patience import PATIENCE

V31, V311, V5 = 3, 4, 5
CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 2, 3, 4, 5, 6, 7
SUBACK, UNSUBACK, PINGRESP, DISCONNECT = 9, 11, 13, 14
NOT_AUTHORISED = 0x87
FOR_EVER = 0xFFFFFFFF

# Properties of MQTT 5: number -> how it is written.
EXPIRY, RESPONSE_TOPIC, AUTH_METHOD, AUTH_DATA, WILL_DELAY, TOPIC_ALIAS = 0x11, 0x08, 0x15, 0x16, 0x18, 0x23
FORMATS = {
    0x01: "byte", 0x02: "u32", 0x03: "text", 0x08: "text", 0x09: "text", 0x0B: "varint", 0x11: "u32",
    0x12: "text", 0x13: "u16", 0x15: "text", 0x16: "text", 0x17: "byte", 0x18: "u32", 0x19: "byte",
    0x1A: "text", 0x1C: "text", 0x1F: "text", 0x21: "u16", 0x22: "u16", 0x23: "u16", 0x24: "byte",
    0x25: "byte", 0x26: "pair", 0x27: "u32", 0x28: "byte", 0x29: "byte", 0x2A: "byte"}

Message = collections.namedtuple("Message", "topic payload qos retain dup")
Will = collections.namedtuple("Will", "topic payload qos retain delay", defaults=(b"", 0, False, None))


class Refused(Exception):
    """CONNECT was not accepted. `code` is the CONNACK's, or None when the connection was just closed."""

    def __init__(self, code, why=""):
        super().__init__(f"CONNECT refused: code {code} {why}")
        self.code = code


class Closed(Exception):
    """The broker ended the connection. `code` is the reason of its DISCONNECT (MQTT 5) or None."""

    def __init__(self, code=None):
        super().__init__(f"connection closed by the broker, reason {code}")
        self.code = code


def text(value):
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("!H", len(raw)) + raw


def varint(number):
    out = bytearray()
    while True:
        number, low = number >> 7, number & 0x7F
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)


def properties(values):
    write = {"byte": lambda v: bytes([v]), "u16": lambda v: struct.pack("!H", v), "u32": lambda v: struct.pack("!I", v),
             "text": text, "varint": varint, "pair": lambda v: text(v[0]) + text(v[1])}
    out = b"".join(bytes([number]) + write[FORMATS[number]](value) for number, value in values.items())
    return varint(len(out)) + out


def take_varint(data):
    number = shift = used = 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        shift, used = shift + 7, used + 1
        if not byte & 0x80:
            return number, data[used:]
    return None, data


def skip_properties(data):
    length, rest = take_varint(data)
    return rest[length or 0:]


class Client:
    """One connection. The constructor returns after CONNACK 0 or raises Refused; with wait=False it returns
    when CONNECT is sent, and answer() does the rest. Nothing is sent by itself, so there is no keep alive unless a test
    asks for one: on a slow machine a client may be silent for minutes. (Mosquitto 2.0.21 also measures it by the wall
    clock, with and without plugins, and may crash of that where a test moves the clock.)"""

    def __init__(self, port, client_id="", version=V311, tls=None, username=None, password=None, clean=True,
                 will=None, keepalive=0, props=None, host="127.0.0.1", timeout=PATIENCE, wait=True):
        self.version, self.client_id, self.timeout = version, client_id, timeout
        self.inbox, self.packets, self.buffer, self.next_mid = collections.deque(), [], b"", 0
        self.auto_ack, self.session_present, self.sock = True, False, None
        try:
            self.sock = socket.create_connection((host, port), timeout)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or two packets in a row wait 40 ms
            if tls:
                self.sock = tls.wrap_socket(self.sock, server_hostname=host)
            self._send(0x10, self._connect_body(username, password, clean, will, keepalive, dict(props or {})))
        except (Closed, ssl.SSLError, ConnectionError) as error:
            self.drop()
            raise Refused(None, str(error)) from error
        if wait:
            self.answer()

    def answer(self):
        """Waits for CONNACK."""
        try:
            body = self._wait(CONNACK)
        except (Closed, ssl.SSLError, ConnectionError) as error:
            self.drop()
            raise Refused(None, str(error)) from error
        if body[1]:
            self.drop()
            raise Refused(body[1])
        self.session_present = bool(body[0] & 1)

    def _connect_body(self, username, password, clean, will, keepalive, props):
        flags = 0x02 if clean else 0
        tail = text(self.client_id)
        if will:
            flags |= 0x04 | will.qos << 3 | (0x20 if will.retain else 0)
            if self.version == V5:
                tail += properties({} if will.delay is None else {WILL_DELAY: will.delay})
            tail += text(will.topic) + text(will.payload)
        if username is not None:
            flags, tail = flags | 0x80, tail + text(username)
        if password is not None:
            flags, tail = flags | 0x40, tail + text(password)
        head = text("MQIsdp" if self.version == V31 else "MQTT") + bytes([self.version, flags]) + struct.pack("!H", keepalive)
        if self.version == V5:
            if not clean:
                props.setdefault(EXPIRY, FOR_EVER)
            head += properties(props)
        return head + tail

    def _send(self, first, body=b""):
        try:
            self.sock.sendall(bytes([first]) + varint(len(body)) + body)
        except (ssl.SSLError, ConnectionError, OSError) as error:
            raise Closed() from error

    def _is_established(self):
        """What the kernel knows of the connection, whatever its TLS library says."""
        return self.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == 1

    def _read_packet(self, deadline):
        while True:
            if len(self.buffer) >= 2:
                length, rest = take_varint(self.buffer[1:])
                if length is not None and len(rest) >= length:
                    first, self.buffer = self.buffer[0], rest[length:]
                    return first >> 4, first & 0x0F, rest[:length]
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"{self.client_id}: nothing arrived in time")
            self.sock.settimeout(left)
            try:
                data = self.sock.recv(65536)
            except socket.timeout:
                continue
            except (ssl.SSLError, ConnectionError) as error:
                if isinstance(error, ConnectionError) and self._is_established():
                    continue  # Python 3.13 and later blame the next connection for one that was lost before
                raise Closed() from error
            if not data:
                raise Closed()
            self.buffer += data

    def _step(self, deadline):
        """Reads one packet: messages go to the inbox, anything else to `packets`."""
        kind, flags, body = self._read_packet(deadline)
        if kind == PUBLISH:
            self._arrived(flags, body)
        elif kind == PUBREL:
            if self.auto_ack:
                self._send(0x70, body[:2])
        elif kind == DISCONNECT:
            raise Closed(body[0] if body else 0)
        else:
            self.packets.append((kind, body))

    def _wait(self, kind, mid=None, timeout=None):
        """The body of the first packet of this kind (and packet id)."""
        deadline = time.monotonic() + (timeout or self.timeout)
        while True:
            for at, (got, body) in enumerate(self.packets):
                if got == kind and (mid is None or body[:2] == struct.pack("!H", mid)):
                    del self.packets[at]
                    return body
            self._step(deadline)

    def _arrived(self, flags, body):
        qos = flags >> 1 & 3
        length, = struct.unpack_from("!H", body)
        topic, rest = body[2:2 + length].decode(), body[2 + length:]
        mid, rest = (rest[:2], rest[2:]) if qos else (b"", rest)
        if self.version == V5:
            rest = skip_properties(rest)
        self.inbox.append(Message(topic, rest, qos, bool(flags & 1), bool(flags & 8)))
        if qos and self.auto_ack:
            self._send(0x40 if qos == 1 else 0x50, mid)

    def new_mid(self):
        self.next_mid += 1
        return self.next_mid

    def send_publish(self, topic, payload=b"", qos=0, retain=False, mid=None, dup=False, props=None):
        """Only sends; returns the packet id."""
        mid = mid or (self.new_mid() if qos else 0)
        body = text(topic) + (struct.pack("!H", mid) if qos else b"")
        if self.version == V5:
            body += properties(props or {})
        body += payload.encode() if isinstance(payload, str) else payload
        self._send(0x30 | qos << 1 | int(retain) | (8 if dup else 0), body)
        return mid

    def publish(self, topic, payload=b"", qos=0, retain=False, **more):
        """Sends and does the whole handshake; for QoS 0 a ping makes sure that the broker has read it.
        The reason code of a refusal, or 0."""
        mid = self.send_publish(topic, payload, qos, retain, **more)
        if qos == 0:
            self.ping()
            return 0
        body = self._wait(PUBACK if qos == 1 else PUBREC, mid)
        code = body[2] if len(body) > 2 else 0
        if qos == 2 and code < 0x80:
            self.release(mid)
        return code if code >= 0x80 else 0  # 0x10: accepted, and nobody is subscribed

    def release(self, mid):
        self._send(0x62, struct.pack("!H", mid))
        self._wait(PUBCOMP, mid)

    def subscribe(self, *filters, qos=1):
        """One code, or a list of them for several filters."""
        mid = self.new_mid()
        head = struct.pack("!H", mid) + (properties({}) if self.version == V5 else b"")
        self._send(0x82, head + b"".join(text(f) + bytes([qos]) for f in filters))
        body = self._wait(SUBACK, mid)[2:]
        codes = list(skip_properties(body) if self.version == V5 else body)
        return codes if len(filters) > 1 else codes[0]

    def unsubscribe(self, topic_filter):
        mid = self.new_mid()
        self._send(0xA2, struct.pack("!H", mid) + (properties({}) if self.version == V5 else b"") + text(topic_filter))
        self._wait(UNSUBACK, mid)

    def ping(self):
        self._send(0xC0)
        self._wait(PINGRESP)

    def receive(self, timeout=None):
        """The next message; TimeoutError if none arrives."""
        deadline = time.monotonic() + (timeout or self.timeout)
        while not self.inbox:
            self._step(deadline)
        return self.inbox.popleft()

    def is_alive(self):
        try:
            self.ping()
            return True
        except Closed:
            return False

    def wait_closed(self, timeout=None):
        """Waits until the broker ends the connection; the reason it gave."""
        deadline = time.monotonic() + (timeout or self.timeout)
        try:
            while True:
                self._step(deadline)
        except Closed as closed:
            return closed.code

    def disconnect(self):
        """DISCONNECT, then waits until the broker has taken note."""
        self._send(0xE0)
        self.wait_closed()
        self.drop()

    def drop(self):
        """Ends the connection without a word, as a power cut does: the will is due."""
        if self.sock:
            self.sock.close()
