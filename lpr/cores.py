"""The number of cores that this process may use."""

import os


def usable_cores() -> int:
    """Cores of the process's CPU affinity, or fewer where a launcher of parallel jobs limits them.

    joblib and Ray set `OMP_NUM_THREADS` in the processes that they start, Slurm sets `SLURM_CPUS_PER_TASK`.
    """
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limits = [os.environ.get(name, "") for name in ("OMP_NUM_THREADS", "SLURM_CPUS_PER_TASK")]
    return max(1, min([available, *(int(limit) for limit in limits if limit.isdigit())]))
