"""People are invited, join, get roles, and leave; somebody always owns the organization."""

from urllib.parse import parse_qs, urlsplit

import pytest

from supaplane_api.access import ROLE_IDS, Role

OWNER, ADMINISTRATOR, DEVELOPER, READ_ONLY = ROLE_IDS.values()


@pytest.fixture
async def company(bench):
    owner = await bench.person()
    return owner, await bench.organization(owner)


def _members(organization, *more):
    return "/".join((f"/platform/organizations/{organization['slug']}/members", *more))


async def _delete(person, path):
    return await person.client.delete(path)


async def _invited(owner, organization, email, **more):
    body = {"email": email, "role_id": DEVELOPER, **more}
    answer = await owner.post(_members(organization, "invitations"), body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_who_is_invited_joins_with_the_role(bench, company):
    owner, organization = company
    guest = await bench.person("guest@example.org")
    made = await _invited(owner, organization, "Guest@Example.org")
    assert made["link"].startswith("https://studio.example.org/join?token=")
    path = _members(organization, "invitations", made["token"])
    told = (await guest.get(path)).json()
    assert told["organization_name"] == "Acme"
    assert (told["email_match"], told["authorized_user"]) == (True, True)
    assert told["expired_token"] is False
    assert (await guest.post(path)).status_code == 201
    members = (await owner.get(_members(organization))).json()
    assert [(m["primary_email"], m["role_ids"]) for m in members] == [
        (owner.email, [OWNER]),
        ("guest@example.org", [DEVELOPER]),
    ]
    assert (await guest.post(path)).status_code == 404  # it counts once


async def test_an_invitation_is_for_its_address_only(bench, company):
    owner, organization = company
    thief = await bench.person()
    made = await _invited(owner, organization, "guest@example.org")
    path = _members(organization, "invitations", made["token"])
    assert (await thief.get(path)).json()["email_match"] is False
    assert (await thief.post(path)).status_code == 403
    assert (await thief.get(_members(organization))).status_code == 404


async def test_an_invitation_expires(bench, company, clock):
    owner, organization = company
    guest = await bench.person("guest@example.org")
    made = await _invited(owner, organization, "guest@example.org")
    clock.advance(days=7)
    guest = await bench.sign_in(guest.email)
    path = _members(organization, "invitations", made["token"])
    assert (await guest.get(path)).json()["expired_token"] is True
    assert (await guest.post(path)).status_code == 400


async def test_an_invitation_that_was_withdrawn_is_worth_nothing(bench, company):
    owner, organization = company
    guest = await bench.person("guest@example.org")
    made = await _invited(owner, organization, "guest@example.org")
    listed = (await owner.get(_members(organization, "invitations"))).json()["invitations"]
    assert [one["invited_email"] for one in listed] == ["guest@example.org"]
    assert made["token"] not in str(listed)
    await _delete(owner, _members(organization, "invitations", str(made["id"])))
    path = _members(organization, "invitations", made["token"])
    assert (await guest.get(path)).json()["token_does_not_exist"] is True
    assert (await guest.post(path)).status_code == 404


async def test_the_token_of_an_invitation_is_kept_only_as_a_hash(bench, company):
    owner, organization = company
    made = await _invited(owner, organization, "guest@example.org")
    kept = await bench.sql("SELECT row_to_json(i)::text FROM invitations i")
    logged = await bench.sql("SELECT details::text FROM audit_log")
    assert made["token"] not in str(kept) + str(logged)


async def test_only_owners_make_owners_and_put_them_out(bench, company):
    owner, organization = company
    administrator = await bench.member(organization, "Administrator")
    path = _members(organization, owner.session["user"]["id"])
    assert (await administrator.patch(path, {"role_id": READ_ONLY})).status_code == 403
    assert (await _delete(administrator, path)).status_code == 403
    own = _members(organization, administrator.session["user"]["id"])
    assert (await administrator.patch(own, {"role_id": OWNER})).status_code == 403
    body = {"email": "x@example.org", "role_id": OWNER}
    refused = await administrator.post(_members(organization, "invitations"), body)
    assert refused.status_code == 403


async def test_the_last_owner_stays_until_another_is_made(bench, company):
    owner, organization = company
    heir = await bench.member(organization, "Developer")
    own = _members(organization, owner.session["user"]["id"])
    assert (await _delete(owner, own)).status_code == 409
    assert (await owner.patch(own, {"role_id": DEVELOPER})).status_code == 409
    theirs = _members(organization, heir.session["user"]["id"])
    assert (await owner.patch(theirs, {"role_id": OWNER})).status_code == 204
    assert (await _delete(owner, own)).status_code == 204
    assert (await owner.get(_members(organization))).status_code == 404
    assert (await heir.get("/organizations")).json()[0]["is_owner"] is True


async def test_two_owners_who_leave_at_once_leave_one(bench, company):
    import asyncio

    owner, organization = company
    other = await bench.member(organization, "Owner")
    answers = await asyncio.gather(
        *(_delete(one, _members(organization, one.session["user"]["id"])) for one in (owner, other))
    )
    assert sorted(answer.status_code for answer in answers) == [204, 409]


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OWNER])
async def test_everybody_may_leave_but_not_put_others_out_without_the_right(bench, company, role):
    _, organization = company
    member = await bench.member(organization, role.value)
    other = await bench.member(organization, "Read-only")
    put_out = await _delete(member, _members(organization, other.session["user"]["id"]))
    assert put_out.status_code == (204 if role is Role.ADMINISTRATOR else 403)
    left = await _delete(member, _members(organization, member.session["user"]["id"]))
    assert left.status_code == 204
    assert (await member.get("/organizations")).json() == []


async def test_a_role_can_be_limited_to_some_projects(bench, company):
    owner, organization = company
    seen = await bench.project(owner, organization, "Seen")
    hidden = await bench.project(owner, organization, "Hidden")
    member = await bench.member(organization, "Read-only")
    path = _members(organization, member.session["user"]["id"])
    wish = {"role_id": ADMINISTRATOR, "role_scoped_projects": [seen["ref"]]}
    assert (await owner.patch(path, wish)).status_code == 204
    assert (await member.get(f"/projects/{hidden['ref']}/status")).status_code == 404
    assert [p["ref"] for p in (await member.get("/projects")).json()] == [seen["ref"]]
    renamed = await member.patch(f"/platform/projects/{seen['ref']}", {"name": "Mine"})
    assert renamed.status_code == 200
    assert (await member.patch(_members(organization)[: -len("/members")], {})).status_code == 403
    whole, limited = (await member.get("/platform/profile/permissions")).json()
    assert whole["project_refs"] == []
    assert "%" not in whole["actions"]
    assert limited["project_refs"] == [seen["ref"]]
    assert limited["actions"] == ["%"]
    slug = organization["slug"]
    roles = (await owner.get(f"/platform/organizations/{slug}/roles")).json()
    (role,) = roles["project_scoped_roles"]
    members = (await owner.get(_members(organization))).json()
    assert members[1]["role_ids"] == [role["id"]]
    other = f"{path}/roles/{role['id']}"
    assert (
        await owner.put(other, {"name": "x", "role_scoped_projects": [hidden["ref"]]})
    ).status_code == 204
    assert [p["ref"] for p in (await member.get("/projects")).json()] == [hidden["ref"]]


async def test_a_role_cannot_be_limited_to_projects_of_others(bench, company):
    owner, organization = company
    stranger = await bench.person()
    foreign = await bench.project(stranger, await bench.organization(stranger))
    member = await bench.member(organization, "Read-only")
    wish = {"role_id": DEVELOPER, "role_scoped_projects": [foreign["ref"]]}
    answer = await owner.patch(_members(organization, member.session["user"]["id"]), wish)
    assert answer.status_code == 400


async def test_an_organization_is_renamed_and_its_slug_stays(bench, company):
    owner, organization = company
    path = f"/platform/organizations/{organization['slug']}"
    assert (await owner.patch(path, {"name": "New"})).json()["name"] == "New"
    told = (await owner.get(path)).json()
    assert (told["name"], told["slug"]) == ("New", organization["slug"])
    assert (await owner.patch(path, {"opt_in_tags": ["x"]})).status_code == 400


async def test_an_organization_is_deleted_only_when_it_is_empty(bench, company):
    owner, organization = company
    await bench.project(owner, organization)
    path = f"/platform/organizations/{organization['slug']}"
    assert (await _delete(owner, path)).status_code == 409
    await bench.sql("UPDATE project SET state = 'gone', gone_at = now()")
    assert (await _delete(owner, path)).status_code == 204
    assert (await owner.get(path)).status_code == 404


async def test_the_audit_log_tells_who_did_what_when_and_from_where(bench, company):
    owner, organization = company
    await _invited(owner, organization, "guest@example.org")
    path = f"/platform/organizations/{organization['slug']}/audit"
    log = (await owner.get(path)).json()["result"]
    assert [entry["action"]["name"] for entry in log] == ["member.invite", "organization.create"]
    assert log[0]["actor"]["metadata"] == [{"email": owner.email, "ip": "192.0.2.7"}]
    assert "guest@example.org" in log[0]["target"]["description"]
    assert log[0]["target"]["metadata"] == {"org_slug": organization["slug"]}
    assert log[0]["occurred_at"].startswith("2026-11-22T12:00:00")
    since = {"iso_timestamp_start": "2026-11-23T00:00:00Z"}
    assert (await owner.get(path, params=since)).json()["result"] == []
    own = (await owner.get("/platform/profile/audit")).json()["result"]
    assert {"member.invite", "session.open"} <= {entry["action"]["name"] for entry in own}


async def test_an_invitation_arrives_by_mail_and_its_link_is_as_good_as_the_one_told(
    posting, mailbox
):
    owner = await posting.person()
    organization = await posting.organization(owner, "Acme & Sons")
    made = await _invited(owner, organization, "guest@example.org")
    await posting.until(lambda: len(mailbox.got) == 1)
    (mail,) = mailbox.got
    assert mail.recipients == ["guest@example.org"]
    assert mail.message["Subject"] == "You are invited to Acme & Sons"
    assert owner.email in mail.text
    assert "Developer" in mail.text
    place = urlsplit(mail.link)
    assert f"{place.scheme}://{place.netloc}{place.path}" == "https://studio.example.org/join"
    query = {name: values[0] for name, values in parse_qs(place.query).items()}
    assert query["slug"] == organization["slug"]
    assert query["token"] != made["token"]
    guest = await posting.person("guest@example.org")
    for token in (made["token"], query["token"]):
        told = (await guest.get(_members(organization, "invitations", token))).json()
        assert told["authorized_user"] is True
    joined = await guest.post(_members(organization, "invitations", query["token"]))
    assert joined.status_code == 201


async def test_inviting_again_sends_another_mail_and_the_former_link_ends(posting, mailbox):
    owner = await posting.person()
    organization = await posting.organization(owner)
    guest = await posting.person("guest@example.org")
    for count in (1, 2):
        await _invited(owner, organization, guest.email)
        await posting.until(lambda count=count: len(mailbox.got) == count)
    tokens = [parse_qs(urlsplit(mail.link).query)["token"][0] for mail in mailbox.got]
    states = [
        (await guest.get(_members(organization, "invitations", token))).json() for token in tokens
    ]
    assert [state["token_does_not_exist"] for state in states] == [True, False]


async def test_a_withdrawn_invitation_is_not_sent(posting, mailbox):
    owner = await posting.person()
    organization = await posting.organization(owner)
    mailbox.refuse_data = "451 later"
    made = await _invited(owner, organization, "guest@example.org")
    await posting.until(lambda: mailbox.tried == 1)
    assert (
        await _delete(owner, _members(organization, "invitations", str(made["id"])))
    ).status_code == 204
    mailbox.refuse_data = None

    async def put_off():
        return await posting.sql("SELECT 1 FROM outbox WHERE reason IS NOT NULL") == [(1,)]

    await posting.until(put_off)
    posting.clock.advance(minutes=1)
    posting.services.mail_due.set()

    async def done():
        return await posting.sql("SELECT outcome FROM outbox") == [("nobody",)]

    await posting.until(done)
    assert mailbox.got == []


async def test_an_address_is_not_flooded_with_invitations(posting):
    owner = await posting.person()
    organization = await posting.organization(owner)
    body = {"email": "guest@example.org", "role_id": DEVELOPER}
    path = _members(organization, "invitations")
    statuses = [(await owner.post(path, body)).status_code for _ in range(6)]
    assert statuses == [201] * 5 + [429]
