"""The directory stops in the middle of traffic: who is connected stays, who is known gets in, everybody else waits until it is back."""
import json

from daemon import until
from directory import ANA, get_in, in_policy
from plant import payloads, refused_publish, seen, watcher

# Their certificates stand for nobody, so their passwords count.
ANA = ANA._replace(cn="ana", ou="personas")
LUIS = ANA._replace(cn="luis", username="luis", password="clave-luis", client_id="panel-luis")
TOPIC, PRESSURE = "planta/linea1/temperatura", "planta/linea1/presion"


def told(alerts):
    """What the next alert says of the directory; others are of no interest."""
    def next_one():
        alert = json.loads(alerts.receive().payload)
        return alert["kind"] == "provider_unavailable" and alert["state"]
    return until(next_one, "an alert of the directory")


def test_it_stops_and_comes_back(make_broker, suite, slapd):
    broker = make_broker(suite, start=False)
    in_policy(broker, slapd, require="either")
    broker.edit("iam_auth.json", lambda policy: policy["cache"].update(offline_roles=["de-guardia"]))
    broker.edit("acl.json", lambda policy: policy["roles"].update({"de-guardia": {"allow": [{"publish": [PRESSURE]}]}}))
    broker.start()
    watch, alerts = watcher(broker, TOPIC, PRESSURE), watcher(broker, "planta/_sys/alertas/#", client_id="alarmas")
    ana = get_in(broker, ANA)
    assert ana.publish(TOPIC, "before", qos=1) == 0
    slapd.stop()
    assert ana.publish(TOPIC, "as it stops", qos=1) == 0
    assert told(alerts) == "raised"  # she is asked about each second
    again = get_in(broker, ANA, client_id="panel-ana-2")
    assert again.publish(TOPIC, "too much", qos=1) == refused_publish(5, 1)
    broker.refused(LUIS, why="its provider cannot be asked")
    broker.refused(ANA, password="otra", client_id="panel-ana-3", why="its provider cannot be asked")
    assert ana.publish(TOPIC, "without it", qos=1) == 0 and again.publish(PRESSURE, "in its grace", qos=1) == 0
    slapd.start()
    assert told(alerts) == "cleared"
    luis = get_in(broker, LUIS)
    assert luis.is_alive() and ana.publish(TOPIC, "after", qos=1) == 0
    until(lambda: again.publish(PRESSURE, "less", qos=1) == refused_publish(5, 1), "the roles of the directory")
    assert again.publish(TOPIC, "as ever", qos=1) == 0
    told_of = [payload for payload in payloads(seen(watch)) if payload != b"less"]
    assert told_of == [b"before", b"as it stops", b"without it", b"in its grace", b"after", b"as ever"]
