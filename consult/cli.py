"""The `consult` command."""

import argparse
import sys


def main(arguments: list[str] | None = None) -> int:
    """Runs one subcommand and returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="consult", description="Consult: the back office of a small web agency."
    )
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    commands.add_parser("up", help="start everything on this machine; Ctrl-C stops it")
    commands.add_parser("down", help="end what runs in this data directory, also what a killed `up` left")
    options = parser.parse_args(arguments)
    if options.command == "down":
        from consult.core import down

        print(down.main())
        return 0
    from consult.core import up

    return up.main()


if __name__ == "__main__":
    sys.exit(main())
