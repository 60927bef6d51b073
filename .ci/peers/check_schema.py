#!/usr/bin/env python3
"""Validates JSON files, or the manifests inside safetensors files, against a JSON schema.

With --header it is the headers of the safetensors files themselves that are validated.
"""

import argparse
import json
from pathlib import Path

from jsonschema.validators import validator_for

from checkpoints import Checks, header_of, manifest_of


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--header", action="store_true")
    parser.add_argument("schema", type=Path)
    parser.add_argument("files", type=Path, nargs="+")
    return parser.parse_args()


def document_of(path, wants_header):
    if path.suffix != ".safetensors":
        return json.loads(path.read_text())
    return header_of(path) if wants_header else manifest_of(path)


def main():
    arguments = parse_arguments()
    schema = json.loads(arguments.schema.read_text())
    kind = validator_for(schema)
    kind.check_schema(schema)
    validator = kind(schema)
    checks = Checks()
    for path in arguments.files:
        document = document_of(path, arguments.header)
        problems = [f"{e.json_path}: {e.message[:300]}" for e in validator.iter_errors(document)]
        checks.require(not problems, f"{path}: {'; '.join(problems[:3])}")
    checks.finish(arguments.schema.name)


if __name__ == "__main__":
    main()
