#!/usr/bin/env python3
"""Validates JSON files, or the manifests inside safetensors files, against a JSON schema.

usage: check_schema.py SCHEMA FILE...
"""

import json
import sys
from pathlib import Path

from jsonschema.validators import validator_for

from checkpoints import Checks, manifest_of


def main():
    schema_path, *paths = sys.argv[1:]
    schema = json.loads(Path(schema_path).read_text())
    kind = validator_for(schema)
    kind.check_schema(schema)
    validator = kind(schema)
    checks = Checks()
    for path in map(Path, paths):
        manifest = path.suffix == ".safetensors"
        document = manifest_of(path) if manifest else json.loads(path.read_text())
        problems = [f"{e.json_path}: {e.message[:300]}" for e in validator.iter_errors(document)]
        checks.require(not problems, f"{path}: {'; '.join(problems[:3])}")
    checks.finish(Path(schema_path).name)


if __name__ == "__main__":
    main()
