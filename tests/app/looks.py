"""What a browser says of a page of components, each of which hides its inside in a tree of its own."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

WALK = """
  const everything = [];
  const walk = (node) => { for (const one of node.querySelectorAll("*")) {
    everything.push(one); if (one.shadowRoot) walk(one.shadowRoot); } };
  walk(document);
  const above = (one) => one.assignedSlot ?? one.parentElement ?? (one.getRootNode().host ?? null);
  const focused = () => { let one = document.activeElement;
    while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement; return one; };
"""

TEXTS = (
    "() => {"
    + WALK
    + """
  // Every piece of text that is shown, with its colour, the colour behind it and its size.
  const found = [];
  for (const one of everything) {
    if (["STYLE", "SCRIPT", "OPTION", "TITLE"].includes(one.tagName)) continue;
    const text = [...one.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.trim()).join(" ").trim();
    if (!text || !one.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
    let behind = one, back = "rgba(0, 0, 0, 0)";
    while (behind && back.endsWith(", 0)")) { back = getComputedStyle(behind).backgroundColor; behind = above(behind); }
    const look = getComputedStyle(one);
    found.push([text.slice(0, 50), look.color, back.endsWith(", 0)") ? "rgb(255, 255, 255)" : back,
      parseFloat(look.fontSize)]);
  }
  return found;
}"""
)
UNNAMED = (
    "() => {"
    + WALK
    + """
  // Controls without a name for a screen reader.
  return everything.filter((one) => ["INPUT", "SELECT", "BUTTON", "A", "SUMMARY"].includes(one.tagName)
      && one.checkVisibility())
    .filter((one) => !(one.ariaLabel || one.innerText?.trim() || one.title && one.tagName === "BUTTON"
      || [...(one.labels ?? [])].some((label) => label.innerText.trim())))
    .map((one) => one.outerHTML.slice(0, 120));
}"""
)
FOCUSED = (
    "() => {"
    + WALK
    + """
  const one = focused();
  if (!one || one === document.body) return null;
  // Where a component shows the focus of what is inside it, that is what one sees.
  const hosts = [one]; for (let at = one; (at = at.getRootNode().host);) hosts.push(at);
  const wide = (at) => { const look = getComputedStyle(at);
    return ["none", "hidden"].includes(look.outlineStyle) ? 0 : parseFloat(look.outlineWidth); };
  const look = getComputedStyle(hosts.reduce((most, at) => wide(at) > wide(most) ? at : most));
  const box = one.getBoundingClientRect();
  return {name: one.dataset?.key || one.dataset?.typed || one.id || one.innerText?.trim() || one.tagName,
    outline: look.outlineStyle, wide: parseFloat(look.outlineWidth), colour: look.outlineColor,
    seen: box.width > 0 && box.right > 0 && box.bottom > 0 && box.top < innerHeight && box.left < innerWidth};
}"""
)
HIDDEN = (
    "() => {"
    + WALK
    + """
  // What is wider than its place without a way to scroll there.
  return everything.filter((one) => one.checkVisibility() && one.tagName !== "CANVAS"
      && !["absolute", "fixed"].includes(getComputedStyle(one).position))
    .filter((one) => { const box = one.getBoundingClientRect(); return box.width > 1 && box.right > innerWidth + 1; })
    .filter((one) => { for (let at = above(one); at; at = above(at))
      if (["auto", "scroll"].includes(getComputedStyle(at).overflowX)) return false; return true; })
    .map((one) => one.outerHTML.slice(0, 120));
}"""
)


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour written as rgb(r, g, b)."""
    assert colour.startswith("rgb("), colour
    parts = [int(part) / 255 for part in colour[4:-1].split(",")]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as WCAG 2 defines it."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def weak(page: Any, least: float = 4.5) -> set[tuple[str, str, str]]:
    """Return the texts that do not stand out from what is behind them."""
    texts = page.evaluate(TEXTS)
    assert len(texts) > 30
    return {(text, ink, back) for text, ink, back, _ in texts if contrast(ink, back) < least}


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser that is open meanwhile."""
    from playwright.sync_api import sync_playwright

    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert program, "no Chromium on this machine: make browser installs it"
    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield opened
        opened.close()
