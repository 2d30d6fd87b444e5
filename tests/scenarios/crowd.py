"""Many devices of ten lines: `device(number)` is one, and lines of odd number keep the role that the others lose."""
import os

from plant import Person

LINES = 10
LONG = os.environ.get("ADUANA_LONG") == "1"


def line_of(number):
    return number % LINES + 1


def device(number):
    """The devices of one line share its certificate; each has a client id of its own."""
    return Person(f"sensor-linea{line_of(number)}-horno", "sensor", client_id=f"aparato-{number}")


def keeps_its_role(number):
    return line_of(number) % 2 == 1


def mark_of(number):
    """Where a device can be sent a marker whatever role it has lost."""
    return f"libre/marca/{number}"


def roles(lines):
    """A change of acl.json: the devices whose line number matches this pattern have the role `aparato`."""
    def change(policy):
        policy["roles"]["sensor"] = {"allow": [{"subscribe": ["libre/#"]}]}
        policy["roles"]["aparato"] = {"allow": [{"publish": ["planta/${linea}/+"], "subscribe": ["planta/${linea}/comandos/#"]}]}
        policy["bindings"] = [binding for binding in policy["bindings"] if binding["roles"] != ["aparato"]]
        policy["bindings"].append({"match": {"username": {"pattern": f"sensor-linea{lines}-horno"}}, "roles": ["aparato"]})
    return change


everybody = roles("[0-9]+")
odd_lines = roles("[0-9]*[13579]")
