"""What the parser child may still do once it has started: read its input, compute, answer. Nothing else.

Runs in the child, before the first hostile byte. Everything it needs has been imported by then, so the list of
system calls is short and has no `open`, `socket`, `execve`, `clone`, `kill` or `ptrace` in it: a parser that is
taken over can read no key file, reach no network, start no program and touch no other process. Memory can't be
made executable either. A forbidden call fails with EPERM, which Python turns into an error and we into a verdict.

Source: seccomp(2), prctl(2), linux/filter.h, linux/audit.h; the numbers are from asm/unistd_64.h (x86-64) and
asm-generic/unistd.h (arm64).
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import struct
from typing import Final

GIB: Final = 1 << 30
MAX_ADDRESS_SPACE: Final = 3 * GIB
"""The ceiling; the parent sets the limit of each file below it."""
MAX_OPEN_FILES: Final = 16

PR_SET_PDEATHSIG: Final = 1
PR_SET_NO_NEW_PRIVS: Final = 38
SECCOMP_SET_MODE_FILTER: Final = 1
SECCOMP_FILTER_FLAG_TSYNC: Final = 1
CLONE_NEWUSER: Final = 0x10000000
CLONE_NEWNET: Final = 0x40000000

LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
EQUALS: Final = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
HAS_BITS: Final = 0x45  # BPF_JMP | BPF_JSET | BPF_K
RETURN: Final = 0x06
ALLOW: Final = 0x7FFF0000
KILL_PROCESS: Final = 0x80000000
FORBID: Final = 0x00050000 | 1  # SECCOMP_RET_ERRNO with EPERM
NUMBER_OFFSET: Final = 0
ARCHITECTURE_OFFSET: Final = 4
SECOND_ARGUMENT_OFFSET: Final = 24  # low half, on these little endian machines
THIRD_ARGUMENT_OFFSET: Final = 32
PROT_EXEC: Final = 4

MACHINES: Final = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""Column of `CALLS`, and the machine's audit number."""
CALLS: Final[dict[str, tuple[int, int]]] = {
    "read": (0, 63),
    "write": (1, 64),
    "readv": (19, 65),
    "writev": (20, 66),
    "close": (3, 57),
    "lseek": (8, 62),
    "ppoll": (271, 73),
    "brk": (12, 214),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "futex": (202, 98),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115),
    "nanosleep": (35, 101),
    "gettimeofday": (96, 169),
    "getrusage": (98, 165),
    "getrandom": (318, 278),
    "getpid": (39, 172),
    "gettid": (186, 178),
    "exit": (60, 93),
    "exit_group": (231, 94),
}
MAPPING_CALLS: Final[dict[str, tuple[int, int]]] = {"mmap": (9, 222), "mprotect": (10, 226)}
DUPLICATE_CALL: Final = (72, 25)
"""fcntl, for duplicating a descriptor only: Python's mmap does; its other commands can send signals."""
F_DUPFD_CLOEXEC: Final = 1030
SECCOMP_CALL: Final = (317, 277)


def confine() -> str:
    """Take everything away; returns "seccomp", "network" (no network only) or "none"."""
    libc = ctypes.CDLL(None, use_errno=True)
    _limit_resources()
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if _install_filter(libc):
        return "seccomp"
    for flags in (CLONE_NEWNET, CLONE_NEWUSER | CLONE_NEWNET):
        if libc.unshare(flags) == 0:
            return "network"
    return "none"


def die_with_parent(parent_pid: int) -> None:
    """Be killed when the thread that started us ends, and now if the parent is already gone."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(1)


def _limit_resources() -> None:
    """No file grows, no core is written, few descriptors; time and memory are set by the parent for each file."""
    for limit, most in (
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, MAX_OPEN_FILES),
        (resource.RLIMIT_AS, MAX_ADDRESS_SPACE),
    ):
        _, hard = resource.getrlimit(limit)
        lowest = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(limit, (lowest, lowest))


def _install_filter(libc: ctypes.CDLL) -> bool:
    """Whether the kernel took the filter, for all threads."""
    machine = MACHINES.get(platform.machine())
    if machine is None:
        return False
    column, audit_number = machine
    code = _program(column, audit_number)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("@HxxxxxxQ", len(code) // 8, ctypes.addressof(buffer))
    number = SECCOMP_CALL[column]
    return bool(libc.syscall(number, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, program) == 0)


Step = tuple[int, int, int, int]


def _unless(number: int, load: Step, test: Step) -> list[Step]:
    """Allow the call unless `test`, which looks at one argument, leads to the step right after it."""
    return [(EQUALS, 0, 4, number), load, test, (RETURN, 0, 0, FORBID), (RETURN, 0, 0, ALLOW)]


def _program(column: int, audit_number: int) -> bytes:
    """The filter: each instruction is u16 code, u8 jump if true, u8 jump if false, u32 value."""
    steps: list[Step] = [
        (LOAD, 0, 0, ARCHITECTURE_OFFSET),
        (EQUALS, 1, 0, audit_number),
        (RETURN, 0, 0, KILL_PROCESS),
        (LOAD, 0, 0, NUMBER_OFFSET),
    ]
    for numbers in CALLS.values():
        steps += [(EQUALS, 0, 1, numbers[column]), (RETURN, 0, 0, ALLOW)]
    for numbers in MAPPING_CALLS.values():
        steps += _unless(numbers[column], (LOAD, 0, 0, THIRD_ARGUMENT_OFFSET), (HAS_BITS, 0, 1, PROT_EXEC))
    steps += _unless(
        DUPLICATE_CALL[column], (LOAD, 0, 0, SECOND_ARGUMENT_OFFSET), (EQUALS, 1, 0, F_DUPFD_CLOEXEC)
    )
    steps.append((RETURN, 0, 0, FORBID))
    return b"".join(struct.pack("<HBBL", *step) for step in steps)
