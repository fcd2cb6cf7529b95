"""The images of a node itself, and what others build theirs upon."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from .archive import Config
from .content import File, Folder, Item, Link, Program, Text, Tree
from .recipe import Recipe
from .sources import Debian, GoModule

_PROGRAMS: Final = Path(__file__).resolve().parent.parent.parent
"""The folder with the Go programs of this package's own."""

NOBODY: Final = 65534

SKELETON: Final[tuple[Item, ...]] = (
    Folder("/tmp", 0o1777),
    Folder("/root", 0o700),
    Text("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n"),
    Text("/etc/group", "root:x:0:\nnogroup:x:65534:\n"),
    Text("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
    *(
        item
        for name in ("bin", "sbin", "lib", "lib64")
        for item in (Folder(f"/usr/{name}"), Link(f"/{name}", f"usr/{name}"))
    ),
)
"""What programs expect of any system. /bin is a link to /usr/bin, as Debian has it."""

_APPLETS: Final = """
    awk basename cat chgrp chmod chown cmp cp cut date dd df dirname du echo env expr false
    find grep gunzip gzip head hostname id ip kill ln ls mkdir mktemp mv nc netstat nslookup od
    ping printf ps pwd readlink realpath rm rmdir sed seq sh sha256sum sleep sort stat
    sync tail tar tee test timeout touch tr true tty uname uniq wc wget which xargs yes
"""

SHELL: Final[tuple[Item, ...]] = (
    File("busybox:bin/busybox", "/usr/bin/busybox", 0o755),
    *(Link(f"/usr/bin/{applet}", "busybox") for applet in _APPLETS.split()),
)
"""A shell and small tools, static. Needs BUSYBOX."""
BUSYBOX: Final = Debian(("busybox-static",))

GLIBC: Final[tuple[Item, ...]] = (
    Program("bash:bin/bash", "/usr/bin/bash"),
    Program("libc:usr/bin/getconf", "/usr/bin/getconf"),
    Tree("libc:usr/lib/locale/C.utf8", "/usr/lib/locale/C.utf8"),
)
"""The machine's C library with the one locale that every program has, and bash. Needs SYSTEM."""
SYSTEM: Final = {
    "busybox": BUSYBOX,
    "bash": Debian(("bash",)),
    "libc": Debian(("libc-bin",)),
}
"""The sources of SKELETON, SHELL and GLIBC."""

PAUSE: Final = Recipe(
    name="pause",
    sources={"pause": GoModule(_PROGRAMS / "pause")},
    layers=((File("pause:program", "/pause", 0o755),),),
    config=Config(entrypoint=("/pause",), user=str(NOBODY)),
)

COREDNS: Final = Recipe(
    name="coredns",
    sources={"coredns": GoModule(_PROGRAMS / "coredns")},
    layers=((File("coredns:program", "/coredns", 0o755),),),
    config=Config(entrypoint=("/coredns",)),
)

TOOLS: Final = Recipe(
    name="tools",
    sources={"busybox": BUSYBOX},
    layers=(SKELETON + SHELL,),
    config=Config(command=("sleep", "infinity"), user=str(NOBODY)),
)
"""For trying the network and volumes of a node: a shell, wget, nc, nslookup, ping."""

KNOWN: Final = (PAUSE, COREDNS, TOOLS)
