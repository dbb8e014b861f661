"""What kind of host this is: a CPU, a CUDA GPU, or a ZeroGPU Space that lends one per call.

The only place that knows; everything else asks it.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

ZERO_GPU_SECONDS = 60
"""The longest loan: an anonymous visitor of a Space has two minutes a day."""


@dataclass(frozen=True)
class Host:
    """The device that answers, and how a training run gets one."""

    kind: Literal["cpu", "cuda", "zerogpu"]
    device: str
    """What torch calls the device that answers."""
    name: str
    """For people: `2 CPU cores` or the GPU's name."""
    threads: int
    bf16: bool
    """Whether bfloat16 products are fast here."""

    def lend_gpu(self, function: Callable[..., Any], seconds: float) -> Callable[..., Any]:
        """`function`, run on a borrowed GPU on ZeroGPU and as it is elsewhere.

        It must be plain and synchronous, with picklable arguments: there it runs in a forked process.
        """
        if self.kind != "zerogpu":
            return function
        import spaces

        duration = max(1, min(ZERO_GPU_SECONDS, round(seconds)))
        borrowed: Callable[..., Any] = spaces.GPU(duration=duration)(function)
        return borrowed


def detect(threads: int = 0) -> Host:
    """Look at the machine. Imports torch, so call it off the start-up path.

    Args:
        threads: threads for the model; 0 means one per core that this process may use.
    """
    import torch

    cores = threads or torch.get_num_threads()
    cpu = f"{cores} CPU {'core' if cores == 1 else 'cores'}"
    if os.environ.get("SPACES_ZERO_GPU"):
        return Host("zerogpu", "cpu", cpu, cores, bf16=False)
    if torch.cuda.is_available():
        major = torch.cuda.get_device_capability()[0]
        return Host("cuda", "cuda", torch.cuda.get_device_name(), cores, bf16=major >= 8)
    capability = torch.backends.cpu.get_cpu_capability()
    return Host("cpu", "cpu", cpu, cores, bf16="AVX512" in capability)


def for_training(host: Host) -> Host:
    """The device that trains: on ZeroGPU a run computes where a GPU was borrowed."""
    return replace(host, device="cuda", bf16=True) if host.kind == "zerogpu" else host
