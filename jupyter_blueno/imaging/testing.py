"""The suite that every format passes.

Subclass `FormatSuite` in a test module, say what the format is called and how
a good file of it is written; pytest then runs all of it::

    class TestNifti(FormatSuite):
        name = "nifti"
        suffix = ".nii"

        def write(self, path):
            array = numpy.arange(60, dtype="int16").reshape(3, 4, 5)
            nibabel.save(nibabel.Nifti1Image(array, numpy.eye(4)), path)
            return array
"""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest

from jupyter_blueno import imaging
from jupyter_blueno.errors import NotFound, UnreadableData
from jupyter_blueno.imaging import formats
from jupyter_blueno.imaging.images import Image
from jupyter_blueno.imaging.volumes import Volume

if TYPE_CHECKING:
    import numpy as np


class FormatSuite:
    """What is promised of every format.

    Attributes
    ----------
    name : str
        As it is registered.
    suffix : str
        Of the files that `write` makes; empty where an item is a folder.
    key : str, optional
        Which item of the file `write` returns.
    tolerance : int
        By how much numbers may differ (lossy formats).
    by_content : bool
        Whether a file is known by its content alone.
    """

    name: ClassVar[str]
    suffix: ClassVar[str]
    key: ClassVar[str | None] = None
    tolerance: ClassVar[int] = 0
    by_content: ClassVar[bool] = True

    def write(self, path: Path) -> np.ndarray:
        """Write a good item of at least 1 KB to `path`; return what `imaging.open` should give."""
        raise NotImplementedError

    def cut(self, path: Path) -> None:
        """Cut the item short, as a copy that was broken off."""
        files = [path] if path.is_file() else sorted(path.iterdir())
        for file in files:
            os.truncate(file, file.stat().st_size * 2 // 3)

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        """A good item."""
        return tmp_path / f"item{self.suffix}"

    def test_it_is_recognised(self, path: Path) -> None:
        self.write(path)
        assert formats.of(path).name == self.name

    def test_content_counts_more_than_the_name(self, path: Path, tmp_path: Path) -> None:
        self.write(path)
        if not self.by_content or path.is_dir():
            pytest.skip("known by its name")
        wrong = path.rename(tmp_path / "wrong.bmp")
        assert formats.of(wrong).name == self.name

    def test_numbers_are_as_written(self, path: Path) -> None:
        import numpy as np

        expected = self.write(path)
        item = imaging.open(path, self.key)
        found = item.numpy()
        assert found.shape == expected.shape
        difference = np.abs(found.astype(np.float64) - expected.astype(np.float64))
        assert difference.max() <= self.tolerance

    def test_the_header_tells_what_the_pixels_are(self, path: Path) -> None:
        self.write(path)
        item = imaging.open(path, self.key)
        stored = item.array if isinstance(item, Image) else item.stored
        assert item.shape == stored.shape
        assert item.header.dtype == stored.dtype.newbyteorder("=").name
        assert item.header.kind == ("volume3d" if isinstance(item, Volume) else "image2d")

    def test_a_thumbnail_is_made(self, path: Path) -> None:
        self.write(path)
        header, tile = imaging.inspect(path, self.key)
        assert header == imaging.open(path, self.key).header
        assert tile.codec
        assert 1 <= tile.height <= 128
        assert 1 <= tile.width <= 3 * 128 + 4

    def test_another_content_has_another_stamp(self, path: Path) -> None:
        self.write(path)
        format = formats.of(path)
        before = format.stamp(path)
        for file in [path] if path.is_file() else path.iterdir():
            os.utime(file, ns=(1, 1))
        assert format.stamp(path) != before

    def test_threads_do_not_disturb_each_other(self, path: Path) -> None:
        import numpy as np

        self.write(path)
        with ThreadPoolExecutor(4) as threads:
            arrays = list(threads.map(lambda _: imaging.open(path, self.key).numpy(), range(8)))
        for one in arrays[1:]:
            np.testing.assert_array_equal(one, arrays[0])

    def test_a_file_that_is_cut_off_is_unreadable(self, path: Path) -> None:
        self.write(path)
        self.cut(path)
        with pytest.raises(UnreadableData) as caught:
            imaging.inspect(path, self.key)
        self.check(caught.value)

    def test_rubbish_under_its_name_is_unreadable(self, path: Path) -> None:
        if not self.suffix:
            path.mkdir()
            (path / "readme.txt").write_text("nothing here")
        else:
            path.write_bytes(b"these are no pixels. " * 100)
        with pytest.raises(UnreadableData) as caught:
            imaging.inspect(path, self.key)
        self.check(caught.value)

    def test_an_empty_one_is_unreadable(self, path: Path) -> None:
        if self.suffix:
            path.touch()
        else:
            path.mkdir()
        with pytest.raises(UnreadableData) as caught:
            imaging.inspect(path, self.key)
        self.check(caught.value)

    def test_one_that_is_gone_is_not_found(self, path: Path) -> None:
        self.write(path)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
        with pytest.raises(NotFound):
            imaging.inspect(path, self.key)

    @staticmethod
    def check(error: UnreadableData) -> None:
        """A code of its own, and a sentence that names the file and says what to do."""
        assert error.code != UnreadableData.code
        assert error.message.count(". ") >= 1
        assert error.message.endswith(".")
        assert "item" in error.message
