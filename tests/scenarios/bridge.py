"""Two brokers with the bundle: `sur` opens a bridge to `norte`, where it logs in as any other client does."""
import json
import pathlib
import re
import socket

import mqtt
from network import host_of
from plant import Person

NAME = "puente-sur"
BRIDGE = Person(NAME, "puente")
PROTOCOL = {4: "mqttv311", 5: "mqttv50"}
IDENTITY = {"name": "bridge of another plant", "match": {"cert.ou": "puente"}, "username": "${cert.cn}", "client_id": "${cert.cn}",
            "roles": ["puente"]}
ROLE = {"allow": [{"publish": ["planta/linea2/+", "planta/sur/alertas/#"], "subscribe": ["planta/linea1/comandos/#", "planta/norte/#"]}],
        "deny": [{"publish": ["planta/+/consigna"]}]}


def allow_bridges(broker, role=None):
    """The broker's policy knows the identity and the role of a bridge."""
    broker.edit("cert_auth.json", lambda policy: policy["identities"].append(IDENTITY))
    broker.edit("acl.json", lambda policy: policy["roles"].update(puente=role or ROLE))
    return broker


def lines(pki, version, host, port, topics, client_id=NAME, cert=None):
    """The bridge's lines of mosquitto.conf."""
    cert = cert or pki.client(BRIDGE.cn, BRIDGE.ou)
    return (f"connection {client_id}\naddress {host}:{port}\nremote_clientid {client_id}\nbridge_protocol_version {PROTOCOL[version]}\n"
            f"bridge_cafile {pki.ca.pem}\nbridge_certfile {cert.pem}\nbridge_keyfile {cert.key}\ncleansession false\nnotifications false\n"
            "restart_timeout 1\nkeepalive_interval 5\n" + "".join(f"topic {topic}\n" for topic in topics))


def join(make_broker, suite, version, topics, by=None, prepare=None, role=None):
    """norte and sur, joined. `by(norte)` may say another way there; `prepare(sur)` may edit sur's policy."""
    norte = allow_bridges(make_broker(suite, start=False), role).start()
    way = by(norte) if by else None
    host, port = (way.host, way.port) if way else (host_of(norte), norte.port)
    sur = make_broker(suite, lambda b: b.plain_conf(extra=lines(b.pki, version, host, port, topics)), start=False)
    if prepare:
        prepare(sur)
    sur.start()
    wait_joined(norte, topics)
    return norte, sur


def wait_joined(norte, topics, since=0):
    """The bridge has logged in, and has been answered to all that it wants to hear."""
    wanted = sum(re.search(" (in|both)( |$)", topic) is not None for topic in topics)
    norte.wait_log(f"(?s)Sending CONNACK to {NAME} " + f".*Sending SUBACK to {NAME}" * wanted, since)


def logins(norte):
    return len(re.findall(f"New (bridge|client) connected from .* as {NAME} ", norte.log))


def watch_names(sur):
    """sur does not hold its topics to the naming standard, so that others get what breaks it."""
    sur.edit("topic_policy.json", lambda policy: policy.update(mode="watch"))


class Rogue(mqtt.Client):
    """A remote broker that a bridge trusts, and that sends what it likes. `answer()` waits for the bridge."""

    def __init__(self, pki, version):  # a connection that was accepted, not made: nothing of the client's own start
        self.version, self.client_id, self.timeout, self.sock = version, "rogue", 20, None
        self.inbox, self.packets, self.buffer, self.next_mid, self.auto_ack = mqtt.collections.deque(), [], b"", 0, True
        self.tls = mqtt.ssl.SSLContext(mqtt.ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(str(pki.server.pem), str(pki.server.key))
        self.listener = socket.create_server(("", 0))
        self.listener.settimeout(self.timeout)
        self.port = self.listener.getsockname()[1]

    def answer(self, subscriptions):
        raw, _ = self.listener.accept()
        raw.settimeout(self.timeout)
        self.sock = self.tls.wrap_socket(raw, server_side=True)
        self._wait(1)
        self._send(0x20, b"\x00\x00" + (b"\x00" if self.version == mqtt.V5 else b""))
        for _ in range(subscriptions):
            mid = self._wait(8)[:2]
            self._send(0x90, mid + (b"\x00" if self.version == mqtt.V5 else b"") + b"\x01")
        return self

    def close(self):
        self.drop()
        self.listener.close()


# Mosquitto's own dynamic security plugin, which takes orders by $CONTROL

ORDERS = "$CONTROL/dynamic-security/v1"
ORDER = json.dumps({"commands": [{"command": "createClient", "username": "intruso", "password": "x"}]})


def dynamic_security(broker):
    """The plugin's lines of mosquitto.conf; what it was told is in broker.folder / "dynsec.json"."""
    root = pathlib.Path(broker.command[0]).parent / "root"
    found = sorted((root if root.exists() else pathlib.Path("/")).glob("usr/lib/*/mosquitto_dynamic_security.so"))
    state = broker.folder / "dynsec.json"
    if not state.exists():
        state.write_text(json.dumps({"clients": [], "groups": [], "roles": [], "defaultACLAccess": {}}))
    return f"plugin {found[0]}\nplugin_opt_config_file {state}\n"


def was_told(broker):
    return "intruso" in (broker.folder / "dynsec.json").read_text()
