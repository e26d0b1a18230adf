#!/usr/bin/env python
"""Start the back office: ``python run.py serve``; without an argument it lists the commands."""

import gc

# Nothing that is made while modules load is garbage: looking for it took a quarter of the start.
gc.disable()

from backoffice.cli import main  # noqa: E402

gc.freeze()
gc.enable()

if __name__ == "__main__":
    main()
