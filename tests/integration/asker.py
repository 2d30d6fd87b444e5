"""The directory's client without a broker: ask_directory, a line of JSON for each question and each answer."""
import json
import os
import select
import subprocess

from daemon import command_of


class Asker:
    """One process of ask_directory for settings."""

    def __init__(self, program, folder, ldap):
        self.folder = folder
        self.write(ldap)
        self.proc = subprocess.Popen([*program, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def write(self, ldap):
        (self.folder / "iam_auth.json").write_text(json.dumps({"ldap": ldap}))

    def say(self, **question):
        self.proc.stdin.write(json.dumps(question) + "\n")
        self.proc.stdin.flush()
        if not select.select([self.proc.stdout], [], [], 120)[0]:
            self.proc.kill()
            raise AssertionError(f"no answer to {question}")
        line = self.proc.stdout.readline()
        assert line, self.proc.stderr.read()
        return json.loads(line)

    def ask(self, user, password=None, **more):
        question = {"user": user, **more}
        if password is not None:
            question["password"] = password
        return self.say(**question)

    def outcome(self, user, password=None):
        return self.ask(user, password)["outcome"]

    def close(self):
        self.proc.stdin.close()
        said = self.proc.stderr.read()
        self.proc.stdout.close()
        self.proc.stderr.close()
        assert self.proc.wait(60) == 0, said
        assert "Sanitizer" not in said and "runtime error" not in said, said


def program_of(suite, lib):
    """ask_directory with the libraries of that suite's broker."""
    program = lib.parent / "tests/ask_directory"
    if suite == "bookworm":
        return [program]
    root = os.path.dirname(command_of(suite)[0]) + "/root/usr/lib"
    triplet = next(name for name in os.listdir(root) if name.endswith("-linux-gnu"))
    loader = next(name for name in os.listdir(f"{root}/{triplet}") if name.startswith("ld-linux"))
    return [f"{root}/{triplet}/{loader}", "--library-path", f"{root}/{triplet}", program]
