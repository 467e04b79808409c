"""What manifests let a container do and see. Of a secret only its name is told and where it stands, never its value."""

from __future__ import annotations

import re

from tools.signals import Per, Signal, fact, line


def _pod(name: str, meaning: str) -> Signal:
    return fact(f"pod.{name}", "", Per.REPLICA, meaning, evidence="config")


SECRET_LITERALS = _pod("secret_literals", "Secrets written out")
CLOUD_KEYS = _pod("cloud_keys", "Static cloud credentials")
REMOTE_CODE = _pod("remote_code", "Code of the model's repository that runs")
PRIVILEGED = _pod("privileged", "Isolation given up")
ROOT = _pod("root", "What lets it run as root")
HOST_ACCESS = _pod("host_access", "Parts of the host in reach")
ROOT_WRITABLE = _pod("root_writable", "Containers with a writable root file system")
API_TOKEN = _pod("api_token", "Token of the Kubernetes API mounted")
API_KEY = _pod("api_key", "API key of the engine")
PROMPTS_LOGGED = _pod("prompts_logged", "Setting that logs prompts or answers")
WEIGHT_FORMAT = _pod("weight_format", "Weight format that is set")
NETWORK_POLICY = fact(
    "workload.network_policy",
    "",
    Per.WORKLOAD,
    "Network policy for what comes in",
    evidence="config",
    told_by="networkpolicies",
)
POD_SECURITY = fact(
    "workload.pod_security",
    "",
    Per.WORKLOAD,
    "Pod security level of the namespace",
    evidence="config",
    told_by="namespaces",
)

LOG_PICKLE = line("log.pickle", "Line that shows pickled weights being loaded")
PATTERNS = {
    # vLLM and SGLang print the first as a progress bar, vLLM the second with the files that it took.
    LOG_PICKLE: re.compile(
        r"Loading pt checkpoint shards|Using model weights format \['\*\.(?:bin|pt)'\]|"
        r"using `torch\.load` with `weights_only=False`"
    ),
}
