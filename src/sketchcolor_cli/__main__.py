"""The program ``sketchcolor``, and ``python -m sketchcolor_cli``: heeds Ctrl-C before all that takes time."""

from sketchcolor_cli.cli import interrupt


def main() -> None:
    """Run the command line."""
    interrupt.leave_until_ready()
    from sketchcolor_cli.cli.app import main as run

    run()


if __name__ == "__main__":
    main()
