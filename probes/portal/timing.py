"""How a page came about: the browser's own measures of the navigation, as facts of the hop."""

from collections.abc import Mapping
from typing import Any, Final

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from canary.observation import Fact
from probes.contracts import Clock
from probes.portal.traffic import Traffic, shown
from probes.portal.words import clean_text

_SECONDS: Final = 2.0
_PAINT_MS: Final = 50
_SCRIPT: Final = """async patience => {
  const n = performance.getEntriesByType('navigation')[0];
  if (!n) return null;
  const lcp = patience === 0 ? null : await new Promise(done => {
    try {
      const seen = new PerformanceObserver(list => {
        const last = list.getEntries().at(-1); seen.disconnect(); done(last ? last.startTime : null); });
      seen.observe({type: 'largest-contentful-paint', buffered: true});
      setTimeout(() => { seen.disconnect(); done(null); }, patience);
    } catch (error) { done(null); }
  });
  const bytes = performance.getEntriesByType('resource').reduce((sum, r) => sum + r.transferSize, n.transferSize);
  return {dns: n.domainLookupEnd - n.domainLookupStart, connect: n.connectEnd - n.connectStart,
    tls: n.secureConnectionStart ? n.connectEnd - n.secureConnectionStart : null, ttfb: n.responseStart - n.startTime,
    dom: n.domContentLoadedEventEnd || null, load: n.loadEventEnd || null, lcp: lcp,
    redirects: n.redirectCount, bytes: bytes, protocol: n.nextHopProtocol};
}"""
"""Navigation Timing Level 2 and Largest Contentful Paint (W3C); bytes of other origins count only where they allow it."""
_NAMES: Final = {
    "dns": "intake.page.dns",
    "connect": "intake.page.connect",
    "tls": "intake.page.tls",
    "ttfb": "intake.page.ttfb",
    "dom": "intake.page.dom_ready",
    "load": "intake.page.load",
    "lcp": "intake.page.lcp",
}
_MILLISECONDS: Final = 1000.0


async def page_facts(
    page: Page, traffic: Traffic, *, clock: Clock, waits_for_paint: bool = True
) -> Mapping[str, Fact]:
    """What the browser measured of the page that is open; without what it can't say (a page that never came).

    Args:
        page: the page.
        traffic: what it asked of the network.
        clock: bounds it.
        waits_for_paint: whether to give the largest contentful paint a moment to be told.
    """
    facts: dict[str, Fact] = dict(traffic_facts(traffic))
    if not page.url.startswith("http"):
        return facts
    facts["browser.document.url.full"] = shown(page.url)
    try:
        async with clock.timeout(_SECONDS):
            measured: dict[str, Any] | None = await page.evaluate(
                _SCRIPT, _PAINT_MS if waits_for_paint else 0
            )
    except (PlaywrightError, TimeoutError):
        measured = None
    if measured is not None:
        for key, name in _NAMES.items():
            if measured[key] is not None:
                facts[name] = round(float(measured[key]) / _MILLISECONDS, 6)
        facts["intake.page.bytes"] = int(measured["bytes"])
        if measured["protocol"]:
            facts["network.protocol.version"] = str(measured["protocol"])
    return facts


def traffic_facts(traffic: Traffic) -> Mapping[str, Fact]:
    """What the page asked of the network so far."""
    facts: dict[str, Fact] = {
        "intake.page.requests": len(traffic.exchanges),
        "intake.page.requests_failed": sum(one.has_failed for one in traffic.exchanges),
        "intake.page.requests_pending": len(traffic.pending()),
        "intake.page.console_errors": traffic.console_errors,
    }
    told = {
        "intake.page.failed": traffic.failed(),
        "intake.page.third_parties": traffic.third_parties(),
        "intake.page.slowest": traffic.slowest(),
        "intake.page.script_error": clean_text(traffic.script_errors[0]) if traffic.script_errors else "",
    }
    return facts | {name: text for name, text in told.items() if text}
