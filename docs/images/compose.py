"""Puts the demo's pictures and its output together as demo.png, the picture of the README.

    script -qc 'stty cols 110; ./demo' demo.log
    .venv-demo/bin/python docs/images/compose.py demo_output demo.log
"""

import re
import sys
from pathlib import Path

from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

MARGIN = 40
PANEL, TEXT, TITLE = "#16212b", "#d7e0e7", "#7fb2d9"


def terminal(lines: list[str], width: int, height: int) -> Image.Image:
    """The lines as a terminal shows them, in letters that fill the height."""
    panel = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(panel)
    draw.rounded_rectangle((0, 0, width - 1, height - 1), 18, fill=PANEL)
    longest = max(len(line) for line in lines)
    size = int(min((height - 60) / len(lines) / 1.32, (width - 60) / longest / 0.602))
    mono = ImageFont.truetype(font_manager.findfont("DejaVu Sans Mono"), size)
    for number, line in enumerate(lines):
        color = TITLE if line.startswith(("==", "$")) else TEXT
        draw.text((30, 28 + number * size * 1.32), line, font=mono, fill=color)
    return panel


def excerpt(log: str) -> list[str]:
    """The epochs and the test."""
    # what a terminal shows in the end: without colours, and of each line what was written over it last
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", log).replace("\r\n", "\n")
    lines = [line.rstrip("\r").rpartition("\r")[2].rstrip() for line in plain.split("\n")]

    def section(title: str) -> list[str]:
        start = next(index for index, line in enumerate(lines) if line.startswith(f"== {title}"))
        end = next(index for index, line in enumerate(lines) if index > start and line.startswith("== "))
        return [line for line in lines[start:end] if line]

    training = section("Training")
    epochs = [index for index, line in enumerate(training) if line.startswith("Epoch ")]
    if len(epochs) > 10:
        training = [*training[: epochs[6]], "...", *training[epochs[-4] :]]
    return ["$ ./demo", "...", *training, *section("Saved"), *section("Test")]


def main(folder: Path, log: Path) -> None:
    curves, matrix, samples = (
        Image.open(folder / f"{name}.png").convert("RGB")
        for name in ("training_curves", "confusion_matrix", "sample_predictions")
    )
    height = curves.height + samples.height
    panel = terminal(excerpt(log.read_bytes().decode()), matrix.width - MARGIN, height - matrix.height - 2 * MARGIN)
    page = Image.new("RGB", (curves.width + matrix.width, height), "white")
    page.paste(curves, (0, 0))
    page.paste(samples, (0, curves.height))
    page.paste(panel, (curves.width, MARGIN))
    page.paste(matrix, (curves.width, height - matrix.height))
    page = page.resize((1600, round(1600 * page.height / page.width)), Image.Resampling.LANCZOS)
    page.quantize(128).save(Path(__file__).with_name("demo.png"), optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
