"""The verbs. Each module of this package is imported, so that the lifecycles it registers are known."""

from importlib import import_module
from pkgutil import iter_modules

for _module in sorted(module.name for module in iter_modules(__path__)):
    import_module(f"{__name__}.{_module}")
