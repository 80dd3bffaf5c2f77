"""Where the time of a study's trials went, and how far apart their quality lies.

    python benchmarks/trial_times.py benchmarks/studies/wan-h100

Reads the seconds that the search recorded with each trial; nothing is trained or timed here.
"""

import sys

from analysis import load_study

PARTS = ("price", "build", "train", "validate", "write")


def main(where: str) -> None:
    """Prints one row a trained trial and their sums."""
    study = load_study(where)
    record = study.attrs["study"]
    trained = study[study["outcome"] == "trained"]
    seconds = trained[[f"seconds.{part}" for part in PARTS]]
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    print(f"{study.attrs['name']}: teacher {record['teacher']} ({record['weights']['kind']}),")
    print(f"preset {record['preset']}, {versions}\n")
    print("| trial | params M | " + " | ".join(f"{part} s" for part in PARTS) + " | all s | PSNR dB |")
    print("|---" * (len(PARTS) + 4) + "|")
    for index, row in trained.iterrows():
        parts = " | ".join(f"{value:.2f}" for value in seconds.loc[index])
        first, last = f"{row['number']} | {row['params'] / 1e6:.1f}", f"{row['psnr']:.2f}"
        print(f"| {first} | {parts} | {seconds.loc[index].sum():.1f} | {last} |")
    means = " | ".join(f"{value:.2f}" for value in seconds.mean())
    print(f"| mean | {trained['params'].mean() / 1e6:.1f} | {means} | {seconds.sum(axis=1).mean():.1f} | |")
    hour = 3600 / seconds.sum(axis=1).mean()
    print(f"\n{hour:.0f} trials an hour; best and worst PSNR {trained['psnr'].max():.2f} and", end=" ")
    print(f"{trained['psnr'].min():.2f} dB, the teacher itself {record['teacher_psnr']:.2f} dB")


if __name__ == "__main__":
    main(sys.argv[1])
