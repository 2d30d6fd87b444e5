"""Certificates from outside: who holds a good one is let in as who it says, anything else gets no further than TLS.

The names of these people are right in every case, so that nothing but the certificate's worth can refuse them.
"""
import json

import pytest

import authority
import pki as pki_module
from daemon import until
from plant import EDGE1, EDGE2, SCADA, payloads, refused_publish, seen, watcher

HOUR, DAY = 3600, 86400
COMMANDS = "planta/linea1/comandos/#"


@pytest.fixture
def certificate(pki, tmp_path):
    """certificate(...): edge-linea1's, by the trusted authority, with what is asked of authority.client()."""
    made = []

    def make(ca=pki.ca, cn=EDGE1.cn, ou=EDGE1.ou, **more):
        made.append(authority.client(tmp_path / f"cert{len(made)}", ca, cn, ou, **more))
        return made[-1]

    return make


def works(client, watch, text):
    """What the client publishes on its line arrives, and on the other line does not."""
    assert client.publish("planta/linea2/temperatura", "no", qos=1) == refused_publish(client.version, 1)
    assert client.publish("planta/linea1/temperatura", text, qos=1) == 0
    assert payloads(seen(watch)) == [text.encode()]


def refused_beside_others(broker, version, cert, person=EDGE1, why=None, **more):
    """The login is refused, leaves no will behind, and whoever is connected stays."""
    watch, other = watcher(broker, "planta/#"), broker.connect(EDGE2, version)
    broker.refused(person, version, cert=cert, why=why, **more)
    assert seen(watch, other, "planta/linea2/temperatura") == []


@pytest.mark.parametrize("begins,ends", [(-HOUR, HOUR), (-DAY, 3650 * DAY), (-1, HOUR)], ids=["now", "years", "just-begun"])
def test_good(broker, version, certificate, begins, ends):
    watch = watcher(broker, "planta/+/temperatura")
    works(broker.connect(EDGE1, version, cert=certificate(begins=begins, ends=ends)), watch, "20")


@pytest.mark.parametrize("begins,ends", [(-2 * DAY, -DAY), (-HOUR, -1), (DAY, 2 * DAY), (HOUR, 2 * HOUR)],
                         ids=["expired", "just-expired", "tomorrow", "in-an-hour"])
def test_out_of_its_time(broker, version, certificate, begins, ends):
    refused_beside_others(broker, version, certificate(begins=begins, ends=ends))
    assert broker.connect(EDGE1, version, cert=certificate()).is_alive()


@pytest.mark.parametrize("subject", ["/O=Planta/CN=Otra CA", pki_module.CA_NAME], ids=["other-name", "same-name"])
@pytest.mark.parametrize("chain", [False, True], ids=["alone", "with-its-authority"])
def test_unknown_authority(broker, version, certificate, tmp_path, subject, chain):
    """Sending the authority along does not make it known."""
    unknown = authority.root(tmp_path / "unknown", subject)
    cert = certificate(ca=unknown)
    refused_beside_others(broker, version, authority.followed_by(tmp_path, cert, unknown) if chain else cert)


def test_self_signed_with_the_name_of_the_authority(broker, version, tmp_path):
    refused_beside_others(broker, version, authority.root(tmp_path / "self", pki_module.CA_NAME))


def test_signed_by_a_client(broker, version, certificate, tmp_path, pki):
    """A gateway's certificate is good, but no authority: what it signs for its neighbour is worth nothing."""
    mine = pki.client(EDGE2.cn, EDGE2.ou)
    forged = certificate(ca=mine)
    refused_beside_others(broker, version, authority.followed_by(tmp_path, forged, mine))


def test_of_a_server(broker, version, certificate):
    """A certificate that is only for servers identifies no client."""
    refused_beside_others(broker, version, certificate(extensions="extendedKeyUsage=serverAuth"))


def test_of_another_key(broker, version, certificate):
    """Somebody who copied the certificate has not the key."""
    mine, other = certificate(), certificate(cn=EDGE2.cn)
    with pytest.raises(OSError):  # not even this side's TLS library takes the pair
        broker.connect(EDGE1, version, cert=pki_module.Cert(mine.pem, other.key))


@pytest.mark.parametrize("clean", [True, False], ids=["clean", "durable"])
def test_foreign_client_id(broker, version, certificate, clean):
    """A good certificate with the client id of a neighbour that is away: its queue stays its own."""
    victim = broker.connect(EDGE2, version, clean=False)
    assert victim.subscribe("planta/linea2/comandos/#") == 1
    victim.disconnect()
    scada = broker.connect(SCADA)
    assert scada.publish("planta/linea2/comandos/x", "for line 2", qos=1) == 0
    broker.refused(EDGE1, version, cert=certificate(), client_id=EDGE2.client_id, clean=clean, why="cert_auth")
    back = broker.connect(EDGE2, version, clean=False)
    assert back.session_present and payloads(seen(back, scada, "planta/linea2/comandos/marca")) == [b"for line 2"]


def has_ended(cert):
    """Whether the certificate's last second is over, by this machine's clock."""
    try:
        pki_module.openssl("x509", "-in", cert.pem, "-noout", "-checkend", "0")
        return False
    except RuntimeError:
        return True


def test_expires_while_connected(broker, version, certificate):
    """TLS asks once, at the handshake; the bundle goes on asking. Exactly that session ends, and an alert names it."""
    alerts, cert = watcher(broker, "planta/_sys/alertas/#", client_id="alertas"), certificate(ends=10)
    watch, other = watcher(broker, "planta/+/temperatura"), broker.connect(EDGE2, version)
    client = broker.connect(EDGE1, version, cert=cert)
    works(client, watch, "still good")
    until(lambda: has_ended(cert), "the certificate's end")
    assert client.wait_closed() == (0x98 if version == 5 else None)
    message = alerts.receive()
    while "session_ended" not in message.topic:  # that its end is near has been told before
        message = alerts.receive()
    alert = json.loads(message.payload)
    assert (alert["kind"], alert["state"], alert["client_id"], alert["username"]) == ("session_ended", "raised", EDGE1.client_id, "linea1")
    assert "its certificate has expired" in alert["text"]
    broker.wait_log('disconnecting client="edge-linea1" username="linea1": .*its certificate has expired')
    broker.refused(EDGE1, version, cert=cert)
    assert other.is_alive() and other.publish("planta/linea2/temperatura", "x", qos=1) == 0


def test_renewed(broker, version, certificate):
    """The old certificate ended while the gateway was away. Its renewal, with another key and serial, is the same
    client: it has its session, and what was queued."""
    old = certificate(ends=10)
    client = broker.connect(EDGE1, version, cert=old, clean=False)
    assert client.subscribe(COMMANDS) == 1
    client.disconnect()
    scada = broker.connect(SCADA)
    assert scada.publish("planta/linea1/comandos/x", "queued", qos=1) == 0
    until(lambda: has_ended(old), "the certificate's end")
    broker.refused(EDGE1, version, cert=old, clean=False)
    back = broker.connect(EDGE1, version, cert=certificate(), clean=False)
    assert back.session_present
    assert payloads(seen(back, scada, "planta/linea1/comandos/marca")) == [b"queued"]
