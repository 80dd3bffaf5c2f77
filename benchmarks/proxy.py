"""Whether a short training ranks designs as a long one does, read from the table of trainings.

    python benchmarks/proxy.py
    python benchmarks/proxy.py --preset cpu-constant --resamples 10000

Prints, for every preset in `nas/sampling/trainings.parquet`, how well designs are ranked by their
PSNR after few steps, and by what needs no training at all, against their PSNR after the longest training.
Nothing is trained here. `docs/proxy.md` says what it shows.

- rho, tau: Spearman's and Kendall's coefficients, with 95 % intervals from resampling designs.
- within octaves: of ranks within each octave of latency, which is where a choice is made.
- regret: the quality lost by taking, in each octave, the design that the short training likes best.
- front: the designs that no other beats in both quality and latency. Overlap is the share of those on either
  front (short, long) that are on both; its regret is what the long front loses if only the short one's
  designs are kept.
"""

import argparse
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import kendalltau, rankdata, spearmanr
from trainings.table import load

FEWEST = 8  # designs below which nothing is said
LONG = 5  # times the preset's steps, from which a run is long
MORE = 2  # times the arithmetic, from which a training may judge another
SEED = 0  # of the resampling

Array = np.ndarray


def octaves(latency: Array) -> Array:
    """Which octave of latency each design is in."""
    return np.floor(np.log2(latency)).astype(int)


def spearman(short: Array, long: Array, latency: Array) -> float:
    """Spearman's rank correlation of all designs."""
    return float(spearmanr(short, long).statistic)


def kendall(short: Array, long: Array, latency: Array) -> float:
    """Kendall's tau-b of all designs."""
    return float(kendalltau(short, long).statistic)


def spearman_within(short: Array, long: Array, latency: Array) -> float:
    """Correlation of ranks within each octave, pooled: each rank counted from the mean of its octave."""
    octave = octaves(latency)
    first, second = np.zeros(len(short)), np.zeros(len(short))
    for one in np.unique(octave):
        here = octave == one
        first[here] = rankdata(short[here]) - (here.sum() + 1) / 2
        second[here] = rankdata(long[here]) - (here.sum() + 1) / 2
    return float((first * second).sum() / np.sqrt((first**2).sum() * (second**2).sum()))


def kendall_within(short: Array, long: Array, latency: Array) -> float:
    """Concordant less discordant pairs, of all pairs within an octave."""
    octave = octaves(latency)
    one, other = np.triu_indices(len(short), 1)
    same = octave[one] == octave[other]
    one, other = one[same], other[same]
    agreement = np.sign(short[one] - short[other]) * np.sign(long[one] - long[other])
    copies = (short[one] == short[other]) & (long[one] == long[other])  # of one design, in a resampling
    return float(agreement[~copies].mean()) if not copies.all() else np.nan


def regret(short: Array, long: Array, latency: Array) -> Array:
    """For each octave, the best long-run quality less that of the design best by the short run, dB."""
    octave = octaves(latency)
    lost = []
    for one in np.unique(octave):
        here = octave == one
        lost.append(long[here].max() - long[here][short[here].argmax()])
    return np.array(lost)


def front(quality: Array, latency: Array) -> Array:
    """Whether each design is on the front of high quality and low latency."""
    better = (quality >= quality[:, None]) & (latency <= latency[:, None])
    strictly = (quality > quality[:, None]) | (latency < latency[:, None])
    return ~(better & strictly).any(axis=1)


def front_overlap(short: Array, long: Array, latency: Array) -> float:
    """Designs on both fronts, of those on either."""
    ours, theirs = front(short, latency), front(long, latency)
    return float((ours & theirs).sum() / (ours | theirs).sum())


def front_regret(short: Array, long: Array, latency: Array) -> Array:
    """For each design on the long front, its quality less the best as fast on the short front, dB."""
    kept, wanted = front(short, latency), front(long, latency)
    return np.array(
        [long[here] - long[kept & (latency <= latency[here])].max() for here in np.flatnonzero(wanted)]
    )


def interval(
    measure: Callable[[Array, Array, Array], float],
    columns: tuple[Array, Array, Array],
    resamples: int,
) -> tuple[float, float]:
    """95 % percentile interval over designs drawn with replacement, less draws without a value."""
    rng = np.random.default_rng(SEED)
    count = len(columns[0])
    drawn = [rng.integers(count, size=count) for _ in range(resamples)]
    with np.errstate(invalid="ignore"):
        values = [measure(*(column[rows] for column in columns)) for rows in drawn]
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)


def at(trainings: pd.DataFrame, step: int) -> pd.Series:
    """PSNR after so many steps of each training, dB; NaN where the curve has no such point."""
    curves = zip(trainings["curve_step"], trainings["curve_psnr"], strict=True)
    values = [dict(zip(steps, psnr, strict=True)).get(step, np.nan) for steps, psnr in curves]
    on_curve = pd.Series(values, index=trainings.index)
    return on_curve.where(trainings["steps"] != step, trainings["psnr"])  # a study's curve is of fewer clips


def left_out_fit(features: Array, long: Array) -> Array:
    """What a linear fit to all other designs says of each: features `[N, F]` to `[N]`; NaN stays NaN."""
    design = np.column_stack([np.ones(len(long)), features])
    said = np.full(len(long), np.nan)
    known = np.isfinite(features).all(axis=1)
    for one in np.flatnonzero(known):
        others = known & (np.arange(len(long)) != one)
        weights, *_ = np.linalg.lstsq(design[others], long[others], rcond=None)
        said[one] = design[one] @ weights
    return said


def report(name: str, short: Array, long: Array, latency: Array, resamples: int) -> str:
    """One row of the table of rankings."""
    known = ~np.isnan(short)
    columns = (short[known], long[known], latency[known])
    cells = [name, str(known.sum())]
    for measure in (spearman, kendall, spearman_within, kendall_within):
        low, high = interval(measure, columns, resamples)
        cells.append(f"{measure(*columns):.2f} ({low:.2f} to {high:.2f})")
    lost, off = regret(*columns), front_regret(*columns)
    cells += [f"{lost.mean():.2f}, {lost.max():.2f}", f"{front_overlap(*columns):.2f}"]
    cells += [f"{off.mean():.2f}, {off.max():.2f}"]
    return "| " + " | ".join(cells) + " |"


HEAD = (
    "| ranked by | designs | rho | tau | rho within octaves | tau within octaves | regret, dB: mean, most |"
    " front overlap | front regret, dB: mean, most |\n" + "|---" * 9 + "|"
)


def rankings(trainings: pd.DataFrame, resamples: int) -> None:
    """The table of rankings of one preset: against the same runs' ends, then against those of other seeds."""
    length = int(trainings["steps"].max())
    preset = int(trainings["preset_steps"].iloc[0])
    runs = trainings[(trainings["steps"] == length) & trainings["psnr"].notna()]
    ours = runs[runs["seed"] == runs["seed"].min()].set_index("hash")
    latency, long = ours["latency_ms"].to_numpy(), ours["psnr"].to_numpy()
    print(f"\nAgainst {length} steps of the same run, {len(ours)} designs:\n\n{HEAD}")
    sizes = {"parameters": ours["params"], "FLOPs": ours["flops"], "latency": ours["latency_ms"]}
    for name, size in sizes.items():
        for sign, words in ((1, "more"), (-1, "fewer" if name != "latency" else "less")):
            print(report(f"{words} {name}", sign * size.to_numpy(float), long, latency, resamples))
    steps = sorted({step for curve in ours["curve_step"] for step in curve if step < length})
    shown = [step for step in steps if step in (preset // 2, preset, 2 * preset, 3 * preset, 5 * preset)]
    work = np.log2(ours["trained_flops"].to_numpy(float))
    for step in shown:
        here = at(ours, step).to_numpy()
        print(report(f"{step} steps", here, long, latency, resamples))
        if step // 2 in steps:
            rise = here - at(ours, step // 2).to_numpy()
            fitted = left_out_fit(np.column_stack([here, rise]), long)
            print(report(f"{step} steps, curve extrapolated", fitted, long, latency, resamples))
        fitted = left_out_fit(np.column_stack([here, work]), long)
        print(report(f"{step} steps and log FLOPs, fitted", fitted, long, latency, resamples))
    others = runs[(runs["seed"] != runs["seed"].min()) & runs["hash"].isin(ours.index)]
    apart = others.groupby("hash")["psnr"].mean()
    if len(apart) >= FEWEST:
        again = ours.loc[apart.index]
        print(f"\nAgainst {length} steps from other seeds, {len(apart)} designs:\n\n{HEAD}")
        for step in [*shown, length]:
            name, here = f"{step} steps", at(again, step).to_numpy()
            print(report(name, here, apart.to_numpy(), again["latency_ms"].to_numpy(), resamples))


def seed_noise(trainings: pd.DataFrame) -> None:
    """How far runs of one design by different seeds lie apart, beside how far designs of one octave do."""
    print("\n| steps | designs with several seeds | of one design, dB | of designs within an octave, dB |")
    print("|---|---|---|---|")
    for step in sorted({int(trainings["preset_steps"].iloc[0]), int(trainings["steps"].max())}):
        reached = at(trainings, step)
        values = trainings.assign(reached=reached).dropna(subset="reached").groupby(["hash", "seed"]).first()
        by_design = values.groupby("hash")["reached"]
        noise = np.sqrt(by_design.var().mean())
        first = values.groupby("hash").first()
        spread = np.sqrt(first.groupby(octaves(first["latency_ms"].to_numpy()))["reached"].var().mean())
        print(f"| {step} | {(by_design.size() > 1).sum()} | {noise:.2f} | {spread:.2f} |")


def across(trainings: pd.DataFrame, resamples: int) -> None:
    """How the short runs of one preset rank the designs that another has trained long."""
    print(f"\n## Across presets\n\n{HEAD}")
    for one, short in trainings.groupby("preset"):
        for other, runs in trainings.groupby("preset"):
            length, preset = int(runs["steps"].max()), int(short["preset_steps"].iloc[0])
            first = short[short["seed"] == short["seed"].min()].drop_duplicates("hash").set_index("hash")
            runs = runs[(runs["steps"] == length) & runs["psnr"].notna()]
            long = runs.groupby("hash")["psnr"].mean()
            both = first.index.intersection(long.index)
            work, longer = first["trained_flops"] * preset, runs["trained_flops"] * length
            if one != other and len(both) >= FEWEST and longer.median() >= MORE * work.median():
                first = first.loc[both]
                columns = (
                    at(first, preset).to_numpy(),
                    long[both].to_numpy(),
                    first["latency_ms"].to_numpy(),
                )
                print(report(f"{one}, {preset} steps, against {other}, {length}", *columns, resamples))


def schedules(trainings: pd.DataFrame) -> None:
    """What presets that train the same decoders reach in the same number of steps, design by design."""
    print("\n| steps | preset | against | designs | mean difference, dB | least | most |")
    print("|---|---|---|---|---|---|---|")
    among = ["hash", "trained", "footage_digest"]
    for step in sorted(trainings["preset_steps"].unique()):
        # Under cosine, what lies before the end is no result.
        runs = trainings[(trainings["schedule"] == "constant") | (trainings["steps"] == step)]
        runs = runs.assign(reached=at(runs, step)).dropna(subset="reached")
        reached = runs[runs["seed"] == 0].pivot_table("reached", among, "preset")
        for one, other in combinations(reached.columns, 2):
            apart = (reached[one] - reached[other]).dropna()
            if len(apart) > 1:
                words = f"{apart.mean():+.2f} | {apart.min():+.2f} | {apart.max():+.2f}"
                print(f"| {step} | {one} | {other} | {len(apart)} | {words} |")


def ends(trainings: pd.DataFrame, steps: int) -> pd.DataFrame:
    """The trainings of so many steps by the first seed, one row a design that came to a result."""
    runs = trainings[(trainings["steps"] == steps) & trainings["psnr"].notna()]
    return runs[runs["seed"] == runs["seed"].min()].drop_duplicates("hash").set_index("hash")


def another_teacher(trainings: pd.DataFrame, resamples: int) -> None:
    """How the first teacher's trainings rank designs against the same trainings on another."""
    others = load(weights="path")
    print(f"\n## Against another teacher\n\n{HEAD}")
    for (preset, steps), runs in others.groupby(["preset", "steps"]):
        first, second = ends(trainings[trainings["preset"] == preset], steps), ends(runs, steps)
        both = first.index.intersection(second.index)
        columns = (first.loc[both, "psnr"], second.loc[both, "psnr"], first.loc[both, "latency_ms"])
        print(report(f"{preset}, {steps} steps", *(column.to_numpy() for column in columns), resamples))


def doubled(trainings: pd.DataFrame) -> None:
    """What twice the width of all stages gives in the long run, of what is narrowed to an eighth."""
    single, double = (trainings[trainings["preset"] == f"cpu-constant{kind}"] for kind in ("", "-doubled"))
    steps = int(double["steps"].max())
    gain = (ends(double, steps)["psnr"] - ends(single, steps)["psnr"]).dropna()
    fewer = (gain < -0.25).sum()
    print(
        f"\nTwice the width, {steps} steps, {len(gain)} designs: {gain.mean():+.2f} dB in the mean", end=" "
    )
    print(f"({gain.min():+.2f} to {gain.max():+.2f}); {fewer} lose more than 0.25 dB")


def full_width(trainings: pd.DataFrame) -> None:
    """What designs reach at full width, by preset, each with its own clips to be judged by, and steps, dB."""
    runs = trainings[(trainings["trained"] == trainings["config"]) & (trainings["origin"] != "study")]
    steps = [140, 280, 560, 1400, 2800]
    print(
        f"\n| design | preset | {' | '.join(f'{step} steps' for step in steps)} |" + "\n" + "|---" * 7 + "|"
    )
    reached = {step: at(runs, step) for step in steps}
    for index, run in runs.sort_values(["name", "preset"]).iterrows():
        # Under cosine, what lies before the end is no result.
        valid = [run["schedule"] == "constant" or run["steps"] == step for step in steps]
        cells = [
            f"{reached[step][index]:.2f}" if fine and np.isfinite(reached[step][index]) else ""
            for step, fine in zip(steps, valid, strict=True)
        ]
        print(f"| {run['name']} | {run['preset']} | {' | '.join(cells)} |")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--preset", default=None, help="this one only")
    parser.add_argument("--resamples", type=int, default=2000)
    asked = parser.parse_args()
    trainings = load(preset=asked.preset)
    for preset, of_preset in trainings.groupby("preset"):
        long = of_preset[of_preset["steps"] >= LONG * of_preset["preset_steps"]]
        repeated = of_preset[of_preset["seed"] != of_preset["seed"].min()]
        if max(long["hash"].nunique(), repeated["hash"].nunique()) >= FEWEST:
            print(f"\n## {preset}")
        if long["hash"].nunique() >= FEWEST:
            rankings(of_preset, asked.resamples)
        if repeated["hash"].nunique() >= FEWEST:
            seed_noise(of_preset)
    if asked.preset is None:
        across(trainings, asked.resamples)
        another_teacher(trainings, asked.resamples)
        doubled(trainings)
        schedules(trainings)
        full_width(trainings)


if __name__ == "__main__":
    main()
