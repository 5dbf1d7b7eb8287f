"""Tokens: given, renewed, ended, looked into (RFC 6749, 7009, 7662), and what others need to use them (RFC 8414, 7517)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from auth import tokens
from auth.actor import ActorKind
from auth.actors import actor_of
from auth.clients import SCOPES
from auth.errors import InvalidToken
from auth.keys import Purpose
from auth.tables import Client
from auth.tokens import Claims
from registry import sign_in
from registry.api.authentication import realm
from registry.api.oauth import (
    MAX_FORM,
    Form,
    OAuthError,
    OAuthRoute,
    address_of,
    asked,
    find_client,
    get_client,
    invalid_client,
    token_answer,
)
from registry.transaction import transaction
from workflows.text import Text

router = APIRouter(route_class=OAuthRoute, tags=["tokens"])

_PUBLIC = {"Cache-Control": "public, max-age=300"}
_FORM_BODY = {"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}}}

# The same words whatever was wrong: the name, the password, the one-time code or the account.
_REFUSED = Text("账号、密码或动态口令不正确。", "The name, the password or the one-time code is not right.")
_REFRESH = Text(
    "刷新令牌无效或已使用，请重新登录。", "The refresh token is not valid or was used before; sign in again."
)
_GRANT = Text("不支持这种授权方式。", "This grant type is not supported.")
_NOT_FOR_CLIENTS = Text("客户端不能使用这种授权方式。", "A machine client cannot use this grant type.")
_SCOPE = Text("申请的范围超出该客户端的登记。", "The scope goes beyond what the client is registered for.")


@router.post("/auth/token", max_body_size=MAX_FORM, openapi_extra=_FORM_BODY)
def give_token(request: Request, form: Form) -> Response:
    """An access token by password, refresh token or client credentials (RFC 6749)."""
    match asked(form, "grant_type"):
        case "password":
            return _by_password(request, form)
        case "refresh_token":
            return _by_refresh(request, form)
        case "client_credentials":
            return _by_client(request, form)
        case _:
            raise OAuthError("unsupported_grant_type", _GRANT)


@router.post("/auth/revoke", max_body_size=MAX_FORM, openapi_extra=_FORM_BODY)
def revoke_token(request: Request, form: Form) -> Response:
    """Ends a token (RFC 7009); a refresh token takes its whole sign-in along. Answers 200 also when there is nothing to end.

    Who holds a person's token may end it; a machine client's is ended by that client.
    """
    token, client, state = asked(form, "token"), find_client(request, form), request.app.state
    claims = _read(request, token)
    if claims is None:
        sign_in.sign_out(state.database, token, now=state.clock())
    elif claims.kind is ActorKind.ACCOUNT or (client and client.id == claims.subject):
        sign_in.revoke(state.database, claims, now=state.clock())
    elif client is None:
        raise invalid_client()
    return Response(headers={"Cache-Control": "no-store"})


@router.post("/auth/introspect", max_body_size=MAX_FORM, openapi_extra=_FORM_BODY)
def introspect_token(request: Request, form: Form) -> Response:
    """Whether an access token counts now (RFC 7662), for machine clients."""
    get_client(request, form)
    claims = _read(request, asked(form, "token"))
    if claims is None:
        return token_answer({"active": False})
    with transaction(request.app.state.database) as session:
        if actor_of(session, claims) is None:
            return token_answer({"active": False})
    where = realm(request.app.state.settings)
    return token_answer(
        {
            "active": True,
            "iss": where.issuer,
            "aud": where.audience,
            "sub": str(claims.subject),
            "client_id": claims.client_id,
            "token_type": "Bearer",
            "scope": " ".join(sorted(claims.scopes)),
            "iat": int(claims.issued_at.timestamp()),
            "nbf": int(claims.issued_at.timestamp()),
            "exp": int(claims.expires_at.timestamp()),
            "jti": claims.jti,
        }
    )


@router.get("/.well-known/oauth-authorization-server")
def server_metadata(request: Request) -> JSONResponse:
    """Where and how to get tokens (RFC 8414)."""
    where = realm(request.app.state.settings)
    proofs = ["client_secret_basic", "client_secret_post", "private_key_jwt"]
    return JSONResponse(
        {
            "issuer": where.issuer,
            "token_endpoint": where.token_endpoint,
            "token_endpoint_auth_methods_supported": [*proofs, "none"],
            "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
            "revocation_endpoint": f"{where.issuer}/auth/revoke",
            "revocation_endpoint_auth_methods_supported": [*proofs, "none"],
            "revocation_endpoint_auth_signing_alg_values_supported": ["ES256"],
            "introspection_endpoint": f"{where.issuer}/auth/introspect",
            "introspection_endpoint_auth_methods_supported": proofs,
            "introspection_endpoint_auth_signing_alg_values_supported": ["ES256"],
            "jwks_uri": f"{where.issuer}/.well-known/jwks.json",
            "grant_types_supported": ["password", "refresh_token", "client_credentials"],
            "response_types_supported": [],
            "scopes_supported": sorted(SCOPES),
        },
        headers=_PUBLIC,
    )


@router.get("/.well-known/jwks.json")
def key_set(request: Request) -> JSONResponse:
    """The public keys of tokens and receipts (RFC 7517). To be kept for five minutes at most: a new key signs after that."""
    state = request.app.state
    return JSONResponse(state.keys.jwks(state.clock()), headers=_PUBLIC)


def _by_password(request: Request, form: dict[str, str]) -> Response:
    if "authorization" in request.headers or "client_secret" in form or "client_assertion" in form:
        raise OAuthError("unauthorized_client", _NOT_FOR_CLIENTS)
    state = request.app.state
    opened = sign_in.by_password(
        state.database,
        asked(form, "username"),
        asked(form, "password"),
        form.get("otp", ""),
        address_of(request),
        cipher=state.seal(),
        demanded=not state.settings.demo or state.settings.demo_mfa,
        now=state.clock(),
    )
    if opened is None:
        raise OAuthError("invalid_grant", _REFUSED, code="unauthenticated")
    return _given(request, opened.claims, refresh_token=opened.refresh_token)


def _by_refresh(request: Request, form: dict[str, str]) -> Response:
    state = request.app.state
    opened = sign_in.by_refresh(state.database, asked(form, "refresh_token"), now=state.clock())
    if opened is None:
        raise OAuthError("invalid_grant", _REFRESH, code="unauthenticated")
    return _given(request, opened.claims, refresh_token=opened.refresh_token)


def _by_client(request: Request, form: dict[str, str]) -> Response:
    state = request.app.state
    client = get_client(request, form)
    claims = sign_in.client_token(state.database, client, _scopes(client, form.get("scope")), now=state.clock())
    return _given(request, claims, scope=" ".join(sorted(claims.scopes)))


def _scopes(client: Client, wanted: str | None) -> frozenset[str]:
    """What is asked for, or all that the client is registered for."""
    registered = frozenset(client.scopes)
    scopes = registered if wanted is None else frozenset(wanted.split())
    if not scopes or not scopes <= registered:
        raise OAuthError("invalid_scope", _SCOPE)
    return scopes


def _given(request: Request, claims: Claims, **more: str) -> Response:
    state = request.app.state
    signer = state.keys.signer(Purpose.TOKEN, state.clock())
    body: dict[str, Any] = {
        "access_token": tokens.issue(claims, realm(state.settings), signer),
        "token_type": "Bearer",
        "expires_in": int((claims.expires_at - claims.issued_at).total_seconds()),
        **more,
    }
    return token_answer(body)


def _read(request: Request, token: str) -> Claims | None:
    state = request.app.state
    now = state.clock()
    try:
        return tokens.read(token, state.keys.verifying(Purpose.TOKEN, now), realm(state.settings), now)
    except InvalidToken:
        return None
