"""What the kernel takes away from a process that reads a stranger's file.

Each wall is one function that answers whether it stands: where a kernel or a container does not allow it, the
others still do. `linux/seccomp.h`, `linux/landlock.h`, `prctl(2)`, `unshare(2)` and the kernel's tables of
system calls are where the numbers come from.
"""

import ctypes
import os
import platform
import resource
import signal
import struct
from dataclasses import dataclass
from typing import Final

from worker.sandbox.limits import DecodeLimits

_LIBC = ctypes.CDLL(None, use_errno=True)

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_SECCOMP_MODE_FILTER = 2
_CLONE_NEWUSER, _CLONE_NEWNET = 0x1000_0000, 0x4000_0000
_LANDLOCK_CREATE_RULESET, _LANDLOCK_RESTRICT_SELF = 444, 446  # the same on every architecture
_LANDLOCK_VERSION = 1
# By version of Landlock: which bits of file access there are to take away.
_LANDLOCK_FILES = {1: 2**13 - 1, 2: 2**14 - 1, 3: 2**15 - 1, 4: 2**15 - 1, 5: 2**16 - 1}
_LANDLOCK_NETWORK = 2**2 - 1  # bind and connect of TCP, since version 4
_LANDLOCK_SCOPES = 2**2 - 1  # abstract sockets and signals beyond the sandbox, since version 6
_MAX_DESCRIPTORS = 16
_NOBODY = 65_534


def limit_resources(limits: DecodeLimits) -> bool:
    """Memory, CPU, no files to write, no processes to start, no core dump with a stranger's song in it."""
    for kind, soft, hard in (
        (resource.RLIMIT_AS, limits.memory_bytes, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + 1),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_NOFILE, _MAX_DESCRIPTORS, _MAX_DESCRIPTORS),
        (resource.RLIMIT_NPROC, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        present = resource.getrlimit(kind)[1]
        most = hard if present == resource.RLIM_INFINITY else min(hard, present)
        resource.setrlimit(kind, (min(soft, most), most))
    return True


def leave_root() -> bool:
    """Nobody instead of root; any other user stays who it is."""
    if os.geteuid() != 0:
        return True
    try:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    except OSError:  # a user namespace that has no nobody
        return False
    return True


def forbid_new_privileges() -> bool:
    """No setuid program gives any back."""
    return _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def hide_memory() -> bool:
    """Nobody of the same user looks into this process' memory."""
    return _prctl(_PR_SET_DUMPABLE, 0)


def end_with(parent: int) -> bool:
    """Whenever the parent ends, this process does. For after `leave_root`, which would undo it."""
    standing = _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)  # it has ended before
    return standing


def leave_network() -> bool:
    """A network of its own, with nothing in it; as another user than root, in a user namespace of its own."""
    kinds = _CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWUSER | _CLONE_NEWNET
    return bool(_LIBC.unshare(kinds) == 0)


def leave_files() -> bool:
    """No file can be opened any more, by Landlock; what is open stays open."""
    version = _LIBC.syscall(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), _LANDLOCK_VERSION)
    if version < 1:
        return False
    files = _LANDLOCK_FILES[min(version, max(_LANDLOCK_FILES))]
    rules = struct.pack(
        "=QQQ", files, _LANDLOCK_NETWORK if version >= 4 else 0, _LANDLOCK_SCOPES if version >= 6 else 0
    )
    known_bytes = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = _LIBC.syscall(_LANDLOCK_CREATE_RULESET, rules[:known_bytes], ctypes.c_size_t(known_bytes), 0)
    if ruleset < 0:
        return False
    try:
        return bool(_LIBC.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def limit_system_calls() -> bool:
    """Only what computing and the pipes that are open need, by seccomp; the rest is refused as EPERM.

    Needs `forbid_new_privileges`. False on an architecture whose numbers we do not know.
    """
    architecture = _ARCHITECTURES.get(platform.machine())
    if architecture is None:
        return False
    program = _filter(architecture)
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(code))
    return _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, header)


def _prctl(option: int, *arguments: int | bytes) -> bool:
    words = [ctypes.c_ulong(word) if isinstance(word, int) else word for word in arguments]
    padding = [ctypes.c_ulong(0)] * (4 - len(words))
    return bool(_LIBC.prctl(ctypes.c_int(option), *words, *padding) == 0)


@dataclass(frozen=True, kw_only=True)
class _Architecture:
    """How the kernel numbers its calls on one kind of machine."""

    audit: int  # AUDIT_ARCH_*
    numbers: tuple[int, ...]  # of the calls in _ALLOWED, in its order


_ALLOWED: Final = (
    # the pipe and the song
    "read", "write", "readv", "writev", "pread64", "lseek", "fstat", "close", "poll",
    # memory
    "mmap", "munmap", "mremap", "mprotect", "madvise", "brk",
    # locks and time
    "futex", "sched_yield", "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday",
    # looking at itself, signals that it gets, and the end
    "getpid", "gettid", "getrandom", "sched_getaffinity", "set_robust_list", "rseq", "membarrier",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall", "exit", "exit_group",
)  # fmt: skip
_ARCHITECTURES: Final = {
    "x86_64": _Architecture(
        audit=0xC000_003E,
        numbers=(
            0, 1, 19, 20, 17, 8, 5, 3, 7,
            9, 11, 25, 10, 28, 12,
            202, 24, 228, 229, 230, 35, 96,
            39, 186, 318, 204, 273, 334, 324,
            13, 14, 15, 131, 219, 60, 231,
        ),
    ),
    "aarch64": _Architecture(
        audit=0xC000_00B7,
        numbers=(
            63, 64, 65, 66, 67, 62, 80, 57, 73,  # ppoll is its poll
            222, 215, 216, 226, 233, 214,
            98, 124, 113, 114, 115, 101, 169,
            172, 178, 278, 123, 99, 293, 283,
            134, 135, 139, 132, 128, 93, 94,
        ),
    ),
}  # fmt: skip

_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06  # BPF: absolute load of a word, jump, return
_NUMBER_OFFSET, _ARCHITECTURE_OFFSET = 0, 4  # in struct seccomp_data
_ALLOW, _KILL, _REFUSE = 0x7FFF_0000, 0x8000_0000, 0x0005_0001  # the last with EPERM


def _filter(architecture: _Architecture) -> bytes:
    """The BPF program: another architecture's call ends the process; one that is not on the list is refused.

    Calls of x86's x32 have numbers of their own, which are not on the list.
    """
    numbers = architecture.numbers
    lines = [
        (_LOAD, 0, 0, _ARCHITECTURE_OFFSET),
        (_JUMP_IF_EQUAL, 1, 0, architecture.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_OFFSET),
        *((_JUMP_IF_EQUAL, len(numbers) - place, 0, number) for place, number in enumerate(numbers)),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)
