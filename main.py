"""Where DepthMend starts: `python main.py`, the console script `depthmend`, and every child process."""

import logging
import multiprocessing
import os
import sys
import threading
from pathlib import Path

# In a checkout the packages lie beside this file, in an installed wheel as well, but below `depthmend`.
sys.path.insert(0, str(Path(__file__).resolve().parent))

# Waiting threads of torch would otherwise spin, and take the cores from those that they wait for: on two busy
# cores a repair took 6 s instead of 0.13 s. It is read when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def run() -> None:
    """Do what the command line says, and end with its exit status."""
    multiprocessing.freeze_support()
    from app.cli import main

    status = main(sys.argv[1:])
    if any(thread is not threading.main_thread() for thread in threading.enumerate()):
        # A thread that did not stop in time is inside a driver or torch, and Python would abort under it.
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    run()
