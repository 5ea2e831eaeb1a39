"""Whatever a valid configuration says, what is rendered is YAML, the same each time, and holds no secret."""

import tempfile
from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st

from runners.deploy.comments import without_comments
from runners.deploy.cronjob import render_cronjob
from runners.deploy.deployment import DeploymentOptions, Scraping, render_deployment
from tests.unit.runners.config.examples import ENVIRON
from tests.unit.runners.config.examples_web import CASE, FORM, JSON, PARSE, PORTAL
from tests.unit.runners.deploy.scene import STORES, objects, only, text_of, work_of

CHANNELS = (PORTAL, FORM, JSON, CASE, PARSE)
LINE = st.text(
    st.characters(
        codec="utf-8",
        exclude_categories=("Cc", "Cs"),
        exclude_characters="\ufeff\ufffe\uffff\u2028\u2029\x85",
    ),
    max_size=30,
)
VALUES = tuple(value for name, value in ENVIRON.items() if name != "PATH")


@st.composite
def texts(draw: st.DrawFn) -> str:
    paths = "".join(draw(st.lists(st.sampled_from(CHANNELS), unique=True, max_size=5)))
    minutes = draw(st.integers(1, 3000))
    source = draw(
        st.sampled_from(
            ["{env: INTAKE_SIGNING_KEY}", "{file: intake.key}", "{file: /k/a b/é.key}", "{exec: [x]}"]
        )
    )
    team = f"labels: {{team: {yaml.safe_dump(draw(LINE).strip() or 'x', allow_unicode=True, width=1000, default_style=chr(34)).strip()}}}"
    comment = draw(LINE)
    return text_of(
        store=draw(st.sampled_from(list(STORES.values()))),
        paths=paths,
        changes={
            "every: 10m\n    deadline: 10m": f"every: {minutes}m\n    deadline: 30s\n    {team}",
            "{env: INTAKE_SIGNING_KEY}": source,
            "    budgets: {smtp.accept: 10s, ticket.created: 2m}\n": f"    # {comment}\n",
        },
    )


@given(text=texts(), scraping=st.sampled_from([None, *Scraping]))
def test_any_configuration__renders_the_same_objects_each_time_without_a_secret(
    text: str, scraping: Scraping | None
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = work_of(Path(folder), text)

    def render() -> str:
        if scraping is None:
            return render_cronjob(work)
        return render_deployment(work, DeploymentOptions(scraping=scraping, readers=("monitoring",)))

    rendered = render()

    assert rendered == render()
    assert only(rendered, "ConfigMap")["data"]["intake.yaml"] == without_comments(text)
    assert all({"apiVersion", "kind", "metadata"} <= set(one) for one in objects(rendered))
    assert not any(value in rendered for value in VALUES)
