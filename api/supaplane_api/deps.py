"""How does a route say who may call it? By one dependency, its rule, which every route has.

A rule reads the token, asks the database once who that is and what the request is about, and judges
by the table in `access.py`. A test walks over all routes and fails when one has no rule or two.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Path, Request

from supaplane_contract import names

from . import access_tokens
from .access import Right, require
from .auth.service import Client
from .auth.tokens import TokenInvalid
from .caller import (
    Caller,
    Membership,
    OrganizationAccess,
    ProjectAccess,
    demand_factor,
    identify,
)
from .problems import Missing, NotAllowed, Unauthenticated
from .services import Services

RefPath = Annotated[
    str, Path(description="The project ref: twenty lower-case letters", examples=["a" * 20])
]
SlugPath = Annotated[str, Path(description="The organization's slug")]


async def services_of(request: Request) -> Services:
    """What was made when the process started.

    Like everything here it is async though it never waits: the framework runs what is not in a
    thread, which costs more than most requests.
    """
    services: Services = request.app.state.services
    return services


async def client_of(request: Request) -> Client:
    """Where the request comes from."""
    agent = request.headers.get("user-agent", "")
    printable = "".join(c for c in agent[:256] if c.isprintable())
    return Client(request.client.host if request.client else None, printable or None)


TheServices = Annotated[Services, Depends(services_of)]
TheClient = Annotated[Client, Depends(client_of)]


class Rule:
    """Who may call a route. `right` is what it takes, None: nothing but an account."""

    right: Right | None = None
    public = False


class Anyone(Rule):
    """No token is needed."""

    public = True

    async def __call__(self) -> None:
        """Lets everybody pass."""


class AnyAccount(Rule):
    """A valid token is needed. `checks` is a right that the route asks for by itself."""

    def __init__(
        self,
        *,
        with_projects: bool = False,
        checks: Right | None = None,
        before_factor: bool = False,
        session_only: bool = False,
    ) -> None:
        self._with_projects = with_projects
        self.checks = checks
        self._before_factor = before_factor
        self._session_only = session_only

    async def __call__(self, request: Request) -> Caller:
        """The caller. Raises Unauthenticated, NotAllowed.

        `before_factor`: also before the code of a second factor was given. `session_only`: not
        with an access token, which must not make others or change how its account signs in.
        """
        caller = await _identify(
            request, with_projects=self._with_projects, before_factor=self._before_factor
        )
        if self._session_only and caller.session_id is None:
            raise NotAllowed("This takes a session: sign in, an access token is not enough")
        return caller


class Member(Rule):
    """A member of the organization in the path, by slug or number, with that right."""

    def __init__(self, right: Right, *, with_projects: bool = False) -> None:
        self.right = right
        self._with_projects = with_projects

    async def __call__(self, request: Request, slug: SlugPath) -> OrganizationAccess:
        """The caller there. Raises Unauthenticated, Missing, NotAllowed."""
        assert self.right is not None
        caller = await _identify(request, with_projects=self._with_projects)
        membership = caller.membership(slug=slug) or _by_number(caller, slug)
        require(membership.role if membership else None, self.right, what="organization")
        assert membership is not None
        if self.right is not Right.MEMBERS_LEAVE:
            demand_factor(caller, membership)
        return OrganizationAccess(caller, membership)


class OnProject(Rule):
    """A member of the organization of the project in the path, with that right."""

    def __init__(self, right: Right) -> None:
        self.right = right

    async def __call__(self, request: Request, ref: RefPath) -> ProjectAccess:
        """The caller there. Raises Unauthenticated, Missing, NotAllowed."""
        assert self.right is not None
        caller = await _identify(request, ref=ref if names.is_ref(ref) else None)
        project = caller.project
        if project is None:
            require(None, self.right, what="project")
        assert project is not None
        membership = caller.membership(id=project.organization_id)
        membership = membership.at(project.ref) if membership else None
        require(membership.role if membership else None, self.right, what="project")
        if membership is None:
            raise Missing("There is no such project")
        demand_factor(caller, membership)
        return ProjectAccess(caller, membership, project)


async def _identify(
    request: Request,
    *,
    ref: str | None = None,
    with_projects: bool = False,
    before_factor: bool = False,
) -> Caller:
    services, bearer = await services_of(request), _bearer(request)
    now = services.outside.now()
    who: dict[str, Any]
    if access_tokens.is_one(bearer):
        who = {"token": access_tokens.stored(bearer)}
    else:
        try:
            claims = services.access_tokens.read(bearer, now=now)
        except TokenInvalid as error:
            raise Unauthenticated(str(error)) from None
        who = {"subject": claims.subject, "session": claims.session}
    caller = await services.database.read(
        lambda connection: identify(
            connection,
            now=now,
            ref=ref,
            rows=services.project_rows.of if with_projects else None,
            **who,
        )
    )
    if caller is None:
        raise Unauthenticated(
            "The session or token has ended, or the account is gone: sign in again",
            code="session_not_found",
        )
    if caller.lacks_factor and not before_factor:
        # Not 401, for which Studio would sign out instead of asking for the code.
        raise NotAllowed(
            "Give the code of your second factor first: /auth/factors", code="insufficient_aal"
        )
    return caller


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated(
            "Send an access token in the header: Authorization: Bearer <token>",
            code="no_authorization",
        )
    return token.strip()


def _by_number(caller: Caller, text: str) -> Membership | None:
    """Older clients name organizations by number. A slug may look like one: slugs come first."""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        return None
    return caller.membership(id=int(text))
