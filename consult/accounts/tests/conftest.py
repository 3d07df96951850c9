"""The extension of these tests is one of those that may sign in."""

from collections.abc import Iterator

import pytest
from django.test import override_settings

from consult.accounts.tests import extension


@pytest.fixture(autouse=True)
def listed() -> Iterator[None]:
    with override_settings(CONSULT_EXTENSION_IDS=[extension.ID, "consult@example.org"]):
        yield
