"""The page that asks for the password: in the visitor's language, and telling what is wrong."""

from typing import Any

from playwright.sync_api import Browser, expect

PASSWORD = "only for a test"


VISITORS = (
    ("en-GB", "ltr", "Password", "That is not the password."),
    ("de-AT", "ltr", "Passwort", "Das ist nicht das Passwort."),
    ("ar-EG", "rtl", "كلمة المرور", "هذه ليست كلمة المرور."),
    ("fr-FR", "ltr", "Password", "That is not the password."),
)


def test_it_speaks_the_visitors_language_and_fits_a_phone(server_factory: Any, browser: Browser) -> None:
    server = server_factory("--host", "0.0.0.0", IDM_PASSWORD=PASSWORD)
    for locale, direction, field, wrong in VISITORS:
        context = browser.new_context(locale=locale, viewport={"width": 360, "height": 740}, is_mobile=True)
        page = context.new_page()
        page.goto(server.url)
        assert page.locator("html").get_attribute("dir") == direction
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        page.get_by_label(field, exact=True).fill("something else")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_have_text(wrong)
        page.get_by_label(field, exact=True).fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.locator("[data-connection=connected]")).to_be_visible()
        context.close()
