"""Start the lab: read the settings, build the Lab and its page, serve until told to stop."""

import logging
import os
import signal
import sys
import threading

from demo.errors import LabError
from demo.settings import LabSettings


def main() -> int:
    """Serve until SIGTERM or Ctrl+C; returns the exit status."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        settings = LabSettings.read(arguments=sys.argv[1:])
        # It would announce at every start that a kernel for other CPUs is missing.
        logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
        # Libraries read these once, when they are imported.
        os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
        os.environ["GRADIO_TEMP_DIR"] = str(settings.served)
        os.environ.setdefault("HF_HOME", str(settings.data / "hub"))
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(settings.data / "inductor"))
        from demo.lab import Lab
        from demo.ui.launch import serve

        serve(Lab(settings), stop)
    except LabError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
