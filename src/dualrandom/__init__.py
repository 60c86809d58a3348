"""Double-random inspection draws that anyone can verify.

This package is the domain: what a draw is. An announcement commits to sealed lists before a public random
value exists; from both, pure functions derive which enterprises are inspected and by whom; the published
record lets a stranger repeat every step. Time, randomness, files, network and database are passed in from
outside, and nothing here knows the web.
"""

from typing import Final

__version__: Final = "0.1.0"
