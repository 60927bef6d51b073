#!/usr/bin/env python3
"""Runs decant on tiny checkpoints of some 260 model families, and mlx-lm on what it makes of them.

usage: check_families.py DECANT [--all | --only NAME...] [--write docs/FAMILIES.md] [--keep FOLDER]

For every checkpoint: inspect, convert, validate, unpack, stats and plan must work, the dry run must
tell the size, what is unpacked must have the names, shapes and types of the source and be as close as
4 bits allow, and nothing delicate may be quantized (family_rules.py). Where mlx-lm loads the source, it
must load the packed form strictly and run it, read the weights that decant meant, and get logits no
further from those of the source than with its own conversion (family_mlx.py).

Without options a representative third is run.
"""

import argparse
import json
import multiprocessing
import multiprocessing.connection
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import family_mlx
import family_page
from checkpoints import Checks
from family_checkpoints import load_catalogue, read_checkpoint, write_checkpoint
from family_rules import check_tensors, summarize

PROCESSES = 2
SECONDS = 240

# Always part of the third: where names, shapes or values make a conversion delicate.
DELICATE = """
afmoe bailing_hybrid bigbird_pegasus cpmant deepseek_v3 ernie4_5_moe falcon_h1 gemma4_unified git
gpt_oss granitemoe granitemoehybrid hub_dbrx hub_deepseek_v3_fp8_mtp hub_gemma3n hub_gpt2
hub_gpt_oss_bf16_square hub_gpt_oss_mxfp4 hub_kimi_linear hub_minimax_m2_fp8 hub_pythia hub_qwen3_5_moe
hub_qwen3_5_mtp hub_qwen3_moe_fp8 hub_qwen3_next_mtp hub_qwen3_tied_stored hub_qwen3_vl_moe
inkling2_text jetmoe lfm2_moe llama4_full mellum minimax_m2 mistral4 nemotron_h openai-gpt
phi4_multimodal prophetnet qwen3_moe qwen3_next rc_Klear rc_afm7 rc_baichuan_m1 rc_bailing_moe
rc_bailing_moe_normhead rc_iquestloopcoder rc_step3p5 rc_talkie t5 xlstm zaya
""".split()

# mlx-lm 0.32.2 does not load the source, or not the model: nothing to compare with.
NO_BASELINE = {
    "bailing_hybrid": "another attention than the one it knows",
    "bitnet": "it expects ternary weights",
    "exaone": "transformers' form is Llama's",
    "gpt-sw3": "it knows GPT-2 without the prefix `transformer` only",
    "gpt2": "it knows GPT-2 without the prefix `transformer` only",
    "hub_distilgpt2": "it knows GPT-2 without the prefix `transformer` only",
    "kimi_linear": "other names of the dense layer",
    "llama4_text": "it knows the multimodal form only",
    "llama_cls": "a classifier",
    "longcat_flash": "transformers stores the experts that are zero as well",
    "minimax": "it knows MiniMax-M2 only",
    "nanochat": "transformers' names are not the original's",
    "olmo": "it needs a package of its own",
    "olmo_hybrid": "other names of norms",
    "qwen3_5_moe_full": "transformers stores experts one by one",
    "qwen3_vl_moe": "transformers stores stacks in another order than the hub has",
    "rc_phi3small": "it crashes",
}

# Problems that are not decant's: an expression that tells them, and what they are.
EXPECTED = {
    "rc_afm7": (r"packed does not load", "mlx-lm cannot load any packed form, nor make one"),
}


def decant_results(decant, source, folder, row):
    """Every command on the checkpoint; the problems and figures go into the row."""
    problems = row["problems"]

    def run(*words, fatal=True):
        process = subprocess.run(
            [decant, *map(str, words)], capture_output=True, text=True, timeout=SECONDS)
        if process.returncode and fatal:
            reason = " ".join(process.stderr.split()).replace(f"{folder}/", "")[:240]
            problems.append(f"{words[0]} fails ({process.returncode}): {reason}")
        return process

    def answer(*words):
        process = run(*words)
        try:
            return json.loads(process.stdout) if process.returncode == 0 else None
        except ValueError:
            problems.append(f"{words[0]} prints no JSON")
            return None

    packed, unpacked = folder / "packed", folder / "unpacked"
    inspected = answer("inspect", source, "--json")
    if inspected:
        stored = {name: shape for name, shape in row.pop("stored").items()}
        seen = {t["name"]: t["shape"] for t in inspected["tensors"]}
        if seen != stored:
            problems.append("inspect lists other tensors than are stored")
    options = ("--bits", 4, "--group-size", 64)
    planned = answer("convert", source, "-o", packed, *options, "--dry-run", "--json")
    written = answer("convert", source, "-o", packed, *options, "--json")
    if planned and written:
        size = sum(path.stat().st_size for path in packed.rglob("*") if path.is_file())
        if not planned["output_bytes"] == written["output_bytes"] == size:
            problems.append(f"the dry run tells {planned['output_bytes']} bytes, there are {size}")
        if planned["tensors"] and planned["coverage"] != written["coverage"]:
            problems.append("the dry run tells another coverage")
    if written:
        row["coverage"] = written["coverage"]
        packed_ones = [t for t in written["tensors"] if t["action"] == "quantize"]
        row["other"] = [t["name"] for t in packed_ones if t["role"] == "other"]
        run("validate", packed, "--against", source, "-q")
        run("inspect", packed, "--json")
        if run("unpack", packed, "-o", unpacked, "-q").returncode == 0:
            config = json.loads((source / "config.json").read_text())
            found, lossy = check_tensors(
                config, read_checkpoint(source), read_checkpoint(unpacked),
                {t["name"]: t for t in written["tensors"]})
            problems += found
            if not lossy:
                problems.append("nothing is quantized")
    answer("stats", source, "--json")
    plan = run("plan", source, "--target-bpw", 4.5, "--json", fatal=False)
    if plan.returncode:
        smallest = re.search(r"smallest possible is ([0-9.]+)", plan.stderr)
        budget = float(smallest[1]) + 0.0001 if smallest else 4.5
        run("plan", source, "--target-bpw", f"{budget:.4f}", "--json")


def check_one(name, entry, decant, keep, connection):
    """What a child process does: the row as far as it got, whatever happens then."""
    row = {"name": name, "type": entry["config"]["model_type"], "problems": [], "mlx": None}
    folder = keep / name if keep else Path(tempfile.mkdtemp(prefix="decant-family-"))
    shutil.rmtree(folder, ignore_errors=True)
    connection.send({**row, "at": str(folder)})
    try:
        source = folder / "source"
        write_checkpoint(name, entry, source)
        row["stored"] = {t[0]: t[2] for file in entry["files"] for t in file["tensors"]}
        decant_results(decant, source, folder, row)
        row.pop("stored", None)
        connection.send(row)
        row["mlx"] = family_mlx.judge(
            source, folder / "packed", folder / "unpacked",
            lambda doing: connection.send({**row, "doing": doing}))
    except Exception as error:
        row["problems"].append(f"the check itself failed: {family_mlx.told(error)}")
    connection.send({**row, "doing": None, "done": True})


def run_all(names, catalogue, decant, keep):
    """The rows of all checkpoints, two processes at a time; a crash or a hang costs one row."""
    context = multiprocessing.get_context("fork")
    waiting, running, rows = list(names), [], {}
    while waiting or running:
        while waiting and len(running) < PROCESSES:
            name = waiting.pop(0)
            receiver, sender = context.Pipe(duplex=False)
            process = context.Process(
                target=check_one, args=(name, catalogue[name], decant, keep, sender), daemon=True)
            process.start()
            sender.close()
            running.append((name, process, receiver, time.monotonic()))
        multiprocessing.connection.wait([r for _, _, r, _ in running], timeout=1)
        for item in list(running):
            name, process, receiver, start = item
            is_late = time.monotonic() - start > SECONDS
            if is_late:
                process.kill()
            ended = False
            try:
                while receiver.poll():
                    rows[name] = {**rows.get(name, {}), **receiver.recv()}
            except EOFError:
                ended = True
            if not ended and not is_late:
                continue
            process.join()
            running.remove(item)
            row = rows[name]
            if not keep:
                shutil.rmtree(row.pop("at"), ignore_errors=True)
            if not row.get("done"):
                how = "takes too long" if is_late else f"ends with status {process.exitcode}"
                crashed(row, how)
            yield row


def crashed(row, how):
    doing = row.get("doing")
    if doing in ("source", "own"):
        row["mlx"] = {"state": f"{doing} fails", "problems": [], "reason": f"mlx-lm {how}"}
    else:
        row["problems"].append(f"the check {how}" + (f" at {doing}" if doing else ""))


def settle(row):
    """Adds what only the whole row tells, and sets aside what is expected."""
    mlx = row["mlx"] or {"state": "not tried", "problems": []}
    row["mlx"] = mlx
    problems = summarize(row["problems"]) + mlx["problems"]
    name = row["name"]
    if row.get("other") and mlx["state"] in ("judged", "own fails"):
        problems.append(
            f"{len(row['other'])} quantized tensors have the role other: {row['other'][0]}, ...")
    if mlx["state"] == "source fails" and name not in NO_BASELINE:
        problems.append(f"mlx-lm does not run the source: {mlx.get('reason')}")
    if name in NO_BASELINE and mlx["state"] != "source fails":
        problems.append("is listed as what mlx-lm does not load, but it does")
    if mlx["state"] == "own fails" and name not in EXPECTED:
        problems.append(f"mlx-lm's own conversion fails: {mlx.get('reason')}")
    if name in EXPECTED:
        expression, reason = EXPECTED[name]
        expected = [problem for problem in problems if re.search(expression, problem)]
        row["expected"] = reason
        if not expected:
            problems.append(f"is expected to fail, but does not: {reason}")
        problems = [problem for problem in problems if problem not in expected]
    row["found"] = problems


def chosen_names(arguments, catalogue):
    if arguments.only:
        unknown = sorted(set(arguments.only) - set(catalogue))
        if unknown:
            sys.exit(f"not in the catalogue: {', '.join(unknown)}")
        return arguments.only
    names = sorted(catalogue)
    if arguments.all:
        return names
    others = [name for name in names if name not in DELICATE]
    count = max(0, len(names) // 3 - len(DELICATE))
    return sorted(DELICATE + others[::max(1, len(others) // count)][:count])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("decant", type=Path)
    parser.add_argument("--all", action="store_true", help="every checkpoint of the catalogue")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these checkpoints")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="write the table; needs --all")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave the checkpoints there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was found")
    arguments = parser.parse_args()
    if arguments.write and not arguments.all:
        parser.error("--write needs --all")
    catalogue = load_catalogue()
    names = chosen_names(arguments, catalogue)
    # What takes long comes first.
    sizes = {name: sum(len(f["tensors"]) for f in catalogue[name]["files"]) for name in names}
    order = sorted(names, key=lambda name: -sizes[name])
    checks = Checks()
    rows = []
    for row in run_all(order, catalogue, arguments.decant.absolute(), arguments.keep):
        settle(row)
        rows.append(row)
        for problem in row["found"]:
            print(f"  {row['name']}: {problem}", flush=True)
        checks.require(not row["found"], f"{row['name']} ({len(row['found'])} problems)")
    rows.sort(key=lambda row: row["name"].lower())
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))
    if arguments.write:
        arguments.write.write_text(family_page.page_of(rows, NO_BASELINE))
    judged = [row for row in rows if row["mlx"]["state"] == "judged"]
    right = sum(not row["mlx"]["problems"] for row in judged)
    checks.finish(
        f"{len(rows)} checkpoints; mlx-lm loads {len(judged)} sources, and of these {right} packed")


if __name__ == "__main__":
    main()
