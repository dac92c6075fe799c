"""``python -m sketchcolor_cli`` is ``sketchcolor``."""

from sketchcolor_cli.cli.app import main

main()
