"""A pytest plugin (`-p results`): a line `RESULT <outcome> <seconds> <test>` for each finished test, at the end."""


class Results:
    """The worst outcome of a test's three phases, in the process that gathers those of the workers."""

    def __init__(self):
        self.outcomes, self.seconds = {}, {}

    def pytest_runtest_logreport(self, report):
        name = report.nodeid
        self.seconds[name] = self.seconds.get(name, 0) + report.duration
        if (report.when == "call" or report.outcome != "passed") and self.outcomes.get(name) != "failed":
            self.outcomes[name] = report.outcome

    def pytest_terminal_summary(self, terminalreporter):
        for name, outcome in self.outcomes.items():
            terminalreporter.write_line(f"RESULT {outcome} {self.seconds[name]:.2f} {name}")


def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Results())
