"""Where DepthMend starts: `python main.py`, the console script `depthmend`, and every child process."""

import multiprocessing
import sys
from pathlib import Path

# In a checkout the packages lie beside this file, in an installed wheel as well, but below `depthmend`.
sys.path.insert(0, str(Path(__file__).resolve().parent))


def run() -> None:
    """Do what the command line says, and end with its exit status."""
    multiprocessing.freeze_support()
    from app.cli import main

    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    run()
