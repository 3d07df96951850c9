"""Logs: structlog for our lines and everybody else's; JSON for machines, readable for people, no secrets in either."""

import logging
import logging.config
import re
from collections.abc import Mapping
from typing import Any

import structlog
from django.http import HttpRequest
from django.middleware import csrf

HIDDEN = "[hidden]"
# Names of keys whose values are never written, whatever they hold.
_NAMES = re.compile(
    r"pass(word|wd|phrase)?|secret|token|cookie|authorization|api[_-]?key|private[_-]?key|encryption|dsn|database_url"
    r"|session(id|_key)|csrf|credential|signature|email_url|redis_url",
    re.IGNORECASE,
)
# Shapes of secrets inside any text: what a name cannot tell. Repetitions are bounded: a long line must not take long.
_QUOTED = r"""\\"[^"]{0,2000}\\"|"(?:[^"\\]|\\.){0,2000}"|'(?:[^'\\]|\\.){0,2000}'"""
_SHAPES = [
    # scheme://user:password@host, up to the last @: a password may hold one.
    (re.compile(r"(?P<keep>://[^\s:/?#@]{0,200}:)[^\s]{1,500}(?=@)"), rf"\g<keep>{HIDDEN}"),
    (re.compile(r"\beyJ[\w-]{1,4000}\.[\w-]{1,4000}\.[\w-]{0,4000}"), HIDDEN),
    (re.compile(r"\b(gh[opsur]_|github_pat_|cst_|whsec_|sk_)[\w-]{8,500}"), HIDDEN),
    # Fernet: what it makes, and its keys.
    (re.compile(r"\bgAAAA[\w-]{20,4000}={0,2}|(?<![\w-])[\w-]{43}=(?![\w=])"), HIDDEN),
    (
        re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)", re.DOTALL),
        HIDDEN,
    ),
    # What PostgreSQL quotes of a row or a statement's values, to the end of its part of the message.
    (
        re.compile(
            r"(?P<keep>\b(?:DETAIL|CONTEXT):\s{1,4})(?!\[hidden\]).*?"
            r"(?=\n(?:HINT|CONTEXT|QUERY|LOCATION):|\n\nThe above exception|\n\nDuring handling|\Z)",
            re.DOTALL,
        ),
        rf"\g<keep>{HIDDEN}",
    ),
    # Links that sign somebody in.
    (re.compile(r"(?P<keep>/sign-in/|/reset/key/|/invitations/)[^/\s<]{1,500}"), rf"\g<keep>{HIDDEN}"),
    # Headers, to the end of their line.
    (
        re.compile(r"(?P<keep>\b(?:authorization|cookie)\\?[\"']?\s{0,5}[=:]\s{0,5})[^\r\n]{1,8000}", re.IGNORECASE),
        rf"\g<keep>{HIDDEN}",
    ),
    (re.compile(r"(?P<keep>\b(?:bearer|basic|token)\s{1,5})[\w.~+/=-]{8,4000}", re.IGNORECASE), rf"\g<keep>{HIDDEN}"),
    # name=value, "name": "value" and the like.
    (
        re.compile(
            r"(?P<keep>(?:passw(?:or)?d|passphrase|secret|token|sessionid|session_key|-session|csrf|credential|signature"
            r"|(?:api|private|encryption)[_-]?keys?)[\w-]{0,40}\\?[\"']?\s{0,5}[=:]\s{0,5})(?!\[hidden\])"
            rf"(?:{_QUOTED}|[\"']?[^\s\"'&;]{{1,4000}})",
            re.IGNORECASE,
        ),
        rf"\g<keep>{HIDDEN}",
    ),
]


def hide(value: Any, *, name: str = "") -> Any:
    """Return `value` without what looks like, or is named like, a secret; walks dicts and lists."""
    if name and _NAMES.search(name) and value not in (None, "", False):
        return HIDDEN
    if isinstance(value, Mapping):
        return {key: hide(item, name=str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [hide(item) for item in value]
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    if isinstance(value, str):
        for shape, instead in _SHAPES:
            value = shape.sub(instead, value)
        return value
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, HttpRequest):
        return _request(value)
    return hide(str(value))


def _request(request: HttpRequest) -> str:
    """Return method and route. Its own text is the whole address: with what was searched for, codes and states."""
    match = getattr(request, "resolver_match", None)
    return f"{request.method} {f'/{match.route}' if match else '(no route)'}"


# Why Django refuses a form, in its own words; those with a %s quote what the browser sent.
_REFUSALS = [
    value.partition("%s")[0].rstrip(" -")
    for name, value in vars(csrf).items()
    if name.startswith("REASON_") and isinstance(value, str)
]


class SecurityEvents(logging.Filter):
    """Keep of Django's own security events what happened and why; the rest of their text quotes the request.

    A refused form: the reason. Anything suspicious (a wrong Host, too many fields, …): its kind and the place in the
    code. The request's own line, found by its id, tells the route.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith("django.security."):
            return True
        said = str(record.args[0]) if isinstance(record.args, tuple) and record.args else ""
        if record.name == "django.security.csrf":
            # The mark of a form may be wrong in several ways, told after where it came from.
            reason = next(
                (each for each in _REFUSALS if said.startswith(each) or said.endswith(f"{each}.")), "token incorrect"
            )
            record.msg, record.args = "Forbidden (%s)", (reason,)
        else:
            record.msg, record.args = "Refused: %s", (record.name.rpartition(".")[2] + _place(record),)
        record.exc_info = record.exc_text = record.stack_info = None
        return True


def _place(record: logging.LogRecord) -> str:
    """Return " at file:line" of the code that raised, "" when nothing was."""
    place = record.exc_info[2] if record.exc_info else None
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    if place is None:
        return ""
    return f" at {place.tb_frame.f_code.co_filename.rpartition('/')[2]}:{place.tb_lineno}"


def redact(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Structlog processor: the last one before the line is rendered, after exceptions became text."""
    return {key: hide(value, name="" if key == "event" else key) for key, value in event.items()}


def configure(format: str) -> None:
    """Send every log line of this process to standard error; `format` is console or json."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if format == "json" else structlog.dev.ConsoleRenderer(colors=False)
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "structured": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": [structlog.stdlib.ExtraAdder(), *shared],
                    "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
                }
            },
            "filters": {"security_events": {"()": SecurityEvents}},
            "handlers": {
                "stderr": {
                    "class": "logging.StreamHandler",
                    "formatter": "structured",
                    "filters": ["security_events"],
                }
            },
            "root": {"handlers": ["stderr"], "level": "INFO"},
            "loggers": {
                # One line a request is ours (core.http); Django's copies of it would say the same again.
                "django.request": {"level": "CRITICAL"},
                "django.server": {"level": "WARNING"},
                "procrastinate": {"level": "WARNING"},
            },
        }
    )
