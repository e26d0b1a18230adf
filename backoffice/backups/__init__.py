"""Everything an installation knows in one file, and back again: see ``docs/deployment.md``."""
