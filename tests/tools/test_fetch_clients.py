"""What programs print that fetch weights before a start, and what looks like it and is none."""

from __future__ import annotations

import pytest

from tools.log_lines import matches
from tools.vocabulary.startup import LOG_DOWNLOAD


@pytest.mark.parametrize(
    "line",
    [
        "curl: (6) Could not resolve host: huggingface.co",
        "curl: (7) Failed to connect to huggingface.co port 443 after 127 ms: Couldn't connect to server",
        "curl: (18) transfer closed with 4096 bytes remaining to read",
        "curl: (22) The requested URL returned error: 403",
        "curl: (23) Failure writing output to destination",
        "curl: (28) Operation timed out after 300000 milliseconds with 1048576 out of 4976698672 bytes received",
        "curl: (35) OpenSSL SSL_connect: Connection reset by peer in connection to cdn-lfs.huggingface.co:443",
        "curl: (56) Recv failure: Connection reset by peer",
        "curl: (60) SSL certificate problem: unable to get local issuer certificate",
        "wget: bad address 'huggingface.co'",
        "wget: unable to resolve host address ‘huggingface.co’",
        "wget: server returned error: HTTP/1.1 404 Not Found",
        "2025-03-01 10:00:00 ERROR 403: Forbidden.",
        "fatal: unable to access 'https://huggingface.co/org/model/': Could not resolve host: huggingface.co",
        "fatal: could not read Username for 'https://huggingface.co': No such device or address",
        "fatal: repository 'https://huggingface.co/org/model/' not found",
        "Error downloading object: model.safetensors (3f2a): Smudge error: Error downloading model.safetensors",
        "CommandException: No URLs matched: gs://weights/llama",
        "ERROR: (gcloud.storage.cp) The following URLs matched no objects or files:",
        "failed to perform copy command due to error: no SAS token or OAuth token is present and the resource is not public",
        'ERROR "cp s3://weights/llama/*": NoSuchKey: The specified key does not exist. status code: 404',
        "ERROR : Attempt 3/3 failed with 2 errors and: directory not found",
        "mc: <ERROR> Unable to prepare URL for copying. Unable to guess the type of copy operation.",
    ],
)
def test_a_fetch_that_failed(line: str) -> None:
    assert matches(f"2026-01-01T00:00:00Z {line}")[LOG_DOWNLOAD].endswith(line)


@pytest.mark.parametrize(
    "line",
    [
        # What waits for a neighbour, or for its own server, asks again and goes on.
        "curl: (6) Could not resolve host: redis",
        "curl: (6) Could not resolve host: store.team.svc.cluster.local",
        "curl: (7) Failed to connect to localhost port 8000 after 0 ms: Couldn't connect to server",
        "curl: (7) Failed to connect to 10.0.0.7 port 8000 after 1 ms: Connection refused",
        "curl: (22) The requested URL returned error: 503",
        "curl: (52) Empty reply from server",
        "wget: bad address 'etcd'",
        "wget: can't connect to remote host (10.96.0.1): Connection refused",
        "fatal: not a git repository (or any of the parent directories): .git",
        "ERROR 500: Internal Server Error.",
        "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current",
        "100 4746M  100 4746M    0     0  98.1M      0  0:00:48  0:00:48 --:--:-- 101M",
    ],
)
def test_what_is_no_failed_fetch(line: str) -> None:
    assert not matches(line)[LOG_DOWNLOAD]


def test_a_giant_line_is_read_in_bounded_time() -> None:
    for start in ("curl: (6) Could not resolve host: ", "fatal: unable to access 'https://"):
        assert not matches(start + "a-" * 200_000)[LOG_DOWNLOAD]
