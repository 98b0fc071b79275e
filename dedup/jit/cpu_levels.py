"""Name the levels of a CPU for which kernels are compiled: sets of instructions that many CPUs have."""

import platform

import llvmlite.binding as llvm

V2_FEATURES = frozenset({"cx16", "popcnt", "sahf", "sse3", "sse4.1", "sse4.2", "ssse3"})
V3_FEATURES = V2_FEATURES | {"avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"}
X86_LEVELS = {"x86-64-v3": V3_FEATURES, "x86-64-v2": V2_FEATURES}
"""The CPU features that each level needs, best level first (x86-64 psABI, section 3.1.1)."""
GENERIC_LEVEL = "generic"
"""The level of other CPUs: those instructions that each of them has."""


def find_cpu_levels() -> list[str]:
    """Return the levels of this CPU by their LLVM names, best first."""
    if platform.machine().lower() not in {"x86_64", "amd64"}:
        return [GENERIC_LEVEL]
    features = {name for name, present in llvm.get_host_cpu_features().items() if present}
    return [level for level, level_features in X86_LEVELS.items() if level_features <= features] or [
        GENERIC_LEVEL
    ]
