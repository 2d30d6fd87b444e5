"""Revocation by OCSP: a real responder (`openssl ocsp`), and one that lies."""
import json
import re
import shutil

import pytest

import flood
import mqtt
from daemon import until
from plant import ADMIN, EDGE1, EDGE2, SCADA, seen, watcher
from responder import Parrot, Responder, recorded

ASKING = "its responder is being asked whether its certificate has been revoked"
NOBODY_SAYS = "nobody says whether its certificate has been revoked"
REVOKED = "its certificate has been revoked: .*keyCompromise, says the responder"


@pytest.fixture
def responder(tmp_path, pki):
    """A running one that knows everybody of the tests."""
    made = Responder(tmp_path / "ocsp", pki)
    for person in ADMIN, EDGE1, EDGE2, SCADA:
        made.good(pki.client(person.cn, person.ou))
    yield made.start()
    made.stop()


@pytest.fixture
def parrot():
    made = Parrot()
    yield made
    made.stop()


@pytest.fixture
def start(make_broker, suite, pki):
    """start(mode, more keys): a broker that asks."""
    def begin(mode, **more):
        broker = make_broker(suite, start=False)
        shutil.copy(pki.ca.pem, broker.policies / "ca.pem")
        wish = {"ca_files": ["ca.pem"], "ocsp": mode, "ocsp_refresh_seconds": 1, **more}
        broker.edit("cert_auth.json", lambda file: file.update(revocation=wish))
        broker.edit("rate_monitor.json", lambda file: file["alerts"].update(retain=True))  # who watches logs in after some
        return broker.start()
    return begin


def let_in(broker, connect):
    """The first log-in of a certificate is refused while it is asked about; the client comes again."""
    def comes():
        try:
            return connect()
        except mqtt.Refused:
            return None
    return until(comes, "let in once the responder has answered", every=0.3)


def is_refused(broker, person, why, **more):
    """Refused, in the end for that reason: the log-ins before it may have come too soon for an answer. Not too often:
    the log leaves out what comes in crowds."""
    mark = broker.mark()

    def goes():
        broker.refused(person, **more)
        return re.search(rf'refused connect client="{person.client_id or person.cn}" .*: cert_auth: {why}', broker.log_since(mark))
    return until(goes, why, every=1.5)


def alert_of(broker, client, kind, **values):
    """Waits for an alert; what else comes is of no interest."""
    def comes():
        found = [json.loads(message.payload) for message in seen(client)]
        return next((one for one in found if one["kind"] == kind and values.items() <= one.items()), None)
    return until(comes, f"an alert {kind}", every=0.2)


def test_attack_05_revoked_before_login(start, responder, pki):
    """The first log-in waits for nobody: it is refused, asked about meanwhile, and let in when it comes again."""
    responder.revoke(pki.client(EDGE2.cn, EDGE2.ou))
    broker = start("hard", ocsp_responder=responder.url)
    broker.refused(EDGE1, why=f"cert_auth: {ASKING}")
    edge = let_in(broker, lambda: broker.connect(EDGE1))
    is_refused(broker, EDGE2, REVOKED)
    # Whom the responder has never heard of.
    is_refused(broker, EDGE1, ".*is not known to the responder", cert=pki.client(EDGE1.cn, EDGE1.ou, san="DNS:desconocida"))
    assert edge.is_alive()


def test_who_is_judged_by_an_answer_of_before_is_counted(start, responder, pki):
    broker = start("hard", ocsp_responder=responder.url)
    flood.with_counters(broker)
    broker.reload()
    for person in ADMIN, EDGE1:
        let_in(broker, lambda: broker.connect(person))
    before = flood.counters(broker)["ocsp_from_cache"]
    assert before >= 3  # those two, and who reads the counters
    for _ in range(3):
        broker.connect(EDGE1).disconnect()
    assert flood.counters(broker)["ocsp_from_cache"] == before + 4


def test_attack_05_revoked_while_connected(start, responder, pki):
    """That one is disconnected, with an alert that names it, and nobody else notices."""
    broker = start("hard", ocsp_responder=responder.url)
    edge, other = let_in(broker, lambda: broker.connect(EDGE1)), let_in(broker, lambda: broker.connect(EDGE2))
    watch = let_in(broker, lambda: watcher(broker, "planta/_sys/alertas/#"))
    responder.revoke(pki.client(EDGE1.cn, EDGE1.ou))
    until(lambda: not edge.is_alive(), "the revoked client is disconnected")
    alert = alert_of(broker, watch, "session_ended")
    assert (alert["client_id"], alert["username"]) == (EDGE1.client_id, EDGE1.username) and re.search(REVOKED, alert["text"])
    assert other.is_alive() and watch.is_alive()
    broker.refused(EDGE1, why=f"cert_auth: {REVOKED}")


def test_attack_05_responder_down(start, responder, pki):
    """Hard: nobody new is let in, and who is connected stays; when it is back, so are they."""
    broker = start("hard", ocsp_responder=responder.url)
    edge = let_in(broker, lambda: broker.connect(EDGE1))
    watch = let_in(broker, lambda: watcher(broker, "planta/_sys/alertas/#"))
    responder.stop()
    is_refused(broker, EDGE2, f"{NOBODY_SAYS}.*Could(n't| not) connect")
    alert = alert_of(broker, watch, "ocsp_unanswered", state="raised")
    assert responder.url in alert["text"] and edge.is_alive()
    responder.start()
    assert let_in(broker, lambda: broker.connect(EDGE2)).is_alive() and edge.is_alive()


def test_attack_05_responder_down_but_soft(start, responder, pki):
    """Let in, counted and told; once somebody answers that it is revoked, it goes."""
    responder.revoke(pki.client(EDGE1.cn, EDGE1.ou))
    responder.stop()
    broker = start("soft", ocsp_responder=responder.url)
    watch = watcher(broker, "planta/_sys/alertas/#")
    edge, other = broker.connect(EDGE1), broker.connect(EDGE2)
    alert_of(broker, watch, "ocsp_unanswered", state="raised")
    assert edge.is_alive()
    responder.start()
    until(lambda: not edge.is_alive(), "the revoked client is disconnected")
    assert other.is_alive() and watch.is_alive()
    broker.refused(EDGE1, why=f"cert_auth: {REVOKED}")


def test_attack_05_answers_that_are_none(start, responder, parrot, pki, tmp_path):
    """Garbage, one byte, an old answer once more, one that anybody could replay, one about somebody else."""
    edge, other = pki.client(EDGE1.cn, EDGE1.ou), pki.client(EDGE2.cn, EDGE2.ou)
    broker = start("hard", ocsp_responder=parrot.url)
    broker.refused(EDGE1, why=f"cert_auth: {ASKING}")
    for answer, why in ((b"<html>502 Bad Gateway</html>", "it is no answer of OCSP"),
                        (b"0", "it is no answer of OCSP"),
                        (recorded(responder, pki, edge, tmp_path), "it carries the nonce of another question"),
                        (recorded(responder, pki, edge, tmp_path, "-no_nonce"), "it does not carry the nonce of the question"),
                        (recorded(responder, pki, other, tmp_path), "it is about another certificate")):
        parrot.answer = answer
        asked = len(parrot.asked)  # from here on each has this answer; the second is asked for once the first has been read
        until(lambda: len(parrot.asked) >= asked + 2, "asked again")
        broker.refused(EDGE1, why=f"cert_auth: {NOBODY_SAYS}.*{why}")


def test_the_responder_that_a_certificate_names(start, responder, pki, tmp_path):
    """By http or https, at a host that it may name; file:///etc/passwd is nobody to ask."""
    def certified(name, uri):
        extensions = f"extendedKeyUsage=clientAuth\nauthorityInfoAccess=OCSP;URI:{uri}\n"
        made = pki._signed(f"{tmp_path.name}-{name}", "/O=Planta/OU=edge/CN=edge-linea1", pki.ca, extensions)
        responder.good(made)
        return made

    named, file = certified("named", responder.url), certified("file", "file:///etc/passwd")
    elsewhere = certified("elsewhere", responder.url.replace("127.0.0.1", "localhost"))
    broker = start("hard", ocsp_hosts=["127.0.0.1"])
    assert let_in(broker, lambda: broker.connect(EDGE1, cert=named)).is_alive()
    is_refused(broker, EDGE1, ".*by something else than http:// or https://", cert=file)
    is_refused(broker, EDGE1, ".*none of .*ocsp_hosts", cert=elsewhere)
    is_refused(broker, EDGE2, ".*names no responder")
