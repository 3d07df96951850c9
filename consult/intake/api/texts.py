"""Texts that go into sites and forms, each with what it may hold."""

from typing import Annotated

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from pydantic import AfterValidator, Field

from consult.core import api
from consult.intake import queries, rules

_is_web_address = URLValidator(["http", "https"])


def _url(text: str) -> str:
    try:
        _is_web_address(text)
    except ValidationError:
        raise ValueError("This is not a web address like https://example.com.") from None
    return text


def _email(text: str) -> str:
    try:
        validate_email(text)
    except ValidationError:
        raise ValueError("This is not an e-mail address.") from None
    return text


def _language(code: str) -> str:
    if code not in dict(queries.languages()):
        raise ValueError("There are no texts in this language.")
    return code


Name = Annotated[api.Line, Field(max_length=200)]
Url = Annotated[api.Line, Field(max_length=500, examples=["https://example.com"]), AfterValidator(_url)]
Email = Annotated[api.Line, Field(max_length=254), AfterValidator(_email)]
Origin = Annotated[api.Line, Field(max_length=300), AfterValidator(rules.clean_origin)]
Target = Annotated[api.Line, Field(max_length=500), AfterValidator(rules.clean_target)]
Limit = Annotated[api.Line, Field(max_length=30), AfterValidator(rules.clean_limit)]
Language = Annotated[api.Line, Field(max_length=10, examples=["en"]), AfterValidator(_language)]
