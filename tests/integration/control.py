"""Orders to a running broker, over its control topic."""
import itertools
import json

from daemon import until
from plant import Person

TOPIC, RESPONSE = "$CONTROL/aduana/v1", "$CONTROL/aduana/v1/response"

JEFE = Person("jefe", "servicio")  # may give orders and read the answers
MUDO = Person("mudo", "servicio")  # may only give them

_numbers = itertools.count(1)


def allow_control(broker):
    """Roles for JEFE and MUDO in the policy of a broker that has not started."""
    def change(policy):
        policy["roles"]["jefe"] = {"allow": [{"publish": [TOPIC]}, {"subscribe": [RESPONSE]}]}
        policy["roles"]["mudo"] = {"allow": [{"publish": [TOPIC]}]}
        policy["bindings"] += [{"match": {"username": name}, "roles": [name]} for name in ("jefe", "mudo")]
    broker.edit("acl.json", change)
    return broker


def chief(broker, version=4, client_id="consola", person=JEFE, **more):
    """A client that may give orders, subscribed to the answers."""
    client = broker.connect(person, version, client_id=client_id, **more)
    assert client.subscribe(RESPONSE) == 1
    return client


def answer(client):
    """The responses of the next answer."""
    message = client.receive()
    assert message.topic == RESPONSE and not message.retain, message
    return json.loads(message.payload)["responses"]


def order_all(client, *commands):
    assert client.publish(TOPIC, json.dumps({"commands": commands}), qos=1) == 0
    return answer(client)


def order(client, command, **arguments):
    """The response to one command: {"command", "data" or "error"}."""
    number = str(next(_numbers))
    response, = order_all(client, {"command": command, "correlationData": number, **arguments})
    assert response["command"] == command and response["correlationData"] == number
    return response


def told(client, command, **arguments):
    response = order(client, command, **arguments)
    assert "error" not in response, response
    return response["data"]


def error(client, command, **arguments):
    response = order(client, command, **arguments)
    assert "data" not in response, response
    return response["error"]


def loaded(client, finished):
    """Waits until so many loads have finished; the status then. No more than 20 orders a second are carried out."""
    def look():
        status = told(client, "status")
        return status if status["loads"]["finished"] >= finished else None
    return until(look, what="the policy is loaded or refused", every=0.1)
