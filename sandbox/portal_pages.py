"""Portal pages: what the portal shows instead of its own pages, and what is put into them."""

from html import escape

from sandbox.faults import Captcha, Faults, Spinner

_LOOKS = 'class="btn btn-primary btn-lg btn-block"'
FORM_BUTTON = f'<button type="submit" {_LOOKS}'
CAPTCHAS = "/captcha/"
CHANGED_NAME = "summary"
_LABEL = "Summary of the problem"
_CHANGED_LABEL = "What is it about?"
_END = "</body>"

_WIDGETS = {
    Captcha.RECAPTCHA: ("reCAPTCHA", "recaptcha/api2/anchor?k=sandbox"),
    Captcha.HCAPTCHA: (
        "Widget containing checkbox for hCaptcha security challenge",
        "newassets.hcaptcha.com/captcha/v1/hcaptcha.html",
    ),
    Captcha.TURNSTILE: (
        "Widget containing a Cloudflare security challenge",
        "challenges.cloudflare.com/cdn-cgi/challenge-platform/h/b/turnstile/if",
    ),
}

_BANNER = """<div role="dialog" aria-label="Cookies" id="cookies"
 style="position:fixed;inset:0;z-index:9999;background:rgba(0,0,0,.6);padding:20vh 20vw">
<div style="background:#fff;color:#000;padding:2em"><p>We use cookies.</p>
<button type="button" id="accept">Accept all</button></div></div>
<script>document.getElementById("accept").addEventListener("click", () => {
document.cookie = "consent=all; path=/"; document.getElementById("cookies").remove(); });</script>
"""
_BROKEN_SCRIPT = """<script>
const requests = document.getElementById("requests-in-this-session");
requests.textContent = "ready";
window.sendRequest = (form) => form.submit();
</script>
"""
_SPINNER = """<script>
for (const form of document.querySelectorAll('form[method="post"][enctype]'))
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const overlay = document.createElement("div");
    overlay.setAttribute("role", "progressbar");
    overlay.setAttribute("aria-label", "Sending");
    overlay.style = "position:fixed;inset:0;z-index:9999;background:rgba(255,255,255,.8);padding:40vh 45vw";
    overlay.textContent = "Sending\\u2026";
    document.body.append(overlay);
    SEND
  });
</script>
"""
_SEND = 'fetch(form.action, {method: "POST", body: new FormData(form)});'
_DOUBLE = """<script>
for (const form of document.querySelectorAll('form[method="post"][enctype]'))
  form.addEventListener("submit", () => {
    fetch(form.action, {method: "POST", body: new FormData(form), keepalive: true});
  });
</script>
"""


def whole(title: str, text: str) -> str:
    """A page of a few lines."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title></head>\n'
        f"<body><main><h1>{escape(title)}</h1>{text}</main></body></html>\n"
    )


MAINTENANCE = whole("We'll be right back", "<p>The portal is under maintenance. Please come back later.</p>")
ERROR = whole("Internal Server Error", "<p>Something went wrong.</p>")
CAPTCHA = whole("Security check", '<label><input type="checkbox"> I am human</label>')


def down(status: int) -> str:
    """The page of a server that is down, or of the one before it."""
    return whole(f"{status}", "<p>The server can't answer now.</p>")


def not_kept(title: str, number: int) -> str:
    """The page of a new ticket, as the helpdesk shows it, for one that does not exist."""
    return whole("View a Ticket", f"<p>[support-{number}] . {escape(title)} [Open]</p>")


def changed(text: str, faults: Faults, *, is_consented: bool) -> str:
    """A page with the form, bent as the switches want."""
    if faults.portal_form_changed:
        for old, new in (
            ('name="title"', f'name="{CHANGED_NAME}"'),
            ("id_title", f"id_{CHANGED_NAME}"),
            (_LABEL, _CHANGED_LABEL),
        ):
            text = text.replace(old, new)
    if faults.portal_form_disabled:
        text = text.replace(FORM_BUTTON, f"{FORM_BUTTON} disabled")
    if faults.portal_captcha is not None:
        text = text.replace(FORM_BUTTON, _widget(faults.portal_captcha) + FORM_BUTTON)
    if faults.portal_script_error:
        text = text.replace(FORM_BUTTON, f'<button type="button" onclick="sendRequest(this.form)" {_LOOKS}')
        text = _appended(text, _BROKEN_SCRIPT)
    if faults.portal_spinner is not None:
        sends = faults.portal_spinner is Spinner.SENT
        text = _appended(text, _SPINNER.replace("SEND", _SEND if sends else ""))
    if faults.portal_double_submit:
        text = _appended(text, _DOUBLE)
    if faults.portal_banner and not is_consented:
        text = _appended(text, _BANNER)
    return text


def unsolved(text: str) -> str:
    """The form come back, as the captcha is not solved."""
    alert = '<div class="alert alert-danger" role="alert">Please confirm that you are human.</div>'
    return text.replace(FORM_BUTTON, alert + FORM_BUTTON)


def _widget(captcha: Captcha) -> str:
    title, place = _WIDGETS[captcha]
    return f'<iframe title="{title}" src="{CAPTCHAS}{place}" width="304" height="78"></iframe>\n'


def _appended(text: str, snippet: str) -> str:
    return text.replace(_END, snippet + _END, 1)
