"""What must not start does not start and says why; what starts with a part missing protects no less."""
import sqlite3

import pytest

import mqtt
import verdicts
from daemon import PLUGINS, free_port
from plant import ADMIN, EDGE1, SCADA, SENSOR, nothing_passes, payloads, refused_publish, seen, watcher
from test_reload import BAD_FILES


def without(name):
    return [plugin for plugin in PLUGINS if plugin != name]


def nobody_gets_through(broker):
    """Logins are refused; or, where a login can be judged, whoever is in can do nothing."""
    for person in EDGE1, SENSOR, ADMIN:
        try:
            client = broker.connect(person, 5)
        except mqtt.Refused:
            continue
        nothing_passes(broker, client)


@pytest.mark.parametrize("name", PLUGINS)
def test_missing_partner(make_broker, suite, name):
    """A policy file whose plugin is not loaded: named at start, and everything is refused."""
    broker = make_broker(suite, lambda b: b.plain_conf(without(name)))
    broker.wait_log(f"aduana: .*{name}.* not loaded")
    nobody_gets_through(broker)


@pytest.mark.parametrize("name", PLUGINS)
def test_one_alone(make_broker, suite, name):
    nobody_gets_through(make_broker(suite, lambda b: b.plain_conf([name])))


@pytest.mark.parametrize("name", ["acl", "cert_auth"])
def test_no_plugin_and_no_file(make_broker, suite, name):
    """Without acl nothing is granted; with iam_auth alone a policy that requires certificates lets nobody in."""
    broker = make_broker(suite, lambda b: b.plain_conf(without(name)), start=False)
    (broker.policies / f"{name}.json").unlink()
    if broker.starts():
        nobody_gets_through(broker)
    else:
        assert name in broker.log


def test_no_authentication_at_all(make_broker, suite):
    broker = make_broker(suite, lambda b: b.plain_conf(["rate_monitor", "topic_policy", "acl"], extra="allow_anonymous true"), start=False)
    for name in "cert_auth.json", "iam_auth.json":
        broker.edit(name, lambda policy: policy.update(if_not_loaded="ignore"))
    broker.start()
    nobody_gets_through(broker)


@pytest.mark.parametrize("name", ["rate_monitor", "topic_policy"])
def test_if_not_loaded_ignore(make_broker, suite, name):
    """The plant does without this one on purpose; all others protect as ever."""
    broker = make_broker(suite, lambda b: b.plain_conf(without(name)), start=False)
    broker.edit(f"{name}.json", lambda policy: policy.update(if_not_loaded="ignore"))
    broker.start()
    got, right = verdicts.ask(broker), dict(verdicts.RIGHT)
    mine = {"rate_monitor": ["alert forged"], "topic_policy": ["upper case", "too shallow", "reserved without role", "subscribe upper case"]}[name]
    for question in mine + ["arrived"]:
        got.pop(question), right.pop(question)
    assert got == right


def test_acl_left_to_the_broker(make_broker, suite, version):
    """With "ignore" in acl.json and no aduana_acl.so the broker's own acl_file decides."""
    broker = make_broker(suite, lambda b: b.plain_conf(without("acl"), extra=f"acl_file {b.folder}/acl"), start=False)
    broker.edit("acl.json", lambda policy: policy.update(if_not_loaded="ignore"))
    (broker.folder / "acl").write_text("user admin\ntopic readwrite #\nuser linea1\ntopic write planta/linea1/#\n")
    (broker.folder / "acl").chmod(0o600)
    broker.start()
    watch, edge = watcher(broker, "planta/#"), broker.connect(EDGE1, version)
    for topic in "planta/linea2/temperatura", "planta/linea1/Temperatura", "planta/linea1/temperatura":
        edge.publish(topic, topic, qos=1)
    assert payloads(seen(watch)) == [b"planta/linea1/temperatura"]


def test_certificates_alone(make_broker, suite, version):
    """iam_auth ignored: the certificate is the only factor; an identity that asks for a password lets nobody in."""
    broker = make_broker(suite, lambda b: b.plain_conf(without("iam_auth")), start=False)
    broker.edit("iam_auth.json", lambda policy: policy.update(if_not_loaded="ignore"))
    broker.start()
    assert broker.connect(SENSOR, version).publish("planta/linea1/horno", "x", qos=1) == 0
    broker.refused(EDGE1, version)


def test_passwords_alone(make_broker, suite, version):
    broker = make_broker(suite, lambda b: b.plain_conf(without("cert_auth")), start=False)
    broker.edit("cert_auth.json", lambda policy: policy.update(if_not_loaded="ignore"))
    broker.edit("iam_auth.json", lambda policy: policy.update(require="password"))
    broker.start()
    assert broker.connect(EDGE1, version, username="persona", password="paso").subscribe("planta/linea3/comandos/#") == 1
    broker.refused(EDGE1, version, username="persona", password="x")
    broker.refused(SENSOR, version)


@pytest.mark.parametrize("case", ["syntax", "unknown-key", "undefined-role", "two-passwords"])
def test_bad_policy_stops_the_start(make_broker, suite, case):
    name, content, error = BAD_FILES[case]
    broker = make_broker(suite, start=False)
    good = (broker.policies / name).read_text()
    broker.write(name, good.replace(*content) if isinstance(content, tuple) else content)
    broker.start_refused()
    broker.wait_log(error)


@pytest.mark.parametrize("options,reason", [
    (dict(policy_dir=None), "policy_dir"), (dict(policy_dir="/nonexistent/policies"), "/nonexistent/policies"),
    (dict(policy_dir="policies"), "policy_dir is \"policies\""), (dict(polcy_dir="/x"), "polcy_dir"), (dict(state_dir="/nonexistent/state"), "/nonexistent/state")],
    ids=["no-policy-dir", "no-such-folder", "relative", "unknown-option", "no-such-state-dir"])
def test_bad_options_stop_the_start(make_broker, suite, options, reason):
    broker = make_broker(suite, lambda b: b.plain_conf(**options), start=False)
    assert reason in broker.start_refused()


@pytest.mark.parametrize("option", ["policy_dir", "state_dir"])
def test_options_that_contradict_each_other(make_broker, suite, option):
    def conf(broker):
        other = broker.folder / "other"
        other.mkdir(exist_ok=True)
        return broker.plain_conf(PLUGINS[:4]) + broker.plugin_conf(PLUGINS[4:], **{option: other})
    assert option in make_broker(suite, conf, start=False).start_refused()


def test_state_dir_once_is_enough(make_broker, suite):
    def conf(broker):
        return broker.plugin_conf(PLUGINS[:2], state_dir=None) + broker.plain_conf(PLUGINS[2:3]) + broker.plugin_conf(PLUGINS[3:], state_dir=None)
    broker = make_broker(suite, conf)
    assert verdicts.ask(broker) == verdicts.RIGHT
    assert (broker.data / "aduana-state.db").exists()


@pytest.mark.parametrize("line", ["use_identity_as_username true", "use_subject_as_username true"])
@pytest.mark.parametrize("where", ["file", "include_dir"])
def test_option_that_bypasses_the_login(make_broker, suite, version, line, where):
    """With it the broker never asks who somebody is. In the broker's file it stops the start; wherever it comes
    from, nobody gets through."""
    def conf(broker):
        listener = f"require_certificate true\n{line}"
        if where == "file":
            return broker.plain_conf(listener=listener)
        included = broker.folder / "conf.d"
        included.mkdir(exist_ok=True)
        (included / "one.conf").write_text(broker.listener_conf(more=listener))
        return broker.common_conf() + broker.plugin_conf() + f"include_dir {included}\n"
    broker = make_broker(suite, conf, start=False)
    if broker.starts():
        assert where == "include_dir", "it started"
        nobody_gets_through(broker)
    else:
        assert line.split()[0] in broker.log


def test_option_set_to_false_is_fine(make_broker, suite):
    broker = make_broker(suite, lambda b: b.plain_conf(listener="require_certificate true\nuse_identity_as_username false"))
    assert broker.connect(SENSOR).is_alive()


def listeners(broker, second_plugins):
    """per_listener_settings with two listeners; the second one's plugin lines are given."""
    broker.second = getattr(broker, "second", None) or free_port()
    return ("per_listener_settings true\n" + broker.common_conf() + broker.listener_conf() + broker.plugin_conf(pipeline="uno") +
            broker.listener_conf(broker.second) + second_plugins(broker))


@pytest.mark.parametrize("second", ["nothing", "anonymous", "password_file"])
def test_listener_without_the_bundle_stops_the_start(make_broker, suite, second):
    lines = {"nothing": "", "anonymous": "allow_anonymous true\n", "password_file": "password_file {}/passwd\n"}[second]
    broker = make_broker(suite, lambda b: listeners(b, lambda _: lines.format(b.policies)), start=False)
    log = broker.start_refused()
    assert "per_listener_settings" in log and str(broker.second) in log


def test_two_listeners_with_pipelines_of_their_own(make_broker, suite, version):
    """Each judges its own clients by its own policy: what one allows the other refuses."""
    def second(broker):
        folder, data = broker.folder / "policies-two", broker.folder / "data-two"
        if not folder.exists():
            data.mkdir()
            folder.mkdir()
            for path in broker.policies.iterdir():
                text = path.read_text()
                (folder / path.name).write_text(text.replace("planta/${linea}/+", "planta/${linea}/horno") if path.name == "acl.json" else text)
        return broker.plugin_conf(pipeline="dos", policy_dir=folder, state_dir=data)
    broker = make_broker(suite, lambda b: listeners(b, second))
    watch = watcher(broker, "planta/#")
    one, two = broker.connect(EDGE1, version), broker.connect(EDGE1._replace(cn="edge-linea2", username="linea2", password="otra-clave",
                                                                           client_id="edge-linea2"), version, port=broker.second)
    assert one.publish("planta/linea1/temperatura", "one", qos=1) == 0
    assert two.publish("planta/linea2/temperatura", "no", qos=1) == refused_publish(version, 1)
    assert two.publish("planta/linea2/horno", "two", qos=1) == 0
    assert payloads(seen(watch)) == [b"one", b"two"]
    broker.refused(EDGE1, version, client_id="x", port=broker.second)
    assert one.is_alive()


def test_same_pipeline_name_on_two_listeners(make_broker, suite):
    """Lines that cannot be told apart are an error."""
    broker = make_broker(suite, lambda b: listeners(b, lambda _: b.plugin_conf(pipeline="uno")), start=False)
    broker.start_refused()


def test_pipelines_do_not_share_their_memory(make_broker, suite):
    """A client that one listener's policy believed must not be known to the other's."""
    broker = make_broker(suite, lambda b: listeners(b, lambda _: b.plugin_conf(pipeline="dos")), start=False)
    assert 'give each pipeline a folder of its own' in broker.start_refused()


def test_state_dir_of_another_broker(broker, make_broker, suite):
    """It would take the other's clients for its own; after a kill -9 of the other it is free."""
    second = make_broker(suite, lambda b: b.plain_conf(state_dir=broker.data), start=False)
    assert "another broker, or another pipeline of this one, keeps its state there" in second.start_refused()
    broker.kill9()
    second.start()


def test_start_and_stop_are_clean(make_broker, suite):
    """Ten starts and stops; the log of each says which policy it runs on."""
    broker = make_broker(suite, start=False)
    for _ in range(10):
        mark = broker.mark()
        broker.start()
        broker.wait_log(f"policy generation 1 from {broker.policies}", mark)
        assert broker.connect(SCADA).is_alive()
        broker.stop()


def test_state_file(broker):
    """Nobody else may read or write it, and no password is in it."""
    broker.connect(EDGE1, password="pass").disconnect()
    files = list(broker.data.glob("aduana-state.db*"))
    assert files
    for path in files:
        assert path.stat().st_mode & 0o077 == 0
        assert b"pass" not in path.read_bytes()


@pytest.mark.parametrize("flag", ["use_identity_as_username true ", "use_subject_as_username true  # on", "per_listener_settings true "])
def test_a_flag_is_its_first_word(make_broker, suite, flag):
    """As the broker reads it: what stands behind switches nothing off."""
    def conf(broker):
        if "per_listener" in flag:
            return listeners(broker, lambda _: "allow_anonymous true\n").replace("per_listener_settings true", flag)
        return broker.plain_conf(listener="require_certificate true\n" + flag)
    assert flag.split()[0] in make_broker(suite, conf, start=False).start_refused()


def test_policy_below_a_folder_that_anybody_may_write(make_broker, suite):
    broker = make_broker(suite, start=False)
    opened = broker.folder / "open"
    opened.mkdir()
    broker.policies.rename(opened / "policies")
    (broker.policies).symlink_to(opened / "policies")
    opened.chmod(0o777)
    assert f"lies in {opened}, which anybody may write" in broker.start_refused()
    opened.chmod(0o755)
    broker.start()


def test_state_file_that_others_may_write(broker):
    broker.connect(SCADA).disconnect()
    broker.stop()
    (broker.data / "aduana-state.db").chmod(0o666)
    assert "aduana-state.db: others may write it" in broker.start_refused()


def test_state_file_that_somebody_holds_is_not_damaged(broker):
    broker.connect(SCADA).disconnect()
    broker.stop()
    holder = sqlite3.connect(broker.data / "aduana-state.db")
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    assert "database is locked" in broker.start_refused()
    assert not list(broker.data.glob("*.damaged-*"))
    holder.close()
    broker.start()
