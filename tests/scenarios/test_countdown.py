"""How long certificates have yet: alerts when a threshold is crossed and when a newer one comes, over a restart of the broker; and
aduana certs, which lists them. Real certificates, and the machine's clock."""
import json
import subprocess

import pytest

import authority
from control import JEFE, allow_control
from patience import PATIENCE
from plant import ADMIN, EDGE1, EDGE2, SCADA, SENSOR, watcher

DAY = 86400
ALERTS = "planta/_sys/alertas"
pytestmark = pytest.mark.local  # the command is beside the broker


@pytest.fixture
def plant(make_broker, suite):
    """A broker that answers orders, not started, with that "expiry"."""
    def make(**expiry):
        broker = allow_control(make_broker(suite, start=False))
        broker.edit("cert_auth.json", lambda policy: policy.update(expiry=expiry))
        return broker
    return make


@pytest.fixture
def certificate(pki, tmp_path):
    """edge-linea1's, that ends in so many seconds."""
    made = []

    def make(ends):
        made.append(authority.client(tmp_path / f"cert{len(made)}", pki.ca, EDGE1.cn, EDGE1.ou, ends=ends))
        return made[-1]
    return make


def alert(watch, kind, person):
    """The next alert, which is of that kind and about that person."""
    message = watch.receive()
    assert message.topic == f"{ALERTS}/{kind}/{person.client_id or person.cn}", message
    return json.loads(message.payload)


def certs(broker, *options):
    """The exit status of aduana certs, and what it prints."""
    cert = broker.pki.client(JEFE.cn, JEFE.ou)
    done = subprocess.run([str(broker.lib.parent / "bin/aduana"), "certs", "-h", "127.0.0.1", "-p", str(broker.port), "-i", "consola", "--timeout", "60",
                           "--cafile", str(broker.pki.ca.pem), "--cert", str(cert.pem), "--key", str(cert.key), *options],
                          capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)
    assert done.stderr == "" and done.returncode in (0, 1), done
    return done.returncode, done.stdout


def test_a_threshold_is_crossed(plant, certificate):
    """While the client is connected; it is told once, and once more when a newer certificate comes."""
    broker = plant(warn_days=1, critical_days=0).start()
    watch = watcher(broker, f"{ALERTS}/#", client_id="alertas")
    broker.connect(EDGE1, 5, cert=certificate(ends=DAY + 5))
    broker.connect(EDGE2)
    raised = alert(watch, "certificate_expiry", EDGE1)
    assert (raised["state"], raised["severity"], raised["username"], raised["limit"]) == ("raised", "warning", "linea1", 1)
    assert raised["value"] == 0 and "in less than a day" in raised["text"] and raised["rule"].startswith("cert_auth.json:")
    broker.connect(EDGE1, 5)
    cleared = alert(watch, "certificate_expiry", EDGE1)
    assert (cleared["state"], cleared["since"]) == ("cleared", raised["since"])
    assert certs(broker, "--json")[0] == 0


def test_over_a_restart(plant, certificate):
    """Of a client that is away, too. Who ends first is listed first."""
    broker = plant(lifetime_most_days=60).start()
    broker.connect(EDGE1, cert=certificate(ends=3 * DAY), clean=False).disconnect()
    broker.wait_log('certificate_expiry raised client="edge-linea1" username="linea1": its certificate ends .*, in 2 days')
    mark = broker.mark()
    broker.restart()
    broker.wait_log('certificate_expiry raised client="edge-linea1" username="linea1"', mark)
    status, listed = certs(broker, "--json")
    listed = json.loads(listed)
    assert status == 1 and [one["client_id"] for one in listed] == ["edge-linea1", "consola"]
    first, second = listed
    assert (first["level"], first["days_left"], first["online"], first["findings"], first["identity"]) == ("critical", 2, False, [], "edge gateway")
    assert (second["level"], second["online"], second["findings"]) == ("good", True, ["long-lifetime"])
    assert len(first["fingerprint"]) == 64 and first["serial"] and first["issuer_cn"] == "Planta Device CA"
    lines = certs(broker)[1].splitlines()
    assert lines[0].split() == "DAYS LEVEL CLIENT IDENTITY SUBJECT ISSUER SERIAL FINGERPRINT NOT AFTER FINDINGS".split()
    assert lines[1].split()[:3] == ["2", "critical", "edge-linea1"] and lines[2].endswith("  long-lifetime")


def test_shared_by_several_clients(plant):
    """An identity that expects one client a certificate; a sensor's may have many."""
    broker = plant()
    broker.edit("cert_auth.json", lambda policy: policy["identities"][-1].pop("connections"))
    broker.start()
    watch = watcher(broker, f"{ALERTS}/#", client_id="alertas")
    for number in range(3):
        broker.connect(SENSOR, client_id=f"sensor-{number}")
    broker.connect(ADMIN, client_id="alertas-2")
    alerts = [json.loads(watch.receive().payload) for _ in range(2)]
    assert {(one["kind"], one["client_id"], one["state"]) for one in alerts} == {
        ("certificate_finding", "alertas", "raised"), ("certificate_finding", "alertas-2", "raised")}
    assert "[shared]" in alerts[0]["text"]
    broker.connect(SCADA)
    shared = {one["client_id"] for one in json.loads(certs(broker, "--json")[1]) if "shared" in one["findings"]}
    assert shared == {"alertas", "alertas-2"}
