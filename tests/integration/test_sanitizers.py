"""The alarm itself: a plugin that leaks and one that writes beyond its memory are found. Only under --sanitize."""
import subprocess

import pytest

from sanitizer import sanitizer_reports

PLUGIN = """
#include <stdlib.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
static char *volatile kept;
int mosquitto_plugin_version(int count, const int *versions) { (void)count; (void)versions; return 5; }
int mosquitto_plugin_init(mosquitto_plugin_id_t *id, void **user, struct mosquitto_opt *options, int count)
{ (void)id; (void)user; (void)options; kept = malloc(10 + count); FAULT; return 0; }
int mosquitto_plugin_cleanup(void *user, struct mosquitto_opt *options, int count)
{ (void)user; (void)options; (void)count; return 0; }
"""


@pytest.mark.parametrize("fault,expected", [("kept = NULL", "leak of 10 byte"), ("kept[10] = 1", "heap-buffer-overflow")], ids=["leak", "overflow"])
def test_reports_are_found(make_broker, tmp_path, sanitized, fault, expected):
    if not sanitized:
        pytest.skip("only under --sanitize")
    source, plugin = tmp_path / "plugin.c", tmp_path / "aduana_faulty.so"
    source.write_text(PLUGIN.replace("FAULT", fault))
    subprocess.run(["gcc", "-g", "-fsanitize=address", "-shared", "-fPIC", "-Wl,-z,nodelete", source, "-o", plugin], check=True)
    broker = make_broker("bookworm", lambda b: b.common_conf() + f"plugin {plugin}\n" + b.listener_conf(), start=False)
    if broker.starts():
        broker.stop()
    reports = sanitizer_reports(broker.folder)
    assert len(reports) == 1 and expected in reports[0] and "mosquitto_plugin_init at " in reports[0] and "plugin.c:" in reports[0]
    for path in broker.folder.glob("sanitizer*"):
        path.unlink()  # so that this test does not fail of what it planted
