#!/usr/bin/env python
"""Start the back office: ``python run.py serve``; without an argument it lists the commands."""

from backoffice.cli import main

if __name__ == "__main__":
    main()
