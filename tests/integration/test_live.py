"""The commands that ask a running broker: aduana status, sessions, reload, kick, explain --live."""
import contextlib
import json
import os
import subprocess

import mqtt
import pytest

from control import JEFE, MUDO, RESPONSE, TOPIC, allow_control
from patience import PATIENCE
from plant import ADMIN, EDGE1, NOBODY, SCADA, SENSOR, TABLERO, Person, watcher

YES, NO, USAGE = 0, 1, 2


@pytest.fixture
def broker(make_broker, suite):
    return allow_control(make_broker(suite, start=False)).start()


@pytest.fixture
def run(lib, tmp_path):
    """run(broker, "status", ...): the finished command, as JEFE unless somebody else is named."""
    def run(broker, *arguments, person=JEFE, id="consola", environment=None, tls=True, input=None):
        cert = broker.pki.client(person.cn, person.ou)
        connection = ["-h", "127.0.0.1", "-p", broker.port, "-i", id]
        if tls:
            connection += ["--cafile", broker.pki.ca.pem, "--cert", cert.pem, "--key", cert.key]
        if environment:
            connection = []
        return subprocess.run([lib.parent / "bin/aduana", *map(str, arguments), *map(str, connection)], capture_output=True, text=True, timeout=PATIENCE,
                              stdin=subprocess.DEVNULL, env={**os.environ, "HOME": str(tmp_path), **(environment or {})})
    return run


def good(done):
    assert done.returncode == YES and done.stderr == "", done
    return done.stdout


def bad(done, code, text):
    assert done.returncode == code and text in done.stderr, done
    return done.stdout


def test_status(broker, run):
    text = good(run(broker, "status"))
    assert f"generation   1, from {broker.policies}\n" in text and "clients      1 online, 1 known\n" in text
    assert "  acl            enforce\n" in text
    counters = text.partition("counters\n")[2].splitlines()
    assert len(counters) > 50 and len({len(line) for line in counters}) == 1, "the numbers end in one column"
    status = json.loads(good(run(broker, "status", "--json")))
    assert status["generation"] == 1 and status["counters"]["logins_accepted"] == 2


def test_status_of_a_plant_that_is_not_well(broker, run):
    broker.edit("topic_policy.json", lambda policy: policy.update(mode="watch"))
    broker.reload()
    assert "  topic_policy   watch\n" in good(run(broker, "status"))
    broker.write("aduana.json", json.dumps({"metrics": {"address": "192.0.2.1"}}))  # nobody's
    broker.reload()
    broker.wait_log("aduana: metrics cannot be had at 192.0.2.1 port 9883")
    assert "metrics      not served: metrics cannot be had at 192.0.2.1 port 9883: " in good(run(broker, "status"))
    broker.write("acl.json", "{")
    broker.reload_refused()
    done = run(broker, "status")
    assert done.returncode == NO and ", refused: acl.json:1:" in done.stdout


def test_sessions(broker, run):
    broker.connect(EDGE1)
    broker.connect(TABLERO, 5, clean=False).disconnect()
    lines = [line.split() for line in good(run(broker, "sessions")).splitlines()]
    assert lines[0] == ["CLIENT", "USER", "STATE", "ADDRESS", "SEEN", "ROLES"]
    assert {(line[0], line[1], line[2], line[5]) for line in lines[1:]} == {
        ("edge-linea1", "linea1", "online", "edge"), ("tablero", "tablero", "away", "tablero"), ("consola", "jefe", "online", "jefe")}
    assert "  linea                linea1\n" in good(run(broker, "sessions", "edge-linea1"))
    assert json.loads(good(run(broker, "sessions", "edge-linea1", "--json")))[0]["attributes"]["linea"] == "linea1"
    bad(run(broker, "sessions", "nadie"), NO, "not connected and has no session")


def test_topics_of_a_plant_brought_in_step_by_step(make_broker, suite, run):
    """Names are enforced on one group of clients and watched of the others: who does what is told by the command and the retained report."""
    broker = allow_control(make_broker(suite, start=False))
    report = {"topic": "planta/linea1/temas", "every_seconds": 1}
    edges = {"name": "edges", "match": {"role": "edge"}, "mode": "enforce"}
    broker.edit("topic_policy.json", lambda policy: policy.update(mode="watch", discovery=report, clients=[edges]))
    broker.start()
    edge, admin = broker.connect(EDGE1, 5), broker.connect(ADMIN, 5, client_id="otro")
    for number in range(3):
        assert edge.publish("planta/linea1/temperatura", str(number), qos=1) == 0
    assert edge.publish("planta/linea1/Temperatura", "no", qos=1) == 0x87
    assert admin.publish("planta/linea1/Temperatura", "watched", qos=1) == 0
    assert admin.publish(report["topic"], "forged", qos=1, retain=True) == 0x87  # whatever is only watched
    text = bad(run(broker, "topics"), NO, "")
    assert "edges" in text and "upper-case letters are not allowed" in text
    told = json.loads(run(broker, "topics", "edge-linea1", "--json").stdout)
    assert [(one["topic"], one["messages"]) for one in told["topics"]] == [("planta/linea1/temperatura", 3)]
    assert told["groups"] == [{"name": "edges", "mode": "enforce", "refused": 1, "would_refuse": 0}]
    assert {one["client_id"]: (one["refused"], one["would_refuse"]) for one in told["worst_clients"]} == {"otro": (1, 1), "edge-linea1": (1, 0)}
    pairs = {(one["namespace"], one["client_id"]): (one["refused"], one["would_refuse"]) for one in told["by_namespace_and_client"]}
    assert pairs == {(None, "otro"): (1, 1), (None, "edge-linea1"): (1, 0)}
    assert set(good(run(broker, "topics", "--in-use")).split()) >= {"planta/linea1/temperatura", "planta/linea1/Temperatura"}
    reader = watcher(broker, report["topic"])
    told = {"refused": 0}
    while told["refused"] < 2:
        told = json.loads(reader.receive().payload)
    assert {"planta/linea1/temperatura", "planta/linea1/Temperatura"} <= {one["topic"] for one in told["topics"]}
    assert {one["client_id"] for one in told["by_namespace_and_client"]} == {"otro", "edge-linea1"}


@pytest.mark.long
def test_sessions_of_a_crowd(broker, run):
    """More than one answer holds."""
    for number in range(520):
        broker.connect(SENSOR, 5, clean=False, client_id=f"sensor-{number}").drop()
    sessions = json.loads(good(run(broker, "sessions", "--json")))
    assert len(sessions) == 521 == len({one["client_id"] for one in sessions})


def test_names_from_clients_do_not_disturb_a_terminal(broker, run):
    broker.connect(SENSOR, 5, client_id="sensor-\u202e\u200bx")
    text = good(run(broker, "sessions"))
    assert "sensor-\\u202e\\u200bx " in text and "\u202e" not in text


def test_reload(broker, run):
    assert good(run(broker, "reload")).startswith("accepted")
    broker.wait_log("policy generation 2 loaded")
    assert good(run(broker, "reload", "--wait")) == "generation 3 loaded\n"
    broker.write("acl.json", '{"roles": {"edge": {"alow": []}}}')
    done = run(broker, "reload", "--wait")
    assert done.returncode == NO
    assert done.stdout == 'not loaded, generation 3 stays: acl.json:1:21: roles.edge.alow: unknown key; did you mean "allow"?\n'
    done = run(broker, "reload", "--wait", "--json")
    assert done.returncode == NO and json.loads(done.stdout)["error"].startswith("acl.json:1:21")


def test_kick(broker, run):
    edge = broker.connect(EDGE1, 5)
    assert good(run(broker, "kick", "edge-linea1")) == "edge-linea1 (linea1) is disconnected; its will, if it has one, is sent\n"
    assert edge.wait_closed() == 0x98
    bad(run(broker, "kick", "edge-linea1"), NO, 'the client "edge-linea1" is not connected')
    bad(run(broker, "kick", "nadie"), NO, 'no client is known by the id "nadie"')
    edge = broker.connect(EDGE1, 5)
    assert "is not sent" in good(run(broker, "kick", "edge-linea1", "--no-will"))
    edge.wait_closed()


def test_explain(broker, run):
    broker.connect(EDGE1)
    ask = ("explain", "--live", "edge-linea1")
    assert good(run(broker, *ask, "publish", "planta/linea1/temperatura", "--qos", 1, "--retain")) == "allowed\n"
    done = run(broker, *ask, "publish", "planta/linea1/consigna")
    assert done.returncode == NO and done.stdout == 'refused: acl: denied by the rule "set points are the operator\'s" [acl.json:21]\n'
    done = run(broker, *ask, "subscribe", "planta/#", "--json")
    assert done.returncode == NO and json.loads(done.stdout)["verdict"] == "refused"
    bad(run(broker, "explain", "--live", "nadie", "publish", "a/b/c"), NO, "no client is known")
    bad(run(broker, *ask, "read", "a/b/c"), NO, 'action: expected one of "publish", "subscribe", "receive"')
    bad(run(broker, *ask, "publish"), USAGE, "usage: aduana explain")
    bad(run(broker, *ask, "publish", "a/b/c", "--qos", 3), USAGE, "qos: expected 0 to 2")
    broker.edit("acl.json", lambda policy: policy["roles"]["edge"]["deny"][0].update(mode="watch"))
    broker.reload()
    assert good(run(broker, *ask, "publish", "planta/linea1/consigna")).startswith("allowed, but only because it is watched: acl: denied by")


def test_explain_of_a_client_in_quarantine(broker, run):
    broker.edit("rate_monitor.json", lambda policy: policy["classes"][0].update(
        publish={"max_per_second": 5, "clear_seconds": 3600}, actions={"quarantine": ["publish_rate"], "quarantine_seconds": 3600}))
    broker.reload()
    client = broker.connect(EDGE1)
    with contextlib.suppress(mqtt.Closed):  # in the middle of it
        for number in range(20):
            client.send_publish("planta/linea1/temperatura", f"{number}")
    client.wait_closed()
    done = run(broker, "explain", "--live", "edge-linea1", "publish", "planta/linea1/temperatura")
    assert done.returncode == NO and done.stdout.startswith("refused: rate_monitor: it is in quarantine"), done
    assert " seconds more" in done.stdout


def test_who_may_not(broker, run):
    bad(run(broker, "status", person=NOBODY, id="nadie"), USAGE, f"the role is not allowed to subscribe to {RESPONSE}")
    bad(run(broker, "status", person=ADMIN, id="otro"), USAGE, "the role is not allowed to subscribe")
    bad(run(broker, "status", person=MUDO, id="mudo"), USAGE, "the role is not allowed to subscribe")
    broker.edit("acl.json", lambda policy: policy["roles"]["jefe"]["allow"].pop(0))
    broker.reload()
    bad(run(broker, "reload"), USAGE, f"the role is not allowed to publish to {TOPIC}")


def test_who_is_not_let_in(broker, run):
    bad(run(broker, "status", person=Person("x", "otros")), USAGE, "the broker refuses the login")
    bad(run(broker, "status", "--cafile", broker.pki.other_ca.pem, tls=False), USAGE, "certificate verify failed")
    bad(run(broker, "status", "--timeout", 1, tls=False), USAGE, "127.0.0.1 port")
    bad(run(broker, "status", "--cafile", "/no/such/file", tls=False), USAGE, "cannot be read")
    broker.stop()
    bad(run(broker, "status"), USAGE, "Connection refused")
    bad(run(broker, "status", tls=False), USAGE, "Connection refused")


def test_a_broker_without_the_bundle(make_broker, suite, run):
    broker = make_broker(suite, lambda b: b.plain_conf([], extra="allow_anonymous true"))
    done = run(broker, "status", "--timeout", 1)
    said = "this broker does not run Aduana (endpoint not available)" if suite == "sid" else "no answer within 1 s: does this broker run Aduana"
    bad(done, USAGE, said)


def test_password(make_broker, suite, run, tmp_path):
    broker = allow_control(make_broker(suite, lambda b: b.plain_conf(listener="require_certificate false"), start=False))
    broker.edit("iam_auth.json", lambda policy: policy.update(require="either"))
    broker.edit("acl.json", lambda policy: policy["bindings"].append({"match": {"username": "persona"}, "roles": ["jefe"]}))
    broker.start()
    secret = tmp_path / "secret"
    secret.write_text("paso\n")
    by_password = ("--cafile", broker.pki.ca.pem, "-u", "persona")
    assert "persona" in good(run(broker, "sessions", *by_password, "--password-file", secret, tls=False))
    secret.write_text("wrong\n")
    bad(run(broker, "sessions", *by_password, "--password-file", secret, tls=False), USAGE, "the broker refuses the login")
    bad(run(broker, "sessions", *by_password, "--password-file", tmp_path / "nada", tls=False), USAGE, "nada")
    bad(run(broker, "sessions", *by_password, tls=False), USAGE, "no terminal to ask for the password")


def test_options_from_a_file(broker, run, tmp_path):
    cert = broker.pki.client(JEFE.cn, JEFE.ou)
    lines = f"# the plant's broker\n\nhost 127.0.0.1\nport {broker.port}\n  cafile  {broker.pki.ca.pem} \ncert {cert.pem}\nkey {cert.key}\nid consola\n"
    named = tmp_path / "broker.conf"
    named.write_text(lines)
    by_file = {"ADUANA_BROKER": str(named)}
    assert "generation   1" in good(run(broker, "status", environment=by_file))
    bad(run(broker, "status", "-p", "1", environment=by_file), USAGE, "port 1")
    own = tmp_path / ".config/aduana/broker"
    own.parent.mkdir(parents=True)
    own.write_text(lines)
    assert "generation   1" in good(run(broker, "status", environment={"ADUANA_BROKER": ""}))
    for wrong, said in ("hots x\n", ":1: expected an option and its value"), ("host\n", ":1: expected an option"), ("port 0\n", "port: expected 1 to 65535"):
        named.write_text(wrong)
        bad(run(broker, "status", environment=by_file), USAGE, said)
    bad(run(broker, "status", environment={"ADUANA_BROKER": str(tmp_path / "nada")}), USAGE, "nada")


def test_unix_socket(make_broker, suite, run, tmp_path):
    """Who comes by a unix socket shows no certificate: a password says who it is."""
    path = tmp_path / "s"
    broker = allow_control(make_broker(suite, lambda b: b.plain_conf() + f"listener 0 {path}\n", start=False))
    broker.edit("iam_auth.json", lambda policy: policy.update(require="either"))
    broker.edit("acl.json", lambda policy: policy["bindings"].append({"match": {"username": "persona"}, "roles": ["jefe"]}))
    broker.start()
    secret = tmp_path / "secret"
    secret.write_text("paso")
    assert "generation   1" in good(run(broker, "status", "--unix", path, "-u", "persona", "--password-file", secret, tls=False))


@pytest.mark.parametrize("wrong", [("status", "x"), ("sessions", "a", "b"), ("reload", "x"), ("kick",), ("kick", "a", "b"), ("status", "--nope"),
                                   ("status", "-p", "x"), ("status", "--timeout", "0"), ("explain", "publish", "a"), ("status", "-h")])
def test_wrong_usage(lib, wrong):
    done = subprocess.run([lib.parent / "bin/aduana", *wrong], capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)
    assert done.returncode == USAGE and f"usage: aduana {wrong[0]}" in done.stderr and done.stdout == ""


def test_it_disconnects_nobody(broker, run):
    """The command has a client id of its own."""
    edge = broker.connect(EDGE1)
    for _ in range(3):
        good(run(broker, "status"))
    assert edge.is_alive() and broker.connect(SCADA).is_alive()
