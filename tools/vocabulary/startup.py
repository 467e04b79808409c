"""What engines, PyTorch, NCCL, CUDA and the Hugging Face hub print when a start fails, and what pods tell of their start."""

from __future__ import annotations

import re

from tools.signals import Per, fact, line
from tools.vocabulary.fetch_clients import FETCH

LOG_FREE_MEMORY = line("log.free_memory", "Line on free GPU memory at start")
LOG_NO_KV = line("log.no_kv_memory", "Line on memory left for the KV cache")
LOG_LEN_KV = line("log.max_len_kv", "Line on the longest request and the KV cache")
LOG_LEN_MODEL = line("log.max_len_model", "Line on the model's own context limit")
LOG_FRAGMENTS = line("log.cuda_fragments", "Out-of-memory line with reserved memory")
LOG_DOWNLOAD = line("log.model_download", "Line on fetching the model")
LOG_DRIVER = line("log.cuda_driver", "Line on the driver's version")
LOG_NO_KERNEL = line("log.no_kernel", "Line on kernels for this GPU")
LOG_BAD_FLAG = line("log.bad_flag", "Line on an unknown argument")
LOG_TP = line("log.tp_invalid", "Line on the parallel size")
LOG_NCCL = line("log.nccl_init", "NCCL error line")
LOG_COLLECTIVE = line("log.collective_timeout", "Line on a collective that timed out")
LOG_ENGINE_DEAD = line("log.engine_dead", "Line on a dead engine")
LOG_MEMORY_MONITOR = line("log.memory_monitor", "Line on a worker ended for the host's memory")
LOG_UNREACHABLE = line("log.unreachable", "Line on what cannot be reached")

START_BLOCKED = fact("pod.start_blocked", "", Per.REPLICA, "What keeps a container from starting")
PULL_SAID = fact("pod.pull_said", "", Per.REPLICA, "What the image pull said", evidence="event", told_by="events")
PULL_TOOK = fact("pod.pull_took", "seconds", Per.REPLICA, "Time of the image pull", evidence="event", told_by="events")
MOUNT_SAID = fact(
    "pod.mount_said", "", Per.REPLICA, "What mounting the volumes said", evidence="event", told_by="events"
)
SANDBOX_SAID = fact(
    "pod.sandbox_said", "", Per.REPLICA, "What making the pod's sandbox said", evidence="event", told_by="events"
)
PROBE_KILL = fact("pod.probe_kill", "", Per.REPLICA, "Kill after a failed probe", evidence="event", told_by="events")
PROBE_SAID = fact("pod.probe_said", "", Per.REPLICA, "Failed probe", evidence="event", told_by="events")
FAILED_AGO = fact("pod.failed_ago", "seconds", Per.REPLICA, "Time since the pod failed", "min")
# Whom the facts of a start, an end and restarts are about, where it is not the serving container.
TOLD_OF = fact("pod.told_of", "", Per.REPLICA, "Container that failed beside the serving one")
TOLD_LIMIT = fact("pod.told_limit", "bytes", Per.REPLICA, "Memory limit of that container", "min", "config")
INIT_CONTAINER = fact("pod.init_container", "", Per.REPLICA, "Init container that runs")
INIT_RUNNING_FOR = fact("pod.init_running_for", "seconds", Per.REPLICA, "Time that the init container has run")
NO_STARTUP_PROBE = fact(
    "pod.no_startup_probe", "", Per.REPLICA, "Liveness probe without a startup probe", evidence="config"
)

_FAILED = (
    r"(?:[Cc]onnection refused|[Cc]onnection (?:timed out|reset)|[Cc]onnect timeout|i/o timeout|no such host"
    r"|Name or service not known|Temporary failure in name resolution|NewConnectionError|ConnectTimeoutError"
    r"|[Cc]onnection to \S{1,253} timed out|[Ff]ailed to connect|Unable to create lease|tcp connect error)"
)

# Bounded repetitions only: a log may be one giant line.
PATTERNS = {
    # vLLM 0.9.1 to 0.11 names no device.
    LOG_FREE_MEMORY: re.compile(
        r"Free memory on device (?:\S{1,40} )?\([\d.]+/[\d.]+ GiB\) on startup is less than desired GPU memory"
        r" utilization(?: \([\d.]+, [\d.]+ GiB\))?"
        r"|Error in memory profiling\. Initial free memory"
        r"|The memory capacity is unbalanced\. Some GPUs may be occupied by other processes"
    ),
    LOG_NO_KV: re.compile(
        r"No available memory for the cache blocks|Not enough memory\. Please try to increase --mem-fraction-static"
        r"|Not enough memory to handle \d+ prefill tokens"
    ),
    LOG_LEN_KV: re.compile(
        r"To serve at least one request with .{1,300}?estimated maximum model length is \d+"
        r"|To serve at least one request with .{1,80}?max seq len \(\d+\)"
        # Where the size of the cache is overridden, the engine starts all the same and says this.
        r"|Maximum concurrency for [\d,]{1,12} tokens per request: 0\.\d{1,4}x"
        r"|max seq len \(\d+\) is larger than the maximum number of tokens that can be stored in KV cache \(\d+\)"
    ),
    LOG_LEN_MODEL: re.compile(
        # Where a variable allows more than the model's own, both engines say the same and start.
        r"(?:(?<!Warning: )|(?<=ValueError: Warning: ))(?:User-specified|Target model's) context_length \(\d+\)"
        r" is greater than the derived context_length \(\d+\)"
        r"|User-specified max_model_len \(\d+\) is greater than the derived max_model_len(?: \([^)\n]{1,200}\))?+"
        r"(?!\.? (?:This may lead to incorrect model outputs or CUDA errors\. )?(?:VLLM_ALLOW_LONG|Make sure the value))"
    ),
    LOG_FRAGMENTS: re.compile(
        r"Tried to allocate [\d.]+ [KMG]iB.{1,400}?[\d.]+ [KMG]iB is reserved by PyTorch but unallocated"
    ),
    LOG_DOWNLOAD: re.compile(
        r"GatedRepoError|RepositoryNotFoundError|RevisionNotFoundError|LocalEntryNotFoundError|OfflineModeIsEnabled"
        # The hub's client goes on with what it has when it says this of a file or a folder that is there already.
        r"|(?<!Defaulting to existing file\. \(error: )(?<!in `snapshot_download` \()"
        r"(?:401|403|404|429) Client Error.{1,80}?https://huggingface\.co"
        r"|HTTP status client error \(4\d\d [^)\n]{1,40}\) for url \(https://huggingface\.co|Could not download model artifacts"
        r"|host='(?:\w[\w.-]{0,60}\.)?(?:huggingface\.co|hf\.co)', port=443\): Read timed out"
        r"|We couldn't connect to 'https://huggingface\.co' to load"
        r"|Access to model \S{1,150} is restricted|Cannot find any model weights with"
        r"|does not appear to have (?:a file|files) named"
        # A neighbour's bootstrap, a collector of traces or a health check that cannot be reached is no model that cannot.
        r"|Max retries exceeded with url(?!: /(?:route|health|ready|metrics|generate|register|v1/|api/v\d)).{1,200}?"
        r"(?:NameResolutionError|ConnectTimeoutError|NewConnectionError)"
        r"|OSError: \[Errno 28\] No space left on device(?!: '/dev/shm/)"
        # What fetches from a bucket says, KServe's storage initializer among them.
        r"|Failed to fetch model\. No model found in|Unable to locate credentials"
        r"|An error occurred \((?:40[134]|AccessDenied|NoSuchKey|NoSuchBucket|ExpiredToken|InvalidAccessKeyId|SignatureDoesNotMatch)\)"
        r" when calling the \w{1,40} operation"
        # Whatever the reason is that the store or its tokens give.
        r"|An error occurred \(\w{1,60}\) when calling the (?:(?:List|Get|Head)(?:Objects?|Buckets?)(?:V2)?|AssumeRole\w{0,20}) operation"
        r"|botocore\.exceptions\.(?:EndpointConnectionError|ConnectTimeoutError|ReadTimeoutError)"
        r"|does not have storage\.objects\.(?:list|get) access|DefaultCredentialsError"
        # A path or a name with nothing of a model behind it.
        r"|Invalid repository ID or local directory specified|is not a local folder and is not a valid model identifier"
        r"|Can't load (?:tokenizer|the (?:configuration|model)|feature extractor|image processor) (?:for|of) '"
        r"|No tokenizer file found in directory|Unrecognized model in \S{1,300}\. Should have a `model_type` key"
        # Files that are there and not whole: a download that broke off, or pointers of Git LFS.
        r"|Error while deserializing header: |Consistency check failed: file should be of size"
        r"|PytorchStreamReader failed (?:reading zip archive|finding central directory)|invalid load key, 'v'"
        # Servers of a model repository, and what streams weights.
        r"|No versions of servable \S{1,100} found under base path|Could not find base path \S{1,300} for servable"
        r"|failed to load '[^'\n]{1,100}', failed to poll from model repository"
        r"|Could not (?:receive runai_response from|send runai_request to) libstreamer due to" + FETCH
    ),
    LOG_DRIVER: re.compile(
        r"CUDA driver version is insufficient for CUDA runtime version"
        r"|(?<!UserWarning: CUDA initialization: )The NVIDIA driver on your system is too old \(found version \d+\)"
        r"|forward compatibility was attempted on non supported HW"
        r"|system has unsupported display driver / cuda driver combination"
        r"|the provided PTX was compiled with an unsupported toolchain"
        r"|unsatisfied condition: cuda ?>= ?[\d.]+"
    ),
    LOG_NO_KERNEL: re.compile(
        r"no kernel image is available for execution on the device"
        r"|with CUDA capability sm_\d{2,4} is not compatible with the current PyTorch installation"
        r"|Bfloat16 is only supported on GPUs with compute capability of at least"
        r"|Runtime compute cap \d+ is not compatible with compile time compute cap \d+|cuda compute cap \d+ is not supported"
        r"|The quantization method \S{1,60} is not supported for the current GPU\. Minimum capability: \d+"
        r"|(?:Runtime|Value)Error\W{1,3}(?:FlashAttention only supports Ampere GPUs or newer|type fp8e4nv not supported in this architecture)"
        r"|engine plan file is generated on an incompatible device"
    ),
    LOG_BAD_FLAG: re.compile(
        r"error: unrecognized arguments: \S{1,80}|error: unexpected argument '--[\w-]{1,60}' found"
        # The argument is there still, and no longer takes the value.
        r"|error: argument [\w, /-]{1,120}: (?:invalid choice: |invalid \w{1,40} value: |expected (?:one|at least one) argument)"
        r"|error: invalid value '[^'\n]{0,100}' for '--|error: ambiguous option: --"
        r"|(?:\w{0,20}EngineArgs|ServerArgs)\.__init__\(\) got an unexpected keyword argument '\w{1,80}'"
        # Go's flag packages, in endpoint pickers and routers.
        r"|flag provided but not defined: -|unknown flag: --"
    ),
    LOG_TP: re.compile(
        r"Total number of attention heads \(\d+\) must be divisible by tensor parallel size \(\d+\)"
        # As a warning, vLLM says the same of a cluster that may still grow, and waits for its GPUs.
        r"|ValueError: The number of required GPUs exceeds the total number of available GPUs"
        r"|World size \(\d+\) is larger than the number of available GPUs|invalid device ordinal"
        r"|AssertionError: \d+ is not divisible by \d+|`num_heads` must be divisible by `num_shards`"
        r"|This can be caused by too large tensor parallel size|MPI worldSize is expected to be equal to tp\*pp"
    ),
    LOG_NCCL: re.compile(
        r"nccl(?:InternalError|SystemError|UnhandledCudaError|InvalidUsage|RemoteError)\b"
        r"|Duplicate GPU detected : rank \d+ and rank \d+|torch\.distributed\.Dist(?:Backend|Store|Network)Error"
        r"|NCCL WARN Bootstrap : no socket interface found|unhandled (?:cuda|system) error[^\n]{0,60}NCCL version"
        # vLLM's own binding spells the result out.
        r"|NCCL error: (?:unhandled (?:cuda|system) error|internal error|invalid usage|remote process exited)"
        r"|NCCL WARN (?:Call to ibv_\w{1,40} failed|.{0,80}(?:socketStartConnect|No interface found))"
        # Each address that PyTorch tries and cannot have is a warning; only when none is left does it give up.
        r"|Gloo connectFullMesh failed|The client socket has (?:timed out|failed to connect to any network address)"
    ),
    LOG_COLLECTIVE: re.compile(
        r"Watchdog caught collective operation timeout|Some NCCL operations have failed or timed out"
        r"|RPC call to \w{1,60} timed out"
    ),
    LOG_ENGINE_DEAD: re.compile(
        r"EngineDeadError|Background loop has errored already|MQLLMEngine is already dead|No heartbeat received from MQLLMEngine"
        r"|EngineCore encountered (?:a fatal error|an issue)|EngineCore failed to start"
        r"|Engine core initialization failed|Worker proc \S{1,60} died unexpectedly|RayWorkerProc \S{1,60} died unexpectedly"
        r"|(?:Scheduler|Detokenizer\w{0,20}|TokenizerManager) hit an exception|[Ww]atchdog timeout \(self\.watchdog_timeout"
        r"|Error: Shard(?:CannotStart|Failed)|Stub process .{0,80}is (?:unhealthy|not healthy)"
    ),
    # Ray looks itself, and ends the newest worker before the kernel would end any.
    LOG_MEMORY_MONITOR: re.compile(
        r"Task was killed due to the node running low on memory|Workers \(tasks / actors\) killed due to memory pressure \(OOM\)"
        r"|which exceeds the memory usage threshold of [\d.]+"
    ),
    # A host and what went wrong with it, in either order.
    LOG_UNREACHABLE: re.compile(
        rf"(?:://|host='|\b(?:to|at) )[\w.-]{{1,253}}(?::\d{{2,5}}|',).{{0,200}}?{_FAILED}"
        rf"|{_FAILED}.{{0,200}}?(?:://|host='|\b(?:to|at) )[\w.-]{{1,253}}(?::\d{{2,5}}|',)"
    ),
}
_ASKED_AND_HELD = re.compile(
    r"Tried to allocate ([\d.]+ [KMG])iB.{1,400}?([\d.]+ [KMG])iB is reserved by PyTorch but unallocated"
)


def fragments(text: str) -> tuple[str, ...]:
    """What was asked for and what lay reserved and unused, as quantities; nothing where the line is another."""
    match = _ASKED_AND_HELD.search(text)
    return tuple(f"{group.replace(' ', '')}i" for group in match.groups()) if match else ()


# A volume that cannot be set up because an object of that name is not there.
MISSING = re.compile(
    r'(?i)\b(?:secret|configmap|serviceaccount)s? "[^"]{1,253}" not found|references non-existent (?:secret|config) key'
    # What the CSI driver for stores of secrets could not fetch is no disk either.
    r"|failed to mount secrets store objects|failed to get secretproviderclass"
)
