"""All checks, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sketchcolor_cli.doctor import machine, selftest, software
from sketchcolor_cli.doctor.findings import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_CHECKS: tuple[Callable[[], Iterable[Finding]], ...] = (
    machine.check_system,
    machine.check_devices,
    machine.check_number_format,
    machine.check_backends,
    machine.check_memory,
    machine.check_folders,
    machine.check_network,
    machine.check_console,
    software.check_packages,
    software.check_settings,
    software.check_formats,
    software.check_extras,
    software.check_models,
    software.check_plugins,
    software.check_weights,
    selftest.check_coloring,
)


def examine(checks: Iterable[Callable[[], Iterable[Finding]]] = _CHECKS) -> Iterator[Finding]:
    """Give what each check finds; a check that breaks is a finding itself, and the others go on.

    No finding holds the user's name or a path above the home folder.
    """
    for check in checks:
        try:
            for found in check():
                yield found.without_names()
        except Exception as error:
            name = check.__name__.removeprefix("check_").replace("_", " ")
            value = f"could not be checked: {type(error).__name__}: {error}"
            remedy = "install sketchcolor in a new environment; if that does not help, report this line"
            yield Finding("Checks", name, value, Level.PROBLEM, remedy).without_names()
