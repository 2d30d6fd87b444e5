"""The order of the `plugin` lines changes no verdict: all 120 orders on the installed broker, a dozen on the others."""
import itertools

import verdicts
from daemon import PLUGINS

ORDERS = list(itertools.permutations(PLUGINS))


def pytest_generate_tests(metafunc):
    option = metafunc.config.getoption
    # Under sanitizers a dozen as well: the code that runs is the same in all, and a start there is slow.
    chosen = [(order, suite) for suite in option("--suites").split(",")
              for order in (ORDERS if suite == "bookworm" and not option("--sanitize") else ORDERS[::10])]
    metafunc.parametrize("order,suite", chosen, ids=["".join(name[0] for name in order) + "-" + suite for order, suite in chosen])


def test_order(make_broker, suite, order):
    broker = make_broker(suite, lambda b: b.plain_conf(order))
    assert verdicts.ask(broker) == verdicts.RIGHT
    broker.wait_log("pipeline ready: cert_auth, iam_auth, rate_monitor, topic_policy, acl; policy generation 1 from")
