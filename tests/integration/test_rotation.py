"""Authority, client certificates and the broker's own are exchanged under ten clients that publish all the while: nobody is sent
away before his time, and not a message is lost."""
import shutil
import threading

import mqtt
from daemon import until
from pki import SERVER_NAMES, openssl
from plant import Person

CLIENTS = 10
OLD, NEW = "old", "new"


def context(pki, newer, cert):
    """Of a client that knows both authorities, as one does during a rotation."""
    made = pki.context(cert)
    made.load_verify_locations(str(newer.pem))
    return made


class Device(threading.Thread):
    """Works until its end. `certificate` may be exchanged at any time: then it comes back with the new one."""

    def __init__(self, broker, newer, name, certificate):
        super().__init__(daemon=True)
        self.broker, self.newer, self.name, self.certificate = broker, newer, name, certificate
        self.client, self.used, self.connects, self.error, self.end = None, None, 0, None, False

    def connect(self):
        certificate = self.certificate
        self.client = mqtt.Client(self.broker.port, self.name, tls=context(self.broker.pki, self.newer, certificate), clean=False)
        self.used, self.connects = certificate, self.connects + 1

    def run(self):
        try:
            while not self.end:
                if self.used is not self.certificate:
                    self.connect()
                self.work()
        except Exception as error:  # the test says so
            self.error = error


class Publisher(Device):
    """Counts upwards, QoS 1."""

    def __init__(self, broker, newer, number, certificate):
        super().__init__(broker, newer, f"edge-linea{number}", certificate)
        self.topic, self.acknowledged = f"planta/linea{number}/cuenta", 0

    def work(self):
        assert self.client.publish(self.topic, str(self.acknowledged), qos=1) == 0
        self.acknowledged += 1


class Historian(Device):
    """Keeps all that comes."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.received = set()

    def connect(self):
        super().connect()
        assert self.client.subscribe("planta/+/cuenta", qos=1) == 1

    def work(self):
        try:
            message = self.client.receive(0.2)
        except TimeoutError:
            return
        self.received.add((message.topic, message.payload))


def test_rotation_of_everything(make_broker, suite, pki):
    newer = pki.authority("ca-2027", "/O=Planta/CN=Planta Device CA 2027")

    def conf(broker):
        text = broker.plain_conf(extra="max_queued_messages 0").replace(f"cafile {pki.ca.pem}", f"capath {broker.folder}/trusted")
        return text.replace(str(pki.server.pem), f"{broker.folder}/server.pem").replace(str(pki.server.key), f"{broker.folder}/server.key")

    def trust(name, certificate):
        (broker.folder / "trusted").mkdir(exist_ok=True)
        (broker.policies / "pki").mkdir(exist_ok=True)
        for folder in broker.folder / "trusted", broker.policies / "pki":
            shutil.copy(certificate.pem, folder / f"{name}.pem")
        openssl("rehash", broker.folder / "trusted")
        broker.edit("cert_auth.json", lambda file: file.setdefault("authorities", {}).update({name: {"roots": [f"pki/{name}.pem"]}}))

    def serve(certificate):
        for path, name in (certificate.key, "server.key"), (certificate.pem, "server.pem"):
            shutil.copy(path, broker.folder / name)

    def identities(file):
        edge, *_, service = file["identities"]
        edge.update(match={"cert.ou": "edge"}, password="no")
        service.update(match={"cert.ou": "servicio"})

    broker = make_broker(suite, conf, start=False)
    broker.edit("cert_auth.json", identities)
    trust(OLD, pki.ca)
    serve(pki.server)
    broker.start()
    publishers = [Publisher(broker, newer, number, pki.client(f"edge-linea{number}", "edge")) for number in range(1, CLIENTS + 1)]

    def all_go_on():
        """Everybody's count grows."""
        counts = [publisher.acknowledged for publisher in publishers]
        until(lambda: any(p.error for p in publishers) or all(p.acknowledged > count + 5 for p, count in zip(publishers, counts)), "messages")
        assert [publisher.error for publisher in publishers] == [None] * CLIENTS

    def give(device, certificate):
        device.certificate = certificate
        until(lambda: device.used is certificate or device.error, "the new certificate")

    historian = Historian(broker, newer, "historiador", pki.client("admin", "servicio"))
    for device in [historian, *publishers]:
        device.start()
        until(lambda: device.used or device.error, "login")
    all_go_on()

    trust(NEW, newer)  # 1. both authorities
    broker.reload()
    all_go_on()
    assert [publisher.connects for publisher in publishers] == [1] * CLIENTS

    for publisher in publishers:  # 2. one device after the other gets its new certificate, while the old one is still good
        give(publisher, pki.client(publisher.name, "edge", ca=newer))
    give(historian, pki.client("admin", "servicio", ca=newer))
    all_go_on()

    serve(pki._signed("server-2027", "/CN=broker.planta", newer, SERVER_NAMES))  # 3. the broker's own
    broker.reload()
    all_go_on()
    assert [publisher.connects for publisher in publishers] == [2] * CLIENTS
    visitor = mqtt.Client(broker.port, "nadie", tls=context(pki, newer, pki.client("admin", "servicio", ca=newer)))
    issuer = dict(part for parts in visitor.sock.getpeercert()["issuer"] for part in parts)
    assert visitor.is_alive() and issuer["commonName"] == "Planta Device CA 2027"

    broker.edit("cert_auth.json", lambda file: file["authorities"].pop(OLD))  # 4. the old authority goes
    (broker.folder / "trusted" / f"{OLD}.pem").unlink()
    openssl("rehash", broker.folder / "trusted")
    broker.reload()
    all_go_on()
    assert [publisher.connects for publisher in publishers] == [2] * CLIENTS
    broker.refused(Person("edge-linea1", "edge"))
    for publisher in publishers:
        publisher.end = True
    for publisher in publishers:
        publisher.join(20)
    expected = {(p.topic, str(count).encode()) for p in publishers for count in range(p.acknowledged)}
    until(lambda: expected <= historian.received or historian.error, "all messages")
    historian.end = True
    assert [device.error for device in (historian, *publishers)] == [None] * (CLIENTS + 1)
    assert expected <= historian.received and historian.connects == 2
