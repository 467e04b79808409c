"""What routers, controllers, Ray and stores say of the cluster around them: nobody to send to, no right, no room, no resources.

The lines are those of endpoint pickers, Envoy, SGLang's router, Dynamo, the Kubernetes client libraries, Ray and etcd.
"""

from __future__ import annotations

import re

from tools.signals import line

LOG_NO_BACKEND = line("log.no_backend", "Line on engines that a router does not find")
LOG_CLUSTER_API = line("log.cluster_api", "Line on what the Kubernetes API refuses")
LOG_RAY_RESOURCES = line("log.ray_resources", "Line on resources that the Ray cluster lacks")
LOG_RUNTIME_ENV = line("log.runtime_env", "Line on an environment of Ray")
LOG_NO_ROOM = line("log.no_room", "Line on a disk or store without room")
# In a start it is mostly a download that fills a disk, and told as that.
LOG_WRITE_FULL = line("log.write_full", "Line of a write that found no room")

# What takes such a line back when it comes later in the same log.
TAKEN_BACK = {LOG_NO_BACKEND: re.compile(r"Scraping metrics from [1-9]\d{0,5} serving engine")}
# Bounded repetitions only: a log may be one giant line.
PATTERNS = {
    LOG_NO_BACKEND: re.compile(
        r"\bno healthy upstream\b|\bno_healthy_upstream\b|[Nn]o (?:healthy|available|ready) (?:workers?|backends?|upstreams?|endpoints?) (?:are )?available\b"
        r"|No available workers \(|failed to find (?:endpoint candidates|candidate (?:pods|endpoints)) for serving the request"
        r"|InferencePool is not initialized in data store|no instances found for endpoint|No workers available for endpoint"
        r"|No (?:prefill|decode) endpoints discovered|No backend available for model|No deployments available for selected model"
        r"|failed to find target (?:pod|endpoint): (?!.{0,80}(?:saturat|sheddable))"
        r"|Scraping metrics from 0 serving engine"
    ),
    # Quoted as such, or within JSON.
    LOG_CLUSTER_API: re.compile(
        r"is forbidden: User \\{0,4}\"system:serviceaccount:|no matches for kind \\{0,4}\"|if kind is a CRD, it should be installed before calling Start"
        r"|check RBAC permissions for|[Ff]ailed to (?:list|watch) .{1,200}?: the server could not find the requested resource"
    ),
    # What it says while it may still get them is no news: only waits of minutes and refusals are.
    LOG_RAY_RESOURCES: re.compile(
        r"No available node types can fulfill resource request|Waiting for creating a placement group of specs for (?:[3-9]\d{2}|\d{4,6}) seconds"
        r"|failed to schedule because there are not enough resources for the tasks or actors on the whole cluster"
        r"|(?:ActorUnschedulable|TaskUnschedulable)Error"
        # Ray Serve says what a replica asks for and what all nodes have together: GPUs of a kind that none of them is, or none at all.
        r"|Resources required for each replica: (?:(?=[^\n]{0,300}\"(accelerator_type:[\w.-]{1,40})\"[^\n]{0,200}(?:total )?resources available)"
        r"(?![^\n]{0,500}(?:total )?resources available[^\n]{0,300}\1)|(?=[^\n]{0,300}\"GPU\"[^\n]{0,200}(?:total )?resources available)"
        r"(?![^\n]{0,500}(?:total )?resources available[^\n]{0,300}\"GPU\"))"
    ),
    LOG_RUNTIME_ENV: re.compile(
        r"RuntimeEnvSetupError|runtime_env creation failed \d{1,4} times, giving up|Runtime env setup for app '[^'\n]{1,100}' failed"
        r"|Failed to set up runtime environment\b|Could not create the (?:job's )?runtime environment"
    ),
    LOG_NO_ROOM: re.compile(
        r"local object store is full and the local disk's utilization is over capacity|Out-of-disk: Failed to create object"
        r"|\bOutOfDiskError\b|etcdserver: mvcc: database space exceeded|\bNOSPACE alarm\b|alarm:NOSPACE"
        r"|insufficient (?:storage resources available|resources \(10023\))|maximum (?:bytes|messages) exceeded \(10\d{3}\)"
        r"|(?:write|open|mkdir|create|fsync|rename|truncate) /(?!dev/shm)\S{1,200}: no space left on device"
        r"|No space left on device \(os error 28\)"
    ),
    LOG_WRITE_FULL: re.compile(
        r"\[Errno 28\] No space left on device(?!: '/dev/shm/)|\bENOSPC: no space left on device|java\.io\.IOException: No space left on device"
        # Qdrant (not as a client quotes it) and PostgreSQL.
        r"|^(?!.{0,400}?[Rr]esponse).{0,400}?Service internal error: No space left on device"
        r"|could not (?:write to|extend) file .{1,200}?: No space left on device"
        # Stores that stop taking writes before that: Elasticsearch, MinIO, Weaviate.
        r"|flood stage disk watermark|minimum free drive threshold|[Dd]isk usage too high\b"
    ),
}
