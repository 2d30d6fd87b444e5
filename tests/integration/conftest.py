"""Fixtures: a PKI for the session, brokers of each suite, and what is shown of them when a test fails."""
import pathlib
import re
import subprocess

import pytest

import daemon
import pki as pki_module
from sanitizer import FRAMES, sanitizer_reports

ROOT = pathlib.Path(__file__).parents[2]


def pytest_addoption(parser):
    parser.addoption("--aduana-lib", default=str(ROOT / "build/release/lib"), help="folder with the six .so")
    parser.addoption("--suites", default="bookworm", help="brokers to test: bookworm (the installed one),trixie,sid")
    parser.addoption("--sanitize", action="store_true", help="the plugins are built with ASan and UBSan")


@pytest.hookimpl(trylast=True)
def pytest_generate_tests(metafunc):
    """`version` (MQTT) and `suite` (broker) come last in a test's name; a test may choose its own versions,
    and a module with this hook its own suites. Under sanitizers one version: the code that runs is the same in all."""
    marks = {name for mark in metafunc.definition.iter_markers("parametrize") for name in mark.args[0].split(",")}
    if "version" in metafunc.fixturenames and "version" not in marks:
        both = {"v311": 4, "v5": 5}
        ids = ["v5"] if metafunc.config.getoption("--sanitize") else list(both)
        metafunc.parametrize("version", [both[name] for name in ids], ids=ids)
    if "suite" in metafunc.fixturenames and not hasattr(metafunc.module, "pytest_generate_tests"):
        metafunc.parametrize("suite", metafunc.config.getoption("--suites").split(","))


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    if report.failed:
        for broker in getattr(item, "brokers", []):
            report.sections.append((f"log of the broker in {broker.folder.name}", "\n".join(broker.log.splitlines()[-60:])))


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    return pki_module.Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture(scope="session")
def lib(request):
    return pathlib.Path(request.config.getoption("--aduana-lib")).resolve()


@pytest.fixture(scope="session")
def sanitized(request):
    return request.config.getoption("--sanitize")


def sanitizer_environment(folder):
    """Leaks are judged by sanitizer_reports(), so they do not change the broker's exit status."""
    libraries = [subprocess.run(["gcc", f"-print-file-name={name}"], stdout=subprocess.PIPE, text=True, check=True)
                 .stdout.strip() for name in ("libasan.so", "libubsan.so")]
    return {"LD_PRELOAD": ":".join(libraries),
            "ASAN_OPTIONS": f"log_path={folder}/sanitizer:detect_leaks=1:exitcode=0:fast_unwind_on_malloc=0:malloc_context_size=12:{FRAMES}",
            "UBSAN_OPTIONS": f"print_stacktrace=1:log_path={folder}/sanitizer"}


@pytest.fixture
def make_broker(request, tmp_path, pki, lib, sanitized):
    """make_broker(suite, conf=..., start=True): conf is a function of the broker that gives its mosquitto.conf."""
    made = request.node.brokers = []

    def make(suite, conf=None, start=True):
        folder = tmp_path / f"broker{len(made)}"
        folder.mkdir()
        environment = sanitizer_environment(folder) if sanitized else {}
        broker = daemon.Broker(folder, daemon.command_of(suite), lib, pki, environment)
        if conf:
            broker.write_conf = lambda: conf(broker)
        made.append(broker)
        return broker.start() if start else broker

    yield make
    problems = []
    for broker in made:
        try:
            broker.close()
        except AssertionError as error:
            problems.append(str(error))
        problems += sanitizer_reports(broker.folder)
        if re.search("runtime error:", broker.log):
            problems.append("UBSan: see the broker's log")
    assert not problems, "\n".join(problems)


@pytest.fixture
def broker(make_broker, suite):
    """A running broker with the whole bundle on the policies of policies/."""
    return make_broker(suite)
