"""Which cluster, and as whom: a kubeconfig (argument, KUBECONFIG, ~/.kube/config) or the pod's own service account.

Messages never quote the file: parsers like to print the line they stumble on, and that may be a token.
"""

from __future__ import annotations

import os
from binascii import Error as Base64Error
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from kubernetes.client import Configuration
from kubernetes.config import ConfigException, load_incluster_config, load_kube_config

from tools.reading import Blind, Reason

DEFAULT = "~/.kube/config"


def login(kubeconfig: str | None, context: str | None) -> Configuration | Blind:
    """The client's configuration; blind (not set) when there is none, or when what there is cannot be used."""
    chosen = kubeconfig or os.environ.get("KUBECONFIG") or ""
    if chosen:
        places = [Path(part).expanduser() for part in chosen.split(os.pathsep) if part]
        if not any(place.exists() for place in places):
            return Blind(Reason.NOT_SET, f"the kubeconfig {_names(places)} does not exist")
        return _from_files(os.pathsep.join(map(str, places)), _names(places), context)
    if Path(DEFAULT).expanduser().exists():
        return _from_files(str(Path(DEFAULT).expanduser()), DEFAULT, context)
    return _from_pod()


def _names(places: list[Path]) -> str:
    return ", ".join(str(place) for place in places)


def _from_files(files: str, called: str, context: str | None) -> Configuration | Blind:
    configuration = Configuration()
    try:
        # Not persisting: a renewed token is kept in memory, the person's file stays as it is.
        load_kube_config(files, context=context, client_configuration=configuration, persist_config=False)
    except ConfigException as error:
        # The rest of the message may hold the user's entry, token included.
        why = str(error).split("\n")[0].split(" in ")[0].removeprefix("Invalid kube-config file. ")[:160]
        return Blind(Reason.NOT_SET, f"the kubeconfig {called} cannot be used: {why}")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        return Blind(Reason.NOT_SET, f"the kubeconfig {called} is no valid YAML{where}")
    except UnicodeDecodeError:
        return Blind(Reason.NOT_SET, f"the kubeconfig {called} is not a text file")
    except OSError as error:
        return Blind(
            Reason.NOT_SET, f"the kubeconfig {called} cannot be read: {error.strerror or type(error).__name__}"
        )
    except (Base64Error, TypeError, KeyError, AttributeError, ValueError, RecursionError):
        return Blind(Reason.NOT_SET, f"the kubeconfig {called} does not have the shape of a kubeconfig")
    try:
        parts = urlsplit(configuration.host)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        return Blind(Reason.NOT_SET, f"the kubeconfig {called} names a server that is no http(s) address")
    return configuration


def _from_pod() -> Configuration | Blind:
    configuration = Configuration()
    try:
        load_incluster_config(client_configuration=configuration)
    except ConfigException:
        return Blind(
            Reason.NOT_SET,
            f"no cluster is configured: set KUBECONFIG, put a kubeconfig at {DEFAULT}, or run in a pod with a service account",
        )
    except OSError as error:
        return Blind(
            Reason.NOT_SET, f"the pod's service account cannot be read: {error.strerror or type(error).__name__}"
        )
    return configuration
