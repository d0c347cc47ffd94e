"""`python -m simulator`: options come from the command line, requests over HTTP."""

from __future__ import annotations

from simulator.serve import main

if __name__ == "__main__":
    main()
