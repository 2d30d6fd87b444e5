"""Log-ins whose check takes its time: others are not held up, and an answer is for whoever it was asked for.
2.1 holds such a client; 2.0 hangs up on it, and has the answer when it comes again."""
import base64
import contextlib
import functools
import hashlib
import itertools
import json
import threading

import pytest

import mqtt
from daemon import free_port, until
from plant import SENSOR, Person, payloads, seen, watcher

SALT = b"salt-of-slow"
LENTO = Person("edge-linea1", "edge", "lento", "pass", "lento")


@functools.lru_cache
def slow_hash(password, iterations):
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), SALT, iterations)
    return f"$7${iterations}${base64.b64encode(SALT).decode()}${base64.b64encode(digest).decode()}"


@pytest.fixture
def dear(sanitized):
    """Several times as long as 2.0 waits for one log-in. A sanitizer sees each allocation, of which there are some in each
    iteration: with it they take forty times as long."""
    return slow_hash("pass", 8000 if sanitized else 200000)


@pytest.fixture
def slow(make_broker, suite, dear):
    """A broker where the password of `lento` is all that he needs, on a listener that asks for no certificate, and takes a
    while to check."""
    open_port = free_port()
    broker = make_broker(suite, lambda self: self.plain_conf() + self.listener_conf(open_port, "require_certificate false"),
                         start=False)
    broker.open_port = open_port
    user = {"password": dear, "roles": ["edge"], "attributes": {"linea": "linea1"}}
    broker.edit("iam_auth.json", lambda policy: (policy.update(require="either", login_budget_ms=20), policy["local"]["users"].update(lento=user)))
    return broker.start()


def begin(broker, **more):
    """Sends CONNECT and waits for nothing."""
    return broker.connect(LENTO, cert=False, port=broker.open_port, wait=False, **more)


def gets_in(broker, **more):
    """As a device does: again until it is let in."""
    def once():
        try:
            return broker.connect(LENTO, cert=False, port=broker.open_port, **more)
        except mqtt.Refused as refused:
            assert refused.code is None, f"refused with {refused.code}"
            return None
    return until(once, "log-in", every=0.3)


def is_refused_in_the_end(broker, **more):
    """With a proper refusal, not by hanging up."""
    def once():
        with pytest.raises(mqtt.Refused) as refused:
            broker.connect(LENTO, cert=False, port=broker.open_port, **more)
        return refused.value.code
    assert until(once, "refusal", every=0.3) in (5, 0x87)


def test_it_gets_in(slow):
    watch = watcher(slow, "planta/linea1/#")
    client = gets_in(slow)
    assert client.publish("planta/linea1/temperatura", "20", qos=1) == 0
    assert payloads(seen(watch)) == [b"20"]
    client.drop()
    assert gets_in(slow).is_alive()
    is_refused_in_the_end(slow, password="wrong")
    is_refused_in_the_end(slow, username="nobody")
    assert gets_in(slow).is_alive()


def test_others_are_not_held_up(slow, suite):
    """Who is connected has his answer while expensive log-ins still wait for theirs."""
    watch = watcher(slow, "planta/#")
    guesses = [begin(slow, client_id=f"lento-{n}", password=f"guess {n}") for n in range(8)]
    watch.ping()
    assert payloads(seen(watch)) == []
    if suite == "sid":
        assert slow.log.count("wrong password") < len(guesses)
        for guess in guesses:
            with pytest.raises(mqtt.Refused):
                guess.answer()
    assert watch.is_alive()


def test_attack_9_somebody_leaves_while_his_log_in_is_pending(slow):
    """A's password is good; A leaves, and B comes under the same client id with a bad one: B stays out, and there is nobody
    in A's name."""
    watch = watcher(slow, "planta/#")
    for version in (4, 5):
        begin(slow, client_id="uno", version=version).drop()
        is_refused_in_the_end(slow, client_id="uno", password="wrong", version=version)
    assert gets_in(slow, client_id="uno").publish("planta/linea1/temperatura", "20", qos=1) == 0
    assert payloads(seen(watch)) == [b"20"]


def test_attack_9_the_same_id_while_it_is_pending(slow, suite):
    """The second is dropped by the broker, its end carries the id (attack 8), and the first gets in all the same."""
    first = begin(slow, client_id="uno")
    second = begin(slow, client_id="uno", password="wrong")
    if suite == "sid":
        first.answer()
        assert first.is_alive()
        with pytest.raises(mqtt.Refused):
            second.answer()
        assert first.is_alive()
    else:
        assert gets_in(slow, client_id="uno").is_alive()


def test_attack_9_reload_while_one_is_pending(slow, suite, dear):
    """SIGHUP asks about every session again, and kicks nobody; who is pending gets in under the new policy."""
    connected = gets_in(slow, client_id="uno")
    watch = watcher(slow, "planta/#")
    slow.edit("iam_auth.json", lambda policy: policy["local"]["users"].update(otra={"password": dear}))
    pending = [begin(slow, client_id=f"lento-{n}", username="lento", password=f"guess {n}") for n in range(2)]
    pending.append(begin(slow, client_id="dos"))
    slow.reload()
    assert connected.is_alive() and watch.is_alive()
    if suite == "sid":
        pending[-1].answer()
        assert pending[-1].is_alive()
    assert gets_in(slow, client_id="dos").publish("planta/linea1/temperatura", "20", qos=1) == 0
    assert payloads(seen(watch)) == [b"20"]
    assert connected.is_alive()


def test_a_session_is_not_taken_over_by_a_question(slow):
    """Whoever comes under a live client id with a bad password disturbs nobody, while it is checked and after."""
    live = gets_in(slow, client_id="uno")
    is_refused_in_the_end(slow, client_id="uno", password="wrong")
    assert live.is_alive()
    gets_in(slow, client_id="uno")
    live.wait_closed()


def test_attack_12_guesses_lock_out_the_guesser(slow):
    """Wrong passwords without end: whoever guesses is locked out and told of; the device that knows its password is not, nor
    who presents a certificate."""
    device = gets_in(slow)
    audit, guesses = slow.data / "audit.log", itertools.count()
    slow.write("aduana.json", json.dumps({"audit": {"to": f"file:{audit}", "lines_per_second": 1000}}))
    slow.edit("iam_auth.json", lambda policy: policy.update(brute_force={"failures": 2, "lockout_seconds": 3600}))
    slow.reload()
    alerts = watcher(slow, "#")

    def locked_out():  # the first delays are short: a slow machine may miss them
        is_refused_in_the_end(slow, client_id="x", password=f"guess {next(guesses)}")
        return audit.exists() and "too many wrong passwords for this user name: locked out" in audit.read_text()
    until(locked_out, "lock-out")
    assert next(guesses) > 3
    while "login_failures" not in alerts.receive().payload.decode():
        pass
    device.drop()
    assert gets_in(slow).is_alive()
    assert slow.connect(SENSOR).is_alive()


@contextlib.contextmanager
def guessing(broker):
    """Wrong passwords for lento's name without end, four at a time; those refused so far."""
    ends, refused, numbers = threading.Event(), [], itertools.count()

    def guess():
        while not ends.is_set():
            number = next(numbers)
            with contextlib.suppress(mqtt.Refused):
                broker.connect(LENTO, cert=False, port=broker.open_port, client_id=f"guess-{number}", password=f"guess {number}")
                return
            refused.append(number)

    threads = [threading.Thread(target=guess) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield refused
    finally:
        ends.set()
        for thread in threads:
            thread.join()


def test_attack_12_a_flood_of_guesses_keeps_nobody_out(slow, dear):
    """Meanwhile who is connected publishes, and somebody new gets in by a password that takes as long to check, or by a certificate."""
    otra = {"password": dear, "roles": ["edge"], "attributes": {"linea": "linea1"}}
    slow.edit("iam_auth.json", lambda policy: policy["local"]["users"].update(otra=otra))
    slow.reload()
    watch, connected = watcher(slow, "planta/linea1/#"), gets_in(slow)
    with guessing(slow) as refused:
        until(lambda: len(refused) > 4, "guesses")
        assert connected.publish("planta/linea1/temperatura", "connected", qos=1) == 0
        assert gets_in(slow, client_id="otra", username="otra").publish("planta/linea1/temperatura", "new", qos=1) == 0
        assert slow.connect(SENSOR).is_alive()
        before = len(refused)
        until(lambda: len(refused) > before, "the flood to go on")
        assert payloads(seen(watch)) == [b"connected", b"new"]
