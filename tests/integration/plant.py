"""The people of the test plant (policies/) and what tests ask about them again and again."""
import collections
import itertools

Person = collections.namedtuple("Person", "cn ou username password client_id", defaults=(None, None, None))

EDGE1 = Person("edge-linea1", "edge", "linea1", "pass", "edge-linea1")
EDGE2 = Person("edge-linea2", "edge", "linea2", "otra-clave", "edge-linea2")
EDGE3 = Person("edge-linea3", "edge", "linea3", "tercera", "edge-linea3")
SENSOR = Person("sensor-linea1-horno", "sensor")
SENSOR2 = Person("sensor-linea2-horno", "sensor")
LECTOR1 = Person("lector-linea1", "lector")
SCADA = Person("scada", "servicio")
TABLERO = Person("tablero", "servicio")
ADMIN = Person("admin", "servicio")
NOBODY = Person("nadie", "servicio")  # logs in, has no role

VICTIM_TOPIC = "planta/linea2/comandos/x"  # what line 1 must never reach
REFUSED_CODES = {3: None, 4: 0x80, 5: 0x87}  # of SUBSCRIBE; MQTT 3.1 knows no refusal

_numbers = itertools.count(1)


def refused_publish(version, qos):
    """The code a publisher gets for a refused PUBLISH: only MQTT 5 with QoS 1 or 2 tells."""
    return 0x87 if version == 5 and qos else 0


def seen(subscriber, publisher=None, topic="libre/marca"):
    """What reached the subscriber before a marker published now; so an empty list means: nothing came.
    Without a publisher the subscriber publishes the marker itself."""
    marker = f"marker {next(_numbers)}"
    assert (publisher or subscriber).publish(topic, marker, qos=1) == 0, "the marker itself was refused"
    messages = []
    while True:
        message = subscriber.receive()
        if message.payload == marker.encode():
            return messages
        if not message.payload.startswith(b"marker "):
            messages.append(message)


def topics(messages):
    return [message.topic for message in messages]


def payloads(messages):
    return [message.payload for message in messages]


def watcher(broker, *filters, version=4, person=ADMIN, client_id="vigia", **more):
    """An administrator who sees the given filters and can publish its own markers."""
    client = broker.connect(person, version, client_id=client_id, **more)
    for topic_filter in filters if "#" in filters else filters + ("libre/#",):
        assert client.subscribe(topic_filter, qos=2) < 3
    return client


def nothing_passes(broker, client, topic="planta/linea1/temperatura"):
    """The client, though connected, can neither publish nor subscribe."""
    code = client.subscribe("planta/linea1/comandos/#", "planta/+/+", "planta/linea1/#")
    assert set(code) == {REFUSED_CODES[client.version]}
    assert client.publish(topic, "x", qos=1) == refused_publish(client.version, 1)
