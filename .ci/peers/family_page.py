"""docs/FAMILIES.md: what check_families.py found, as a table."""

from importlib.metadata import version

INTRODUCTION = """# Model families

decant goes by the names, shapes and values of tensors, and every family of models has its own. So it is
tried on {count} checkpoints of {types} model types: tiny ones, of a few layers and random weights, with the
names, shapes and types of tensors that `transformers` 5.24.0 writes, or repositories on the hub have
(`hub_...`), or mlx-lm's own code reads (`rc_...`). They show what happens to every tensor. They do not
show how well a real model of the family speaks once it is packed: random weights have no outliers.

Each is inspected, converted at 4 bits in groups of 64, validated against its source, unpacked, measured
and planned for. The size must be what the dry run told. What is unpacked must have the source's tensors,
each kept one as it was and each packed one within 4-bit noise, in groups along its inputs. Norms, routers,
biases, convolutions, lookup tables, states of recurrences, and parts for images and sound must be kept,
experts packed.

Where mlx-lm {mlx_lm} (mlx {mlx}, on the CPU) loads the source, it must load the packed form too,
strictly, and run it. Each parameter that it ends up with must be the one that it makes of the source,
within 4-bit noise, and the one that it makes of what `unpack` writes, but for rounding. The two columns
on the right say how far logits are from those of the source, relative to their size, after decant's
conversion and after mlx-lm's own at the same bits; decant's may be a quarter larger.

`.ci/peers/check_families.py DECANT --all --write docs/FAMILIES.md` runs all of it and writes this page;
`.ci/run` runs a third.
"""

HEADER = """
| checkpoint | model type | quantized / kept / unfit, % | mlx-lm | error of logits | mlx-lm's own |
|---|---|---|---|---|---|
"""


def verdict_of(row, reasons):
    mlx, state = row["mlx"], row["mlx"]["state"]
    if state == "no such type":
        text = "no such type"
    elif state == "source fails":
        text = f"does not load the source: {reasons.get(row['name'], 'unknown')}"
    elif state == "own fails":
        text = row.get("expected", "its own conversion fails")
    elif state == "judged" and mlx.get("error") is not None and not mlx["problems"]:
        text = "right (source decoded for it)" if mlx.get("rewritten") else "right"
    else:
        text = ""
    problems = "; ".join(row["found"][:3]).replace("|", "\\|")
    if problems:
        text = f"{text}; **{problems}**" if text else f"**{problems}**"
    return text


def percentages(coverage):
    if not coverage:
        return "-"
    return " / ".join(f"{100 * coverage[part]:.1f}" for part in ("quantized", "kept", "unfit"))


def figure(value):
    return "" if value is None else f"{value:.3f}"


def page_of(rows, reasons):
    """The page. `reasons` say why mlx-lm does not load what it does not load."""
    states = [row["mlx"]["state"] for row in rows]
    judged = [row for row in rows if row["mlx"]["state"] == "judged"]
    right = [row for row in judged if not row["mlx"]["problems"]]
    ratios = sorted(
        row["mlx"]["error"] / row["mlx"]["own_error"] for row in right if row["mlx"].get("error"))
    counts = [
        ("checkpoints", len(rows)),
        ("nothing found wrong", sum(not row["found"] for row in rows)),
        ("mlx-lm loads the source", len(judged)),
        ("of these, loads the packed form and is right", len(right)),
        ("of these, closer to the source than mlx-lm's own conversion",
         sum(ratio < 1 for ratio in ratios)),
        ("mlx-lm has the type, but does not load the source", states.count("source fails")),
        ("mlx-lm loads the source and cannot convert it itself", states.count("own fails")),
        ("mlx-lm has no such type", states.count("no such type")),
    ]
    text = INTRODUCTION.format(
        count=len(rows), types=len({row["type"] for row in rows}),
        mlx=version("mlx"), mlx_lm=version("mlx-lm"))
    text += "\n| | |\n|---|---|\n" + "".join(f"| {what} | {n} |\n" for what, n in counts)
    if ratios:
        text += (f"\nThe error is {ratios[len(ratios) // 2]:.2f} times that of mlx-lm's own conversion at"
                 f" the median, {ratios[-1]:.2f} times at most.\n")
    text += HEADER
    for row in rows:
        cells = [
            row["name"], row["type"], percentages(row.get("coverage")), verdict_of(row, reasons),
            figure(row["mlx"].get("error")), figure(row["mlx"].get("own_error"))]
        text += "| " + " | ".join(cells) + " |\n"
    return text
