"""The manners of the command: aduana check, aduana passwd, help, completion, man page, exit statuses."""
import concurrent.futures
import fcntl
import json
import os
import pathlib
import pty
import re
import resource
import select
import shutil
import stat
import subprocess
import termios
import time

import mqtt
import pytest

from daemon import until
from patience import PATIENCE
from plant import EDGE1, EDGE3

YES, NO, USAGE = 0, 1, 2
HERE = pathlib.Path(__file__).parent
CLI = HERE.parents[1] / "cli"
COMMANDS = ("check", "explain", "test", "status", "sessions", "certs", "reload", "kick", "passwd", "detect")
ESCAPE = "\x1b["


@pytest.fixture
def aduana(lib, tmp_path):
    """aduana("check", folder, ...): the finished command; prefix= is a command that runs it."""
    def run(*arguments, prefix=(), environment=None, **more):
        more.setdefault("stdin", None if "input" in more else subprocess.DEVNULL)
        return subprocess.run([*prefix, lib.parent / "bin/aduana", *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE,
                              env={**os.environ, "HOME": str(tmp_path), "TERM": "xterm", **(environment or {})}, **more)
    return run


@pytest.fixture
def folder(tmp_path):
    """A good policy."""
    made = tmp_path / "policies"
    shutil.copytree(HERE / "policies", made)
    acl = made / "acl.json"
    acl.write_text(acl.read_text().replace('["#"]', '["libre/#"]'))  # or check would warn of it
    for path in [made, *made.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    return made


def findings(done):
    """(the line, and what is shown below it) of each finding."""
    found = []
    for line in done.stdout.splitlines():
        if line.startswith("    "):
            found[-1][1].append(line[4:])
        else:
            found.append((line, []))
    return found


def one(done):
    assert done.returncode == NO and done.stderr == "", done
    (finding,) = findings(done)
    return finding


def replace(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


# aduana check

def test_good_is_silent(aduana, folder):
    done = aduana("check", folder)
    assert (done.returncode, done.stdout, done.stderr) == (YES, "", "")
    done = aduana("check", "--strict", "--json", folder)
    assert done.returncode == YES and json.loads(done.stdout) == {"good": True, "findings": []}


def test_the_place_the_line_and_a_caret(aduana, folder):
    (folder / "acl.json").write_text('{\n  "roles": {\n    "edge": {"alow": []}\n  }\n}\n')
    line, shown = one(aduana("check", folder))
    assert line == 'acl.json:3:14: error: roles.edge.alow: unknown key; did you mean "allow"?'
    assert shown == ['    "edge": {"alow": []}', "             ^"]


@pytest.mark.parametrize("begin,cells", [("\t", "    "), (" \t ", "      "), ('"//": "ñandú",', '"//": "ñandú",'), ('"//": "日本",', '"//": "日本",'),
                                         ('"//": "e\u0301",', '"//": "e\u0301",'), ('"//": "\u202e",', '"//": "\\u202e",'),
                                         ('"//": "🌡️",', None)])
def test_the_caret_stands_below_the_character(aduana, folder, begin, cells):
    wide = {"日本": 2, "e\u0301": -1}
    (folder / "topic_policy.json").write_text('{\n' + begin + '"nmes": {}\n}\n')
    line, shown = one(aduana("check", folder))
    assert line.startswith(f"topic_policy.json:2:{len(begin) + 1}: error: nmes: unknown key")
    if cells:
        assert shown[0] == cells + '"nmes": {}'
        assert shown[1] == " " * (len(cells) + sum(more for text, more in wide.items() if text in cells)) + "^"


def test_a_line_that_ends_as_in_windows(aduana, folder):
    (folder / "topic_policy.json").write_bytes(b'{\r\n  "nmes": {}\r\n}\r\n')
    done = aduana("check", folder)
    assert one(done)[1] == ['  "nmes": {}', "  ^"] and "\r" not in done.stdout


@pytest.mark.parametrize("before,after", [(0, 0), (0, 5000), (5000, 0), (5000, 5000), (60, 0), (70, 5), (40, 60)])
@pytest.mark.parametrize("filling", ["x", "日", "\t"])
def test_a_long_line_is_cut_around_the_place(aduana, folder, before, after, filling):
    """The comments are as long as a line of a file that a program wrote."""
    fill = (lambda size: filling * size) if filling != "\t" else lambda size: "\\t" * (size // 2)
    (folder / "topic_policy.json").write_text(f'{{"//": "{fill(before)}", "nmes": 1, "names": {{"//": "{fill(after)}"}}}}')
    _, (text, caret) = one(aduana("check", folder))
    cells = [2 if letter == "日" else 1 for letter in text]
    at = next(i for i in range(len(text)) if sum(cells[:i]) == caret.index("^"))
    assert text[at:].startswith('"nmes"'), (text, caret)
    whole = (folder / "topic_policy.json").read_text()
    if text != whole:
        assert len(whole) > 40 and 66 < sum(cells) < 72 and re.fullmatch(r"\.\.\. *(.*)\.\.\.|\.\.\. *(.*)|(.*)\.\.\.", text)
        assert text.strip(". ") in whole and (text.startswith("...") or whole.startswith(text[:20])) and (text.endswith("...") or whole.endswith(text[-20:]))


def test_a_line_of_megabytes(aduana, folder):
    (folder / "topic_policy.json").write_text('{"//": "' + "x" * 5_000_000 + '", "nmes": 1}')
    text, caret = one(aduana("check", folder))[1]
    assert text[caret.index("^"):] == '"nmes": 1}' and text.startswith("...xxx")


def test_what_would_disturb_a_terminal_is_escaped(aduana, folder):
    (folder / "topic_policy.json").write_bytes(b'{"//": "\x1b[2Ja", "nmes": 1}')
    line, shown = one(aduana("check", folder))
    assert "not valid JSON" in line and shown[0].startswith('{"//": "\\x1b[2Ja"')
    (folder / "topic_policy.json").write_text('{"\u202enames": 1}')
    done = aduana("check", folder)
    assert "\\u202enames" in one(done)[0] and "\u202e" not in done.stdout


def test_errors_of_every_file(aduana, folder):
    for name in "acl", "cert_auth", "topic_policy":
        (folder / f"{name}.json").write_text('{"nada": 1}')
    (folder / "rate_monitor.json").unlink()
    (folder / "rate_monitor.json").symlink_to("nowhere")
    done = aduana("check", folder)
    assert done.returncode == NO
    assert [line.split(": error: ")[0] for line, _ in findings(done)] == ["topic_policy.json:1:2", "cert_auth.json:1:2", "rate_monitor.json", "acl.json:1:2"]


def test_errors_across_files_wait_for_good_files(aduana, folder):
    """Nobody is told that a role is missing because the file that defines it does not load."""
    replace(folder / "acl.json", '"edge"', '"egde"')
    (warning, _), (line, _) = findings(aduana("check", folder))
    assert warning.endswith('nobody has the role "egde": no identity, user or binding gives it [unused-role]')
    assert re.match(r'topic_policy.json:\d+:\d+: error: the role "edge" is defined nowhere; did you mean "egde"\?', line)
    (folder / "topic_policy.json").write_text("{")
    assert findings(aduana("check", folder))[0][0].startswith("topic_policy.json:1:")


def test_a_missing_file(aduana, folder, tmp_path):
    (folder / "rate_monitor.json").unlink()
    done = aduana("check", folder)
    assert (done.returncode, done.stdout) == (
        YES, "rate_monitor.json: warning: is not there, so the plugin aduana_rate_monitor must not be loaded [missing-file]\n")
    assert aduana("check", folder, "--strict").returncode == NO
    empty = tmp_path / "empty"
    empty.mkdir()
    done = aduana("check", empty)
    assert done.returncode == NO and "error: the folder holds no policy\n" in done.stdout


def test_a_file_for_a_broker_without_its_plugin(aduana, folder):
    (folder / "acl.json").write_text('{"//": "not yet", "if_not_loaded": "ignore"}')
    done = aduana("check", folder)
    assert (done.returncode, done.stdout) == (
        YES, 'acl.json: warning: says only "if_not_loaded": "ignore", so everything is judged as without aduana_acl: '
             "permissions are left to the broker's acl_file; without one it refuses everything [left-out]\n")
    assert aduana("check", folder, "--strict").returncode == NO
    (folder / "acl.json").write_text('{"if_not_loaded": "ignore", "roles": {"edge": {"alow": []}}}')
    assert "did you mean" in one(aduana("check", folder))[0]
    (folder / "acl.json").write_text('{"if_not_loaded": "refuse"}')
    assert "acl.json" in one(aduana("check", folder))[0]
    (folder / "cert_auth.json").unlink()
    (folder / "iam_auth.json").write_text('{"if_not_loaded": "ignore"}')
    assert "without aduana_iam_auth: logins are left to the broker's password_file" in aduana("check", folder).stdout


def test_json(aduana, folder):
    (folder / "acl.json").write_text('{\n\t"roles": {"edge\u00f1": {"alow": []}}}')
    (folder / "rate_monitor.json").unlink()
    done = aduana("check", "--json", folder)
    answer = json.loads(done.stdout)
    assert done.returncode == NO and answer == {"good": False, "findings": [
        {"file": "rate_monitor.json", "line": None, "column": None, "severity": "warning", "code": "missing-file",
         "message": "is not there, so the plugin aduana_rate_monitor must not be loaded"},
        {"file": "acl.json", "line": 2, "column": 12, "severity": "error", "code": None,
         "message": answer["findings"][1]["message"]}]}
    (folder / "acl.json").unlink()
    shutil.copy(HERE / "policies/acl.json", folder)
    for strict, good in ((), True), (("--strict",), False):
        done = aduana("check", "--json", folder, *strict)
        assert done.returncode == (YES if good else NO) and json.loads(done.stdout)["good"] == good


def test_secrets_are_not_shown(aduana, folder, tmp_path):
    """What a build server prints is no place for passwords."""
    for text in ('{"providers": ["local"], "local": {"users": {"ana": {"password": "hunter2-\u00e1"}}}}',
                 '{"providers": ["local"], "local": {"users": {"ana": {"password":\n"hunter2"}}}}',
                 '{"local": {"users": {"ana": {"passwort": "hun\\"ter2"}}}}', '{"local": {"password": "hunter2', '{"password": hunter2}'):
        (folder / "iam_auth.json").write_text(text)
        line, shown = one(aduana("check", folder))
        assert line.startswith("iam_auth.json:") and not re.search("hun|ter2", shown[0]), shown
    shutil.copy(HERE / "policies/iam_auth.json", folder)
    (folder / "passwd").write_text("ana:hunter2\n")
    line, shown = one(aduana("check", folder))
    assert line.startswith("passwd:1:1: error: ") and shown == [] and "hunter2" not in line


def limited(sanitized):
    return 20 if sanitized else 1


def spent_by_children():
    """Processor time of the commands that have ended, in seconds: a busy machine makes it no longer."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


BAD = {
    "100 MB": ("acl", b'{"//": "' + b"x" * 100_000_000 + b'"}', r"acl.json: error: has 100000010 bytes; the limit is 67108864"),
    "nesting": ("acl", b'{"//": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", r"acl.json:1:20\d\d: error: not valid JSON: maximum parsing depth reached"),
    "a key twice": ("acl", b'{\n  "mode": "watch",\n  "mode": "enforce"}', r"acl.json:3:\d+: error: not valid JSON: duplicate object key near '\"mode\"'"),
    "no UTF-8": ("acl", b'{\n  "//": "a\xc3\xb1o \xff x"}', r"acl.json:2:13: error: not valid JSON: unable to decode byte 0xff"),
    "a surrogate": ("acl", b'{"//": "\\ud800"}', r"acl.json:1:\d+: error: not valid JSON: invalid Unicode '\\uD800'"),
    "NUL": ("acl", b'{\n  "//": "a\0b"}', r"acl.json:2:10: error: not valid JSON: control character 0x0"),
    "NUL escaped": ("acl", b'{"//": "a\\u0000b"}', r"acl.json:1:\d+: error: not valid JSON: \\u0000 is not allowed"),
    "nothing": ("acl", b"", r"acl.json:1:1: error: not valid JSON"),
    "UTF-16": ("acl", '{"roles": {}}'.encode("utf-16"), r"acl.json:1:1: error: not valid JSON"),
    "mark": ("acl", b'\xef\xbb\xbf{"roles": {}}', r"acl.json:1:1: error: begins with a byte order mark"),
    "a huge number": ("topic_policy", b'{"depth": {"max": 99999999999999999999}}', r"topic_policy.json:1:\d+: error: not valid JSON: too big integer"),
    "an infinite number": ("topic_policy", b'{"depth": {"max": 1e999}}', r"topic_policy.json:1:\d+: error: not valid JSON: real number overflow"),
    "too high": ("topic_policy", b'{"depth": {"max": 129}}', r"topic_policy.json:1:19: error: depth.max: expected an integer from 1 to 128, found 129"),
    "too low": ("topic_policy", b'{"depth": {"max": -1}}', r"topic_policy.json:1:19: error: depth.max: expected an integer from 1 to 128, found -1"),
    "a fraction": ("topic_policy", b'{"depth": {"max": 2.5}}', r"topic_policy.json:1:19: error: depth.max: expected an integer, found a number"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(aduana, folder, name, sanitized):
    """One clear error with its place, within a second of the processor."""
    file, text, expected = BAD[name]
    (folder / f"{file}.json").write_bytes(text)
    began = spent_by_children()
    done = aduana("check", folder)
    took = spent_by_children() - began
    line, shown = one(done)
    assert re.match(expected, line), line
    assert took < limited(sanitized) and len(line) < 400 and all(len(below) < 80 for below in shown)


@pytest.mark.parametrize("roles,expected", [
    ({"edge": {"allow": [{"publish": ["planta/${nada}/x"]}]}}, r'acl.json:\d+:\d+: error: the attribute "nada" is defined nowhere'),
    ({"edge": {"allow": [{"publish": ["planta/${liena}/x"]}]}}, r'acl.json:\d+:\d+: error: the attribute "liena" is defined nowhere; did you mean "linea"\?'),
    ({"edge": {"includes": ["edge"]}}, r"acl.json:\d+:\d+: error: roles.edge.includes: the role includes itself"),
    ({"edge": {"includes": ["a"]}, "a": {"includes": ["b"]}, "b": {"includes": ["edge"]}}, r"acl.json:\d+:\d+: error: roles.*: the role includes itself"),
], ids=["attribute", "attribute misspelt", "itself", "itself by others"])
def test_bad_policy(aduana, folder, roles, expected):
    policy = json.loads((folder / "acl.json").read_text())
    policy["roles"].update(roles)
    (folder / "acl.json").write_text(json.dumps(policy, indent=2))
    line, shown = one(aduana("check", folder))
    assert re.match(expected, line), line
    number, column = map(int, line.split(":")[1:3])
    assert shown[0] == (folder / "acl.json").read_text().splitlines()[number - 1] and shown[1] == " " * (column - 1) + "^"


def test_unreadable(aduana, folder, tmp_path):
    for path, said in (tmp_path / "nada", "cannot be read: No such file or directory"), (folder / "acl.json", "is not a folder"):
        done = aduana("check", path)
        assert (done.returncode, done.stdout, done.stderr) == (USAGE, "", f"aduana: {path}: {said}\n")
    folder.chmod(0)
    powerless = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
    done = aduana("check", folder, prefix=powerless)
    folder.chmod(0o755)
    assert (done.returncode, done.stderr) == (USAGE, f"aduana: {folder}: cannot be read: Permission denied\n")
    (folder / "acl.json").chmod(0)
    done = aduana("check", folder, prefix=powerless)
    assert one(done) == ("acl.json: error: cannot be read: Permission denied", [])


def test_a_folder_of_everybody(aduana, folder):
    folder.chmod(0o777)
    assert "others may write it (mode 0777)" in one(aduana("check", folder))[0]


@pytest.mark.parametrize("wrong", [(), ("{}", "{}"), ("{}", "--nope"), ("{}", "--color", "red"), ("{}", "--color")])
def test_check_wrong_usage(aduana, folder, wrong):
    done = aduana("check", *[argument.format(folder) for argument in wrong])
    assert done.returncode == USAGE and "usage: aduana check DIR" in done.stderr and done.stdout == ""


# Colour

def on_terminal(command, *answers, environment=None):
    """(exit status, what a person saw) of the command on a terminal of its own, who typed the answers, each when asked."""
    master, slave = pty.openpty()
    process = subprocess.Popen(list(map(str, command)), stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                               env={**{key: value for key, value in os.environ.items() if key != "NO_COLOR"}, "TERM": "xterm", **(environment or {})},
                               preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(slave)
    seen, answers, asked = b"", list(answers), 0
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and select.select([master], [], [], PATIENCE)[0]:
        try:
            got = os.read(master, 4096)
        except OSError:  # the other end is closed
            break
        seen += got
        if answers and seen.count(b": ", asked) and seen.endswith(b": "):
            asked = len(seen)
            until(lambda: not termios.tcgetattr(master)[3] & termios.ECHO, what="no echo")
            os.write(master, answers.pop(0).encode() + b"\n")
    os.close(master)
    return process.wait(timeout=PATIENCE), seen.decode().replace("\r\n", "\n")


def test_colour(aduana, lib, folder):
    (folder / "topic_policy.json").write_text('{"nmes": 1}')
    command = [lib.parent / "bin/aduana", "check", folder]
    assert ESCAPE not in aduana("check", folder).stdout
    assert ESCAPE in aduana("check", folder, "--color", "always").stdout
    assert ESCAPE in aduana("check", folder, "--color=always", environment={"NO_COLOR": "1"}).stdout
    code, seen = on_terminal(command)
    assert code == NO and ESCAPE in seen
    plain = re.sub(r"\x1b\[[0-9;]*m", "", seen)
    assert plain == aduana("check", folder).stdout == on_terminal([*command, "--color", "never"])[1]
    for environment in {"NO_COLOR": "1"}, {"TERM": "dumb"}:
        assert on_terminal(command, environment=environment) == (NO, plain)
    assert ESCAPE in on_terminal(command, environment={"NO_COLOR": ""})[1]


# aduana itself

@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)], ids=lambda command: command[0] if command else "aduana")
def test_help_fits_a_screen(aduana, command):
    done = aduana(*command, "--help")
    assert done.returncode == YES and done.stderr == ""
    lines = done.stdout.splitlines()
    assert 3 <= len(lines) <= 24 and max(map(len, lines)) <= 80
    assert "usage: aduana " + (command[0] if command else "COMMAND") in done.stdout
    if not command:
        assert all(f"  {name} " in done.stdout for name in COMMANDS)


def test_help_wins_over_other_options(aduana):
    done = aduana("kick", "x", "--no-will", "--help")
    assert done.returncode == YES and done.stdout.startswith("usage: aduana kick")


def test_version(aduana):
    version = re.search(r"project\(aduana VERSION ([0-9.]+)", (CLI.parent / "CMakeLists.txt").read_text())[1]
    done = aduana("--version")
    assert (done.returncode, done.stdout, done.stderr) == (YES, f"aduana {version}\n", "")


@pytest.mark.parametrize("name,said", [("chekc", '"chekc"; did you mean "check"?'), ("paswd", '"paswd"; did you mean "passwd"?'),
                                       ("zzzzzz", '"zzzzzz"\n'), ("--nope", '"--nope"'), ("a\x1b[2J", '"a\\x1b[2J"')])
def test_unknown_command(aduana, name, said):
    done = aduana(name)
    assert done.returncode == USAGE and f"aduana: no such command: {said}" in done.stderr and done.stdout == ""


def test_no_command(aduana):
    done = aduana()
    assert done.returncode == USAGE and done.stdout == "" and done.stderr == aduana("--help").stdout


def test_what_cannot_be_written_is_no_success(lib):
    with open("/dev/full", "w") as full:
        done = subprocess.run([lib.parent / "bin/aduana", "--help"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=PATIENCE)
    assert done.returncode == USAGE and "No space left on device" in done.stderr


# aduana certs FILE...

def test_certificates_in_files(aduana, tmp_path):
    """A weak one that ends soon, and a strong one; whoever ends first is first."""
    for name, key, days in ("weak", ("-newkey", "rsa:1024", "-sha1"), "20"), ("good", ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"), "400"):
        subprocess.run(["openssl", "req", "-x509", *key, "-nodes", "-days", days, "-subj", f"/CN={name}", "-keyout", tmp_path / f"{name}.key",
                        "-out", tmp_path / f"{name}.pem"], check=True, capture_output=True)
    weak, good, both = tmp_path / "weak.pem", tmp_path / "good.pem", tmp_path / "both.pem"
    both.write_text(good.read_text() + weak.read_text())
    done = aduana("certs", both)
    assert done.returncode == NO and done.stderr == ""
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[1] for line in lines] == ["LEVEL", "warn", "good"] and lines[1][-1] == "weak-key,weak-signature" and lines[2][-1] == "-"
    assert aduana("certs", good).returncode == YES
    assert json.loads(aduana("certs", good, "--json", "--warn-days", "500", "--lifetime-most-days", "398").stdout)[0]["findings"] == ["long-lifetime"]
    done = aduana("certs", good, tmp_path / "weak.key", tmp_path / "nothing")
    assert done.returncode == USAGE and "good" in done.stdout
    assert "weak.key: holds no certificate" in done.stderr and "nothing: cannot be read" in done.stderr
    for wrong in ("--warn-days", "x"), ("--warn-days", "-1"), ("--lifetime-most-days", "0"):
        assert aduana("certs", good, *wrong).returncode == USAGE
    assert aduana("certs", "--warn-days", "5").returncode == USAGE


# aduana passwd

def users(file):
    return [line.split(":")[0] for line in file.read_text().splitlines()]


def fits(aduana, file, user, password):
    done = aduana("passwd", "--check", file, user, input=password + "\n")
    assert (done.returncode, done.stdout) in ((YES, "the password fits\n"), (NO, "the password does not fit\n")), done
    return done.returncode == YES


def quiet(done):
    assert (done.returncode, done.stdout, done.stderr) == (YES, "", ""), done


@pytest.fixture
def passwd(tmp_path):
    return tmp_path / "passwd"


@pytest.fixture
def filled(aduana, passwd):
    """A file with ana (uno) and eva (dos)."""
    quiet(aduana("passwd", "-c", passwd, "ana", input="uno\n"))
    quiet(aduana("passwd", passwd, "eva", input="dos\n"))
    return passwd


def test_users_come_change_and_go(aduana, filled):
    assert users(filled) == ["ana", "eva"] and stat.S_IMODE(filled.stat().st_mode) == 0o600
    assert fits(aduana, filled, "ana", "uno") and not fits(aduana, filled, "ana", "dos") and not fits(aduana, filled, "ana", "")
    before = filled.read_text().splitlines()
    quiet(aduana("passwd", filled, "ana", input="tres\n"))
    after = filled.read_text().splitlines()
    assert after[1] == before[1] and after[0] != before[0]
    assert fits(aduana, filled, "ana", "tres") and not fits(aduana, filled, "ana", "uno")
    quiet(aduana("passwd", "-D", filled, "ana"))
    assert filled.read_text() == before[1] + "\n"


def test_nobody_to_remove_or_check(aduana, filled):
    text, inode = filled.read_text(), filled.stat().st_ino
    for option in "-D", "--check":
        for name in "nadie", "an", "ana2", "":
            done = aduana("passwd", option, filled, name, input="x\n")
            assert done.returncode == (NO if name else USAGE) and done.stdout == "" and done.stderr.startswith("aduana: ")
    assert filled.read_text() == text and filled.stat().st_ino == inode and os.listdir(filled.parent) == ["passwd"]


def test_create_deletes_nobody(aduana, filled, tmp_path):
    text = filled.read_text()
    done = aduana("passwd", "-c", filled, "otro", input="x\n")
    assert done.returncode == USAGE and "exists already" in done.stderr and filled.read_text() == text
    done = aduana("passwd", tmp_path / "nada", "otro", input="x\n")
    assert done.returncode == USAGE and "is not there; -c makes it" in done.stderr and not (tmp_path / "nada").exists()
    done = aduana("passwd", "-c", tmp_path / "no/such/folder", "otro", input="x\n")
    assert done.returncode == USAGE and "No such file or directory" in done.stderr


def test_the_rest_of_the_file_stays(aduana, passwd):
    rest = "# staff\n\nana:$7$1$c2FsdHNhbHQ=$x\r\n#eva:old\nno colon\nluis:x"
    passwd.write_bytes(f"eva:a\n{rest}".encode())
    quiet(aduana("passwd", passwd, "eva", input="x\n"))
    assert re.fullmatch(rb"eva:\$7\$1000\$\S+\n" + re.escape(rest.encode()) + b"\n", passwd.read_bytes())
    quiet(aduana("passwd", "-D", passwd, "eva"))
    assert passwd.read_bytes() == rest.encode() + b"\n"
    passwd.write_text("eva:a\nana:b\neva:c\n")
    quiet(aduana("passwd", passwd, "eva", input="x\n"))
    assert users(passwd) == ["eva", "ana"]
    passwd.write_bytes(b"eva:a\nana:\0b\n")
    done = aduana("passwd", passwd, "eva", input="x\n")
    assert done.returncode == USAGE and "passwd:2:1: holds a NUL byte" in done.stderr and passwd.read_bytes() == b"eva:a\nana:\0b\n"
    passwd.write_text("")
    quiet(aduana("passwd", passwd, "eva", input="x\n"))
    assert users(passwd) == ["eva"]


def test_mode_owner_and_links_stay(aduana, filled, tmp_path):
    filled.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(filled, 1234, 5678)
    link = tmp_path / "link"
    link.symlink_to("passwd")
    before = filled.stat()
    quiet(aduana("passwd", link, "luis", input="x\n"))
    after = filled.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert link.is_symlink() and users(filled) == ["ana", "eva", "luis"] and sorted(os.listdir(tmp_path)) == ["link", "passwd"]


def test_runs_at_once_lose_nobody(aduana, filled):
    names = [f"user{number}" for number in range(24)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for done in pool.map(lambda name: aduana("passwd", "--iterations", 1, filled, name, input=name + "\n"), names):
            quiet(done)
    assert sorted(users(filled)) == sorted(["ana", "eva", *names]) and os.listdir(filled.parent) == ["passwd"]
    assert all(fits(aduana, filled, name, name) for name in names[::6])


EARLIER, SOONER, LATER = "2001-01-01T00:00:00Z", "2888-01-01T00:00:00Z", "2999-12-31T23:59:59Z"


def test_the_old_password_stays_for_a_while(aduana, filled):
    old = filled.read_text().splitlines()
    quiet(aduana("passwd", "--old-until", LATER, filled, "ana", input="tres\n"))
    lines = filled.read_text().splitlines()
    assert lines[0] == f"{old[0]}:{LATER}" and lines[1].startswith("ana:$7$1000$") and lines[2:] == old[1:], "the new after the old: brokers believe the last"
    assert fits(aduana, filled, "ana", "uno") and fits(aduana, filled, "ana", "tres") and not fits(aduana, filled, "ana", "dos")
    # Once more: it is the newest that stays, and there are never three.
    done = aduana("passwd", "--argon2id", "--old-until", SOONER, filled, "ana", input="cuatro\n")
    assert done.returncode == YES and done.stdout == ""
    assert done.stderr == f'aduana: {filled}: the password of "ana" that was to count until {LATER} ends now: at most two are kept\n'
    assert users(filled) == ["ana", "ana", "eva"] and fits(aduana, filled, "ana", "tres") and not fits(aduana, filled, "ana", "uno")
    replace(filled, SOONER, EARLIER)  # time passes
    done = aduana("passwd", "--check", filled, "ana", input="tres\n")
    assert (done.returncode, done.stdout) == (NO, f"the password does not fit: it was valid until {EARLIER}\n")
    assert users(filled) == ["ana", "ana", "eva"] and fits(aduana, filled, "ana", "cuatro") and not fits(aduana, filled, "ana", "uno")
    # A new one without a word of the old, and no user at all, leave nothing of either.
    quiet(aduana("passwd", filled, "ana", input="cinco\n"))
    assert users(filled) == ["ana", "eva"] and fits(aduana, filled, "ana", "cinco")
    for name in "ana", "eva":
        quiet(aduana("passwd", "--old-until", LATER, filled, name, input="x\n"))
    assert aduana("passwd", filled, "ana", input="seis\n").stderr.endswith(f"until {LATER} ends now\n")
    quiet(aduana("passwd", "-D", filled, "eva"))
    assert users(filled) == ["ana"]


def test_an_old_password_that_cannot_stay(aduana, filled):
    filled.write_text(filled.read_text() + f"luis:{filled.read_text().split(':')[1].splitlines()[0]}:{LATER}\n")
    text = filled.read_text()
    for name in ("otro", "luis"):
        done = aduana("passwd", "--old-until", LATER, filled, name, input="x\n")
        assert done.returncode == NO and "with a password that could stay" in done.stderr
    for until in ("", "tomorrow", "2026-12-31", "2026-02-30T00:00:00Z"):
        done = aduana("passwd", "--old-until", until, filled, "ana", input="x\n")
        assert done.returncode == USAGE and "expected a moment such as 2026-12-31T00:00:00Z" in done.stderr
    done = aduana("passwd", "--old-until", EARLIER, filled, "ana", input="x\n")
    assert done.returncode == USAGE and f"old-until: {EARLIER} is past" in done.stderr
    for option in ("-c", "-D", "--check"):
        assert aduana("passwd", option, "--old-until", LATER, filled, "ana", input="x\n").returncode == USAGE
    assert filled.read_text() == text and os.listdir(filled.parent) == ["passwd"]


def test_a_failure_changes_nothing(aduana, filled):
    """As on a full disk."""
    text = filled.read_text()
    done = aduana("passwd", filled, "luis", input="x\n", prefix=["prlimit", "--fsize=100", "env", "--ignore-signal=XFSZ"])
    assert done.returncode == USAGE and "cannot be written: File too large" in done.stderr
    assert filled.read_text() == text and os.listdir(filled.parent) == ["passwd"]


@pytest.mark.parametrize("name", ["", "a:b", ":", "a\nb", "a\tb", "\x7f", "a\x1b", "a\u0085b", "#a", " a", "a ", "x" * 257, "\udcff"])
def test_names_that_are_none(aduana, filled, name):
    text = filled.read_text()
    done = aduana("passwd", filled, name, input="x\n")
    assert done.returncode == USAGE and "a user name" in done.stderr and filled.read_text() == text
    assert aduana("passwd", "-c", filled.parent / "new", name, input="x\n").returncode == USAGE and not (filled.parent / "new").exists()


@pytest.mark.parametrize("name", ["x", "x" * 256, "ñandú", "日本", "a b", "a#", "$7$", "a\\b\"'%s", "o\u00a0"])
def test_names_that_are_good(aduana, filled, name):
    quiet(aduana("passwd", "--", filled, name, input="clave\n"))
    assert users(filled) == ["ana", "eva", name] and fits(aduana, filled, name, "clave")


@pytest.mark.parametrize("password,good", [("x", True), ("x" * 1024, True), ("ñ 日本:$ \t%s", True), (" ", True), ("", False), ("x" * 1025, False),
                                           ("x" * 100_000, False), ("a\0b", False)])
def test_passwords_from_a_program(aduana, filled, password, good):
    text = filled.read_text()
    done = aduana("passwd", filled, "luis", input=password + "\nmore\n")
    if good:
        quiet(done)
        assert fits(aduana, filled, "luis", password) and not fits(aduana, filled, "luis", password + " ")
        assert password not in filled.read_text() or len(password) == 1
    else:
        assert done.returncode == USAGE and "password" in done.stderr and filled.read_text() == text


def test_a_password_without_the_end_of_its_line(aduana, filled):
    quiet(aduana("passwd", filled, "luis", input="clave"))
    assert fits(aduana, filled, "luis", "clave") and fits(aduana, filled, "luis", "clave\r")


@pytest.mark.parametrize("options,begin", [((), "$7$1000$"), (("--pbkdf2",), "$7$1000$"), (("--iterations", "101"), "$7$101$"),
                                           (("--pbkdf2", "--iterations=20000"), "$7$20000$"), (("--argon2id",), "$argon2id$v=19$m=19456,t=2,p=1$")])
def test_kinds_of_hashes(aduana, passwd, options, begin):
    quiet(aduana("passwd", "-c", *options, passwd, "ana", input="clave\n"))
    first = passwd.read_text()
    assert first.startswith("ana:" + begin) and fits(aduana, passwd, "ana", "clave") and not fits(aduana, passwd, "ana", "clavf")
    quiet(aduana("passwd", *options, passwd, "ana", input="clave\n"))
    assert passwd.read_text() != first  # another salt


@pytest.mark.parametrize("wrong", [(), ("{}",), ("{}", "a", "b"), ("-c", "-D", "{}", "a"), ("-D", "--check", "{}", "a"), ("-D", "--argon2id", "{}", "a"),
                                   ("--check", "--pbkdf2", "{}", "a"), ("--pbkdf2", "--argon2id", "{}", "a"), ("--argon2id", "--iterations", "5", "{}", "a"),
                                   ("--iterations", "0", "{}", "a"), ("--iterations", "1000001", "{}", "a"), ("--iterations", "x", "{}", "a"),
                                   ("-b", "{}", "a", "secret"), ("--iterations",)])
def test_passwd_wrong_usage(aduana, filled, wrong):
    text = filled.read_text()
    done = aduana("passwd", *[argument.format(filled) for argument in wrong], input="x\n")
    assert done.returncode == USAGE and "usage: aduana passwd" in done.stderr and done.stdout == "" and filled.read_text() == text


def test_passwd_of_what_is_no_such_file(aduana, tmp_path):
    for path, said in (tmp_path, "is not a regular file"), (tmp_path / "fifo", "is not a regular file"):
        if path != tmp_path:
            os.mkfifo(path)
        for option in (), ("-D",), ("--check",):
            done = aduana("passwd", *option, path, "ana", input="x\n")
            assert done.returncode == USAGE and said in done.stderr, done
    bad = tmp_path / "bad"
    bad.write_text("eva:x\nana:x\n")
    done = aduana("passwd", "--check", bad, "ana", input="x\n")
    assert done.returncode == USAGE and f'{bad}:2:1: the password of "ana": expected a hash' in done.stderr


def test_a_person_is_asked_twice(lib, aduana, filled):
    command = [lib.parent / "bin/aduana", "passwd", filled, "luis"]
    code, seen = on_terminal(command, "clave", "clave")
    assert code == YES and "Password: " in seen and "again: " in seen and "clave" not in seen
    assert fits(aduana, filled, "luis", "clave")
    code, seen = on_terminal(command, "otra", "ptra")
    assert code == USAGE and "not the same password twice" in seen and fits(aduana, filled, "luis", "clave")
    code, seen = on_terminal(command, "", "")
    assert code == USAGE and "a password has 1 to 1024 bytes" in seen
    command.insert(2, "--check")
    assert on_terminal(command, "clave")[0] == YES and on_terminal(command, "otra")[0] == NO


def test_a_person_breaks_off(lib, aduana, filled):
    text = filled.read_text()
    code, seen = on_terminal([lib.parent / "bin/aduana", "passwd", filled, "luis"], "\x03")
    assert code != YES and filled.read_text() == text and os.listdir(filled.parent) == ["passwd"]


def mosquitto_passwd(*arguments):
    done = subprocess.run(["mosquitto_passwd", *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done


def test_with_mosquitto_passwd(aduana, passwd):
    """Each changes what the other has written."""
    mosquitto_passwd("-c", "-b", passwd, "ana", "uno")
    quiet(aduana("passwd", passwd, "eva", input="dos\n"))
    mosquitto_passwd("-b", passwd, "luis", "tres")
    assert users(passwd) == ["ana", "eva", "luis"]
    assert all(fits(aduana, passwd, *pair) for pair in (("ana", "uno"), ("eva", "dos"), ("luis", "tres")))
    quiet(aduana("passwd", passwd, "ana", input="nueva\n"))
    mosquitto_passwd("-b", passwd, "eva", "otra")
    assert fits(aduana, passwd, "ana", "nueva") and fits(aduana, passwd, "eva", "otra")
    mosquitto_passwd("-D", passwd, "ana")
    quiet(aduana("passwd", "-D", passwd, "luis"))
    assert users(passwd) == ["eva"]


def test_login_to_the_broker_alone(aduana, make_broker, suite, filled):
    """The broker's own password_file. Debian builds no broker that reads Argon2id."""
    broker = make_broker(suite, lambda b: b.plain_conf([], listener="", extra=f"password_file {filled}\nallow_anonymous false"))
    for user, password in ("ana", "uno"), ("eva", "dos"):
        assert broker.connect(EDGE1, username=user, password=password).is_alive()
        with pytest.raises(mqtt.Refused):
            broker.connect(EDGE1, username=user, password=password + "x")


@pytest.mark.parametrize("kind", ["--pbkdf2", "--argon2id"])
def test_login_to_the_bundle(aduana, broker, kind):
    def connect(**more):
        """As a device does: again until it is answered. Before 2.1 a broker hangs up when the hash takes longer than login_budget_ms."""
        try:
            return broker.connect(EDGE3, **more)
        except mqtt.Refused as refused:
            if refused.code is not None:
                raise
            return None
    broker.connect(EDGE3).disconnect()
    quiet(aduana("passwd", kind, broker.policies / "passwd", EDGE3.username, input="nueva\n"))
    broker.reload()
    assert until(lambda: connect(password="nueva"), "a log-in", every=0.3).is_alive()
    mark = broker.mark()
    with pytest.raises(mqtt.Refused):
        until(connect, "a refusal", every=0.3)
    broker.wait_log("aduana: refused connect .*: wrong password", mark)


# Completion and man page

def completed(*words):
    """What the last word may become."""
    script = ('source "$1"; shift; complete -p aduana >/dev/null || exit 1; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _aduana; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "--norc", "-u", "-c", script, "bash", CLI / "aduana.bash", "aduana", *words], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0 and done.stderr == "", done
    return {line for line in done.stdout.splitlines() if line}


def test_completion(aduana, tmp_path):
    assert completed("") >= {*COMMANDS} and completed("k") == {"kick"} and completed("re") == {"reload"}
    assert completed("--") == {"--help", "--version"}
    assert completed("check", "--c") == {"--color"} and completed("check", "--color", "a") == {"auto", "always"}
    (tmp_path / "carpeta").mkdir()
    (tmp_path / "fichero").write_text("")
    assert completed("check", f"{tmp_path}/") == {f"{tmp_path}/carpeta"}
    assert completed("passwd", f"{tmp_path}/f") == {f"{tmp_path}/fichero"}
    assert completed("explain", "x", "pub") == {"publish"} and completed("nada", "") == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_completion_knows_every_option(aduana, command):
    options = set(re.findall(r"(?:^|[ ,])(--[a-z0-9-]+)", aduana(command, "--help").stdout)) - {"--live", "--json"}
    assert options <= completed(command, "--")


def test_man_page(aduana, tmp_path):
    made = subprocess.run(["scdoc"], input=(CLI / "aduana.1.scd").read_text(), capture_output=True, text=True, timeout=PATIENCE)
    assert made.returncode == 0 and made.stderr == "" and made.stdout.count("\n") > 100
    text = made.stdout.replace("\\", "")
    for command in COMMANDS:
        assert f"aduana {command}" in text, command
        for option in set(re.findall(r"(?:^|[ ,])(--?[a-zA-Z0-9-]+)", aduana(command, "--help").stdout)):
            assert option in text, f"{command} {option}"


# ---------------------------------------------------------------------------
# aduana detect

@pytest.fixture
def series(tmp_path):
    """Four hundred calm minutes with a value that stands out, in the line 302."""
    made = tmp_path / "serie.csv"
    rows = [f"2026-11-28 {minute // 60:02}:{minute % 60:02}:00,{10 + minute % 3 if minute != 300 else 90}" for minute in range(400)]
    made.write_text("\n".join(["timestamp,value", *rows]) + "\n")
    return made


def test_detect(aduana, series):
    done = aduana("detect", series)
    assert done.returncode == YES and done.stderr == ""
    assert re.fullmatch(rf"{series}:302: 2026-11-28 05:00:00: more than usual: 90, expected 1[0-2]\S* \(score 0\.\d\d\)\n", done.stdout)
    found = json.loads(aduana("detect", "--json", series).stdout)
    assert (found["values"], found["judged"], [one["line"] for one in found["anomalies"]]) == (400, True, [302])
    assert found["anomalies"][0]["direction"] == "up" and found["anomalies"][0]["value"] == 90
    scores = aduana("detect", "--scores", "-", input=series.read_text()).stdout.split()
    assert scores[0] == "anomaly_score" and len(scores) == 401 and [i for i, s in enumerate(scores[1:]) if float(s) >= 0.5] == [300]


@pytest.mark.parametrize("text,said", [("", "holds no values"), ("timestamp,value\n", "holds no values"), ("1,2\n2;3\n", ":2: expected a time"),
                                       ("1,2\n2,x\n", ":2: expected a time"), ("1,2\nyesterday,3\n", ":2: expected a time")])
def test_detect_refuses(aduana, tmp_path, text, said):
    file = tmp_path / "serie.csv"
    file.write_text(text)
    done = aduana("detect", file)
    assert done.returncode == USAGE and said in done.stderr
    assert aduana("detect", tmp_path / "no").returncode == USAGE
