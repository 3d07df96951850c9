"""The `consult` command: the whole menu in one file."""

import argparse
import os
import sys


def main(arguments: list[str] | None = None) -> int:
    """Run one subcommand and return its exit status."""
    parser = argparse.ArgumentParser(prog="consult", description="Consult: the back office of a small web agency.")
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    commands.add_parser("up", help="start everything on this machine; Ctrl-C stops it").set_defaults(run=up)
    command = commands.add_parser("down", help="end what runs in this data directory, also what a killed `up` left")
    command.set_defaults(run=down)
    command = commands.add_parser("worker", help="do the jobs of the queue until stopped")
    command.set_defaults(run=worker)
    command = commands.add_parser("sign-in-link", help="print a link that signs a person in, once")
    command.add_argument("email")
    command.set_defaults(run=sign_in_link)
    command = commands.add_parser("remove-second-factors", help="let somebody in again who has lost all of theirs")
    command.add_argument("email")
    command.set_defaults(run=remove_second_factors)
    secret = commands.add_parser("secrets", help="secrets at rest").add_subparsers(metavar="action", required=True)
    command = secret.add_parser("list", help="show how many rows each encryption key has sealed")
    command.set_defaults(run=list_secrets)
    command = secret.add_parser("reencrypt", help="bring all of them under the first key; may be cut off and run again")
    command.set_defaults(run=reencrypt_secrets)
    sites = commands.add_parser("site", help="client sites (sites/)").add_subparsers(metavar="action", required=True)
    new = sites.add_parser("new", help="start a client's site from the template")
    new.add_argument("slug", help="its folder's name, for example coffee-shop")
    new.add_argument("--name", default="", help="what the client is called (default: from the slug)")
    new.add_argument("--form-key", default="", help="the key of its form, from the form's page (frm_…)")
    new.add_argument("--edge-url", default="", help="the public address of the edge")
    new.add_argument("--ink", default="", help="the colour of text and buttons, #rrggbb")
    new.add_argument("--paper", default="", help="the colour of the page, #rrggbb")
    new.set_defaults(run=new_site)
    options = parser.parse_args(arguments)
    status: int = options.run(options)
    return status


def up(options: argparse.Namespace) -> int:
    from consult.machine import up

    return up.main()


def down(options: argparse.Namespace) -> int:
    from consult.machine import down, supervisor

    try:
        print(down.main())
    except supervisor.Failed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _load_office() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consult.settings.dev")
    import django

    django.setup()


def worker(options: argparse.Namespace) -> int:
    os.environ["CONSULT_PROCESS"] = "worker"
    _load_office()
    from consult.core import database, queue

    try:
        queue.run_worker()
    except database.UnsafeRole as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def sign_in_link(options: argparse.Namespace) -> int:
    _load_office()
    from django.conf import settings

    from consult.accounts import queries, services

    if queries.user_by_email(options.email) is None:
        print(f"Nobody active has the address {options.email}.", file=sys.stderr)
        return 1
    print(settings.CONSULT_OFFICE_URL + services.create_sign_in_link(email=options.email))
    return 0


def remove_second_factors(options: argparse.Namespace) -> int:
    _load_office()
    from consult.accounts import queries, services

    if queries.user_by_email(options.email) is None:
        print(f"Nobody active has the address {options.email}.", file=sys.stderr)
        return 1
    removed = services.remove_second_factors(email=options.email)
    print(f"{removed} removed; their browsers are signed out. They sign in with their password or a code by mail.")
    return 0


def list_secrets(options: argparse.Namespace) -> int:
    _load_office()
    from consult.core import encryption

    known = encryption.key_ids()
    print(f"Keys, the first one seals: {', '.join(known)}")
    for place, keys in encryption.in_use().items():
        for id, count in sorted(keys.items()):
            note = "" if id in known else "   not in CONSULT_ENCRYPTION_KEYS: these cannot be opened"
            print(f"{place}  {id}  {count}{note}")
    return 0


def reencrypt_secrets(options: argparse.Namespace) -> int:
    _load_office()
    from consult.core import encryption

    for place in encryption.PLACES:
        done = 0
        try:
            while more := encryption.reseal(place):
                done += more
        except encryption.CannotOpen as error:
            print(f"{place.table}.{place.column}: {error}.", file=sys.stderr)
            return 1
        print(f"{place.table}.{place.column}: {done} brought under the first key.")
    print("Every value is under the first key: the others may be taken out of CONSULT_ENCRYPTION_KEYS.")
    return 0


def new_site(options: argparse.Namespace) -> int:
    from consult.machine import client_site

    try:
        folder = client_site.new(
            options.slug,
            name=options.name,
            form_key=options.form_key,
            edge_url=options.edge_url,
            ink=options.ink,
            paper=options.paper,
        )
    except client_site.CannotMake as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{folder} is ready: its words in src/site.ts, its colours in src/theme.css.")
    if not client_site.add_to_workspace():
        print("npm is not on this machine; where it is, run `npm install` in sites/ before `make sites`.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
