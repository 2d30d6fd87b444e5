"""The fixtures of tests/integration: the same plant, and the same brokers."""
import contextlib
import fcntl
import importlib.util
import pathlib
import sys

import pytest

INTEGRATION = pathlib.Path(__file__).parents[1] / "integration"
if str(INTEGRATION) not in sys.path:
    sys.path.insert(0, str(INTEGRATION))

import daemon
import directory
import network

spec = importlib.util.spec_from_file_location("integration_conftest", INTEGRATION / "conftest.py")
shared = importlib.util.module_from_spec(spec)
spec.loader.exec_module(shared)

pki, lib, sanitized, make_broker, broker = shared.pki, shared.lib, shared.sanitized, shared.make_broker, shared.broker
pytest_generate_tests, pytest_runtest_makereport = shared.pytest_generate_tests, shared.pytest_runtest_makereport


def pytest_addoption(parser):
    try:
        shared.pytest_addoption(parser)
    except ValueError:
        pass  # tests/integration is collected in the same run, and added them


@contextlib.contextmanager
def only_one(path):
    """One test at a time, of all that run side by side, is in here."""
    def lock():
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            return False

    with open(path, "w") as file:
        daemon.until(lock, "the network to oneself", timeout=300)
        yield


@pytest.fixture
def make_gate(tmp_path_factory):
    """make_gate(broker): a way to that broker through a network that can be cut."""
    made, shared_folder = [], tmp_path_factory.getbasetemp().parent

    def make(broker):
        made.append(network.Gate(broker))
        return made[-1]

    alone = getattr(network.Gate, "ALONE", False)
    with contextlib.nullcontext() if alone else only_one(shared_folder / "network.lock"):
        yield make
        for gate in made:
            gate.close()


@pytest.fixture
def slapd(pki, tmp_path):
    """The plant's directory, which a test may stop and start."""
    made = directory.Slapd(tmp_path / "slapd", pki)
    yield made
    made.stop()
