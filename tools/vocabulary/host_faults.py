"""What ends a process from beneath: the host's memory, native code that crashes, a GPU that its driver or CUDA keeps from it.

The lines are those of glibc, CPython, PyTorch, CUDA, NVML and DCGM, and of the runtimes of Go and Rust.
"""

from __future__ import annotations

import re

from tools.signals import line

LOG_HOST_MEMORY = line("log.host_memory", "Line on memory of the host")
LOG_NATIVE_CRASH = line("log.native_crash", "Line on a crash of native code")
LOG_DEVICE_REFUSED = line("log.device_refused", "Line on a GPU that is refused")
LOG_CAPABILITY = line("log.capability", "Line on a right of the container")

# How a process falls that an error has ended already: it says nothing where that error is told.
AFTER_AN_ERROR = re.compile(
    r"terminate called|(?:free|realloc|munmap_chunk)\(\): invalid|double free|corrupted|\bAborted\b|SIGABRT|-6\b"
)
# Bounded repetitions only: a log may be one giant line.
PATTERNS = {
    LOG_HOST_MEMORY: re.compile(
        r"DefaultCPUAllocator: (?:can't allocate|not enough) memory|unable to mmap \d{1,20} bytes from file <"
        r"|\bstd::bad_alloc\b|(?:^|[\s\])|:])MemoryError(?:$|: )|ArrayMemoryError: Unable to allocate"
        r"|OSError: \[Errno 12\] Cannot allocate memory|Cannot allocate memory \(os error 12\)"
        r"|memory allocation of \d{1,20} bytes failed|fatal error: runtime: (?:out of memory|cannot allocate memory)"
        r"|mmap(?:\(\))? failed: Cannot allocate memory"
    ),
    LOG_NATIVE_CRASH: re.compile(
        r"!!!!!!! Segfault encountered !!!!!!!|Fatal Python error: (?:Segmentation fault|Aborted|Illegal instruction|Floating.point exception)"
        r"|\*\*\* SIG(?:SEGV|ABRT|ILL|FPE) received at time|Caught signal (?:4|6|8|11) \(|\[signal SIG(?:SEGV|ABRT|ILL|FPE): "
        r"|(?:Segmentation fault|Aborted|Illegal instruction|Floating point exception)\s{1,20}\(core dumped\)"
        r"|(?:^|Z |line \d{1,6}:\s{1,20}\d{1,8}\s{1,4})(?:Segmentation fault|Aborted|Illegal instruction)(?:$|\s{2,30}\S)"
        r"|Signal: (?:Segmentation fault|Aborted|Illegal instruction) \(\d{1,2}\)|Signal \((?:4|6|8|11)\) received"
        r"|was signaled to shutdown with signal (?:4|6|8|11)\b|Signal (?:4|6|8|11) \(SIG(?:ILL|ABRT|FPE|SEGV)\) received by PID"
        r"|exitcode\s{0,4}: -(?:4|6|8|11)\b|died unexpectedly with exit ?code -(?:4|6|8|11)\b|Exit code: -(?:4|6|8|11)\b"
        r"|double free or corruption|corrupted (?:size vs\. prev_size|double-linked list)|(?:free|realloc|munmap_chunk)\(\): invalid (?:pointer|next size)"
        r"|malloc(?:_consolidate)?\(\): (?:invalid|unaligned|corrupted|unsorted|memory corruption)|\*\*\* stack smashing detected \*\*\*"
        r"|terminate called after throwing an instance of '(?!std::bad_alloc|std::system_error)"
    ),
    LOG_DEVICE_REFUSED: re.compile(
        r"CUDA-capable device\(s\) is/are busy or unavailable|all CUDA-capable devices are busy or unavailable"
        r"|exclusive-thread device already in use by a different thread|MPS client failed to connect to the MPS control daemon"
        r"|MPS server is not ready to accept new MPS client requests|the MPS client has been terminated by the server"
        r"|hardware resources required to (?:create MPS client|support device connections) have been exhausted"
        r"|CUDA_ERROR_(?:DEVICE_UNAVAILABLE|DEVICE_NOT_LICENSED|MPS_\w{1,40})\b|cudaError(?:DevicesUnavailable|DeviceNotLicensed|Mps\w{1,40})\b"
        r"|device doesn't have (?:a )?valid Grid license"
    ),
    LOG_CAPABILITY: re.compile(
        r"NVMLError_(?:NoPermission|OperatingSystem)\b|ERR_NVGPUCTRPERM|\bpidfd_getfd\b.{0,80}failed|\btry adding --cap-add"
        # A port below 1024 without NET_BIND_SERVICE.
        r"|(?:\bbind on address \('\S{0,60}', |\bbind\(\) to \S{0,60}:|\blisten tcp[46]? \S{0,60}:)(?:[1-9]\d{0,2}|10[01]\d|102[0-3])\b.{1,20}[Pp]ermission denied"
        # A system call that is refused: numactl, taskset, chrt and what else asks for one by its name.
        r"|\b(?:[gs]et_mempolicy|setting membind|mbind|move_pages|migrate_pages|sched_set\w{1,20}|failed to set pid \d{1,7}'s (?:affinity|policy)|set(?:priority|ns|hostname|uid|gid|groups)"
        r"|unshare(?: failed)?|ptrace(?:\(\w{1,30}\))?|process_vm_(?:read|write)v|perf_event_open(?:\(\))?|io_uring_setup|io_uring_queue_init|bpf|keyctl|iopl|ioprio_set)\b.{0,60}Operation not permitted"
        # A thread that the runtime's seccomp profile forbids; DCGM's own number for a right that is missing.
        r"|what\(\):\s{1,4}Operation not permitted"
        r"|CacheManager Init Failed\. Error: -17\b|(?:nvmlDevice\w{1,60}|NVML|nvml)\b.{0,80}: Insufficient Permissions"
    ),
}
