"""How names, addresses, numbers and money are compared and written. No Django, no input or output."""

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from urllib.parse import urlsplit

import phonenumbers

DEFAULT_STAGES = ("New", "Qualified", "Proposal", "Negotiation")

# Providers that anybody may have an address at: being at the same one says nothing about where somebody works.
_FREE_MAIL = """
gmail.com googlemail.com outlook.com outlook.de outlook.fr hotmail.com hotmail.co.uk hotmail.de hotmail.fr
hotmail.it hotmail.es live.com live.co.uk live.de live.fr live.nl msn.com yahoo.com yahoo.co.uk yahoo.de yahoo.fr
yahoo.it yahoo.es yahoo.ca ymail.com rocketmail.com icloud.com me.com mac.com aol.com aol.de proton.me
protonmail.com pm.me tutanota.com tutanota.de tuta.io tuta.com gmx.de gmx.net gmx.at gmx.ch gmx.com web.de
t-online.de freenet.de mail.de posteo.de posteo.net mailbox.org arcor.de orange.fr wanadoo.fr free.fr laposte.net
sfr.fr libero.it virgilio.it tiscali.it seznam.cz wp.pl onet.pl o2.pl interia.pl mail.ru yandex.ru yandex.com
bluewin.ch ziggo.nl xs4all.nl kpnmail.nl telenet.be skynet.be btinternet.com sky.com virginmedia.com talktalk.net
comcast.net verizon.net att.net sbcglobal.net cox.net shaw.ca rogers.com bigpond.com optusnet.com.au qq.com 163.com
126.com naver.com hey.com fastmail.com fastmail.fm zoho.com mail.com email.com hushmail.com
"""
FREE_MAIL = frozenset(_FREE_MAIL.split())
# Providers that ignore dots in the part before the @.
DOTLESS = frozenset({"gmail.com", "googlemail.com"})
# What a company is called in law says nothing about which company it is.
_LEGAL_FORMS = """
ltd limited llc inc incorporated corp corporation co company plc llp lp gmbh mbh ag kg ohg gbr ug ev eg sarl sas sa
srl spa snc sl slu bv nv oy ab as aps sp zoo sro kft the und and
"""
LEGAL_FORMS = frozenset(_LEGAL_FORMS.split())
# ISO 4217's exceptions from two digits after the point.
_NO_DIGITS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DIGITS = "BHD IQD JOD KWD LYD OMR TND"
MINOR_DIGITS = dict.fromkeys(_NO_DIGITS.split(), 0) | dict.fromkeys(_THREE_DIGITS.split(), 3)
_CURRENCIES = """
EUR USD GBP CHF AED ARS AUD BGN BHD BRL CAD CLP CNY COP CZK DKK EGP HKD HUF IDR ILS INR ISK JPY KES KRW KWD MAD MXN
MYR NGN NOK NZD PEN PHP PKR PLN QAR RON RSD SAR SEK SGD THB TND TRY TWD UAH VND ZAR
"""
CURRENCIES = tuple(_CURRENCIES.split())
# One sign may become eighteen letters when it is folded: what is compared ends here, as its columns do.
LONGEST_FOLDED, LONGEST_LABEL_KEY = 400, 100
# numeric(19) and bigint hold far more; beyond this somebody has mistyped.
MOST_MINOR = 10**15
# Digits, or digits in groups of three (two in India).
_WHOLE = re.compile(r"\d+|\d{1,3}(?:[.,]\d{2,3})*[.,]\d{3}")
# What a field for numbers takes in the forms too.
_NUMBER = re.compile(r"-?[0-9]{1,14}(?:\.[0-9]{1,6})?")
# E.164 has no more.
MOST_DIGITS = 15


class BadValue(ValueError):
    """A value that the agency's own field does not take; its text says why."""


class BadMoney(ValueError):
    """This text is no amount of money."""


def folded(text: str) -> str:
    """Return text for sorting and comparing: no case, no accents, single spaces, at most LONGEST_FOLDED letters."""
    letters = unicodedata.normalize("NFKD", text.replace("\0", "").casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter)).casefold()
    return " ".join(plain.split())[:LONGEST_FOLDED].rstrip()


def label_key(name: str) -> str:
    """Return the form in which labels are compared."""
    return folded(name)[:LONGEST_LABEL_KEY].rstrip()


def email_address(text: str) -> str:
    """Return an address as it is stored: NFKC, case folded, trimmed; no database holds a NUL."""
    return unicodedata.normalize("NFKC", text.replace("\0", "")).strip().casefold()


def email_key(address: str) -> str:
    """Return the form in which addresses are compared: without a +tag, at Gmail without dots."""
    local, _at, host = email_address(address).rpartition("@")
    local = local.partition("+")[0] or local
    if host in DOTLESS:
        local, host = local.replace(".", ""), "gmail.com"
    return f"{local}@{host}" if local else ""


def email_domain(address: str) -> str:
    """Return the domain of an address that says where somebody works, or nothing for a free provider's."""
    host = email_address(address).rpartition("@")[2]
    return "" if host in FREE_MAIL or "." not in host else host


def phone_key(number: str, region: str) -> str:
    """Return a number in E.164 (+442079460000), read as of `region` (ISO 3166, or empty) unless it says its country.

    Where the country is not known or the number cannot be one: its bare digits, which match only the same digits.
    Empty for what has fewer than six.
    """
    text = unicodedata.normalize("NFKC", number).strip()
    # Digits of any script.
    digits = "".join(str(unicodedata.decimal(letter)) for letter in text if letter.isdecimal())
    if len(digits) < 6:
        return ""
    try:
        parsed = phonenumbers.parse(text, region or None)
        if phonenumbers.is_possible_number(parsed):
            return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
    except phonenumbers.NumberParseException:
        pass
    return digits if len(digits) <= MOST_DIGITS else ""


def company_key(name: str) -> str:
    """Return a company's name without its legal form and punctuation: “Rosa & Co. KG” and “ROSA” are the same."""
    words = re.sub(r"[^\w\s]", " ", re.sub(r"(?<=\w)\.(?=\w)", "", folded(name))).split()
    return " ".join(word for word in words if word not in LEGAL_FORMS) or " ".join(words)


def domain(website: str) -> str:
    """Return the host of a website without `www.`, or nothing."""
    try:
        host = urlsplit(website if "//" in website else f"//{website}").hostname or ""
    except ValueError:
        return ""
    host = host.casefold().rstrip(".").removeprefix("www.")
    return host if "." in host and len(host) <= 255 else ""


def search_text(name: str, emails: list[str], phones: list[str]) -> str:
    """Return what a search for a contact looks at."""
    return "\n".join([folded(name), *emails, *(phone.removeprefix("+") for phone in phones)])


def own_value(kind: str, options: Sequence[str], text: str) -> str:
    """Return a value of the agency's own field as it is stored: number in digits, day in ISO 8601. Raise BadValue."""
    match kind:
        case "number":
            if not _NUMBER.fullmatch(text):
                raise BadValue("This is a number of at most 14 digits and 6 behind the point, such as 12.5.")
            return text
        case "date":
            try:
                day = dt.date.fromisoformat(text)
                if day.isoformat() != text:
                    raise ValueError
                return text
            except ValueError:
                raise BadValue("This is a day, such as 2027-01-31.") from None
        case "choice":
            if text not in options:
                raise BadValue("This is none of the field's choices.")
    return " ".join(text.split())


def digits_after_point(currency: str) -> int:
    """Return how many digits a currency's minor unit has."""
    return MINOR_DIGITS.get(currency, 2)


def to_minor(text: str, currency: str) -> int:
    """Return an amount as typed (1250, 1,250.50, 1.250,50, 1 250,5) in minor units. Raise BadMoney.

    The last point or comma is the decimal one, unless three digits follow it and the currency has not three.
    """
    plain = re.sub(r"[\s'’\u00a0\u202f]", "", unicodedata.normalize("NFKC", text))
    if not re.fullmatch(r"\d[\d.,]*", plain):
        raise BadMoney(text)
    places = digits_after_point(currency)
    whole, rest = plain, ""
    if found := re.search(r"[.,](?=\d*$)", plain):
        tail = plain[found.end() :]
        groups = len(tail) == 3 and (places != 3 or plain.count(found[0]) > 1)
        if not groups:
            whole, rest = plain[: found.start()], tail
    if len(rest) > places or not _WHOLE.fullmatch(whole):
        raise BadMoney(text)
    minor = int(re.sub(r"[.,]", "", whole) + rest.ljust(places, "0"))
    if minor > MOST_MINOR:
        raise BadMoney(text)
    return minor


def money(minor: int, currency: str, *, grouped: bool = True) -> str:
    """Return an amount in words of digits: 1,250.50; without one or two decimals that are all zero, when grouped."""
    places = digits_after_point(currency)
    amount = Decimal(minor).scaleb(-places)
    if grouped:
        # Of three decimals none goes: 1,250 of a currency with three may be one and a quarter as well.
        whole = places in (1, 2) and minor % 10**places == 0
        return f"{amount:,.0f}" if whole else f"{amount:,.{places}f}"
    return f"{amount:.{places}f}"


# --- imports --------------------------------------------------------------------------------------------------------

IMPORT_PLACES = ("contact", "company")
# new → checking → checked → running → done → undoing → undone. What a job could not end is failed, and goes on from
# where it stopped.
IMPORT_STATES = ("new", "checking", "checked", "running", "done", "undoing", "undone", "failed")
IMPORT_ERRORS = ("empty", "encoding", "columns", "cell", "line", "too_many_rows", "storage", "missing", "unexpected")
ON_KNOWN = ("update", "skip")
# new: added, or to be added. known: changed, or to be changed. skipped: known, and left alone or not different.
# repeated: the file has them more than once. similar: added, though somebody may be the same. failed: not taken.
IMPORT_COUNTS = ("new", "known", "skipped", "repeated", "similar", "failed")
# What a row did; and after it was taken back: removed, restored, or kept since somebody has worked with it.
ROW_OUTCOMES = ("created", "updated", "failed", "similar", "removed", "restored", "kept")
ROW_ISSUES = (
    *("broken", "nul", "extra_cells", "no_name", "too_long", "too_many"),
    *("email", "phone", "number", "date", "choice", "client", "website", "label"),
)
# What a column of a file may mean, by what is imported. Several columns may be one of SEVERAL.
COLUMNS = {
    "contact": ("name", "first_name", "last_name", "emails", "phones", "job_title", "company", "client", "labels"),
    "company": ("name", "website", "phone", "address", "client", "labels"),
}
SEVERAL = ("emails", "phones", "labels", "address")
_GUESSES = {
    "contact": {
        "name": "name fullname displayname contactname contact kontakt person kontaktname vollstandigername"
        " anzeigename",
        "first_name": "firstname givenname forename vorname rufname",
        "last_name": "lastname surname familyname nachname familienname zuname",
        "emails": "email mail emailaddress mailaddress primaryemail workemail emailadresse mailadresse"
        " emailgeschaftlich emailprivat emailvalue",
        "phones": "phone telephone tel mobile mobilephone cell cellphone phonenumber mobilenumber workphone homephone"
        " businessphone telefon telefonnummer handy mobil mobiltelefon rufnummer festnetz phonevalue"
        " telefongeschaftlich telefonprivat",
        "job_title": "jobtitle title position role function beruf funktion stelle organizationtitle berufsbezeichnung",
        "company": "company companyname organization organisation employer firma firmenname unternehmen arbeitgeber"
        " organizationname betrieb",
        "client": "client kunde mandant customerof",
        "labels": "label labels tag tags groups category categories kategorie kategorien schlagworter gruppe gruppen",
    },
    "company": {
        "name": "name company companyname organization organisation firma firmenname unternehmen betrieb kunde",
        "website": "website web url homepage webseite internet domain internetadresse webaddress",
        "phone": "phone telephone tel phonenumber telefon telefonnummer rufnummer festnetz",
        "address": "address street streetaddress addressline postaladdress postcode zip zipcode postalcode city town"
        " country state adresse anschrift strasse strassehausnummer plz postleitzahl ort stadt land plzort",
        "client": "client mandant",
        "labels": "label labels tag tags groups category categories kategorie kategorien schlagworter gruppe gruppen",
    },
}
_MEANINGS = {
    place: {word: meaning for meaning, words in guesses.items() for word in words.split()}
    for place, guesses in _GUESSES.items()
}


def guess_columns(place: str, names: Sequence[str], own: Sequence[tuple[str, str]]) -> list[str]:
    """Return what each column seems to mean by its name, in English or German; empty where nobody can tell.

    `own`: (id, name) of the agency's own fields.
    """
    mine = {folded(name): f"own:{id}" for id, name in own}
    found: list[str] = []
    for name in names:
        # “E-Mail 2”, “Phone 1 - Value”.
        word = re.sub(r"[\W\d_]+", "", folded(name))
        meaning = mine.get(folded(name)) or _MEANINGS[place].get(word, "")
        taken = meaning in found and meaning not in SEVERAL
        found.append("" if taken else meaning)
    if "name" in found and {"first_name", "last_name"} <= set(found):
        found[found.index("name")] = ""
    return found


def unique_names(cells: Sequence[str]) -> list[str]:
    """Return names for columns: the header's, “Column 3” for an empty one, “Phone (2)” for what is there twice."""
    names: list[str] = []
    for number, cell in enumerate(cells, start=1):
        name = " ".join(cell.replace("\0", "").split())[:100] or f"Column {number}"
        again, count = name, 1
        while again in names:
            count += 1
            again = f"{name} ({count})"
        names.append(again)
    return names


def mapping_fault(place: str, mapping: Sequence[str], own: Sequence[str]) -> str:
    """Return what is wrong with a mapping: unknown, twice or nameless; empty for a good one."""
    known = {*COLUMNS[place], *(f"own:{id}" for id in own)}
    used = [each for each in mapping if each]
    if set(used) - known:
        return "unknown"
    if any(used.count(each) > 1 and each not in SEVERAL for each in used):
        return "twice"
    names = {"name", "first_name", "last_name", "emails"} if place == "contact" else {"name"}
    return "" if names & set(used) else "nameless"
