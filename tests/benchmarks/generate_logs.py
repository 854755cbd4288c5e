"""Write a log of agent runs of any size.

python -m tests.benchmarks.generate_logs OUT [--rows 200000] [--seed 11] [--bad-share 0.02]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from console.demo.generated_log import generate


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a log of agent runs of any size.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--bad-share", type=float, default=0.02)
    options = parser.parse_args()
    log = generate(options.out, options.rows, options.seed, options.bad_share)
    print(f"{log.rows} lines, {log.bad} of them bad, {log.size_bytes} bytes: {options.out}")  # noqa: T201


if __name__ == "__main__":
    main()
