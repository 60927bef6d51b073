"""Whether statistics on samples agree with those of all weights, within the uncertainty that they give.

Usage: check_samples.py SAMPLED.json EXACT.json, both of `decant stats --json` on one checkpoint
"""

import json
import sys


def main():
    sampled, exact = (json.load(open(path, encoding="utf-8"))["tensors"] for path in sys.argv[1:3])
    assert [t["name"] for t in sampled] == [t["name"] for t in exact]
    count, furthest = 0, 0.0
    for one, all_weights in zip(sampled, exact):
        for trip, whole in zip(one["quantization"], all_weights["quantization"], strict=True):
            where = f"{one['name']}, {trip['bits']} bits"
            assert "sampling_error" not in whole, where
            if "sampling_error" not in trip:
                assert trip == whole, where
                continue
            count += 1
            ratio = trip["squared_error"] / whole["squared_error"]
            assert abs(trip["squared_norm"] / whole["squared_norm"] - 1) < 1e-9, where
            assert 0 < trip["sampling_error"] < 0.05, where
            deviation = abs(ratio - 1) / trip["sampling_error"]
            furthest = max(furthest, deviation)
            assert deviation < 5, f"{where}: {deviation} standard deviations"
    assert count > 0, "no tensor was larger than a sample"
    print(f"{count} losses of samples agree, within {furthest:.1f} standard deviations")


main()
