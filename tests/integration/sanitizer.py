"""What the sanitizers wrote about a broker, and what of it is ours to mend."""
import re

SANITIZERS = "ERROR: AddressSanitizer|runtime error:|ERROR: ThreadSanitizer"


def sanitizer_reports(folder):
    """The reports that are ours: any error, and a leak only with a frame in one of our files. A registered callback is
    the broker's to free, and it does not; the bundle never unregisters, so as to judge until the very end."""
    ours = []
    for path in sorted(folder.glob("sanitizer*")):
        text = path.read_text(errors="replace")
        if re.search(SANITIZERS, text):
            ours.append(text)
        for block in re.split(r"\n\n+", text):
            if re.search(r"leak of \d+ byte", block) and re.search(r"aduana_?\w*\.so", block) \
                    and not re.search("mosquitto_callback_register|control__register_callback", block):
                ours.append(block)
    return ours
