#!/usr/bin/env python3
"""Opens a page that decant wrote with `--html` in Chromium, at two widths, in light and dark.

Fails on messages in the console, requests for anything but the page, a body that scrolls sideways,
ids that occur twice, controls and drawings without a name, and if sorting, filtering or tooltips do
not work by keyboard. Leaves screenshots and a PDF. Needs Debian's `chromium`.

usage: check_page.py PAGE FOLDER
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from checkpoints import Checks

WIDTHS = {"wide": 1280, "narrow": 420}

# What a page must not have, found by the browser's own tree; each gives the offenders.
FAULTS = {
    "ids that occur twice": """() => {
        const ids = Array.from(document.querySelectorAll('[id]')).map(e => e.id);
        return ids.filter((id, at) => ids.indexOf(id) !== at);
    }""",
    "drawings without a name": """() => Array.from(document.querySelectorAll('svg, img'))
        .filter(e => e.getAttribute('aria-hidden') !== 'true'
            && !(e.getAttribute('aria-label') || e.getAttribute('alt')))
        .map(e => e.outerHTML.slice(0, 120))""",
    "controls without a name": """() => Array.from(document.querySelectorAll(
            'button, input, select, [tabindex="0"]'))
        .filter(e => !(e.getAttribute('aria-label') || (e.labels && e.labels.length)
            || (e.tagName === 'BUTTON' && e.textContent.trim())))
        .map(e => e.outerHTML.slice(0, 120))""",
    "tables without a caption or heads": """() => Array.from(document.querySelectorAll('table'))
        .filter(t => !t.caption || !t.querySelector('th[scope=col]'))
        .map(t => t.outerHTML.slice(0, 120))""",
    "headings that skip a level": """() => {
        const levels = Array.from(document.querySelectorAll('h1, h2, h3, h4, h5, h6'))
            .map(h => Number(h.tagName[1]));
        return levels.filter((level, at) => level > (at ? levels[at - 1] : 0) + 1);
    }""",
    "references to nothing": """() => Array.from(document.querySelectorAll(
            'a[href^="#"], [aria-labelledby], [aria-controls], label[for]'))
        .map(e => (e.getAttribute('href') || '').slice(1) || e.getAttribute('aria-labelledby')
            || e.getAttribute('aria-controls') || e.htmlFor)
        .filter(id => !document.getElementById(id))""",
    "text of figures that are none": r"""() => Array.from(document.querySelectorAll('td, dd, p, text'))
        .filter(e => /^\s*(-?nan|-?inf|undefined|null|nil)\s*$/i.test(e.textContent))
        .map(e => e.textContent)""",
    "text with too little contrast": r"""() => {
        const channels = text => (text.match(/[\d.]+/g) || []).map(Number);
        const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
            .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
            .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
        const ground = e => {
            for (; e; e = e.parentElement) {
                const c = channels(getComputedStyle(e).backgroundColor);
                if (c.length === 3 || c[3] === 1) return c;
            }
            return [255, 255, 255];
        };
        const found = new Set();
        for (const e of document.querySelectorAll('td, th, p, li, dd, dt, b, small, span, a, h1, h2')) {
            if (!e.textContent.trim() || !e.getClientRects().length) continue;
            const [a, b] = [light(channels(getComputedStyle(e).color)), light(ground(e))];
            const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            if (ratio < 4.5) found.add(`${e.tagName}.${e.className} ${ratio.toFixed(2)}`);
        }
        return Array.from(found);
    }""",
}


# The first column of the table whose cells tell more than two figures apart, and nothing else.
FIRST_NUMBERS = """() => {
    const rows = Array.from(document.querySelectorAll('table.sortable tbody tr'));
    const figures = i => rows.map(r => r.cells[i].textContent.replaceAll(',', ''))
        .filter(t => t !== '–');
    return Array.from(rows[0].cells).findIndex((_, i) =>
        figures(i).every(t => t !== '' && !isNaN(t)) && new Set(figures(i)).size > 2);
}"""


def check_keyboard(page, checks):
    """Sorting, filtering and tooltips, without a mouse."""
    if page.locator("table.sortable").count():
        check_sorting(page, checks)
    if page.locator("#filter").count():
        name = page.locator("#tensors tbody th").first.inner_text()
        page.locator("#filter").fill(name)
        left = page.locator("#tensors tbody tr:visible")
        checks.require(left.count() >= 1, "the filter hides what it looks for")
        checks.require(all(name in text for text in left.locator("th").all_inner_texts()),
                       "the filter leaves rows that do not match")
        page.locator("#filter").fill("")

    for chart in page.locator(".chart").all():
        chart.focus()
        page.keyboard.press("ArrowRight")
        said = page.locator("#tip").inner_text()
        checks.require(("layer" in said or "depth" in said) and "NaN" not in said
                       and "undefined" not in said, f"a tooltip says '{said}'")
    page.keyboard.press("Escape")
    checks.require(page.locator("#tip").is_hidden(), "Escape does not close the tooltip")


def check_sorting(page, checks):
    number = page.evaluate(FIRST_NUMBERS)
    column = "() => Array.from(document.querySelectorAll('table.sortable tbody tr:not([hidden])'))" \
        f".map(r => r.cells[{number}].textContent)"
    head = page.locator("table.sortable thead th").nth(number)
    for key, order in (("Enter", "descending"), ("Space", "ascending")):
        head.locator("button").focus()
        page.keyboard.press(key)
        checks.require(head.get_attribute("aria-sort") == order, f"aria-sort is not {order}")
        texts = [text for text in page.evaluate(column) if text != "–"]
        figures = [float(text.replace(",", "")) for text in texts]
        expected = sorted(figures, reverse=order == "descending")
        checks.require(figures == expected, f"the rows are not {order}")
    others = page.locator("table.sortable thead th[aria-sort]").count()
    checks.require(others == 1, f"{others} columns claim to be sorted")


def check(browser, path, folder, checks, width, scheme):
    name = f"{width}-{scheme}"
    context = browser.new_context(
        viewport={"width": WIDTHS[width], "height": 900}, color_scheme=scheme,
        reduced_motion="reduce")
    page = context.new_page()
    address = path.resolve().as_uri()
    page.on("console", lambda message: checks.require(False, f"{name}: console: {message.text}"))
    page.on("pageerror", lambda error: checks.require(False, f"{name}: {error}"))
    page.on("dialog", lambda dialog: (checks.require(False, f"{name}: a dialog"), dialog.dismiss()))
    page.on("request", lambda request: checks.require(
        request.url == address or request.url.startswith("data:"), f"{name}: asks for {request.url}"))
    page.goto(address)
    page.wait_for_load_state("load")
    wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    checks.require(wider <= 0, f"{name}: the body is {wider} px wider than the window")
    for fault, script in FAULTS.items():
        found = page.evaluate(script)
        checks.require(not found, f"{name}: {fault}: {found[:5]}")
    page.screenshot(path=folder / f"{name}.png", full_page=True)
    if scheme == "light":
        check_keyboard(page, checks)
    if name == "wide-light":
        page.pdf(path=folder / "print.pdf", format="A4")
    context.close()


def main():
    path, folder = map(Path, sys.argv[1:])
    folder.mkdir(parents=True, exist_ok=True)
    checks = Checks()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for width in WIDTHS:
            for scheme in ("light", "dark"):
                check(browser, path, folder, checks, width, scheme)
        browser.close()
    checks.finish(path.name)


if __name__ == "__main__":
    main()
