"""What a page shows when a step waited in vain: read once, in one call, from its visible parts."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from playwright.async_api import Error as PlaywrightError

from canary.reason import Reason
from probes.portal.failures import is_on_its_way

SCRIPT: Final = r"""() => {
  const seen = e => { const r = e.getBoundingClientRect(); const s = getComputedStyle(e);
    return r.width > 1 && r.height > 1 && s.visibility !== 'hidden' && s.display !== 'none'; };
  const all = q => Array.from(document.querySelectorAll(q)).filter(seen);
  const words = e => (e.innerText || e.textContent || '').trim().replace(/\s+/g, ' ').slice(0, 200);
  const body = document.body ? document.body.innerText.trim() : '';
  // untouched fields that wait for an entry are no answer to anything; older browsers can't tell
  const refused = CSS.supports('selector(:user-invalid)') ? e => e.matches(':user-invalid') : e => e.willValidate && !e.validity.valid;
  const invalid = all('input:not([type=hidden]), select, textarea').filter(
    e => e.getAttribute('aria-invalid') === 'true' || refused(e));
  return {
    title: document.title.slice(0, 200),
    heading: all('h1, h2').slice(0, 2).map(words).join(' '),
    text: body.slice(0, 600).replace(/\s+/g, ' '),
    size: body.length + document.querySelectorAll('img, input, svg, canvas').length,
    password: all('input[type=password], input[autocomplete=one-time-code]').length,
    fields: all('input:not([type=hidden]), select, textarea').length,
    alerts: all('[role=alert], .errorlist, .alert-danger, .alert-error, .invalid-feedback, .error-message, .field-error, .form-error, .errors')
      .map(words).filter(Boolean).slice(0, 3),
    invalid: invalid.map(e => (e.labels && e.labels[0] ? words(e.labels[0]) : e.name || e.id) +
      (e.validationMessage ? ': ' + e.validationMessage : '')).slice(0, 3),
    spinner: all('[aria-busy=true], [role=progressbar], [class*=spinner], [class*=loader], [class*=loading]').length,
    frames: all('iframe').filter(e => !e.closest('.grecaptcha-badge') && !e.src.includes('size=invisible')).map(e => e.src + ' ' + (e.title || '')).slice(0, 10),
    loaded: document.readyState === 'complete',
    solved: Array.from(document.querySelectorAll('[name=g-recaptcha-response], [name=h-captcha-response], [name=cf-turnstile-response]'))
      .some(e => e.value),
    widgets: all('.g-recaptcha, .h-captcha, .cf-turnstile, [data-sitekey], #challenge-form, #challenge-running, #px-captcha, [id^=arkose]').length,
  };
}"""
"""One evaluation; only what a person could see counts."""

_MOST_MOVES: Final = 4
_CAPTCHA_FRAMES = re.compile(
    r"google\.com/recaptcha/|recaptcha\.net/recaptcha/|hcaptcha\.com|challenges\.cloudflare\.com|captcha-delivery\.com"
    r"|arkoselabs\.com|funcaptcha\.com|perimeterx|geo\.captcha|awswaf|\bcaptcha\b",
    re.IGNORECASE,
)
_CHALLENGE_WORDS = re.compile(
    r"just a moment|verify (that )?you are (a )?human|are you a robot|i.m not a robot|checking your browser"
    r"|attention required|unusual traffic|security check|press (and|&) hold",
    re.IGNORECASE,
)
_MAINTENANCE_WORDS = re.compile(
    r"\bmaintenance\b|temporarily (unavailable|closed|offline|down)|service (is )?(currently )?unavailable"
    r"|(we.ll|will) be (right )?back|\bback soon\b|\bwartung\w*|\bgewartet\b|en mantenimiento|manutenzione",
    re.IGNORECASE,
)
_ERROR_WORDS = re.compile(
    r"internal (server )?error|something went wrong|an? (unexpected )?error (has )?occurred|server error|bad gateway"
    r"|gateway time-?out|application error|traceback|exception|page not found|\b50[0234]\b|\b404\b|try again later",
    re.IGNORECASE,
)
_EXPIRED_WORDS = re.compile(
    r"session (has )?(expired|timed out|ended)|(logged|signed) out|(log|sign) in again|csrf|page (has )?expired",
    re.IGNORECASE,
)
_LOGIN_REFUSED_WORDS = re.compile(
    r"(incorrect|invalid|wrong|unknown|not match|didn.t match|not correct|failed|not recogni[sz]ed|falsch|ungültig)",
    re.IGNORECASE,
)
_OUTAGE_WORDS = re.compile(
    r"internal (server )?error|something went wrong|an? (unexpected )?error (has )?occurred|server error|bad gateway"
    r"|service (is )?(currently )?unavailable|gateway time-?out",
    re.IGNORECASE,
)
_LOCKED_WORDS = re.compile(
    r"account (is|has been|was) (temporarily )?(locked|disabled|suspended|deactivated|blocked)|password (has|is) expired"
    r"|too many (failed )?((log|sign)-? ?in )?attempts|(konto|zugang)\b.{0,30}\bgesperrt",
    re.IGNORECASE,
)


class Evaluates(Protocol):
    """A page or a frame of it."""

    async def evaluate(self, expression: str, arg: Any = None) -> Any:  # noqa: ANN401 -- Playwright's own
        """Playwright's `Page.evaluate`."""
        ...


@dataclass(frozen=True, slots=True)
class Sight:
    """What is to be seen on a page.

    Attributes:
        size: letters of its text and pictures and fields; 0: an empty page.
        passwords: visible fields for passwords, also for those of one time.
        alerts: texts that are marked as errors.
        invalid: fields that the browser or the page calls invalid, with its words.
        spinners: things that say that the page is busy.
        frames: addresses and titles of visible frames.
        widgets: visible captcha widgets.
        is_loaded: whether its load event came.
        is_solved: whether a captcha has given its answer (a vendor's test key does so by itself).
    """

    title: str
    heading: str
    text: str
    size: int
    passwords: int
    fields: int
    alerts: tuple[str, ...]
    invalid: tuple[str, ...]
    spinners: int
    frames: tuple[str, ...]
    widgets: int
    is_loaded: bool = True
    is_solved: bool = False

    def with_frame(self, inner: "Sight") -> "Sight":
        """The page together with the frame in it that holds the form."""
        return replace(
            self,
            text=f"{self.text} {inner.text}".strip(),
            size=self.size + inner.size,
            passwords=self.passwords + inner.passwords,
            fields=self.fields + inner.fields,
            alerts=self.alerts + inner.alerts,
            invalid=self.invalid + inner.invalid,
            spinners=self.spinners + inner.spinners,
            frames=self.frames + inner.frames,
            widgets=self.widgets + inner.widgets,
            is_loaded=self.is_loaded and inner.is_loaded,
            is_solved=self.is_solved or inner.is_solved,
        )

    @property
    def is_challenge(self) -> bool:
        """Whether the challenge stands in the page's place, rather than in a form that can be used."""
        return bool(self.challenge) and self.fields <= 1

    @property
    def challenge(self) -> str:
        """What challenges us, for people; empty: nothing that a person would have to solve."""
        if self.is_solved:
            return ""
        frame = next((one for one in self.frames if _CAPTCHA_FRAMES.search(one)), None)
        if frame is not None:
            return f"a captcha is shown ({frame.split('?')[0].strip()[:80]})"
        if self.widgets:
            return "a captcha is shown"
        found = _CHALLENGE_WORDS.search(f"{self.title} {self.heading} {self.text[:300]}")
        return f"the page says {found[0]!r}" if found is not None and not self.fields else ""

    @property
    def maintenance(self) -> str:
        """The words by which the page says that it is closed; empty: it says no such thing."""
        found = _MAINTENANCE_WORDS.search(f"{self.title} {self.heading} {self.text[:300]}")
        return found[0] if found is not None and self.fields <= 1 else ""

    @property
    def error(self) -> str:
        """The words of an error page; empty: it is none."""
        found = _ERROR_WORDS.search(f"{self.title} {self.heading} {self.text[:300]}")
        return self.words if found is not None else ""

    @property
    def validation(self) -> str:
        """What the form refuses; empty: nothing."""
        return "; ".join((*self.invalid, *self.alerts))

    def without(self, known: Collection[str]) -> "Sight":
        """The page without what it called wrong already before."""
        return replace(
            self,
            alerts=tuple(one for one in self.alerts if one not in known),
            invalid=tuple(one for one in self.invalid if one not in known),
        )

    @property
    def is_out_of_order(self) -> bool:
        """Whether it says that the portal itself has failed."""
        return _OUTAGE_WORDS.search(" ".join((*self.alerts, self.title, self.heading, self.text))) is not None

    @property
    def has_expired(self) -> bool:
        """Whether it says that the session is over."""
        return _EXPIRED_WORDS.search(f"{self.title} {self.heading} {self.text}") is not None

    @property
    def refuses_login(self) -> str:
        """The words by which a log-in refuses us; empty: it does not, or it says that it is out of order."""
        said = " ".join((*self.alerts, self.text))
        if (locked := _LOCKED_WORDS.search(said)) is not None:
            return locked[0]
        if _OUTAGE_WORDS.search(said):
            return ""
        found = _LOGIN_REFUSED_WORDS.search(said)
        return (
            (self.alerts[0] if self.alerts else said[max(0, found.start() - 40) : found.end() + 40])
            if (found is not None and self.passwords)
            else ""
        )

    @property
    def words(self) -> str:
        """What a person reads first: title and heading, or the first words."""
        said = " / ".join(dict.fromkeys(part for part in (self.title, self.heading) if part))
        return (said or self.text[:100])[:160] or "nothing"


NOTHING: Final = Sight("", "", "", 0, 0, 0, (), (), 0, (), 0, is_loaded=False)
"""What is to be seen where no page came."""


async def look(page: Evaluates) -> Sight:
    """Read the page.

    Raises:
        playwright.async_api.Error: it can't be read (it navigates, or is gone).
    """
    found = await _evaluated(page)
    return Sight(
        title=str(found["title"]),
        heading=str(found["heading"]),
        text=str(found["text"]),
        size=int(found["size"]),
        passwords=int(found["password"]),
        fields=int(found["fields"]),
        alerts=tuple(map(str, found["alerts"])),
        invalid=tuple(map(str, found["invalid"])),
        spinners=int(found["spinner"]),
        frames=tuple(map(str, found["frames"])),
        widgets=int(found["widgets"]),
        is_loaded=bool(found["loaded"]),
        is_solved=bool(found["solved"]),
    )


async def _evaluated(page: Evaluates) -> Any:  # noqa: ANN401 -- JSON
    """A page that goes elsewhere under the call is asked again: Playwright then waits for the new one."""
    for _ in range(_MOST_MOVES):
        try:
            return await page.evaluate(SCRIPT)
        except PlaywrightError as error:
            if not is_on_its_way(error):
                raise
    return await page.evaluate(SCRIPT)


def status_reason(status: int, sight: Sight | None, *, has_credentials: bool) -> Reason | None:
    """What the status of a page means; None: it is no error.

    A challenge is told by the page, or by 429; 403 without one is an error that customers would have as well.
    """
    if status < 400:  # noqa: PLR2004 -- RFC 9110 section 15
        return None
    if sight is not None and sight.is_challenge:
        return Reason.CHALLENGED
    if status >= 500:  # noqa: PLR2004
        return Reason.SERVER_ERROR
    if sight is not None and sight.validation:
        return Reason.FORM_REJECTED
    if sight is not None and status == 403 and sight.has_expired:  # noqa: PLR2004 -- a token against forgery
        return Reason.SESSION_EXPIRED
    refused = {401: Reason.CREDENTIALS_REJECTED, 407: Reason.CREDENTIALS_REJECTED} if has_credentials else {}
    others = {419: Reason.SESSION_EXPIRED, 440: Reason.SESSION_EXPIRED, 429: Reason.RATE_LIMITED}
    return (refused | others).get(status, Reason.PAGE_ERROR)
