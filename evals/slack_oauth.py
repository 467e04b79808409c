"""Installing in a workspace, as Slack does it: what a person approves in the browser, and what the app fetches for the code."""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

from evals.slack_web import Json, no

if TYPE_CHECKING:
    from evals.slack_standin import SlackStandIn
    from evals.slack_workspace import Workspace

CLIENT_ID, CLIENT_SECRET = "111.222", "standin-client-secret"
APP = "A0STANDIN"


def approve(
    slack: SlackStandIn,
    location: str,
    workspace: Workspace,
    *,
    user: str = "U1",
    organisation: bool = False,
    rotated: bool = False,
) -> str:
    """Somebody approves at the address that the install page leads to; the query that Slack sends the browser back with."""
    told = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
    if told.get("client_id") != CLIENT_ID or not told.get("scope") or not told.get("state"):
        raise AssertionError(f"Slack would show an error instead of asking: {sorted(told)}")
    code = secrets.token_hex(8)
    slack.codes[code] = {
        "workspace": workspace, "scope": told["scope"], "user": user, "organisation": organisation, "rotated": rotated,
        "redirect_uri": told.get("redirect_uri"),
    }  # fmt: skip
    return urlencode({"code": code, "state": told["state"]})


def fetched(slack: SlackStandIn, authorization: str, args: Json) -> Json:
    """What `oauth.v2.access` answers: a new bot token, once a code, to who knows the client secret."""
    known = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
    given = authorization.removeprefix("Basic ")
    if given != known and (args.get("client_id"), args.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
        return no("bad_client_secret")
    found = slack.codes.pop(str(args.get("code", "")), None)
    if found is None:
        return no("invalid_code")
    if found["redirect_uri"] != args.get("redirect_uri"):
        return no("bad_redirect_uri")
    workspace: Workspace = found["workspace"]
    token = f"xoxb-{workspace.team}-{secrets.token_hex(8)}"
    slack.tokens[token] = workspace
    team = None if found["organisation"] else {"id": workspace.team, "name": f"Team {workspace.team}"}
    return {
        "ok": True, "access_token": token, "token_type": "bot", "scope": found["scope"], "bot_user_id": workspace.bot_user,
        "app_id": APP, "team": team, "enterprise": {"id": "E0ORG", "name": "Org"} if found["organisation"] else None,
        "is_enterprise_install": found["organisation"], "authed_user": {"id": found["user"]},
        **({"refresh_token": "xoxe-1-standin", "expires_in": 43200} if found["rotated"] else {}),
    }  # fmt: skip
