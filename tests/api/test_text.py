"""Names of every kind of Unicode, slugs and addresses."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from supaplane_api.organizations.service import slug_for
from supaplane_api.text import LONGEST_NAME, Email, Name, Password

names = TypeAdapter(Name)
emails = TypeAdapter(Email)
passwords = TypeAdapter(Password)
SLUG = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")

NAMES = [
    "Acme",
    "Žluťoučký kůň",
    "株式会社テスト",
    "عربي",
    "👩‍👩‍👧‍👦 family",
    "O'Brien; DROP TABLE accounts;--",
    "<script>alert(1)</script>",
    "a.b",
    "%s %(x)s {0}",
    "ﬁne",
    "x" * LONGEST_NAME,
]
NO_NAMES = [
    "",
    " ",
    "\u200b\u200b",
    "a\x00b",
    "a\nb",
    "\x1b[31mred",
    "x" * (LONGEST_NAME + 1),
    "abc\u202etxt.exe",
    "\ud800",
    "a\u2028b",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_people_everywhere_are_taken(name):
    assert names.validate_python(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize("name", NO_NAMES)
def test_what_is_no_name_is_refused(name):
    with pytest.raises(ValidationError):
        names.validate_python(name)


@given(st.text(st.characters(), max_size=300))
def test_every_text_is_a_clean_name_or_refused(text):
    try:
        name = names.validate_python(text)
    except ValidationError:
        return
    assert 1 <= len(name) <= LONGEST_NAME
    assert name == name.strip() == unicodedata.normalize("NFC", name)
    name.encode()  # can be stored and sent
    assert not any(unicodedata.category(c) == "Cc" for c in name)
    assert names.validate_python(name) == name


@given(st.text(max_size=300), st.binary(min_size=6, max_size=6))
def test_every_name_gives_a_slug_that_a_host_name_could_hold(name, random):
    slug = slug_for(name, random)
    assert SLUG.fullmatch(slug)
    assert len(slug) <= 63
    assert "--" not in slug.removesuffix(slug[-7:])
    assert slug == slug_for(name, random)


def test_slugs_read_like_their_names():
    assert slug_for("Žluťoučký kůň & Co.", bytes(6)) == "zlutoucky-kun-co-aaaaaa"
    assert slug_for("株式会社", bytes(range(6))) == "org-abcdef"


@given(st.text(max_size=300))
def test_every_text_is_a_clean_address_or_refused(text):
    try:
        email = emails.validate_python(text)
    except ValidationError:
        return
    assert email.count("@") == 1
    assert email == email.lower()
    assert emails.validate_python(email) == email


@pytest.mark.parametrize(
    "text", ["a", "@", "a@", "@b", "a b@c", "a@b@c", "a\x00@b", "x" * 250 + "@b.co"]
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(ValidationError):
        emails.validate_python(text)


def test_a_password_is_kept_as_it_was_typed():
    assert passwords.validate_python(" ß@/: é% ") == " ß@/: é% "
    for wrong in ("", "a\nb", "\x00", "x" * 257):
        with pytest.raises(ValidationError):
            passwords.validate_python(wrong)


@pytest.mark.parametrize("name", NAMES)
async def test_an_organization_may_have_any_name(bench, name):
    person = await bench.person()
    made = await bench.organization(person, name)
    assert made["name"] == unicodedata.normalize("NFC", name)
    assert SLUG.fullmatch(made["slug"])
    listed = (await person.get("/platform/organizations")).json()
    assert listed == [made]


@pytest.mark.parametrize("name", NO_NAMES)
async def test_an_organization_without_a_name_is_refused(bench, name):
    import json

    person = await bench.person()
    answer = await person.client.post(
        "/organizations",
        content=json.dumps({"name": name}).encode(),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("name: ")
    assert (await person.get("/organizations")).json() == []
