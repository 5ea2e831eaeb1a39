"""The page's address: had, or refused with its cause and remedy."""

import pytest

from runners.web.serving import CannotListen, bind


def test_address_in_use__is_named_with_the_remedy() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(CannotListen) as caught:
            bind("127.0.0.1", port)

    assert str(caught.value) == (
        f"web: 127.0.0.1:{port} can't be listened on: address already in use."
        " End what listens there, or name another port in web.listen."
    )


def test_address_that_is_not_ours__is_named() -> None:
    with pytest.raises(CannotListen, match=r"^web: 192\.0\.2\.1:8080 can't be listened on: "):
        bind("192.0.2.1", 8080)


def test_name_that_nobody_knows__is_named() -> None:
    with pytest.raises(
        CannotListen, match=r"there is no address nowhere\.invalid:8080: the name is not known"
    ):
        bind("nowhere.invalid", 8080)
