"""slow_directory.py CERT KEY DELAY: a directory by LDAPS that knows everybody, by any password, and answers the bind of a
user after DELAY seconds. Prints its port; ends with its standard input."""
import asyncio
import re
import ssl
import sys

BIND, SEARCH, UNBIND = 0x60, 0x63, 0x42


def ber(tag, *parts):
    body = b"".join(parts)
    length = len(body)
    return bytes([tag, length] if length < 128 else [tag, 0x82, length >> 8, length & 255]) + body


def result(tag):
    return ber(tag, ber(0x0a, b"\0"), ber(0x04), ber(0x04))


def entry(name):
    values = ber(0x31, ber(0x04, name))
    return ber(0x64, ber(0x04, b"uid=" + name + b",ou=personas,dc=planta"), ber(0x30, ber(0x30, ber(0x04, b"uid"), values)))


async def message(reader):
    """(number, operation, body)"""
    head = await reader.readexactly(2)
    length = head[1]
    if length & 0x80:
        length = int.from_bytes(await reader.readexactly(length & 0x7f), "big")
    body = await reader.readexactly(length)
    return body[:2 + body[1]], body[2 + body[1]], body[2 + body[1]:]


async def serve(reader, writer, delay):
    try:
        while True:
            number, operation, body = await message(reader)
            if operation == UNBIND:
                break
            answers = []
            if operation == BIND:
                if b"uid=" in body:
                    await asyncio.sleep(delay)
                answers = [result(0x61)]
            elif operation == SEARCH:
                name = re.search(rb"\x04\x03uid\x04.([a-z0-9-]+)", body, re.S)
                answers = ([entry(name[1])] if name and b"ou=personas" in body[:40] else []) + [result(0x65)]
            writer.write(b"".join(ber(0x30, number, answer) for answer in answers))
    except (OSError, asyncio.IncompleteReadError, ssl.SSLError):
        pass
    finally:
        writer.close()


async def main(cert, key, delay):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server = await asyncio.start_server(lambda r, w: serve(r, w, float(delay)), "127.0.0.1", 0, ssl=context, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
