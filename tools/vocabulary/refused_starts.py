"""What engines, their libraries and compilers print when a start fails for what they are given: model, settings, image, system.

More wordings of the same signals stand in the catalogue of log lines.
"""

from __future__ import annotations

import re

from tools.signals import line

LOG_UNSUPPORTED = line("log.unsupported_model", "Line on a model that the engine does not know")
LOG_REFUSED = line("log.config_refused", "Line on settings that the engine refuses")
LOG_ADDRESS = line("log.address_in_use", "Line on an address in use")
LOG_BUILD_TOOLS = line("log.build_tools", "Line on compiling at start")
LOG_OS_LIMITS = line("log.os_limits", "Line on a limit of the operating system")
LOG_LIBRARY = line("log.library_missing", "Line on a library or module")
LOG_PERMISSION = line("log.permission_denied", "Line on a path without rights")
LOG_KV_TRANSFER = line("log.kv_transfer", "Line on a transfer of KV cache")

_TOOL = r"(?:/[\w./-]{1,120}/)?(?:ninja|nvcc|gcc|g\+\+|cc|c\+\+|clang(?:\+\+)?|ptxas|cmake|make)"

# Bounded repetitions only: a log may be one giant line.
PATTERNS = {
    LOG_UNSUPPORTED: re.compile(
        r"Model architectures \[?[^\]\n]{1,200}\]? (?:are not supported for now|failed to be inspected)"
        r"|is not supported in vLLM since|is not supported in-tree anymore"
        r"|has no (?:vLLM|SGLang) ?[Ii]mplementation(?!, falling back)|The Transformers implementation of \S{1,100} is not compatible with"
        r"|Transformers does not recognize this architecture|Unrecognized configuration class <class"
        r"|contains custom code which must be executed to correctly load the model"
        r"|requires you to execute the (?:configuration|tokenizer|modeling) file in that"
        r"|consider setting `trust_remote_code=True`"
        r"|Tokenizer class \S{1,100} does not exist or is not currently imported"
        r"|Error: Unsupported model type \S|unknown model architecture: '"
        # A TensorRT plan is bound to the version that built it.
        r"|Serialization assertion .{1,120}? failed|The engine plan file is not compatible with this version of TensorRT"
        r"|ValueError: Unknown quantization method: \S|`rope_scaling` must be a dictionary with two fields"
        r"|ValueError: There is no module or parameter named|Following weights were not initialized from checkpoint: "
        r"|Attempted to load weight \(torch\.Size\(|size mismatch for [\w.]{1,150}: copying a param with shape"
        r"|KeyError: '(?:model\.|transformer\.|language_model\.)?(?:layers|h|blocks)\.\d{1,4}\.[\w.]{1,150}'"
    ),
    LOG_REFUSED: re.compile(
        r"validation errors? for \w{0,30}Config\b|Value error, .{1,600}?input_type=ArgsKwargs\]"
        r"|invalid literal for int\(\) with base 10: 'tcp://|appears to be a URI\. This may be caused by a Kubernetes service discovery issue"
        r"|Quantization method specified in the model config \(\S{1,60}\) does not match"
        r"|(?:ValueError|Not[I]mplementedError|AssertionError): .{0,200}?(?:(?:is|are) (?:not (?:supported|compatible)|incompatible) with(?! (?:vLLM|SGLang)\.)"
        r"|cannot be (?:used|enabled|set|combined|specified) (?:together )?with|(?:is|are) mutually exclusive)"
        r"|(?:Not[I]mplementedError|AssertionError): .{0,200}?(?:do(?:es)? not support|not (?:yet|currently) supported)"
        r"|LoRA rank \d{1,5} is greater than max_lora_rank|VLLM_USE_V1=[01] is not supported with|(?:yaml|ruamel)\.\w{1,40}\.\w{0,20}(?:ScannerError|ParserError)"
    ),
    # An engine that looks for the next free port says that one is taken and goes on; so does an agent that tries again.
    LOG_ADDRESS: re.compile(
        r"\[Errno 98\]|EADDRINUSE|(?:bind|listen\w{0,3}|Error|error): ?\S{0,80} ?(?:bind: )?[Aa]ddress already in use"
        r"|[Aa]ddress already in use \((?:os error 98|addr=)|Failed to (?:bind to|listen on) (?:address|port) \S{1,80}+(?! \(attempt \d)"
    ),
    LOG_BUILD_TOOLS: re.compile(
        rf"No such file or directory: '{_TOOL}'|(?:/bin/)?(?:sh|bash)\S{{0,3}}(?: line)?(?: \d{{1,5}}:)? :?{_TOOL}: (?:command )?not found"
        r"|Failed to find C compiler|No working C\+\+ compiler found in|Could not find nvcc\b|Ninja is required to load C\+\+ extensions"
        r"|CUDA_HOME environment variable is not set|(?:Ninja build failed|Error building extension '\w{1,80}')"
        r"|fatal error: (?:[\w./-]{1,80}\.(?:h|hpp|cuh|inc)|cassert|cstdint): No such file"
        r"|CalledProcessError: Command '\['?\S{0,80}(?:gcc|g\+\+|cc|clang|nvcc|ninja)\b"
        r"|/ld: cannot find -l\w{1,40}|nvcc fatal\s{1,8}: |ptxas fatal\s{1,8}: |RuntimeError: Cannot find ptxas"
    ),
    LOG_OS_LIMITS: re.compile(
        # vLLM, SGLang and their routers name the error in advance, where they could not raise the limit, and go on.
        r"\[Errno 24\](?! Too many open files`)|[Tt]oo many open files(?!`)|can't start new thread|pthread_create failed|pthread_create: Resource temporarily|Thread creation failed: Resource temporarily"
        r"|\[Errno 11\] Resource temporarily unavailable|what\(\):\s{1,4}Resource temporarily unavailable"
        r"|code: 11, kind: WouldBlock, message: \"Resource temporarily unavailable\"|failed to create new OS thread"
        r"|fork: (?:retry: )?(?:Resource temporarily unavailable|Cannot allocate memory)"
        r"|Please set max locked memory \(ulimit -l\)"
    ),
    LOG_LIBRARY: re.compile(
        # A warning quotes the error, `ImportError('libcuda.so.1: ...')`, and the start goes on.
        r"(?:Import|OS|Runtime)Error: (?:.{0,200}?/)?lib[\w.+-]{1,80}\.so[\w.]{0,20}: (?:cannot open shared object file|undefined symbol)"
        r"|ImportError: .{1,200}?(?:\.so[\w.]{0,20}: undefined symbol: |version `GLIBC(?:XX)?_[\d.]{1,12}' not found)"
        r"|error while loading shared libraries: |ModuleNotFoundError: No module named '|ImportError: cannot import name '"
        r"|requires the following packages that were not found in your environment"
        r"|cuDNN version incompatibility: |AssertionError: Torch not compiled with CUDA enabled|NVML Shared Library Not Found"
        r"|Failed to infer device type|^exec \S{1,200}: exec format error|numpy\.dtype size changed, may indicate binary incompatibility"
    ),
    LOG_PERMISSION: re.compile(
        r"(?:PermissionError|OSError): \[Errno (?:1|13|30)\] |(?:Permission denied \(os error 13\)|Read-only file system \(os error 30\))"
        r"|(?:mkdir|touch|cp|mv|rm|chown|chmod|ln|tee|tar): .{1,200}?: (?:Permission denied|Read-only file system|Operation not permitted)"
        r"|(?:open|mkdir|create|rename|chmod) /[^\s:]{1,200}: (?:permission denied|read-only file system)"
        r"|PermissionError at \S{1,300} when downloading|cannot cache function '.{1,100}?': no locator available"
        r"|getpwuid\(\): uid not found|exec: \"\S{1,200}\": permission denied|^(?:/bin/)?(?:sh|bash): .{1,200}?: (?:Permission denied|Read-only file system)"
    ),
    LOG_KV_TRANSFER: re.compile(
        r"(?:Decode|Prefill) transfer failed for request rank|(?:Prefill bootstrap|Decode handshake) failed for request rank"
        r"|KVTransferError\(bootstrap_room=|NIXL KV(?:Receiver|Sender) Exception|NIXL_ERR_(?:REMOTE_DISCONNECT|BACKEND|NOT_FOUND|INVALID_PARAM)"
    ),
}
