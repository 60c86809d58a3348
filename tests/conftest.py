"""What all tests share: how many examples hypothesis tries.

Runs are deterministic, so that a red test is red again. `DUALRANDOM_DEEP=1` tries many more examples.
"""

import os

from hypothesis import HealthCheck, settings

for name, examples in (("quick", 25), ("deep", 1000)):
    settings.register_profile(
        name,
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
settings.load_profile("deep" if os.environ.get("DUALRANDOM_DEEP") == "1" else "quick")
