"""Starts a container's process: namespaces, root file system, limits, capabilities and user, then its command.

Root runs ``main`` as a program (``COMMAND``), with Python's standard library only: ``run FILE`` starts a container from a
JSON specification and ends with its process; ``exec FILE`` runs a command inside a running container, as ECS runs a health
check. The file is removed as soon as it has been read, because it contains the container's secrets.

Each start and each health check imports this module: it does without ``pathlib`` and ``typing``, which take Python as long
as its own start.

A container gets the same as from containerd on Fargate: mount, process, IPC and host name namespaces, ``/proc``, a
separate ``/dev`` and ``/dev/shm``, Docker's default capabilities without the dropped ones, and process id 1. A program
with process id 1 that does not handle SIGTERM ignores it.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

COMMAND = (
    sys.executable, "-I", "-S", "-c",
    "import sys; sys.path.append(sys.argv.pop(1)); from local.task import launch; sys.exit(launch.main())",
    os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))),
)  # fmt: skip
"""The program, before ``run`` or ``exec``: a module that is imported is compiled once, unlike a script."""
_LIBC = ctypes.CDLL(None, use_errno=True)
NEWNS, NEWUTS, NEWIPC, NEWPID = 0x20000, 0x4000000, 0x8000000, 0x20000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = (
    1,
    2,
    4,
    8,
    32,
    4096,
    16384,
    1 << 18,
)
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_CAPBSET_READ, PR_CAPBSET_DROP = 1, 23, 24
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}[os.uname().machine]
CAPABILITIES = (  # noqa: SIM905 - forty words
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
    "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN "
    "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE "
    "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
).split()
"""The capabilities in the order of ``linux/capability.h``: the position is the capability's number."""
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""A shell's exit codes for a command that does not exist or cannot be run; Docker uses them too."""


def _checked(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def _mount(source: str, target: str, kind: str | None = None, flags: int = 0, data: str | None = None) -> None:
    encoded = [None if one is None else os.fsencode(one) for one in (source, target, kind, data)]
    _checked(_LIBC.mount(encoded[0], encoded[1], encoded[2], flags, encoded[3]), f"mount {source} at {target}")


def _bind(source: str, target: str, *, read_only: bool) -> None:
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if not os.path.exists(target):
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644))
    _mount(source, target, None, MS_BIND | MS_REC)
    if read_only:
        _mount("none", target, None, MS_BIND | MS_REMOUNT | MS_RDONLY)


def _build(spec: dict[str, Any]) -> str:
    """The root file system: a memory disk with what the image has, the devices and the volumes."""
    root: str = spec["root"]
    _mount("none", "/", None, MS_REC | MS_PRIVATE)
    _mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
    for folder in spec["folders"]:
        os.makedirs(root + folder, exist_ok=True)
    for source, target in spec["binds"]:
        _bind(source, root + target, read_only=True)
    for target, text in spec["files"].items():
        os.makedirs(os.path.dirname(root + target), exist_ok=True)
        with open(root + target, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(root + target, 0o644)
    for link, target in spec["links"].items():
        os.makedirs(os.path.dirname(root + link), exist_ok=True)
        os.symlink(target, root + link)
    _devices(f"{root}/dev")
    for volume in spec["volumes"]:
        _bind(volume["source"], root + volume["target"], read_only=volume["read_only"])
    # A file of the image that has to differ lies on a mount that is read-only by now: it is bound over.
    for source, target in spec["over"]:
        _bind(source, root + target, read_only=True)
    return root


def _devices(folder: str) -> None:
    os.makedirs(folder, exist_ok=True)
    _mount("tmpfs", folder, "tmpfs", MS_NOSUID, "mode=755,size=65536k")
    for name in DEVICES:
        _bind(f"/dev/{name}", f"{folder}/{name}", read_only=False)
    os.mkdir(f"{folder}/shm")
    _mount("shm", f"{folder}/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=65536k")
    for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(f"/proc/self/{target}", f"{folder}/{name}")


def _enter_root(root: str, *, read_only: bool) -> None:
    os.makedirs(f"{root}/proc", exist_ok=True)
    _mount("proc", f"{root}/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    os.makedirs(f"{root}/sys", exist_ok=True)
    _mount("sysfs", f"{root}/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY)
    os.chdir(root)
    _checked(_LIBC.syscall(PIVOT_ROOT, b".", b"."), f"change the root to {root}")
    _checked(_LIBC.umount2(b".", MNT_DETACH), "leave the old root")
    if read_only:
        _mount("none", "/", None, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV)


def _become(spec: dict[str, Any]) -> None:
    """Limits, capabilities and user, in the order in which each is still permitted."""
    for name, wanted in spec["limits"].items():
        which = getattr(resource, f"RLIMIT_{name.upper()}")
        # A machine may not let even root raise its own limit: then that is the most.
        most = resource.getrlimit(which)[1]
        soft, hard = (one if most == resource.RLIM_INFINITY else min(one, most) for one in wanted)
        resource.setrlimit(which, (soft, hard))
    kept = set(spec["capabilities"])
    for number, name in enumerate(CAPABILITIES):
        if name not in kept and _LIBC.prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 1:
            _checked(_LIBC.prctl(PR_CAPBSET_DROP, number, 0, 0, 0), f"drop {name}")
    os.umask(0o022)
    os.setgroups([spec["group"]])
    os.setgid(spec["group"])
    os.setuid(spec["user"])
    # Nothing else stops the container once its parent has ended. Changing the user clears this, so it comes after.
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _execute(spec: dict[str, Any]) -> None:
    """Run the command; only an error returns."""
    try:
        os.chdir(spec["directory"])
    except OSError as problem:
        _fail(f'mkdir or chdir to cwd ("{spec["directory"]}") set in config.json failed: {problem.strerror}', NOT_FOUND)
    os.closerange(3, 256)
    command: list[str] = spec["command"]
    for folder in [""] if "/" in command[0] else spec["environment"].get("PATH", "").split(":"):
        file = f"{folder}/{command[0]}" if folder else command[0]
        try:
            os.execve(file, command, spec["environment"])  # noqa: S606 - the task definition's command
        except FileNotFoundError:
            continue
        except OSError as problem:
            _fail(f'exec: "{command[0]}": {problem.strerror}', NOT_EXECUTABLE)
    _fail(f'exec: "{command[0]}": executable file not found in $PATH', NOT_FOUND)


def _fail(text: str, code: int) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
    os._exit(code)


def _init(spec: dict[str, Any]) -> None:
    """An init process (``initProcessEnabled``): it hands SIGTERM on and collects the children that are left to it."""
    child = os.fork()
    if not child:
        _execute(spec)
    _hand_on(child)
    while True:
        ended, status = os.wait()
        if ended == child:
            os._exit(_code(status))


def _hand_on(child: int) -> None:
    def forward(number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, forward)


def _code(status: int) -> int:
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def run(spec: dict[str, Any]) -> int:
    """Run a container until it ends; return its exit code."""
    _checked(_LIBC.unshare(NEWNS | NEWUTS | NEWIPC | NEWPID), "unshare")
    root = _build(spec)
    # The child changes the root of this process as well, which is in the same mount namespace.
    started = os.open(spec["started"], os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    child = os.fork()
    if not child:
        _enter_root(root, read_only=spec["read_only"])
        name = spec["host_name"].encode()
        _checked(_LIBC.sethostname(name, len(name)), "set the host name")
        _become(spec)
        if spec["init"]:
            _init(spec)
        _execute(spec)
    _hand_on(child)
    os.write(started, str(child).encode())
    os.close(started)
    _, status = os.waitpid(child, 0)
    return _code(status)


def execute(spec: dict[str, Any]) -> int:
    """Run a command inside a running container; return its exit code."""
    namespaces = [
        os.open(f"/proc/{spec['process']}/ns/{name}", os.O_RDONLY) for name in ("ipc", "uts", "net", "pid", "mnt")
    ]
    for namespace in namespaces:
        _checked(_LIBC.setns(namespace, 0), "enter the container")
    child = os.fork()
    if not child:
        _become(spec)
        _execute(spec)
    _, status = os.waitpid(child, 0)
    return _code(status)


def main() -> int:
    """Run ``run`` or ``exec`` with a specification from a file."""
    what, name = sys.argv[1:]
    with open(name, encoding="utf-8") as file:
        spec = json.load(file)
    os.unlink(name)
    return run(spec) if what == "run" else execute(spec)
