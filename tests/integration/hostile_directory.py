"""Servers that are no good directories: one behaviour each, at a port of their own, with TLS or without."""
import socket
import ssl
import threading

from daemon import free_port


def ber(tag, *parts):
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def message(number, operation):
    return ber(0x30, ber(0x02, bytes([number])), operation)


def result(tag, code=0, *more, text=b""):
    return ber(tag, ber(0x0a, bytes([code])), ber(0x04), ber(0x04, text), *more)


def entry(name):
    values = ber(0x31, ber(0x04, name))
    return ber(0x64, ber(0x04, b"uid=" + name + b",ou=personas,dc=planta"), ber(0x30, ber(0x30, ber(0x04, b"uid"), values)))


BIND, SEARCH, EXTENDED = 0x60, 0x63, 0x77
BIND_DONE, SEARCH_DONE, EXTENDED_DONE = 0x61, 0x65, 0x78


class Hostile:
    """answer(send, number, tag) is asked for what to send when a request of that kind comes; it answers binds by
    itself. `got` is all that came in, deciphered; `connections` how many there were."""

    def __init__(self, pki, answer, tls=True, certificate=None):
        self.answer, self.got, self.connections, self.stopped = answer, b"", 0, threading.Event()
        self.context = None
        if tls:
            certificate = certificate or pki.server
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate.pem, certificate.key)
        for _ in range(5):
            try:
                self.port = free_port()
                self.listener = socket.create_server(("127.0.0.1", self.port))
                break
            except OSError:
                continue
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def url(self):
        return f"{'ldaps' if self.context else 'ldap'}://127.0.0.1:{self.port}"

    def accept(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            while not self.stopped.is_set():
                request = connection.recv(65536)
                if not request:
                    return
                self.got += request
                if request[0] != 0x30:
                    continue
                head = 2 + (request[1] & 0x7f if request[1] & 0x80 else 0)  # tag and length, then the number
                number, tag = request[head + 2], request[head + 3]
                if tag == BIND and self.answer(None, number, tag) is None:
                    connection.sendall(message(number, result(BIND_DONE)))
                else:
                    self.answer(connection.sendall, number, tag)
        except OSError:
            pass
        finally:
            connection.close()

    def close(self):
        self.stopped.set()
        self.listener.close()
