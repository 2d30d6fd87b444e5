"""Retained messages outlive their publisher and the broker, and are delivered only to whom they are granted."""
from plant import ADMIN, EDGE1, LECTOR1, SCADA, SENSOR, TABLERO, payloads, seen, watcher

OPTION = "check_retain_source true\n"


def arrives(broker, version):
    client = broker.connect(SCADA, version)
    assert client.subscribe("planta/linea1/+") == 1
    return client.receive()


def test_after_the_publisher_left(make_broker, suite, version):
    broker = make_broker(suite, lambda b: b.plain_conf(extra=OPTION))
    for person in EDGE1, SENSOR:
        publisher = broker.connect(person, version)
        assert publisher.publish("planta/linea1/horno", person.cn, qos=1, retain=True) == 0
        publisher.disconnect()
        message = arrives(broker, version)
        assert message.payload == person.cn.encode() and message.retain


def test_after_a_broker_restart(make_broker, suite, version):
    """The broker asks whether the source may still write; it knows only its client id and user name."""
    broker = make_broker(suite, lambda b: b.plain_conf(extra=OPTION))
    for at in range(2):
        publisher = broker.connect(EDGE1, version)
        assert publisher.publish("planta/linea1/horno", f"{at}", qos=1, retain=True) == 0
        if at:
            publisher.disconnect()
        broker.restart()
        assert arrives(broker, version).payload == f"{at}".encode()


def test_cleared_by_its_owner_only(broker, version):
    edge, sensor = broker.connect(EDGE1, version), broker.connect(SENSOR, version)
    assert edge.publish("planta/linea1/_sys/nombre", "edge", qos=1, retain=True) == 0
    sensor.publish("planta/linea1/_sys/nombre", "", qos=1, retain=True)
    assert payloads(seen(watcher(broker, "planta/#"))) == [b"edge"]
    edge.publish("planta/linea1/_sys/nombre", "", qos=1, retain=True)
    assert seen(watcher(broker, "planta/#", client_id="later")) == []


def test_denied_to_a_later_subscriber_after_a_restart(broker, version):
    admin = broker.connect(ADMIN)
    for topic in "secreto", "horno":
        assert admin.publish(f"planta/linea1/{topic}", topic, qos=1, retain=True) == 0
    broker.restart()
    client = broker.connect(TABLERO, version)
    assert client.subscribe("planta/+/+") == 1
    assert payloads(seen(client, broker.connect(ADMIN), "planta/linea1/marca")) == [b"horno"]


def test_each_reader_gets_its_own(broker, version):
    admin = broker.connect(ADMIN)
    for line in "linea1", "linea2":
        assert admin.publish(f"planta/{line}/horno", line, qos=1, retain=True) == 0
    client = broker.connect(LECTOR1, version)
    client.subscribe("planta/linea2/#")
    client.subscribe("planta/linea1/#")
    assert payloads(seen(client, admin, "planta/linea1/marca")) == [b"linea1"]
