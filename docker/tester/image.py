"""What the image promises to who runs it by hand: `image.py SUITE NAME`, on the machine with the engine.

Each test prints `RESULT <outcome> <seconds> image/<test>`, as results.py does; every container has the label
aduana-test=NAME. Ends with 1 if a test failed, and prints a last line if all of them were run.
"""
import inspect
import io
import json
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "tests/integration"))

from patience import PATIENCE

SUITE, NAME = sys.argv[1:3]
IMAGE, TESTER = f"aduana:{SUITE}", f"aduana-tester:{SUITE}"
HARD = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
LIMIT = 60  # megabytes that the image may add to its base


def docker(*arguments, good=True, timeout=PATIENCE, stderr=subprocess.PIPE, **more):
    """Runs a docker command that must end well, or badly if not `good`; its output."""
    done = subprocess.run(["docker", *map(str, arguments)], stdout=subprocess.PIPE, stderr=stderr,
                          stdin=subprocess.DEVNULL, timeout=timeout, **{"text": True, **more})
    assert (done.returncode == 0) == good, f"docker {arguments}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def logs(container):
    return docker("logs", container, stderr=subprocess.STDOUT)


def run(*options):
    """A container of the image, in the background; its health is asked for each second, and nothing else is new."""
    return docker("run", "-d", "--label", f"aduana-test={NAME}", "--health-interval", "1s", *options, IMAGE).strip()


def state(container):
    return json.loads(docker("inspect", "-f", "{{json .State}}", container))


def healthy(container):
    """Waits; what it has logged."""
    deadline = time.monotonic() + PATIENCE
    while state(container)["Health"]["Status"] != "healthy":
        assert state(container)["Running"] and time.monotonic() < deadline, logs(container)
        time.sleep(0.1)
    return logs(container)


def client(container, folder, *command, **more):
    """A client's command on the container's network, as root, who may read the folder."""
    return docker("run", "--rm", "--label", f"aduana-test={NAME}", "--network", f"container:{container}", "-u", "root",
                  "-v", f"{folder}:/here:ro", "-w", "/here", TESTER, *command, **more)


def instructions(container, folder):
    """Does what the log says to do first; the two commands that it gives for a subscriber and a publisher."""
    text = healthy(container).replace("\\\naduana:", " ")
    fetch = re.search(r"docker exec (\S+) (tar -c .*) \| tar -x", text)
    assert fetch and container.startswith(fetch[1]), text
    with tarfile.open(fileobj=io.BytesIO(docker("exec", container, *fetch[2].split(), text=False))) as archive:
        archive.extractall(folder)
    return [re.search(rf"mosquitto_{which} (.*)", text)[0].split() for which in ("sub", "pub")]


def gets_in(container):
    with tempfile.TemporaryDirectory() as folder:
        subscribe, publish = instructions(container, folder)
        both = ["sh", "-c", '"$@" & sub=$!; until ' + " ".join(publish) + '; do sleep 0.2; done; wait $sub', "-"]
        # A message may come before the subscription: the publisher's is retained.
        both[2] = both[2].replace("; do", " -r; do", 1)
        told = client(container, folder, *both, *subscribe, "-T", "planta/_sys/#", "-C", "1", "-W", str(PATIENCE // 2))
        assert "planta/linea1/horno 20" in told, told


def test_runs_without_options_and_says_how_to_get_in():
    gets_in(run())


def test_runs_with_nothing_that_can_be_written():
    gets_in(run(*HARD))


def test_lets_nobody_in_without_a_certificate():
    container = run()
    with tempfile.TemporaryDirectory() as folder:
        _, publish = instructions(container, folder)
        bare = [word for word in publish if not word.startswith("clients/") and word not in ("--cert", "--key")]
        for more in ([], ["-u", "linea1", "-P", "pass"]):
            client(container, folder, *bare, *more, good=False)
        # and by no other way: one listener, with TLS
        assert "LISTEN" in client(container, folder, "ss", "-Hltn")
        ports = {line.split()[3].rsplit(":", 1)[1] for line in client(container, folder, "ss", "-Hltn").splitlines()}
        assert ports == {"8883"}, ports


def test_is_not_root():
    container = run()
    healthy(container)
    ids = docker("exec", container, "sh", "-c", "cat /proc/1/comm; grep -E '^(Uid|Gid|CapEff):' /proc/1/status").split()
    assert ids[:1] == ["mosquitto"] and set(ids[2:6]) | set(ids[7:11]) == {"1883"} and int(ids[-1], 16) == 0, ids
    for path in ("/etc/aduana", "/usr/lib/aduana"):
        found = docker("exec", container, "find", path, "-not", "-type", "l", "-writable")
        assert found == "", f"can be written by the broker: {found}"


def test_stops_when_told():
    container = run()
    healthy(container)
    docker("stop", "-t", PATIENCE // 2, container)
    assert state(container)["ExitCode"] == 0


def test_makes_certificates_of_its_own():
    """Each container has others, and keeps them when it is started again."""
    def fingerprint(container):
        healthy(container)
        return docker("exec", container, "openssl", "x509", "-noout", "-fingerprint", "-in", "/var/lib/mosquitto/throwaway/ca.pem")

    one, two = run(), run()
    before = fingerprint(one)
    assert before != fingerprint(two)
    docker("restart", "-t", PATIENCE // 2, one)
    assert before == fingerprint(one)
    assert "key" not in docker("exec", one, "sh", "-c", "ls /var/lib/mosquitto/throwaway | grep ca"), "the authority's key is kept"


def refuses_to_start(why, *options):
    container = run(*options)
    code = docker("wait", container).strip()
    log = logs(container)
    assert code != "0" and re.search(why, log), f"status {code}\n{log}"


def test_does_not_start_with_half_of_its_certificates():
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder).chmod(0o755)
        pathlib.Path(folder, "ca.pem").touch()
        refuses_to_start(r"lacks: server\.pem server\.key", "-v", f"{folder}:/etc/aduana/pki:ro")


def test_does_not_start_with_a_broken_policy():
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder).chmod(0o755)
        pathlib.Path(folder, "acl.json").write_text("{")
        refuses_to_start(r"aduana: .*acl\.json|aduana: .*cert_auth\.json", "-v", f"{folder}:/etc/aduana/policies:ro")


def files_of_the_image():
    """All files of all layers, those too that a later layer hides: name and content."""
    with tempfile.NamedTemporaryFile() as saved:
        docker("save", "-o", saved.name, IMAGE)
        with tarfile.open(saved.name) as image:
            layers = json.load(image.extractfile("manifest.json"))[0]["Layers"]
            # The first is the base.
            for layer in layers[1:]:
                with tarfile.open(fileobj=image.extractfile(layer)) as files:
                    for file in files:
                        if file.isfile():
                            yield file.name, files.extractfile(file).read()


def test_holds_no_secret():
    names = []
    for name, content in files_of_the_image():
        names.append(name)
        if name.endswith("/pwfile.example") or "/libgnutls.so" in name:
            continue  # Debian's examples, and the keys that a library tests itself with
        assert not re.search(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/=\n]+-----END".encode(), content), name
        assert not re.search(r"^[^:#\s]+:\$\d\$[^\s]+".encode(), content, re.M) and not name.endswith((".key", ".p12")), name
        assert not name.endswith("/passwd") or "aduana" not in name or content == b"", name
    assert "usr/lib/aduana/aduana_acl.so" in names, "the layers were not read"
    assert "secret" not in (docker("history", "--no-trunc", IMAGE) + docker("inspect", "-f", "{{.Config.Env}}", IMAGE)).lower()


def test_is_small():
    size, base = (int(docker("image", "inspect", "-f", "{{.Size}}", each)) / 1e6 for each in (IMAGE, f"debian:{SUITE}-slim"))
    print(f"{IMAGE}: {size:.0f} MB, of which {size - base:.0f} MB are not debian:{SUITE}-slim's")
    assert size - base < LIMIT


def remove_containers():
    for container in docker("ps", "-aq", "--filter", f"label=aduana-test={NAME}").split():
        docker("rm", "-fv", container)


def main():
    bad = 0
    for name, test in list(globals().items()):
        if name.startswith("test_") and inspect.isfunction(test):
            began, outcome = time.monotonic(), "passed"
            try:
                test()
            except Exception:  # pylint: disable=broad-except
                outcome, bad = "failed", 1
                print(f"--- image.py::{name} on {SUITE}\n{traceback.format_exc()}")
            remove_containers()  # whose health would be asked for each second as long as the brokers' tests run
            print(f"RESULT {outcome} {time.monotonic() - began:.2f} image/image.py::{name}", flush=True)
    print(f"aduana-image: finished with status {bad}")
    return bad


if __name__ == "__main__":
    sys.exit(main())
