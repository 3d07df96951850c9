"""The shapes of what goes in and out."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints


class Shape(BaseModel):
    """What an answer holds. Every name is always there; null says that there is none."""

    model_config = ConfigDict(frozen=True)


class Input(BaseModel):
    """What a request holds: nothing that is not named here, and each value of its own type."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    def given(self) -> dict[str, Any]:
        """Return the values that the request named."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def kept() -> Any:
    """Stand as the default of what a change does not name: it stays as it is. Never a value; see `Input.given`."""
    return None


def _one_line(text: str) -> str:
    if any(not sign.isprintable() for sign in text):
        raise ValueError("This is one line of text, without control characters.")
    return text


# One line of text; spaces around it are cut off. `Line` is not empty.
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1), AfterValidator(_one_line)]
Words = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_one_line)]
