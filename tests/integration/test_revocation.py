"""Revoked certificates: lists (CRLs) of files, folders and web addresses, made by the openssl command. Attack 5."""
import http.server
import json
import re
import shutil
import subprocess
import threading
import time

import pytest

import mqtt
from daemon import until
from plant import ADMIN, EDGE1, EDGE2, SCADA, SENSOR, payloads, seen, watcher

FAR = range(1 << 100, (1 << 100) + 100_000)  # serial numbers of nobody


@pytest.fixture
def start(make_broker, suite, pki):
    """start(**keys): a broker whose "revocation" trusts the device CA and holds those keys, and has an empty list in crl.pem."""
    def begin(alerts=False, empty=True, runs=True, **keys):
        broker = make_broker(suite, start=False)
        folder = broker.policies / "pki"
        folder.mkdir()
        shutil.copy(pki.ca.pem, folder / "ca.pem")
        broker.crl = folder / "crl.pem"
        if empty:
            pki.crl(broker.crl)
        revocation = {"ca_files": ["pki/ca.pem"], "crl_files": ["pki/crl.pem"], **keys}
        broker.edit("cert_auth.json", lambda file: file.update(revocation=revocation))
        return broker.start() if runs else broker
    return begin


def revoked(why="keyCompromise, says pki/crl.pem"):
    return f'.*its certificate has been revoked: ."2025-01-01T00:00:00Z, {why}'


# Before the log-in

def test_attack_5_revoked_before_login(start, pki):
    broker = start()
    pki.crl(broker.crl, revoked=[pki.client("edge-linea2")])
    broker.wait_log("CRL pki/crl.pem taken: 1 revoked")
    assert broker.connect(EDGE1).is_alive()
    broker.refused(EDGE2, why=".*cert_auth: its certificate has been revoked")


# While connected

def test_attack_5_revoked_while_connected(start, pki):
    """Exactly that session ends, an alert names it, and nobody else notices: no SIGHUP is needed."""
    broker = start()
    watch = watcher(broker, "planta/#")
    one, other, two = broker.connect(EDGE1), broker.connect(SENSOR), broker.connect(EDGE2)
    generation = broker.reload()  # what is shared by generations goes on
    pki.crl(broker.crl, revoked=[pki.client(EDGE1.cn)])
    one.wait_closed()
    alert = json.loads(next(m.payload for m in iter(watch.receive, None) if "session_ended" in m.topic))
    assert (alert["client_id"], alert["username"]) == ("edge-linea1", "linea1")
    assert "its certificate has been revoked" in alert["text"]
    broker.refused(EDGE1, why=".*its certificate has been revoked")
    for client, topic in ((other, "planta/linea1/temperatura"), (two, "planta/linea2/temperatura")):
        assert client.publish(topic, client.client_id, qos=1) == 0
    assert {b"edge-linea2", b"sensor-linea1-horno"} <= set(payloads(seen(watch)))
    assert len([line for line in broker.log.splitlines() if "disconnecting client=" in line]) == 1
    assert generation == 2 and "generation 3" not in broker.log


def test_attack_5_a_whole_batch_is_revoked_while_connected(start, pki):
    """One list with the certificates of many: all of them are gone, each by its own, and nobody else. tests/bench has a thousand, and the time."""
    broker = start()
    batch = pki.many(SENSOR.cn, SENSOR.ou, 50)
    many = [broker.connect(SENSOR, client_id=f"lote-{number}", cert=cert) for number, cert in batch.items()]
    other, two = broker.connect(SENSOR, client_id="otro"), broker.connect(EDGE2)
    pki.crl(broker.crl, revoked=batch)
    for client in many:
        client.wait_closed()
    broker.refused(SENSOR, why=".*its certificate has been revoked", cert=next(iter(batch.values())))
    assert other.is_alive() and two.is_alive()


def test_a_hundred_thousand_entries(start, pki):
    """They are read and swapped beside the loop: whoever publishes all the while is answered all the while."""
    broker = start()
    big = broker.folder / "big.pem"
    pki.crl(big, revoked=[*FAR, pki.client(EDGE1.cn)])
    one, two = broker.connect(EDGE1), broker.connect(EDGE2)
    shutil.copy(big, broker.crl)
    while "100001 revoked" not in broker.log:
        assert two.publish("planta/linea2/temperatura", "x", qos=1) == 0
    one.wait_closed()
    assert two.is_alive()


# Lists that cannot be used

def test_attack_5_list_that_has_expired(start, pki):
    """New log-ins are refused; who is connected stays; a grace lets them in, and says so."""
    broker = start()
    inside = broker.connect(EDGE1)
    pki.crl(broker.crl, since=("20250101000000Z", "20250201000000Z"))
    broker.wait_log("the CRL pki/crl.pem of \"Planta Device CA\" has expired on 2025-02-01T00:00:00Z: its clients are refused")
    broker.refused(EDGE2, why='.*the CRL of its issuer has expired "pki/crl.pem, from 2025-01-01T00:00:00Z until 2025-02-01T00:00:00Z"')
    assert inside.is_alive()
    broker.edit("cert_auth.json", lambda file: file["revocation"].update(expired="warn", grace_hours=8784))
    pki.crl(broker.crl, since=("20260101000000Z", time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() - 3600))))
    broker.reload()
    assert broker.connect(EDGE2).is_alive()
    broker.wait_log("its clients are still let in until")


def test_attack_5_list_missing_truncated_foreign(start, pki):
    """The last good one counts, and an alert says what is wrong, until it is mended."""
    broker = start()
    watch = watcher(broker, "planta/#")
    good = broker.crl.read_text()
    foreign = pki.crl(broker.folder / "foreign.pem", ca=pki.other_ca, revoked=[pki.client(EDGE1.cn)]).read_text()
    delta = pki.crl(broker.folder / "delta.pem", more="2.5.29.27=critical,ASN1:INTEGER:1").read_text()
    indirect = pki.crl(broker.folder / "indirect.pem", more="issuingDistributionPoint=critical,@idp\n[idp]\nindirectCRL=TRUE").read_text()
    for text, why in ((good[:200], "damaged or truncated"), ("MII garbage", "it is no CRL"), (None, "cannot be read: No such file"),
                      (foreign, "is not signed by"), (delta, "it is a delta CRL"), (indirect, "it is an indirect CRL")):
        mark = broker.mark()
        if text is None:
            broker.crl.unlink()
        else:
            broker.crl.write_text(text)
        broker.wait_log(f"CRL pki/crl.pem: .*{why}.*; what was known before counts", mark)
        assert broker.connect(EDGE1).is_alive()
    mark = broker.mark()
    broker.crl.write_text(good)
    broker.wait_log("every CRL can be had again", mark)
    alerts = (json.loads(m.payload) for m in iter(watch.receive, None) if "crl_unreadable" in m.topic)
    assert next(alert for alert in alerts if alert["state"] == "cleared")["text"] == "every CRL can be had again"


@pytest.mark.parametrize("case", ["missing", "truncated", "foreign", "nobody"])
def test_attack_5_policy_with_such_a_list_is_not_loaded(start, pki, case):
    broker = start(runs=False, empty=case != "missing")
    if case == "truncated":
        broker.crl.write_bytes(broker.crl.read_bytes()[:300])
    elif case == "foreign":
        pki.crl(broker.crl, ca=pki.other_ca)
    elif case == "nobody":
        broker.edit("cert_auth.json", lambda file: file["revocation"].pop("ca_files"))
    said = {"missing": r"crl_files\[0\]: pki/crl.pem: cannot be read: No such file", "truncated": r"crl_files\[0\]: pki/crl.pem: it is damaged",
            "foreign": r"crl_files\[0\]: pki/crl.pem: it is not signed by .*CN=Planta Device CA", "nobody": r" whose word counts"}
    assert re.search(r"cert_auth\.json:\d+:\d+: revocation[.:]" + said[case], broker.start_refused())


def test_issuer_without_a_list(start, pki):
    """Nobody knows, so it is refused, or let in where the policy says so."""
    newer = pki.authority("ca-2027", "/O=Planta/CN=Planta Device CA 2027")
    broker = start(runs=False)
    bundle = broker.folder / "all.pem"
    bundle.write_text(pki.ca.pem.read_text() + newer.pem.read_text())
    shutil.copy(newer.pem, broker.policies / "pki" / "ca-2027.pem")
    broker.write_conf = lambda: broker.plain_conf().replace(f"cafile {pki.ca.pem}", f"cafile {bundle}")
    broker.edit("cert_auth.json", lambda file: file["revocation"].update(ca_files=["pki/ca.pem", "pki/ca-2027.pem"]))
    broker.start()
    broker.refused(SENSOR, ca=newer, why='.*there is no CRL of its issuer "Planta Device CA 2027"')
    broker.edit("cert_auth.json", lambda file: file["revocation"].update(unknown="allow"))
    broker.reload()
    assert broker.connect(SENSOR, ca=newer).is_alive()


def test_folder(start, pki):
    """The latest list of an authority counts, whatever the files are called and in which order they come and go."""
    broker = start(crl_files=[], crl_folders=["pki/crls"], runs=False)
    folder = broker.policies / "pki" / "crls"
    folder.mkdir()
    pki.crl(folder / "1.crl")
    broker.start()
    one = broker.connect(EDGE1)
    pki.crl(folder / "2.crl", revoked=[pki.client(EDGE1.cn)])
    one.wait_closed()
    (folder / "1.crl").unlink()
    pki.crl(folder / "0.crl")
    broker.wait_log("CRL pki/crls/0.crl taken: 0 revoked")
    assert broker.connect(EDGE1).is_alive()


# Web addresses

class Site:
    """Serves what `answers` holds: bytes, or where to go instead."""

    def __init__(self):
        self.answers, self.asked = {}, []
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                site.asked.append(self.path)
                answer = site.answers.get(self.path)
                self.send_response(404 if answer is None else 302 if isinstance(answer, str) else 200)
                if isinstance(answer, str):
                    self.send_header("Location", answer)
                self.end_headers()
                if isinstance(answer, bytes):
                    self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def site():
    made = Site()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.mark.local
def test_list_of_the_web(start, pki, site, tmp_path):
    """Nobody waits for it; until it is there nobody is known to be good. An older one is not taken again."""
    old = pki.crl(tmp_path / "old.pem", since=("20260101000000Z", "20400101000000Z")).read_bytes()
    broker = start(crl_files=[], crl_urls=[site.url + "/crl"], refetch_seconds=1)
    broker.refused(EDGE1, why='.*there is no CRL of its issuer "Planta Device CA"')
    site.answers["/crl"] = old
    broker.wait_log(f"CRL {site.url}/crl taken: 0 revoked")
    one, two = broker.connect(EDGE1), broker.connect(EDGE2)
    site.answers["/crl"] = site.url + "/there"
    site.answers["/there"] = pki.crl(tmp_path / "new.pem", revoked=[pki.client(EDGE1.cn)]).read_bytes()
    one.wait_closed()
    broker.reload()  # what was fetched is kept
    broker.refused(EDGE1, why=".*its certificate has been revoked")
    site.answers["/crl"] = old
    broker.wait_log(f"CRL {site.url}/crl cannot be had: it is older than the one that was there before")
    broker.refused(EDGE1, why=".*its certificate has been revoked")
    site.answers["/crl"] = b"x" * (16 * 1024 * 1024 + 1)
    broker.wait_log("the answer has more than 16777216 bytes")
    assert two.is_alive()


@pytest.mark.local
def test_list_of_the_web_after_a_restart(start, pki, site, tmp_path):
    """A broker that is killed and starts while the web server is away begins with the last good list."""
    site.answers["/crl"] = pki.crl(tmp_path / "list.pem", revoked=[pki.client(EDGE1.cn)]).read_bytes()
    broker = start(crl_files=[], crl_urls=[site.url + "/crl"])
    broker.wait_log(f"CRL {site.url}/crl taken: 1 revoked")
    broker.kill9()
    site.server.shutdown()
    site.server.server_close()
    mark = broker.mark()
    broker.start()
    broker.wait_log(f"CRL {site.url}/crl begins as it was kept", mark)
    broker.wait_log(f"CRL {site.url}/crl taken: 1 revoked", mark)
    assert broker.connect(EDGE2).is_alive()
    broker.refused(EDGE1, why=".*its certificate has been revoked")


@pytest.mark.local
def test_attack_5_distribution_point_is_a_file(start, pki, site):
    """Neither as an address of the policy, nor where a redirect leads, nor in a certificate: no file is read."""
    broker = start(runs=False, crl_urls=["file:///etc/passwd"])
    assert "crl_urls[0]: expected an address that begins with http:// or https://" in broker.start_refused()
    site.answers["/crl"] = "file:///etc/passwd"
    broker.edit("cert_auth.json", lambda file: file["revocation"].update(crl_urls=[site.url + "/crl"], refetch_seconds=1))
    broker.start()
    broker.wait_log(f"CRL {site.url}/crl cannot be had: it leads to something that is neither http nor https")
    made = pki._signed("with-point", "/O=Planta/OU=edge/CN=edge-linea1", pki.ca,
                       f"extendedKeyUsage=clientAuth\ncrlDistributionPoints=URI:file:///etc/passwd,URI:{site.url}/asked\n")
    assert broker.connect(EDGE1, cert=made).is_alive()
    assert set(site.asked) == {"/crl"}


# Before it is in force

@pytest.mark.local
def test_what_check_and_explain_say(start, pki, lib):
    broker = start(runs=False)
    command = str(lib.parent / "bin" / "aduana") if (lib.parent / "bin").exists() else str(lib.parent / "cli" / "aduana")
    pki.crl(broker.crl, revoked=[pki.client(EDGE1.cn)], since=("20250101000000Z", "20250201000000Z"))
    checked = subprocess.run([command, "check", broker.policies], capture_output=True, text=True)
    assert 'pki/crl.pem of "Planta Device CA" has expired on 2025-02-01T00:00:00Z' in checked.stdout + checked.stderr
    asked = subprocess.run([command, "explain", broker.policies, "--cert", pki.client(EDGE1.cn).pem, "--as", "username=linea1",
                            "publish", "planta/linea1/temperatura"], capture_output=True, text=True)
    assert "its certificate has been revoked" in asked.stdout
