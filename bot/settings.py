"""Everything that can be set, as one object: the environment, and a YAML file for what is more than a line.

A source that is not set is blind, never an error; only `rackside serve` demands Slack's settings.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from bot.access.rules import Access
from bot.triage.settings import AlertSettings
from knowledge.home import default_home
from tools.custom_servers import read
from tools.series import Source

FILE_KEYS = frozenset(
    {
        "access",
        "alerts",
        "clusters",
        "intent",
        "limits",
        "output_token_weight",
        "plans",
        "prices",
        "servers",
        "slack_admins",
        "workspaces",
    }
)


class SettingsProblem(ValueError):  # noqa: N818 - what people read
    """The settings cannot be used; the message says all that is wrong with them at once."""


class ClusterSettings(BaseModel):
    """One cluster: where its metrics and its API are. `matchers` select it on a server that holds several."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prometheus_url: str | None = None
    matchers: str = ""
    kubeconfig: str | None = None
    context: str | None = None
    namespaces: tuple[str, ...] = ()


class Settings(BaseSettings):
    """What the environment says (`RACKSIDE_*`, `KUBECONFIG`), with the file's clusters, limits, prices and servers."""

    model_config = SettingsConfigDict(env_prefix="RACKSIDE_", extra="ignore", frozen=True)

    home: Path = Field(default_factory=default_home)
    prometheus_url: str | None = None
    prometheus_token: SecretStr | None = None
    prometheus_tenant: str | None = None
    prometheus_timeout_s: FiniteFloat = Field(default=20.0, gt=0)
    kubeconfig: str | None = Field(default=None, validation_alias="KUBECONFIG")
    kube_context: str | None = None
    slack_bot_token: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_signing_secret: SecretStr | None = None
    # For several workspaces, instead of the bot token: the app's credentials, and where Slack sends people back to (docs/slack.md).
    slack_client_id: str | None = None
    slack_client_secret: SecretStr | None = None
    slack_redirect_url: str = ""
    # Encrypts the tokens that several workspaces gave, in the database.
    slack_token_key: SecretStr | None = None
    slack_api_url: str = "https://slack.com/api/"
    slack_port: int = 3000
    # How many people may wait for an answer before a further one is told that it is busy.
    slack_queue: int = Field(default=200, ge=1)
    database_url: str | None = None
    chroma_url: str = ""
    embeddings: str = ""
    model: str | None = None
    model_base_url: str | None = None
    pages_url: str = ""
    # Where people open things: links of answers lead there. Prometheus as a browser reaches it; Grafana with the uid of its Prometheus;
    # the repository in which a wrong answer becomes an issue. Without one, there is no such link.
    prometheus_page_url: str = ""
    grafana_url: str = ""
    grafana_datasource: str = ""
    repository_url: str = ""
    # Slack user ids that App Home shows the settings to.
    slack_admins: tuple[str, ...] = ()
    # The workspaces that may install Rackside, by id, with a name for people who read the settings.
    workspaces: dict[str, str] = Field(default_factory=dict)
    # Whoever posts alerts to us shows it (docs/alerts.md).
    alerts_token: SecretStr | None = None
    alerts: AlertSettings = Field(default_factory=AlertSettings)
    # Who may see and do what in Slack (docs/slack.md).
    access: Access = Field(default_factory=Access)
    clusters: dict[str, ClusterSettings] = Field(default_factory=dict)
    limits: dict[str, dict[str, FiniteFloat]] = Field(default_factory=dict)
    # Dollars an hour, by GPU or machine type; what is not here has a dated list price.
    prices: dict[str, FiniteFloat] = Field(default_factory=dict)
    # Dollars an hour of one GPU by plan (`reserved`, `on_demand`, `burst`), by GPU: what their break-even is counted on.
    plans: dict[str, dict[str, FiniteFloat]] = Field(default_factory=dict)
    # What a generated token costs, in prompt tokens.
    output_token_weight: FiniteFloat = Field(default=4.0, gt=0)
    # Files of declared intent (docs/intent.md), relative to the settings file's folder.
    intent: tuple[str, ...] = ()
    # Serving software of one's own: which of its series carry which signal (tools/custom_servers.py).
    servers: dict[str, Any] = Field(default_factory=dict)

    def cluster(self, name: str | None) -> ClusterSettings:
        """The cluster of a name, or the default one; raises SettingsProblem with the known names otherwise."""
        if name is not None and name in self.clusters:
            return self.clusters[name]
        if name is not None and name != "default":
            known = ", ".join(sorted(self.clusters)) or "none but the default"
            raise SettingsProblem(f"there is no cluster {name!r} in the settings; known: {known}")
        if name is None and len(self.clusters) == 1 and not self.prometheus_url:
            return next(iter(self.clusters.values()))
        return ClusterSettings(
            prometheus_url=self.prometheus_url, kubeconfig=self.kubeconfig, context=self.kube_context
        )

    @field_validator("servers")
    @classmethod
    def _readable(cls, servers: dict[str, Any]) -> dict[str, Any]:
        read(servers)
        return servers

    @cached_property
    def custom_servers(self) -> tuple[Source, ...]:
        """The servers that the file maps."""
        return read(self.servers)

    @property
    def prometheus_headers(self) -> dict[str, str]:
        """Headers for Prometheus: a bearer token, a tenant."""
        headers: dict[str, str] = {}
        if self.prometheus_token is not None:
            headers["Authorization"] = f"Bearer {self.prometheus_token.get_secret_value()}"
        if self.prometheus_tenant:
            headers["X-Scope-OrgID"] = self.prometheus_tenant
        return headers


def load_settings() -> Settings:
    """The settings of this process; raises SettingsProblem naming everything that is wrong."""
    content = _file()
    try:
        return Settings(**content)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in error.errors())
        raise SettingsProblem(f"the settings cannot be used: {wrong}") from None
    except SettingsError as error:
        # A variable that should hold JSON and does not.
        raise SettingsProblem(f"the settings cannot be used: {error}; write it in the settings file") from None


def _file() -> dict[str, Any]:
    named = os.environ.get("RACKSIDE_CONFIG", "").strip()
    path = Path(named).expanduser() if named else default_home() / "rackside.yaml"
    if not named and not path.is_file():
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError:
        raise SettingsProblem(f"the settings file {path} cannot be read; check RACKSIDE_CONFIG") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        line = str(error).splitlines()[-1].strip()
        raise SettingsProblem(f"the settings file {path} is not YAML ({line})") from None
    except RecursionError:
        raise SettingsProblem(f"the settings file {path} is not YAML that can be read (nested too deeply)") from None
    if content is None:
        return {}
    if not isinstance(content, dict) or set(content) - FILE_KEYS:
        *most, last = (f"`{key}`" for key in sorted(FILE_KEYS))
        raise SettingsProblem(f"the settings file {path} may hold {', '.join(most)} and {last}, nothing else")
    return content
