"""Compile the kernels into the wheel, so that no command has to.

The kernels are for a level of the CPU: `DEDUP_CPU_LEVEL` (x86-64-v3, x86-64-v2, generic on ARM, or `all` levels of the
machine that builds), and where it is not set the best one of that machine. `HATCH_BUILD_NO_HOOKS=true` leaves them out; the
wheel then serves any platform.
"""

import os
import platform
import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class KernelBuildHook(BuildHookInterface[Any]):
    """Compiles the kernels and tags the wheel with the platform that they are for."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the kernels into the package; an editable installation finds them there."""
        level = os.environ.get("DEDUP_CPU_LEVEL")
        self.app.display_info(f"Compiling kernels for CPU level {level or 'of this machine'} ...")
        command = [sys.executable, "-m", "dedup.precompile", *([level] if level else [])]
        subprocess.run(command, cwd=self.root, check=True)  # noqa: S603 - the arguments are the builder's own
        if version != "editable" and Path(self.root, "dedup", "kernels").is_dir():
            machine = platform.machine().lower()
            tag = re.sub("[-.]", "_", sysconfig.get_platform()).replace("universal2", machine)
            build_data["artifacts"].append(f"/dedup/kernels/{sys.platform}-{machine}-*/*")
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{tag}"
