"""The article's own client, unchanged but for the broker's host and port, against certificate and password."""
import json
import subprocess
import sys

import pytest

from plant import EDGE1, seen, watcher

CLIENT = '''\
import json
from paho.mqtt.client import Client
client = Client(client_id="edge-linea1")
client.tls_set("ca.pem", "edge.pem", "edge.key")
client.username_pw_set("linea1", "pass")
client.connect("broker.planta", 8883)
client.publish("planta/linea1/temperatura", json.dumps({"valor": 87.5}), qos=1)
client.subscribe("planta/linea1/comandos/#", qos=1)
'''

# What the article leaves to the reader: keep the client running and print what it sees.
LISTEN = '''
client.on_subscribe = lambda client, userdata, mid, granted: print("granted", list(granted), flush=True)
client.on_message = lambda client, userdata, message: print(message.topic, message.payload.decode(), message.qos, flush=True)
client.on_disconnect = lambda client, userdata, code: print("disconnected", flush=True)
client.loop_forever()
'''


@pytest.fixture
def article(broker, pki, tmp_path):
    """Runs the article's client in a folder with the three files that it names."""
    started = []
    broker.edit("iam_auth.json", lambda policy: policy.update(require="both"))
    broker.reload()
    # The watcher has a password as well now.
    subprocess.run(["mosquitto_passwd", "-b", broker.policies / "passwd", "admin", "admin"], check=True)
    broker.reload()

    def run(cert=None, text=CLIENT, more=LISTEN):
        cert = cert or pki.client(EDGE1.cn, EDGE1.ou)
        for name, path in ("ca.pem", pki.ca.pem), ("edge.pem", cert.pem), ("edge.key", cert.key):
            (tmp_path / name).write_bytes(path.read_bytes())
        text = text.replace('"broker.planta", 8883', f'"localhost", {broker.port}')
        process = subprocess.Popen([sys.executable, "-c", text + more], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_article(broker, article):
    """Its value arrives, its subscription is granted at QoS 1, and a command reaches it."""
    watch = watcher(broker, "planta/linea1/temperatura", username="admin", password="admin")
    process = article()
    message = watch.receive()
    assert (json.loads(message.payload), message.qos) == ({"valor": 87.5}, 1)
    assert process.stdout.readline() == "granted [1]\n"
    watch.publish("planta/linea1/comandos/parar", "ya", qos=1)
    assert process.stdout.readline() == "planta/linea1/comandos/parar ya 1\n"


def test_article_pasted_into_a_shell(broker, article):
    """Not one more call to the client, which so never reads an answer: the value arrives all the same. (A program that
    ended right there would reset the connection under the broker's CONNACK, and any broker may lose the value.)"""
    watch = watcher(broker, "planta/linea1/temperatura", username="admin", password="admin")
    article(more="import time\ntime.sleep(60)\n")
    assert json.loads(watch.receive().payload) == {"valor": 87.5}


@pytest.mark.parametrize("wrong", ["password", "certificate", "other-line", "client-id"])
def test_article_with_something_wrong(broker, article, pki, wrong):
    """Certificate and password are both checked, and so is the client id; the value does not arrive."""
    watch = watcher(broker, "planta/#", username="admin", password="admin")
    cert = {"certificate": pki.client(EDGE1.cn, EDGE1.ou, ca=pki.other_ca), "other-line": pki.client("edge-linea2", "edge")}.get(wrong)
    text = {"password": CLIENT.replace('"pass"', '"no"'), "client-id": CLIENT.replace("edge-linea1", "edge-linea7")}.get(wrong, CLIENT)
    more = LISTEN.replace("flush=True)\nclient.loop", "flush=True) or client.disconnect()\nclient.loop")
    process = article(cert, text, more)
    assert process.stdout.readline() in ("disconnected\n", "")  # "": the TLS handshake itself failed
    assert seen(watch) == []
