"""The example of image classification runs on a small slice: folders in, a saved model out."""

import shutil
import tarfile
from pathlib import Path

import pytest

from tests.examples.programs import load
from tests.needs import needs_gradients

pytestmark = needs_gradients


@pytest.fixture
def pictures(shared: Path, tmp_path: Path) -> Path:
    """Folders with the first pictures of three classes of CIFAR-10."""
    pytest.importorskip("PIL", reason="pictures are decoded by pillow")
    with tarfile.open(shared / "data" / "cifar10_subset.tar.gz") as archive:
        chosen = [
            one for one in archive.getmembers()
            if one.isfile() and Path(one.name).parent.name in ("airplane", "frog", "truck")
        ]
        for part, count in (("train", 40), ("test", 10)):
            for kind in ("airplane", "frog", "truck"):
                names = sorted(one.name for one in chosen if Path(one.name).parts[-3:-1] == (part, kind))[:count]
                (tmp_path / part / kind).mkdir(parents=True)
                for name in names:
                    target = tmp_path / part / kind / Path(name).name
                    with target.open("wb") as file:
                        shutil.copyfileobj(archive.extractfile(name), file)
    return tmp_path


def test_pictures_are_told_apart(pictures: Path, capsys: pytest.CaptureFixture) -> None:
    accuracy = load("image_classification").main(pictures, epochs=6, width=8)
    assert accuracy > 0.45  # a third by chance
    assert "airplane" in capsys.readouterr().out
