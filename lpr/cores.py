"""How many cores this process may use."""

import os


def usable_cores() -> int:
    """Cores to divide work among: those that the system lends, or fewer where a launcher has shared them out.

    joblib and Ray set `OMP_NUM_THREADS` in the processes that they start, Slurm `SLURM_CPUS_PER_TASK`, so that jobs
    side by side do not fight for the same cores.
    """
    lent = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    shares = [os.environ.get(name, "") for name in ("OMP_NUM_THREADS", "SLURM_CPUS_PER_TASK")]
    return max(1, min([lent, *(int(share) for share in shares if share.isdigit())]))
