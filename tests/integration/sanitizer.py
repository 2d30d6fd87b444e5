"""What the sanitizers wrote about a broker, and what of it is ours to mend."""
import functools
import re
import subprocess

SANITIZERS = "ERROR: AddressSanitizer|runtime error:|ERROR: ThreadSanitizer"
# The sanitizers' own way to find the names takes as long as all else that a broker does in a test, so they are found here.
FRAMES = "symbolize=0:stack_trace_format='#%n %m+%o'"


@functools.lru_cache(maxsize=None)
def name_of(module, offset):
    """The function there, and file:line where they are known."""
    done = subprocess.run(["addr2line", "-f", "-p", "-e", module, offset], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return done.stdout.strip() or "?"


def named(report):
    """The report with names at its frames."""
    return re.sub(r"^(\s*#\d+) (\S+)\+(0x[0-9a-f]+)$", lambda frame: f"{frame[1]} {name_of(frame[2], frame[3])} in {frame[2]}", report, flags=re.M)


def sanitizer_reports(folder):
    """The reports that are ours: any error, and a leak only with a frame in one of our files. A registered callback is
    the broker's to free, and it does not; the bundle never unregisters, so as to judge until the very end."""
    ours = []
    for path in sorted(folder.glob("sanitizer*")):
        text = path.read_text(errors="replace")
        if re.search(SANITIZERS, text):
            ours.append(named(text))
        for block in re.split(r"\n\n+", text):
            if re.search(r"leak of \d+ byte", block) and re.search(r"aduana_?\w*\.so", block):
                block = named(block)
                if not re.search("mosquitto_callback_register|control__register_callback", block):
                    ours.append(block)
    return ours
