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
    command = secret.add_parser("rotate-form", help="give a form a new secret for its proof of work")
    command.add_argument("key", help="the form's key (frm_…)")
    command.set_defaults(run=rotate_form_secret)
    command = commands.add_parser("reapply-erasures", help="after a restore: erase again whom the register names")
    command.add_argument("--also", default="", help="a copy of the folder for files that may know of more erasures")
    command.set_defaults(run=reapply_erasures)
    sites = commands.add_parser("site", help="client sites (sites/)").add_subparsers(metavar="action", required=True)
    new = sites.add_parser("new", help="start a client's site from the template")
    new.add_argument("slug", help="its folder's name, for example coffee-shop")
    new.add_argument("--name", default="", help="what the client is called (default: from the slug)")
    new.add_argument("--form-key", default="", help="the key of its form, from the form's page (frm_…)")
    new.add_argument("--edge-url", default="", help="the public address of the edge")
    new.add_argument("--ink", default="", help="the colour of text and buttons, #rrggbb")
    new.add_argument("--paper", default="", help="the colour of the page, #rrggbb")
    new.set_defaults(run=new_site)
    tokens = commands.add_parser("token", help="API tokens").add_subparsers(metavar="action", required=True)
    make = tokens.add_parser("create", help="print the secret of a new API token of a member")
    make.add_argument("email")
    make.add_argument("--agency", required=True, help="the agency's part of addresses")
    make.add_argument("--name", required=True, help="what uses it")
    make.add_argument("--scope", action="append", default=[], help="read, write or manage; may be there several times")
    make.add_argument("--days", type=int, help="after how many days it ends (default: never)")
    make.set_defaults(run=create_api_token)
    keys = commands.add_parser("keys", help="the keys that sign tokens").add_subparsers(metavar="action", required=True)
    keys.add_parser("list", help="show every key and what it is for").set_defaults(run=list_keys)
    keys.add_parser("rotate", help="let the next key sign from now on").set_defaults(run=rotate_keys)
    revoked = keys.add_parser("revoke", help="believe nothing any more that a key has signed")
    revoked.add_argument("kid")
    revoked.set_defaults(run=revoke_key)
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


def reapply_erasures(options: argparse.Namespace) -> int:
    """Fails when the register cannot be read: a restored database is not to be opened before."""
    _load_office()
    import datetime as dt
    from pathlib import Path

    from consult.core import files
    from consult.thread.services import erasure, register

    also = Path(options.also) if options.also else None
    if also and not also.is_dir():
        print(f"There is no folder {also}.", file=sys.stderr)
        return 1
    try:
        count, found = erasure.reapply_erasures(now=dt.datetime.now(dt.UTC), also=also)
    except (register.Unreadable, files.Away) as error:
        print(f"Stopped: {error}. Whoever was erased before that stays so; run it again.", file=sys.stderr)
        return 1
    print(f"{count} erasures in the register; {found} of them had something to erase again.")
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
    from consult.core import encryption, files, kv
    from consult.thread.services import erasure, register

    known = encryption.key_ids()
    print(f"Keys, the first one seals: {', '.join(known)}")
    try:
        in_register = erasure.seals()
    except (register.Unreadable, files.Away) as error:
        print(f"The register of erasures cannot be read: {error}", file=sys.stderr)
        return 1
    beside = {"core_kv in Redis": kv.in_use(), "register of erasures": in_register}
    for place, keys in {**encryption.in_use(_agencies()), **beside}.items():
        for id, count in sorted(keys.items()):
            note = "" if id in known else "   not in CONSULT_ENCRYPTION_KEYS: these cannot be opened"
            print(f"{place}  {id}  {count}{note}")
    return 0


def _agencies() -> list[int]:
    """Return all agencies: secrets that are theirs can be seen only from inside."""
    from consult.accounts import queries

    return [agency_id for agency_id, _slug, _name in queries.agencies()]


def rotate_form_secret(options: argparse.Namespace) -> int:
    _load_office()
    from consult.intake import services

    try:
        services.rotate_form_secret(key=options.key)
    except services.NoSuchForm:
        print(f"No form has the key {options.key}.", file=sys.stderr)
        return 1
    print("Done. Challenges that are being solved at this moment are asked for once more.")
    return 0


def reencrypt_secrets(options: argparse.Namespace) -> int:
    _load_office()
    from consult.core import encryption, files, kv
    from consult.thread.services import erasure, register

    name = ""
    try:
        for place in encryption.PLACES:
            name, done = f"{place.table}.{place.column}", 0
            for agency_id in _agencies() if place.isolated else (None,):
                while more := encryption.reseal(place, agency_id=agency_id):
                    done += more
            print(f"{name}: {done} brought under the first key.")
        name = "core_kv in Redis"
        print(f"{name}: {kv.reseal()} brought under the first key.")
        name = "register of erasures"
        print(f"{name}: {erasure.reseal()} brought under the first key.")
    except (encryption.CannotOpen, register.Unreadable, files.Away) as error:
        print(f"{name}: {error}.", file=sys.stderr)
        return 1
    first, *_others = encryption.key_ids()
    left = sum(
        count
        for keys in (*encryption.in_use(_agencies()).values(), kv.in_use())
        for id, count in keys.items()
        if id != first
    )
    if left:
        print(f"{left} values are in use at this moment and still under another key: run it again.", file=sys.stderr)
        return 1
    print("Every value is under the first key. Answers of the API are kept for a day under the key of their time:")
    print("take the others out of CONSULT_ENCRYPTION_KEYS after that.")
    return 0


def create_api_token(options: argparse.Namespace) -> int:
    _load_office()
    import datetime as dt

    from consult.accounts import queries, services

    def refused(why: str) -> int:
        print(why, file=sys.stderr)
        return 1

    user = queries.user_by_email(options.email)
    if user is None:
        return refused(f"Nobody active has the address {options.email}.")
    here = next((each for each in queries.memberships(user.pk) if each.slug == options.agency), None)
    if here is None:
        return refused(f"{options.email} is no member of an agency “{options.agency}”.")
    if options.days is not None and not 1 <= options.days <= 3650:
        return refused("--days is between 1 and 3650.")
    if not options.name.strip() or len(options.name) > 100:
        return refused("--name has between 1 and 100 characters.")
    now = dt.datetime.now(dt.UTC)
    try:
        _id, secret = services.create_api_token(
            agency_id=here.agency_id,
            name=options.name.strip(),
            scopes=options.scope,
            by=here.member_id,
            member_id=here.member_id,
            expires_at=now + dt.timedelta(days=options.days) if options.days else None,
        )
    except services.BadScopes:
        scopes = " ".join(f"--scope {scope}" for scope in queries.scopes_of(here.role))
        return refused(f"With the role {here.role} a token may have: {scopes}. Name at least one.")
    # Alone on standard output: for TOKEN=$(consult token create …).
    print(secret)
    return 0


def list_keys(options: argparse.Namespace) -> int:
    _load_office()
    from consult.accounts import queries

    for key in queries.signing_keys():
        moments = (
            ("published", key.created_at),
            ("signs from", key.not_before if key.state == "next" else key.activated_at),
            ("retired", key.retired_at),
            ("revoked", key.revoked_at),
        )
        told = ", ".join(f"{word} {moment:%Y-%m-%d %H:%M} UTC" for word, moment in moments if moment)
        print(f"{key.kid}  {key.state:8}  {told}")
    return 0


def rotate_keys(options: argparse.Namespace) -> int:
    _load_office()
    import datetime as dt

    from consult.accounts import services

    try:
        kid = services.rotate_keys(now=dt.datetime.now(dt.UTC))
    except services.TooEarly as early:
        print(f"The next key is too new to sign. Try again after {early.until:%Y-%m-%d %H:%M} UTC.", file=sys.stderr)
        return 1
    print(f"{kid} signs from now on.")
    return 0


def revoke_key(options: argparse.Namespace) -> int:
    _load_office()
    import datetime as dt

    from consult.accounts import services

    try:
        kid = services.revoke_key(kid=options.kid, now=dt.datetime.now(dt.UTC))
    except services.NoSuchKey:
        print(f"No key {options.kid}, or it is revoked already. `consult keys list` shows them.", file=sys.stderr)
        return 1
    print(f"{options.kid} is revoked: nothing that it signed is believed. {kid} signs.")
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
