"""What the database's own catalogue must say about tenancy; each rule returns the problems that it finds."""

# Statements are put together from names of tables and columns here: nobody else has a say in them.
# ruff: noqa: S608

from collections.abc import Callable, Iterable
from typing import Any

from django.apps import apps

from consult.core import grants, isolation

Ask = Callable[[str], list[Any]]

ROOT_TABLE = "accounts_agency"
POLICY = "({column} = ( SELECT (current_setting('consult.agency'::text))::bigint AS current_setting))"
OFFICE = ("consult_app", "consult_worker")

# Indexes and unique keys that do not lead with the agency: (table, columns): why.
FREE_INDEXES = {
    ("accounts_agency", ("slug",)): "The agency's own name; addresses are shared by all agencies.",
    ("accounts_member", ("user_id",)): "accounts_memberships_v1 looks up a person before an agency is known.",
    ("accounts_apitoken", ("token_hash",)): "accounts_token_v1 looks a program up before an agency is known; random.",
    ("inbox_enquiry", ("search",)): "GIN of words, among which the agency's own stands; read by a door alone.",
    (
        "accounts_invitation",
        ("token_hash",),
    ): "accounts_invitation_v1 looks a link up before an agency is known; random.",
    ("accounts_authorizationcode", ("code_hash",)): "accounts_grant_secret_v1 looks it up before an agency is known.",
    ("accounts_refreshtoken", ("token_hash",)): "accounts_grant_secret_v1 looks it up before an agency is known.",
    ("intake_form", ("key",)): "All that a visitor's browser sends; random, so a collision tells nothing.",
}
# Columns named like references that refer to nothing the database could check: why.
FREE_REFERENCES = {
    ("accounts_audit", "subject_id"): "The subject may be of any table, and may be gone.",
    ("accounts_audit", "token_id"): "An API token, or a program's sign-in: of one of two tables.",
    ("accounts_notification", "subject_id"): "What somebody is told of may be of any table, and may be gone.",
    ("crm_event", "subject_id"): "A note, an enquiry, a task: of any table, and may be gone.",
    ("inbox_attachment", "content_id"): "By which the HTML of its own mail names it; no row's.",
    ("tasks_task", "enquiry_id"): "An enquiry, of a feature above: a plain value, which may be gone.",
    ("inbox_message", "message_id"): "The id in the e-mail's own header; no row's.",
    ("accounts_idempotencykey", "token_id"): "An API token, or a program's sign-in: of one of two tables.",
    ("accounts_grant", "client_id"): "The id of a browser extension, from CONSULT_EXTENSION_IDS.",
    ("accounts_authorizationcode", "client_id"): "As of a grant.",
}

# Functions of ours: (owner, runs as its owner, who may execute it). Those that run as it pin this search_path.
SEARCH_PATH = ["search_path=pg_catalog, public, pg_temp"]
FUNCTIONS: dict[str, tuple[str, bool, set[str]]] = {
    "accounts_agencies_v1()": ("consult_doors", True, {*OFFICE}),
    "accounts_memberships_v1(bigint)": ("consult_doors", True, {*OFFICE}),
    "accounts_memberships_v2(bigint)": ("consult_doors", True, {*OFFICE}),
    "accounts_slug_taken_v1(text)": ("consult_doors", True, {*OFFICE}),
    "accounts_memberships_v3(bigint)": ("consult_doors", True, {*OFFICE}),
    "accounts_memberships_v4(bigint)": ("consult_doors", True, {*OFFICE}),
    "accounts_digests_v1(timestamp with time zone)": ("consult_doors", True, {"consult_worker"}),
    "accounts_invitation_v1(text,timestamp with time zone)": ("consult_doors", True, {*OFFICE}),
    "accounts_due_v1(timestamp with time zone)": ("consult_doors", True, {"consult_worker"}),
    "accounts_delete_agency_v1(bigint,timestamp with time zone)": ("consult_doors", True, {"consult_worker"}),
    "accounts_token_v1(text,timestamp with time zone)": ("consult_doors", True, {*OFFICE}),
    "inbox_agencies_to_wake_v1(timestamp with time zone)": ("consult_doors", True, {"consult_worker"}),
    "inbox_mailboxes_due_v1(timestamp with time zone)": ("consult_doors", True, {"consult_worker"}),
    "inbox_erase_deliveries_v1(uuid[],text[])": ("consult_doors", True, {*OFFICE}),
    "inbox_forget_words_v1(text[])": ("consult_doors", True, {*OFFICE}),
    "intake_erase_submissions_v1(uuid[],timestamp with time zone)": ("consult_doors", True, {*OFFICE}),
    "inbox_near_words_v1(text[])": ("consult_doors", True, {*OFFICE}),
    "inbox_search_v1(text,text[],uuid,boolean,uuid[],timestamp with time zone,timestamp with time zone,"
    "timestamp with time zone,bigint,integer)": ("consult_doors", True, {*OFFICE}),
    "intake_type_in_v1(uuid,uuid,text,bytea,jsonb,text,text)": ("consult_doors", True, {*OFFICE}),
    "accounts_grant_v1(uuid,text,timestamp with time zone)": ("consult_doors", True, {*OFFICE}),
    "accounts_grant_secret_v1(text)": ("consult_doors", True, {*OFFICE}),
    "accounts_public_keys_v2()": ("consult_doors", True, {"consult_edge"}),
    "intake_accept_v2(text,boolean,jsonb,jsonb)": ("consult_doors", True, {"consult_edge"}),
    "intake_forget_addresses_v1(timestamp with time zone,integer)": ("consult_doors", True, {"consult_worker"}),
    "intake_form_v2(text,integer)": ("consult_doors", True, {"consult_edge"}),
    "intake_ledger_v1(text,jsonb)": ("consult_doors", True, set()),
    "intake_sent_v2(jsonb)": ("consult_doors", False, set()),
    "intake_report_v1(text,text,timestamp with time zone,bigint,timestamp with time zone,jsonb)": (
        "consult_doors",
        True,
        {"consult_edge"},
    ),
    "intake_set_aside_v1(text,boolean,uuid[],text[],bigint[],text[],timestamp with time zone[],text[],bytea[],jsonb)": (
        "consult_doors",
        True,
        {"consult_edge"},
    ),
    "intake_form_changed_v1()": ("consult_owner", False, set()),
}
# The queue's functions that the doors need; office and worker may execute every one of the queue's.
QUEUE_FUNCTIONS_OF_DOORS = {"procrastinate_defer_jobs_v1(procrastinate_job_to_defer_v1[])"}

IN_PUBLIC = "relnamespace = 'public'::regnamespace"
NOT_OF_EXTENSIONS = "NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = {oid} AND d.deptype = 'e')"


def isolated() -> dict[str, isolation.Isolated]:
    """Return what the models declare, by table."""
    return {
        model._meta.db_table: constraint
        for model in apps.get_models(include_auto_created=True)
        for constraint in model._meta.constraints
        if isinstance(constraint, isolation.Isolated)
    }


def problems(ask: Ask) -> list[str]:
    """Return everything in the schema that breaks a rule; `ask` runs a statement as superuser."""
    shape = (tables, policies, columns, types, indexes, references)
    rights = (table_grants, sequence_grants, functions, schemas, role_settings)
    return [problem for rule in (*shape, *rights) for problem in rule(ask)]


def tables(ask: Ask) -> Iterable[str]:
    """Each table is isolated, enabled and forced, or on the short list with a reason."""
    declared = isolated()
    found = ask(
        "SELECT relname, relkind::text, relrowsecurity, relforcerowsecurity, pg_get_userbyid(relowner), "
        f"coalesce(reloptions, '{{}}') FROM pg_class c WHERE {IN_PUBLIC} AND relkind IN ('r', 'p', 'v', 'm', 'f') "
        f"AND {NOT_OF_EXTENSIONS.format(oid='c.oid')} ORDER BY 1"
    )
    for name, kind, enabled, forced, owner, options in found:
        if owner != "consult_owner":
            yield f"{name}: owned by {owner}"
        if kind == "v":
            if "security_invoker=true" not in options:
                yield f"{name}: a view without security_invoker"
        elif kind != "r":
            yield f"{name}: a relation of kind {kind} has no row-level security"
        elif name in declared:
            if not (enabled and forced):
                yield f"{name}: row-level security is enabled={enabled}, forced={forced}"
        elif not grants.GLOBAL_TABLES.get(name, ((), ""))[1]:
            yield f"{name}: neither isolated nor listed with a reason in grants.GLOBAL_TABLES"
    names = {row[0] for row in found}
    for name in sorted((set(grants.GLOBAL_TABLES) | set(declared)) - names):
        yield f"{name}: declared, but not there"
    for name in sorted(set(grants.GLOBAL_TABLES) & set(declared)):
        yield f"{name}: both isolated and listed as global"


def policies(ask: Ask) -> Iterable[str]:
    """The agency's policy says exactly the expected; beside it only those of backup and doors."""
    expected: set[tuple[Any, ...]] = set()
    for table, constraint in isolated().items():
        rule = POLICY.format(column=constraint.column)
        expected.add((table, f"{table}_agency", "PERMISSIVE", ("public",), "ALL", rule, rule))
        expected.add((table, f"{table}_backup", "PERMISSIVE", ("consult_backup",), "SELECT", "true", None))
        if constraint.doors:
            expected.add((table, f"{table}_doors", "PERMISSIVE", ("consult_doors",), "ALL", "true", "true"))
    found = {
        (table, policy, permissive, tuple(roles), command, using, check)
        for table, policy, permissive, roles, command, using, check in ask(
            "SELECT tablename, policyname, permissive, roles::text[], cmd, qual, with_check FROM pg_policies"
        )
    }
    yield from (f"{row[0]}: unexpected policy {row[1:]}" for row in sorted(found - expected, key=repr))
    yield from (f"{row[0]}: missing policy {row[1:]}" for row in sorted(expected - found, key=repr))


def columns(ask: Ask) -> Iterable[str]:
    """agency_id stands in isolated tables and only there, and is never empty."""
    declared = {table: constraint.column for table, constraint in isolated().items()}
    found = {
        (table, column): required
        for table, column, required in ask(
            "SELECT c.relname, a.attname, a.attnotnull FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
            f"WHERE c.{IN_PUBLIC} AND c.relkind IN ('r', 'p', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped"
        )
    }
    for table, column in declared.items():
        if not found.get((table, column)):
            yield f"{table}: {column} may be NULL, or is missing"
    for table, column in sorted(found):
        if column == "agency_id" and table not in declared:
            yield f"{table}: has an agency_id, but is not isolated"


def types(ask: Ask) -> Iterable[str]:
    """Ids are UUIDs and agencies numbers; no type whose comparisons row-level security keeps from using an index."""
    declared = isolated()
    found = ask(
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), t.typtype::text, "
        "EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indnkeyatts = 1 "
        "AND i.indkey[0] = a.attnum) "
        "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid "
        f"WHERE c.{IN_PUBLIC} AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 2"
    )
    for table, column, type, kind, primary in found:
        if table not in declared:
            continue
        if column == declared[table].column and type != "bigint":
            yield f"{table}: {column} is {type}, not bigint"
        if column == "id" and table != ROOT_TABLE and not (type == "uuid" and primary):
            yield f"{table}: id is not a UUID that is the primary key"
        if kind == "e" or type == "citext":
            yield f"{table}: {column} is {type}, whose comparisons cannot use an index here"


def indexes(ask: Ask) -> Iterable[str]:
    """UNIQUE (agency_id, id) is there, and every other index leads with the agency."""
    declared = isolated()
    found = ask(
        "SELECT t.relname, i.indisprimary, i.indisunique, i.indisvalid, i.indpred IS NULL, "
        "ARRAY(SELECT pg_get_indexdef(i.indexrelid, k, true) FROM generate_series(1, i.indnkeyatts) k ORDER BY k) "
        f"FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid WHERE t.{IN_PUBLIC}"
    )
    used = set()
    whole: dict[str, set[tuple[str, ...]]] = {}
    for table, primary, unique, valid, complete, keys in found:
        if table not in declared or primary:
            continue
        # Django's extra index for LIKE stands beside the plain one: `key varchar_pattern_ops`.
        leading = tuple(key.split()[0] for key in keys)
        if unique and complete:
            whole.setdefault(table, set()).add(leading)
        if not valid:
            yield f"{table}: the index on {leading} is not valid"
        if (table, leading) in FREE_INDEXES:
            used.add((table, leading))
        elif leading[0] != "agency_id":
            yield f"{table}: the index on {leading} does not lead with agency_id"
    for table in sorted(set(declared) - {ROOT_TABLE}):
        if ("agency_id", "id") not in whole.get(table, set()):
            yield f"{table}: no UNIQUE (agency_id, id)"
    for entry in sorted(set(FREE_INDEXES) - used):
        yield f"{entry}: an exception that nothing needs"


def references(ask: Ask) -> Iterable[str]:
    """Between isolated tables foreign keys carry the agency on both sides; only deleting an agency cascades."""
    declared = isolated()
    found = ask(
        """
        SELECT c.conname, s.relname, t.relname, c.confdeltype::text, c.convalidated,
               ARRAY(SELECT attname::text FROM unnest(c.conkey) WITH ORDINALITY k(n, o)
                       JOIN pg_attribute a ON (a.attrelid, a.attnum) = (c.conrelid, k.n) ORDER BY k.o),
               ARRAY(SELECT attname::text FROM unnest(c.confkey) WITH ORDINALITY k(n, o)
                       JOIN pg_attribute a ON (a.attrelid, a.attnum) = (c.confrelid, k.n) ORDER BY k.o),
               ARRAY(SELECT attname::text FROM pg_attribute a
                      WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.confdelsetcols))
          FROM pg_constraint c JOIN pg_class s ON s.oid = c.conrelid JOIN pg_class t ON t.oid = c.confrelid
         WHERE c.contype = 'f'
        """
    )
    covered = {(table, "agency_id") for table in declared}
    for name, table, target, on_delete, validated, near, far, emptied in found:
        covered |= {(table, column) for column in near}
        if not validated:
            yield f"{name}: rows that were there already were never checked"
        if table not in declared:
            if target in declared:
                yield f"{name}: {table} is global, but refers to {target}"
            continue
        if target == ROOT_TABLE:
            if (near, far) != (["agency_id"], ["id"]):
                yield f"{name}: refers to the agency by {near}"
            if on_delete != "c":
                yield f"{name}: keeps the agency from being deleted"
        elif target in declared and not (len(near) > 1 and near[0] == far[0] == "agency_id"):
            yield f"{name}: {table} refers to {target} without the agency: {near} → {far}"
        if target != ROOT_TABLE and on_delete not in ("a", "r", "n"):
            yield f"{name}: cascades"
        if on_delete == "n" and (not emptied or "agency_id" in emptied):
            yield f"{name}: SET NULL would empty agency_id"
    named = ask(
        "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        f"WHERE c.{IN_PUBLIC} AND c.relkind = 'r' AND a.attnum > 0 AND a.attname ~ '_id$' ORDER BY 1, 2"
    )
    for table, column in named:
        if table in declared and (table, column) not in covered | set(FREE_REFERENCES):
            yield f"{table}: {column} refers to something, but no foreign key says so"


def table_grants(ask: Ask) -> Iterable[str]:
    """Each role may do in each table what is declared, not a right more and none to pass on."""
    expected: dict[tuple[str, str], set[str]] = {}
    for table, constraint in isolated().items():
        expected |= {(table, role): _upper(constraint.app) for role in OFFICE}
        expected[table, "consult_doors"] = _upper(constraint.doors)
        expected[table, "consult_backup"] = {"SELECT"}
    for table, (rights, _reason) in grants.GLOBAL_TABLES.items():
        expected |= {(table, role): _upper(rights) for role in OFFICE}
        expected[table, "consult_doors"] = _upper(grants.DOORS.get(table, ()))
        expected[table, "consult_backup"] = {"SELECT"}
    found: dict[tuple[str, str], set[str]] = {}
    acl = "(SELECT coalesce(nullif(pg_get_userbyid(a.grantee), 'unknown (OID=0)'), 'PUBLIC'))"
    for table, role, privilege, grantable in ask(
        f"SELECT c.relname, {acl}, a.privilege_type, a.is_grantable FROM pg_class c, aclexplode(c.relacl) a "
        f"WHERE c.{IN_PUBLIC} AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.grantee <> c.relowner "
        f"AND {NOT_OF_EXTENSIONS.format(oid='c.oid')}"
    ):
        found.setdefault((table, role), set()).add(privilege)
        if grantable:
            yield f"{table}: {role} may pass {privilege} on"
    for table, role in sorted(set(expected) | set(found)):
        wanted, given = expected.get((table, role), set()), found.get((table, role), set())
        if wanted != given:
            yield f"{table}: {role} may {sorted(given)}, not {sorted(wanted)}"
    for table, column in ask(
        "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        f"WHERE c.{IN_PUBLIC} AND a.attacl IS NOT NULL"
    ):
        yield f"{table}.{column}: has grants of its own"


def _upper(rights: Iterable[str]) -> set[str]:
    return {right.upper() for right in rights}


def sequence_grants(ask: Ask) -> Iterable[str]:
    """Sequences: USAGE for office and worker, nothing for the edge and for everybody."""
    for sequence, role, privilege in ask(
        "SELECT c.relname, coalesce(r.rolname, 'PUBLIC'), a.privilege_type FROM pg_class c "
        "CROSS JOIN aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee "
        f"WHERE c.{IN_PUBLIC} AND c.relkind = 'S' AND a.grantee <> c.relowner"
    ):
        doors = role == "consult_doors" and sequence.startswith("procrastinate_")
        backup = role == "consult_backup" and privilege == "SELECT"
        if not ((role in OFFICE or doors) and privilege == "USAGE") and not backup:
            yield f"{sequence}: {role} may {privilege}"


def functions(ask: Ask) -> Iterable[str]:
    """Each function of ours is listed with its owner and rights; nobody's may be executed by everybody."""
    found = ask(
        "SELECT p.proname || '(' || replace(pg_get_function_identity_arguments(p.oid), ', ', ',') || ')', "
        "p.oid::regprocedure::text, pg_get_userbyid(p.proowner), p.prosecdef, p.proconfig, "
        "ARRAY(SELECT coalesce(r.rolname::text, 'PUBLIC') "
        "FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a "
        "LEFT JOIN pg_roles r ON r.oid = a.grantee WHERE a.grantee <> p.proowner) "
        f"FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND {NOT_OF_EXTENSIONS.format(oid='p.oid')}"
    )
    listed = dict(FUNCTIONS)
    for _arguments, signature, owner, definer, config, roles in sorted(found):
        may = set(roles)
        if signature.startswith("procrastinate_"):
            wanted = {*OFFICE} | ({"consult_doors"} if signature in QUEUE_FUNCTIONS_OF_DOORS else set())
            if (owner, definer, may) != ("consult_owner", False, wanted):
                yield f"{signature}: owner {owner}, definer {definer}, executed by {sorted(may)}"
        elif signature not in listed:
            yield f"{signature}: a function that is not listed"
        else:
            if (owner, definer, may) != listed.pop(signature):
                yield f"{signature}: owner {owner}, definer {definer}, executed by {sorted(may)}"
            # What does not run as its owner has the path of who calls it, and only without one can it be inlined.
            if definer and not set(SEARCH_PATH) <= set(config or []):
                yield f"{signature}: search_path is not pinned: {config}"
    yield from (f"{signature}: listed, but not there" for signature in sorted(listed))


def schemas(ask: Ask) -> Iterable[str]:
    """There is one schema, in which only owner and doors create anything."""
    for schema, role, privilege in ask(
        "SELECT n.nspname, coalesce(r.rolname, 'PUBLIC'), a.privilege_type FROM pg_namespace n "
        "CROSS JOIN aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a "
        "LEFT JOIN pg_roles r ON r.oid = a.grantee "
        "WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND a.grantee <> n.nspowner"
    ):
        creators = ("consult_owner", "consult_doors")
        users = (*OFFICE, *creators, "consult_edge", "consult_backup")
        if schema != "public" or role not in (users if privilege == "USAGE" else creators):
            yield f"schema {schema}: {role} may {privilege}"


def role_settings(ask: Ask) -> Iterable[str]:
    """No role or database brings an agency along: a session that begins inside one would never be refused."""
    for role, settings in ask(
        "SELECT coalesce(nullif(setrole, 0)::regrole::text, 'everybody'), setconfig FROM pg_db_role_setting "
        "WHERE setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))"
    ):
        yield from (
            f"{role} begins with {each}"
            for each in settings
            if each.startswith(("consult.", "row_security=", "role=", "session_replication_role="))
        )
