"""Where are the programs that a real node needs: on this machine, or in Debian's packages?"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from supaplane_devcluster import build, debian
from supaplane_devcluster.build import Say
from supaplane_devcluster.errors import CannotBuild

NEEDED = ("containerd", "ctr", "runc", "nft", "ip")
PACKAGES = (
    "containerd", "runc", "containernetworking-plugins", "nftables", "iproute2",
    # what these load, where the machine does not have it
    "libnftables1", "libnftnl11", "libmnl0", "libjansson4", "libedit2", "libxtables12",
    "libbpf1", "libelf1", "libcap2", "libbsd0",
)  # fmt: skip
CNI_FOLDERS = ("/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni")
MODULES = {
    "br_netfilter": Path("/proc/sys/net/bridge/bridge-nf-call-iptables"),
}


def check_machine() -> None:
    """Raises CannotBuild, with what would help, if no real node can be on this machine."""
    if sys.platform != "linux":
        raise CannotBuild("a real node needs Linux; with --node simulated any system will do")
    if os.geteuid() != 0:
        raise CannotBuild("a real node needs root; --node simulated does not")
    if missing := [name for name in ("unshare", "nsenter", "mount") if not shutil.which(name)]:
        raise CannotBuild(f"a real node needs {', '.join(missing)} (Debian: util-linux, mount)")
    if missing := [name for name, sign in MODULES.items() if not sign.exists()]:
        raise CannotBuild(f"a real node needs kernel modules: run `modprobe {' '.join(missing)}`")


def ensure(say: Say, cache: Path | None = None) -> Path | None:
    """The root of the packages that hold the programs; None if this machine has all itself."""
    if all(map(shutil.which, NEEDED)) and cni_plugins(None).is_dir():
        return None
    return debian.unpacked(PACKAGES, cache or build.cache_folder(), say)


def cni_plugins(root: Path | None) -> Path:
    """The folder of network plugins, which containerd starts by their path."""
    if root:
        return root / "usr/lib/cni"
    found = (Path(folder) for folder in CNI_FOLDERS if (Path(folder) / "bridge").exists())
    return next(found, Path(CNI_FOLDERS[0]))


def environment(root: Path | None, machine: Mapping[str, str]) -> dict[str, str]:
    """What the node's processes find programs and libraries by; the machine's own come first."""
    environ = dict(machine)
    if root is None:
        return environ
    folders = [str(root / folder) for folder in ("usr/sbin", "usr/bin", "sbin", "bin")]
    environ["PATH"] = ":".join([environ.get("PATH", os.defpath), *folders])
    libraries = [
        str(folder) for base in ("usr/lib", "lib") for folder in (root / base).glob("*-linux-gnu*")
    ]
    environ["LD_LIBRARY_PATH"] = ":".join(libraries)
    return environ
