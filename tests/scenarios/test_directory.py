"""The directory stops in the middle of traffic: who is connected stays, who is known gets in, everybody else waits until it is back."""
import json

from daemon import until
from directory import ANA, get_in, in_policy
from plant import payloads, seen, watcher

# Their certificates stand for nobody, so their passwords count.
ANA = ANA._replace(cn="ana", ou="personas")
LUIS = ANA._replace(cn="luis", username="luis", password="clave-luis", client_id="panel-luis")
TOPIC = "planta/linea1/temperatura"


def told(alerts):
    """What the next alert says of the directory; others are of no interest."""
    def next_one():
        alert = json.loads(alerts.receive().payload)
        return alert["kind"] == "provider_unavailable" and alert["state"]
    return until(next_one, "an alert of the directory")


def test_it_stops_and_comes_back(make_broker, suite, slapd):
    broker = make_broker(suite, start=False)
    in_policy(broker, slapd, require="either")
    broker.start()
    watch, alerts = watcher(broker, TOPIC), watcher(broker, "planta/_sys/alertas/#", client_id="alarmas")
    ana = get_in(broker, ANA)
    assert ana.publish(TOPIC, "before", qos=1) == 0
    slapd.stop()
    assert ana.publish(TOPIC, "as it stops", qos=1) == 0
    assert told(alerts) == "raised"  # she is asked about each second
    again = get_in(broker, ANA, client_id="panel-ana-2")
    broker.refused(LUIS, why="its provider cannot be asked")
    broker.refused(ANA, password="otra", client_id="panel-ana-3", why="its provider cannot be asked")
    assert ana.publish(TOPIC, "without it", qos=1) == 0 and again.publish(TOPIC, "in its grace", qos=1) == 0
    slapd.start()
    assert told(alerts) == "cleared"
    luis = get_in(broker, LUIS)
    assert luis.is_alive() and ana.publish(TOPIC, "after", qos=1) == 0
    assert payloads(seen(watch)) == [b"before", b"as it stops", b"without it", b"in its grace", b"after"]
