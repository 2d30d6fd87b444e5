"""One round of questions to a broker on the test policies, and the answers that are right: for tests that
ask whether some way of loading the bundle protects exactly as every other."""
import mqtt
from plant import EDGE1, NOBODY, SENSOR, Person, seen, topics, watcher

RIGHT = {
    "login": True, "wrong password": False, "wrong client id": False, "unknown certificate": False,
    "publish own": 0, "publish foreign": 0x87, "upper case": 0x87, "too shallow": 0x87, "denied": 0x87,
    "reserved without role": 0x87, "alert forged": 0x87, "no role": 0x87,
    "subscribe own": 1, "subscribe foreign": 0x87, "subscribe all": 0x87, "subscribe upper case": 0x87,
    "arrived": ["planta/linea1/temperatura"],
}


def lets_in(broker, person, **more):
    try:
        broker.connect(person, mqtt.V5, **more).disconnect()
        return True
    except mqtt.Refused:
        return False


def ask(broker):
    watch = watcher(broker, "planta/#", version=mqtt.V5)
    got = {
        "wrong password": lets_in(broker, EDGE1, password="x"),
        "wrong client id": lets_in(broker, EDGE1, client_id="x"),
        "unknown certificate": lets_in(broker, Person("x", "otros")),
    }
    edge, sensor = broker.connect(EDGE1, mqtt.V5), broker.connect(SENSOR, mqtt.V5)
    got["login"] = edge.is_alive() and sensor.is_alive()
    for question, client, topic in (
            ("publish own", edge, "planta/linea1/temperatura"), ("publish foreign", edge, "planta/linea2/temperatura"),
            ("upper case", edge, "planta/linea1/Temperatura"), ("too shallow", edge, "planta/linea1"),
            ("denied", edge, "planta/linea1/consigna"), ("reserved without role", sensor, "planta/linea1/_sys/estado"),
            ("alert forged", watch, "planta/_sys/alertas/publish_rate/edge-linea1"),
            ("no role", broker.connect(NOBODY, mqtt.V5), "planta/linea1/temperatura")):
        got[question] = client.publish(topic, "x", qos=1)
    for question, topic_filter in (("subscribe own", "planta/linea1/comandos/#"), ("subscribe foreign", "planta/linea2/comandos/#"),
                                   ("subscribe all", "#"), ("subscribe upper case", "planta/linea1/comandos/A")):
        got[question] = edge.subscribe(topic_filter)
    got["arrived"] = topics(seen(watch))
    return got
