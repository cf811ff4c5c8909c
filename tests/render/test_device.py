"""The meaning of `auto`, and what belongs to a device's kind."""

from pathlib import Path

import pytest

from render import device
from render.device import device_kind, has_fast_bfloat16, resolve_precision


@pytest.fixture
def cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list of CPUs, with oneDNN's own limits lifted."""
    for name in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "cpuinfo"
    monkeypatch.setattr(device, "_CPU_INFO", path)
    return path


def with_flags(cpu: Path, flags: str) -> None:
    cpu.write_text(f"model name\t: Fast\nflags\t\t: fpu avx512f {flags}\n\nmodel name\t: Fast\n")


def test_auto_is_bfloat16_on_gpus() -> None:
    assert resolve_precision("auto", has_gpu=True) == "bfloat16"
    assert resolve_precision("float64", has_gpu=True) == "float64"


@pytest.mark.parametrize(
    ("flags", "precision"),
    [
        ("", "float32"),
        ("avx512_vnni", "float32"),
        ("avx512_bf16", "bfloat16"),
        ("avx512_bf16 amx_bf16", "bfloat16"),
    ],
)
def test_auto_follows_the_cpus_instructions(cpu: Path, flags: str, precision: str) -> None:
    with_flags(cpu, flags)
    assert resolve_precision("auto", has_gpu=False) == precision


@pytest.mark.parametrize(
    ("limit", "fast"),
    [
        ("AVX512_CORE", False),
        ("avx2", False),
        ("ALL", True),
        ("AVX512_CORE_BF16", True),
        ("AVX512_CORE_FP16", True),
        ("AVX512_CORE_AMX", True),
    ],
)
def test_auto_follows_onednns_own_limit(
    cpu: Path, monkeypatch: pytest.MonkeyPatch, limit: str, fast: bool
) -> None:
    with_flags(cpu, "avx512_bf16")
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    assert has_fast_bfloat16() is fast


def test_any_cpu_takes_bfloat16_if_asked(cpu: Path) -> None:
    assert not cpu.exists()
    assert resolve_precision("bfloat16", has_gpu=False) == "bfloat16"
    assert resolve_precision("auto", has_gpu=False) == "float32"


def test_instructions_for_bfloat16_belong_to_the_devices_kind(cpu: Path) -> None:
    with_flags(cpu, "")
    plain = device_kind("cpu")
    with_flags(cpu, "avx512_bf16 amx_bf16")
    assert device_kind("cpu") == f"{plain} amx_bf16 avx512_bf16"


def test_onednns_own_limit_belongs_to_the_devices_kind(
    cpu: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_flags(cpu, "avx512_bf16 amx_bf16")
    free = device_kind("cpu")
    monkeypatch.setenv("DNNL_MAX_CPU_ISA", "default")
    assert device_kind("cpu") == free
    plain = free.removesuffix(" amx_bf16 avx512_bf16")
    for limit, instructions in {
        "AVX2": "",
        "AVX512_CORE_BF16": " avx512_bf16",
        "AVX512_CORE_AMX": " amx_bf16 avx512_bf16",
    }.items():
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit.lower())
        assert device_kind("cpu") == f"{plain}{instructions} up to {limit}"
