"""Lines on the host beneath a process and on the cluster around a router, and lines that only look alike."""

from __future__ import annotations

import time

import pytest

from tools.log_lines import matches
from tools.vocabulary import cluster_parts, host_faults, outcomes
from tools.vocabulary.cluster_parts import (
    LOG_CLUSTER_API,
    LOG_NO_BACKEND,
    LOG_NO_ROOM,
    LOG_RAY_RESOURCES,
    LOG_RUNTIME_ENV,
    LOG_WRITE_FULL,
)
from tools.vocabulary.host_faults import LOG_CAPABILITY, LOG_DEVICE_REFUSED, LOG_HOST_MEMORY, LOG_NATIVE_CRASH
from tools.vocabulary.outcomes import LOG_OVERLOADED

MINE = (*host_faults.PATTERNS, *cluster_parts.PATTERNS, *outcomes.PATTERNS)
# Ray Serve's serve/_private/deployment_state.py.
SCHEDULED = (
    "Deployment 'A' in application 'b' has 1 replicas that have taken more than 30s to be scheduled. This may be due to waiting for the cluster to auto-scale or"
    ' for a runtime environment to be installed. Resources required for each replica: [{{"CPU": 1.0}}, {{"GPU": 1.0{}}}], total resources available: {{"CPU": 7.0{}}}.'
)
SAID = (
    ("RuntimeError: [enforce fail at alloc_cpu.cpp:118] err == 0. DefaultCPUAllocator: can't allocate memory: you tried", LOG_HOST_MEMORY),
    ("RuntimeError: unable to mmap 4976698672 bytes from file </models/a.safetensors>: Cannot allocate memory (12)", LOG_HOST_MEMORY),
    ("  what():  std::bad_alloc", LOG_HOST_MEMORY),
    ("terminate called after throwing an instance of 'std::bad_alloc'", LOG_HOST_MEMORY),
    ("(Worker pid=7) ERROR 10-21 [multiproc_executor.py:559] MemoryError", LOG_HOST_MEMORY),
    ("MemoryError: Unable to allocate", LOG_HOST_MEMORY),
    ("numpy._core._exceptions._ArrayMemoryError: Unable to allocate 4.00 GiB for an array", LOG_HOST_MEMORY),
    ("memory allocation of 68719476736 bytes failed", LOG_HOST_MEMORY),
    ("(Worker_TP0 pid=309) !!!!!!! Segfault encountered !!!!!!!", LOG_NATIVE_CRASH),
    ("(RayWorkerWrapper pid=24036) Fatal Python error: Segmentation fault", LOG_NATIVE_CRASH),
    ("[2025-04-27 02:52:27,217 E 1 2] logging.cc:484: *** SIGSEGV received at time=1745722347 on cpu 48 ***", LOG_NATIVE_CRASH),
    ("[node-1:4242:0:4242] Caught signal 11 (Segmentation fault: address not mapped to object at address (nil))", LOG_NATIVE_CRASH),
    ("[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x1da9531]", LOG_NATIVE_CRASH),
    ("/entrypoint.sh: line 12:    42 Segmentation fault      (core dumped) vllm serve /models/x", LOG_NATIVE_CRASH),
    ("Shard process was signaled to shutdown with signal 4 rank=0", LOG_NATIVE_CRASH),
    ("  exitcode  : -11 (pid: 1234)", LOG_NATIVE_CRASH),
    ("terminate called after throwing an instance of 'c10::Error'", LOG_NATIVE_CRASH),
    ("malloc(): unaligned tcache chunk detected", LOG_NATIVE_CRASH),
    ("RuntimeError: CUDA error: CUDA-capable device(s) is/are busy or unavailable", LOG_DEVICE_REFUSED),
    ("CUDA error: exclusive-thread device already in use by a different thread", LOG_DEVICE_REFUSED),
    ("CUDA error: MPS server is not ready to accept new MPS client requests", LOG_DEVICE_REFUSED),
    ("CUDA error: device doesn't have valid Grid license", LOG_DEVICE_REFUSED),
    ("pynvml.NVMLError_NoPermission: Insufficient Permissions", LOG_CAPABILITY),
    ("CacheManager Init Failed. Error: -17", LOG_CAPABILITY),
    ("  what():  Operation not permitted", LOG_CAPABILITY),
    ("No available workers (all circuits open or unhealthy)", LOG_NO_BACKEND),
    ("RuntimeError: No healthy workers available", LOG_NO_BACKEND),
    ('[2026-05-01T10:00:00.000Z] "POST /v1/completions HTTP/1.1" 503 UH no_healthy_upstream - "-" 312 19 0 - "-"', LOG_NO_BACKEND),
    ("inference error: ServiceUnavailable - failed to find endpoint candidates for serving the request", LOG_NO_BACKEND),
    ('pods is forbidden: User "system:serviceaccount:team:epp" cannot list resource "pods" in API group ""', LOG_CLUSTER_API),
    (r'"error":"no matches for kind \"InferencePool\" in version \"inference.networking.k8s.io/v1\""', LOG_CLUSTER_API),
    ("Waiting for creating a placement group of specs for 310 seconds. specs=[{'GPU': 1.0}].", LOG_RAY_RESOURCES),
    ("Error: No available node types can fulfill resource request {'GPU': 4.0}.", LOG_RAY_RESOURCES),
    (SCHEDULED.format(', "accelerator_type:A10G": 0.001', ', "GPU": 1.0, "accelerator_type:L40S": 1.0'), LOG_RAY_RESOURCES),
    (SCHEDULED.format("", ', "memory": 9.0'), LOG_RAY_RESOURCES),
    ('more than 30s to be scheduled. Resources required for each replica: {"CPU": 1.0, "GPU": 1.0}, resources available: {}.', LOG_RAY_RESOURCES),
    ("ray.exceptions.RuntimeEnvSetupError: Failed to set up runtime environment.", LOG_RUNTIME_ENV),
    ("etcdserver: mvcc: database space exceeded", LOG_NO_ROOM),
    ("write /data/wal/0.tmp: no space left on device", LOG_NO_ROOM),
    ("ERROR qdrant::actix::helpers: Error processing request: Service internal error: No space left on device: WAL buffer size exceeds available disk space", LOG_WRITE_FULL),
    ('ERROR:  could not extend file "base/16384/16402": No space left on device', LOG_WRITE_FULL),
    ("flood stage disk watermark [95%] exceeded on [a1][node-1][/data] free: 2gb[4%], all indices on this node will be marked read-only", LOG_WRITE_FULL),
    ("ERROR:    [Errno 13] error while attempting to bind on address ('0.0.0.0', 80): permission denied", LOG_CAPABILITY),
    ("setting membind: Operation not permitted", LOG_CAPABILITY),
    ("sched_setaffinity: Operation not permitted", LOG_CAPABILITY),
    ("taskset: failed to set pid 0's affinity: Operation not permitted", LOG_CAPABILITY),
    ("unshare: unshare failed: Operation not permitted", LOG_CAPABILITY),
    ("listen tcp :443: bind: permission denied", LOG_CAPABILITY),
    ("nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)", LOG_CAPABILITY),
    ("text_generation_router::infer: router/src/infer.rs:130: no permits available", LOG_OVERLOADED),
    ("The request queue is full.", LOG_OVERLOADED),
    ("[request id: 7] Exceeds maximum queue size", LOG_OVERLOADED),
    ("ray.serve.exceptions.BackPressureError: Request dropped due to backpressure (num_queued_requests=20, max_queued_requests=20).", LOG_OVERLOADED),
)  # fmt: skip


@pytest.mark.parametrize(("line", "signal"), SAID)
def test_a_line_tells_its_own_kind_and_no_other_of_these(line: str, signal: object) -> None:
    told = {one for one, text in matches(f"started\n{line}\nended").items() if text and one in MINE}
    assert told == {signal}


@pytest.mark.parametrize(
    "line",
    [
        # What is tried and gone on without, waits that are short, and words about such errors.
        "INFO 04-01 ray_utils.py:214] Waiting for creating a placement group of specs for 70 seconds. specs=[{'GPU': 1.0}]",
        SCHEDULED.format(', "accelerator_type:A10G": 0.001', ', "GPU": 1.0, "accelerator_type:A10G": 1.0'),
        SCHEDULED.format("", ', "GPU": 0.5'),
        'Resources required for each replica: {"CPU": 1.0}, total resources available: {"CPU": 7.0}.',
        "ggml_cuda_host_malloc: failed to allocate 1900.00 MiB of pinned memory: invalid argument",
        "WARNING LMCache: Failed to allocate memory for tensor(torch.Size([2, 64])) because no memory is available",
        "ImportError: /lib/libgomp.so.1: cannot allocate memory in static TLS block",
        "fork: retry: Resource temporarily unavailable",
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.",
        "exitcode  : 1 (pid: 1234)",
        "Aborted request cmpl-1.",
        "Aborted by client",
        "INFO: enabling faulthandler to dump on Segmentation fault",
        "the process aborted 3 requests",
        "InferencePoolResourceExhausted - failed to find target pod: system saturated, sheddable request dropped",
        "3 healthy workers available",
        'configmaps "extension-apiserver-authentication" is forbidden: User "jane" cannot get resource',
        "403 Forbidden: the bucket is forbidden",
        "NCCL WARN Error: failed to extend /dev/shm/nccl-abc to 100 bytes: write /dev/shm/nccl-abc: no space left on device",
        "received signal 15 (SIGTERM)",
        "ERROR upsert failed: Unexpected Response: 500 Raw response content: b'Service internal error: No space left on device: WAL buffer size'",
        "the queue is not full, no permits needed",
        "set_mempolicy: Invalid argument",
        "PermissionError: [Errno 1] Operation not permitted: '/models/config.json'",
        "the membind option is not permitted with interleave",
        "listen tcp :8443: bind: permission denied",
        "error mounting /models to rootfs: bind mount: permission denied",
        "MemoryErrorHandler registered",
        "",
    ],
)
def test_what_looks_alike_proves_none_of_these(line: str) -> None:
    told = {one.name for one, text in matches(f"[2026-06-01 10:00:00 TP0] {line}").items() if text and one in MINE}
    assert told == set()


@pytest.mark.parametrize(
    "filler",
    [
        "User \\\\\\\\",
        "failed to find target ",
        "nvmlDevice",
        "write /",
        "failed to list ",
        "Fatal Python error: ",
    ],
)
def test_a_giant_line_takes_no_time(filler: str) -> None:
    started = time.process_time()
    assert all(not text for one, text in matches(filler * 20_000).items() if one in MINE)
    assert time.process_time() - started < 5
