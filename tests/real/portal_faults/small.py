"""A portal of three pages, and how a customer gets through it; its pages can be changed one by one."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from probes.portal.steps import (
    Action,
    By,
    Click,
    Fill,
    Locator,
    Step,
    Submit,
    Template,
    Text,
)
from tests.real.web_faults import Answer, Fault, Forward, Request, answer

Serving = str | Answer | Fault

# What is set when the form is sent names that one sending: a browser that sends the request again repeats it.
ONCE = """<script>
addEventListener("submit", event => { event.target.once.value = String(Math.random()); }, true);
</script>"""
FIELDS = """<label>Subject <input name="subject" required></label>
<label>Details <textarea name="details"></textarea></label><input type="hidden" name="once">"""
BUTTON = '<button id="send">Send</button>'
FORM = f'<form method="post" action="/new">{FIELDS}{BUTTON}</form>'
LINK = '<a href="/new">Submit a request</a>'


def page(body: str, title: str = "Acme support") -> str:
    return f"<!doctype html><html><head><title>{title}</title></head><body>{body}</body></html>"


HOME = page(f"<h1>How can we help?</h1><p>Find an answer or ask us.</p>{LINK}")
NEW = page(f"<h1>Submit a request</h1>{FORM}{ONCE}")
DONE = page("<h1>Thank you</h1><p>Your request #4711 was received.</p>")
TO_DONE = answer(303, "", headers={"Location": "/done"})
PAGES: Mapping[str, Serving] = {"GET /": HOME, "GET /new": NEW, "POST /new": TO_DONE, "GET /done": DONE}

# A form that its script sends, and a page that stays.
FETCHING = """<script>
document.forms[0].addEventListener("submit", async event => {
  event.preventDefault();
  const answer = await fetch("/api", {method: "POST", body: new URLSearchParams(new FormData(event.target))});
  BEFORE
  if (answer.ok) document.body.innerHTML = "<h1>Thank you</h1><p>Your request #4711 was received.</p>";
  else document.forms[0].insertAdjacentHTML("beforeend", "<p role=alert>Your request was not sent.</p>");
});
</script>"""


def app(before: str = "") -> str:
    """The form as a page that sends it by fetch and shows what becomes of it."""
    return page(f"<h1>Submit a request</h1>{FORM}{ONCE}{FETCHING.replace('BEFORE', before)}")


@dataclass
class SmallPortal:
    """Answers for what it has, 404 for the rest; use it as the innermost fault of a proxy."""

    pages: Mapping[str, Serving]
    posts: list[Request] = field(default_factory=list)

    async def __call__(self, request: Request, forward: Forward) -> Answer:
        if request.method == "POST":
            self.posts.append(request)
        found = self.pages.get(f"{request.method} {request.path.partition('?')[0]}")
        match found:
            case None:
                return answer(404, page("<h1>Not found</h1>"))
            case str():
                return answer(200, found)
            case Answer():
                return found
            case _:
                return await found(request, forward)


def sends_to(host: str, path: str = "/", status: int = 302) -> Fault:
    """The way to another host, which the same proxy serves."""

    async def fault(request: Request, _: Forward) -> Answer:
        port = request.host.rpartition(":")[2]
        return answer(status, "", headers={"Location": f"http://{host}:{port}{path}"})

    return fault


def role(role_: str, name: Text) -> Locator:
    return Locator(By.ROLE, role_, name=name)


def label(text: str) -> Locator:
    return Locator(By.LABEL, text)


def steps(*actions: Action) -> tuple[Step, ...]:
    return tuple(Step(number, action) for number, action in enumerate(actions, 1))


OPEN = Click(role("link", "Submit a request"))
SUBJECT = Fill(label("Subject"), Template("{{ subject }}"))
DETAILS = Fill(label("Details"), Template("{{ body }}"))
SEND = Submit(role("button", "Send"))
