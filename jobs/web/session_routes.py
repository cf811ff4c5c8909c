"""Routes of logins."""

import asyncio
from http import HTTPStatus
from importlib.metadata import version

from fastapi import APIRouter, Request, Response

from jobs.web.farm import Farm, TheFarm, TheRole
from jobs.web.guard import SESSION
from jobs.web.models import SessionView, TokenBody
from jobs.web.problems import Problem
from jobs.web.session import COOKIE, LIFETIME, Role

router = APIRouter(prefix=SESSION, tags=["session"])

_PENALTY = 1.0
"""Seconds that a wrong token costs whoever sent it."""


def _view(farm: Farm, role: Role | None) -> SessionView:
    # Whoever has no login learns nothing about the store.
    address = farm.store.address if role else None
    return SessionView(
        role=role,
        login=farm.logins.are_needed,
        store=address,
        version=version("dreamfarm"),
        max_upload=farm.settings.max_upload,
    )


@router.get("")
async def get_session(farm: TheFarm, role: TheRole) -> SessionView:
    """Who is logged in, and whether a login is needed."""
    return _view(farm, role)


@router.post("")
async def log_in(body: TokenBody, request: Request, answer: Response, farm: TheFarm) -> SessionView:
    """Log in by a token of the operator; the answer sets a cookie."""
    role = farm.logins.role_of_token(body.token)
    if not farm.logins.are_needed:
        return _view(farm, "write")
    if role is None:
        await asyncio.sleep(_PENALTY)
        raise Problem(HTTPStatus.UNAUTHORIZED, "this is not a token of this server")
    answer.set_cookie(
        COOKIE,
        farm.logins.cookie(role),
        max_age=LIFETIME,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return _view(farm, role)


@router.delete("", status_code=HTTPStatus.NO_CONTENT)
async def log_out(answer: Response) -> None:
    """Forget the login of this browser."""
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
