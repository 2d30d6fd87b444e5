"""crowd.py logins PORT COUNT SECONDS: COUNT users log in at once and stay; who is sent away without an answer comes again after a second or so.
crowd.py pings PORT USER PASSWORD: one client sends PINGREQ every five milliseconds until its standard input ends.
Prints one JSON object."""
import asyncio
import json
import random
import select
import socket
import sys
import time


def text(value):
    return len(value).to_bytes(2, "big") + value


def connect(client_id, username, password):
    body = text(b"MQTT") + b"\x04\xc2\x00\x00" + text(client_id) + text(username) + text(password)
    return bytes([0x10, len(body)]) + body


async def attempt(port, packet, kept):
    """True: in; False: refused; None: sent away without an answer."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(packet)
        answer = await reader.readexactly(4)
    except (OSError, asyncio.IncompleteReadError):
        return None
    kept.append(writer)
    return answer[3] == 0


async def person(number, port, began, kept, found):
    packet = connect(b"c-%d" % number, b"u%d" % number, b"clave")
    while True:
        outcome = await attempt(port, packet, kept)
        if outcome is not None:
            found["refused"] += not outcome
            found["seconds"].append(time.monotonic() - began)
            return
        found["came_again"] += 1
        await asyncio.sleep(1 + random.random() / 2)


async def logins(port, count, seconds):
    found, kept = {"refused": 0, "came_again": 0, "seconds": []}, []
    began = time.monotonic()
    people = [asyncio.create_task(person(number, port, began, kept, found)) for number in range(count)]
    _, late = await asyncio.wait(people, timeout=seconds)
    for task in late:
        task.cancel()
    in_time = sorted(found.pop("seconds"))
    return {"users": count, "in": len(in_time) - found["refused"], "last_in_s": round(in_time[-1], 2) if in_time else None, **found}


def pings(port, username, password):
    client = socket.create_connection(("127.0.0.1", port))
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.sendall(connect(b"vigia", username, password))
    if client.recv(4) != b"\x20\x02\0\0":
        sys.exit("crowd.py: the client that pings is not let in")
    print("in", flush=True)
    times = []
    while not select.select([sys.stdin], [], [], 0.005)[0]:
        began = time.perf_counter()
        client.sendall(b"\xc0\0")
        if client.recv(2) != b"\xd0\0":
            sys.exit("crowd.py: the client that pings was sent away")
        times.append((time.perf_counter() - began) * 1e3)
    times.sort()
    return {"pings": len(times), "p50_ms": round(times[len(times) // 2], 3), "p99_ms": round(times[int(len(times) * 0.99)], 3), "most_ms": round(times[-1], 3)}


if __name__ == "__main__":
    if sys.argv[1] == "logins":
        found = asyncio.run(logins(int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
    else:
        found = pings(int(sys.argv[2]), sys.argv[3].encode(), sys.argv[4].encode())
    print(json.dumps(found), flush=True)
