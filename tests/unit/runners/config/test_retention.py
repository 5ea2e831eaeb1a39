"""prober.retention: how long the store keeps what."""

from datetime import timedelta
from pathlib import Path

import pytest

from runners.retention import KEPT, Retention
from tests.unit.runners.config.examples import FULL, changed, mistakes, read


def with_retention(text: str) -> str:
    return changed("  resolver: 127.0.0.1:5353\n", f"  resolver: 127.0.0.1:5353\n  retention: {text}\n")


def test_canaries_kept_for_less_than_90_days__are_refused(tmp_path: Path) -> None:
    (mistake,) = mistakes(tmp_path, with_retention("{canaries: 60d}"))

    assert (mistake.line, mistake.key) == (7, "prober.retention.canaries")
    assert mistake.message == "60d is too short"
    assert mistake.remedy.startswith("Write 90d or more")


@pytest.mark.parametrize("key", ["incidents", "audit"])
def test_records_kept_for_less_than_90_days__are_refused(tmp_path: Path, key: str) -> None:
    (mistake,) = mistakes(tmp_path, with_retention(f"{{{key}: 60d}}"))

    assert (mistake.key, mistake.message) == (f"prober.retention.{key}", "60d is too short")


def test_observations_kept_longer_than_their_canaries__are_refused(tmp_path: Path) -> None:
    (mistake,) = mistakes(tmp_path, with_retention("{observations: 120d}"))

    assert mistake.key == "prober.retention.observations"
    assert mistake.message == "observations are kept longer (120d) than their canaries (90d)"


@pytest.mark.parametrize("text", ["{observations: 30}", "{days: 30d}", "{observations: 0s}"])
def test_retention_that_is_none__is_refused(tmp_path: Path, text: str) -> None:
    assert len(mistakes(tmp_path, with_retention(text))) == 1


def test_retention__is_read_into_days(tmp_path: Path) -> None:
    config = read(tmp_path, with_retention("{observations: 2w, canaries: 400d, incidents: 500d, audit: 90d}"))

    assert config.prober.retention == Retention(
        timedelta(days=14), timedelta(days=400), incidents=timedelta(days=500), audit=timedelta(days=90)
    )


def test_configuration_without_a_word_of_it__keeps_30_and_90_days(tmp_path: Path) -> None:
    assert read(tmp_path, FULL).prober.retention == KEPT
    assert (
        Retention(
            timedelta(days=30), timedelta(days=90), incidents=timedelta(days=400), audit=timedelta(days=400)
        )
        == KEPT
    )


@pytest.mark.parametrize(("observations", "canaries"), [(30, 89), (91, 90), (0, 90)])
def test_ages_that_contradict_each_other__are_none(observations: int, canaries: int) -> None:
    with pytest.raises(ValueError, match="must be kept"):
        Retention(timedelta(days=observations), timedelta(days=canaries))
