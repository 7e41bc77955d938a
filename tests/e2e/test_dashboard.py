"""The dashboard in a real browser, on a real server with real downloads."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

MIB = 1024 * 1024
PHONES = [(360, 740), (390, 844), (768, 1024)]


@pytest.fixture
def page(browser: Browser, server: Any) -> Iterator[Page]:
    """The dashboard. Nothing may be said on the console, nothing asked of another origin."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page, said, foreign = context.new_page(), [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    for kind in ("request", "websocket"):
        page.on(kind, lambda asked: foreign.append(asked.url))
    open_dashboard(page, server)
    yield page
    context.close()
    ours = re.compile(rf"(http|ws)://127\.0\.0\.1:{server.port}/|data:|blob:")
    assert said == []
    assert [url for url in foreign if not ours.match(url)] == []


def open_dashboard(page: Page, server: Any) -> None:
    page.goto(server.url)
    expect(page.locator("[data-connection=connected]")).to_be_visible()


def row(page: Page, download_id: int = 1) -> Locator:
    return page.locator(f'[data-download-id="{download_id}"]')


def expect_status(page: Page, status: str, download_id: int = 1) -> None:
    expect(row(page, download_id)).to_have_attribute("data-status", status, timeout=60_000)


def press(page: Page, name: str, download_id: int = 1) -> None:
    row(page, download_id).get_by_role("button", name=name).click()


def percent(page: Page, download_id: int = 1) -> float:
    value = row(page, download_id).get_by_role("progressbar").get_attribute("aria-valuenow")
    return -1 if value is None else float(value)


def field(page: Page) -> Locator:
    return page.get_by_role("textbox", name="URL")


def add(page: Page, text: str) -> None:
    page.get_by_role("button", name="Add URL").click()
    field(page).fill(text)
    page.get_by_role("button", name="Download", exact=True).click()


def add_paused(server: Any, count: int) -> None:
    urls = [f"https://example.org/{number}.zip" for number in range(count)]
    server.client.post("/api/downloads", json={"urls": urls, "start": False}).raise_for_status()


def slow(origin: Any, name: str = "slow.bin", size: int = 8 * MIB) -> str:
    return str(origin.url(f"/file/{name}", size=size, rate=60_000))


def test_the_empty_page_teaches_and_its_field_submits_with_enter(page: Page, origin: Any) -> None:
    expect(page.get_by_text("Paste an address to begin")).to_be_visible()
    page.get_by_role("button", name="Add URL").click()
    expect(field(page)).to_be_focused()
    page.keyboard.type(origin.url("/file/first.zip", size=1000))
    page.keyboard.press("Enter")
    expect(page.get_by_text("Download started #1")).to_be_visible()
    expect_status(page, "completed")
    expect(row(page)).to_contain_text("first.zip")
    expect(page.get_by_text("Paste an address to begin")).to_be_hidden()


def test_bad_lines_beside_the_first_good_one_are_not_lost_with_the_empty_page(page: Page, origin: Any) -> None:
    add(page, origin.url("/file/first.zip", size=1000) + "\nftp://example.org/b.zip")
    expect_status(page, "completed")
    expect(page.get_by_role("dialog")).to_contain_text("Only addresses that begin with http:// or https://")
    expect(field(page)).to_have_value("ftp://example.org/b.zip")


def test_many_lines_in_the_dialog_and_bad_ones_stay_with_the_reason(page: Page, server: Any, origin: Any) -> None:
    add_paused(server, 1)
    expect(row(page)).to_be_visible()
    page.keyboard.press("n")
    field(page).fill(origin.url("/file/a.zip"))
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("ftp://example.org/b.zip")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type(origin.url("/file/c.zip"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 downloads started, #2–#3")).to_be_visible()
    expect(field(page)).to_have_value("ftp://example.org/b.zip")
    expect(page.get_by_role("dialog")).to_contain_text("Only addresses that begin with http:// or https://")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator("[data-download-id]")).to_have_count(3)


def test_pasting_anywhere_and_searching_with_a_slash(page: Page, server: Any) -> None:
    add_paused(server, 3)
    expect(row(page, 3)).to_be_visible()
    page.evaluate(
        """() => {
            const clipboard = new DataTransfer();
            clipboard.setData("text/plain", "https://example.org/pasted.zip");
            document.body.dispatchEvent(new ClipboardEvent("paste", {clipboardData: clipboard, bubbles: true}));
        }"""
    )
    expect(field(page)).to_have_value("https://example.org/pasted.zip")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("/")
    page.keyboard.type("1.zip")
    expect(page.locator("[data-download-id]")).to_have_count(1)
    page.reload()
    expect(page.locator("[data-download-id]")).to_have_count(1)
    page.keyboard.press("/")
    page.keyboard.type("nowhere")
    page.get_by_role("button", name="Show all").click()
    expect(page.locator("[data-download-id]")).to_have_count(3)
    expect(page.get_by_role("searchbox")).to_have_value("")


def test_two_tabs_see_the_same_moving_bar(page: Page, server: Any, origin: Any) -> None:
    other = page.context.new_page()
    open_dashboard(other, server)
    add(page, slow(origin, "film.mp4"))
    expect_status(other, "downloading")
    seen: list[tuple[float, float]] = []
    for _ in range(8):
        page.wait_for_timeout(250)
        seen.append((percent(page), percent(other)))
    assert seen[0][0] < seen[-1][0] < 100
    assert all(abs(one - two) < 10 for one, two in seen)
    expect(row(other).locator(".rate")).to_have_text(re.compile("B/s$"))
    expect(row(other).locator(".size")).to_have_text(re.compile(r" of 8\.39.MB$"))
    expect(other.locator(".status-bar .active")).to_have_text("1 active")


def test_pause_resume_and_remove(page: Page, server: Any, origin: Any) -> None:
    add(page, slow(origin))
    expect_status(page, "downloading")
    expect(row(page).locator(".size")).to_have_text(re.compile(" of "))
    press(page, "Pause")
    expect_status(page, "paused")
    expect(row(page).locator(".rate")).to_have_text("")
    press(page, "Resume")
    expect_status(page, "downloading")
    press(page, "Remove")
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("Remove “slow.bin”?")
    question.get_by_role("button", name="Cancel").click()
    expect(question).to_be_hidden()
    expect(row(page)).to_be_visible()
    press(page, "Remove")
    question.get_by_role("button", name="Remove").click()
    expect(row(page)).to_have_count(0)
    assert server.client.get("/api/downloads/1").status_code == 404


def test_a_finished_file_is_saved_and_removing_asks_what_becomes_of_it(page: Page, server: Any, origin: Any) -> None:
    name = "Ärger & Co.zip"
    for seed in (1, 2):
        add(page, origin.url(f"/file/{name}", size=200_000, seed=seed))
        expect_status(page, "completed", seed)
        expect(page.get_by_role("dialog")).to_be_hidden()
    with page.expect_download() as saved:
        row(page).get_by_role("link", name=re.compile("^Save")).click()
    assert saved.value.suggested_filename == name
    assert saved.value.path().stat().st_size == 200_000
    press(page, "Remove")
    page.get_by_role("button", name="Remove from list").click()
    expect(row(page)).to_have_count(0)
    assert (server.download_dir / name).is_file()
    kept = {path.name for path in server.download_dir.iterdir() if path.is_file()}
    press(page, "Remove", 2)
    page.get_by_role("button", name="Delete the file too").click()
    expect(row(page, 2)).to_have_count(0)
    left = {path.name for path in server.download_dir.iterdir() if path.is_file()}
    assert left == {name} < kept


def test_a_failure_says_what_happened_and_shows_the_raw_text_on_demand(page: Page, origin: Any) -> None:
    add(page, origin.url("/file/gone.zip", status=404))
    expect_status(page, "failed")
    expect(row(page)).to_contain_text("no file at this address (404)")
    raw = row(page).locator("pre")
    expect(raw).to_be_hidden()
    row(page).get_by_text("Details").click()
    expect(raw).to_be_visible()
    expect(raw).not_to_be_empty()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    press(page, "Copy")
    expect(row(page).get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == raw.inner_text()
    press(page, "Retry")
    expect_status(page, "failed")


def test_what_is_selected_is_stopped_and_deleted(page: Page, origin: Any) -> None:
    add(page, "\n".join(slow(origin, f"{number}.bin") for number in (1, 2, 3)))
    for number in (1, 2, 3):
        expect_status(page, "downloading", number)
    tools = page.get_by_role("toolbar")
    expect(tools.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
    for number in (1, 3):
        row(page, number).get_by_role("checkbox").check()
    tools.get_by_role("button", name="Stop", exact=True).click()
    expect_status(page, "paused", 1)
    expect_status(page, "paused", 3)
    expect_status(page, "downloading", 2)
    tools.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.locator("[data-download-id]")).to_have_count(1)
    tools.get_by_role("button", name="Stop All").click()
    expect_status(page, "paused", 2)
    expect(page.locator(".filters .unfinished .count")).to_have_text("1")


def test_resume_goes_on_with_the_failed_ones_that_are_selected_too(page: Page, server: Any, origin: Any) -> None:
    server.client.post("/api/downloads", json={"url": origin.url("/file/a.zip", status=404)}).raise_for_status()
    add_paused(server, 1)
    expect_status(page, "failed")
    server.client.patch("/api/downloads/1", json={"url": origin.url("/file/a.zip", size=1000)}).raise_for_status()
    for download_id in (1, 2):
        row(page, download_id).get_by_role("checkbox").check()
    page.get_by_role("toolbar").get_by_role("button", name="Resume", exact=True).click()
    expect_status(page, "completed", 1)
    expect(row(page, 2)).not_to_have_attribute("data-status", "paused")


def test_one_that_starts_later_says_when(browser: Browser, server: Any) -> None:
    page = browser.new_page(timezone_id="America/New_York")
    later = {"url": "https://example.org/a.zip", "start_at": "2099-12-24T18:00:00Z"}
    server.client.post("/api/downloads", json=later).raise_for_status()
    open_dashboard(page, server)
    expect(row(page).locator(".status")).to_have_text(re.compile(r"Not before Dec 24, 1:00\sPM"))
    page.close()


def test_what_is_pressed_twice_is_done_once_and_nothing_is_wrong(page: Page, server: Any, origin: Any) -> None:
    server.client.post("/api/downloads", json={"url": slow(origin), "start": False}).raise_for_status()
    row(page).get_by_role("button", name="Resume").evaluate("button => { button.click(); button.click(); }")
    expect_status(page, "downloading")
    press(page, "More")
    page.get_by_role("menuitem", name="Copy address").click()
    expect(page.get_by_text("Address copied")).to_be_visible()
    expect(page.locator(".q-notification.bg-negative")).to_have_count(0)


def test_a_question_is_named_by_what_it_asks_and_stays_until_the_answer_is_good(page: Page, server: Any) -> None:
    add_paused(server, 1)
    press(page, "More")
    page.get_by_role("menuitem", name="Refresh address").click()
    question = page.get_by_role("dialog", name="A fresh address for “0.zip”")
    question.get_by_label("URL").fill("ftp://example.org/1.zip")
    question.get_by_role("button", name="Use this address").click()
    expect(question).to_contain_text("Only addresses that begin with http:// or https://")
    expect(question.get_by_label("URL")).to_have_value("ftp://example.org/1.zip")
    question.get_by_label("URL").fill("https://example.org/1.zip")
    question.get_by_label("URL").press("Enter")
    expect(question).to_have_count(0)
    expect(row(page)).to_contain_text("1.zip")


def test_a_long_history_is_paged(page: Page, server: Any) -> None:
    add_paused(server, 100)
    expect(page.get_by_text("1–40 of 100")).to_be_visible()
    expect(page.locator("[data-download-id]")).to_have_count(40)
    page.get_by_role("button", name="Older").click()
    page.get_by_role("button", name="Older").click()
    expect(page.get_by_text("81–100 of 100")).to_be_visible()
    expect(page.locator("[data-download-id]")).to_have_count(20)
    expect(row(page, 1)).to_be_visible()


def test_the_connection_is_true_and_comes_back_by_itself(browser: Browser, server: Any, origin: Any) -> None:
    page = browser.new_page()
    open_dashboard(page, server)
    add(page, slow(origin))
    expect_status(page, "downloading")
    connection = page.get_by_role("status")
    expect(connection).to_have_count(1)
    expect(connection).to_have_text("Connected")
    server.kill()
    expect(connection).to_have_attribute("data-connection", "offline")
    expect(connection).to_contain_text("Offline")
    page.wait_for_timeout(3000)
    expect(page.locator("#popup")).to_be_hidden()  # one message, not NiceGUI's beside ours
    server.start()
    expect(connection).to_have_attribute("data-connection", "connected", timeout=15_000)
    expect_status(page, "downloading")
    before = percent(page)
    page.wait_for_timeout(1500)
    assert percent(page) > before
    page.close()


@pytest.mark.parametrize(("width", "height"), PHONES)
def test_everything_fits_on_a_narrow_screen(page: Page, server: Any, origin: Any, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    add(page, slow(origin, "a-very-long-name-" * 12 + ".mp4"))
    expect_status(page, "downloading")
    add(page, origin.url("/file/gone.zip", status=404))
    expect_status(page, "failed", 2)
    row(page, 2).get_by_text("Details").click()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    for element in page.locator("[data-download-id], [data-download-id] button, header button:visible").all():
        box = element.bounding_box()
        if box is not None:
            assert 0 <= box["x"] <= box["x"] + box["width"] <= width, element.evaluate("e => e.outerHTML")
    page.get_by_role("button", name="Add URL").click()
    button = page.get_by_role("button", name="Download", exact=True)
    expect(button).to_be_in_viewport(ratio=1)


def test_the_theme_follows_the_system_until_chosen_and_is_kept(page: Page) -> None:
    def background() -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    page.emulate_media(color_scheme="dark")
    dark = background()
    page.emulate_media(color_scheme="light")
    assert background() != dark
    switch = page.get_by_role("button", name=re.compile("^Theme"))
    switch.click()
    switch.click()
    expect(switch).to_have_accessible_name("Theme: dark")
    assert background() == dark
    page.reload()
    expect(switch).to_have_accessible_name("Theme: dark")
    assert background() == dark


def test_a_foreign_title_is_only_text(page: Page, server: Any) -> None:
    add_paused(server, 1)
    title = """<img src=x onerror="document.title='owned'">{{ 1 + 1 }}</script>`${1}"""
    server.client.patch("/api/downloads/1", json={"title": title}).raise_for_status()
    expect(row(page).locator(".title")).to_have_text(title)
    page.reload()
    expect(row(page).locator(".title")).to_have_text(title)
    assert page.title() != "owned"
    press(page, "Remove")
    expect(row(page)).to_have_count(0)


def test_motion_is_reduced_when_asked(page: Page, origin: Any) -> None:
    page.emulate_media(reduced_motion="reduce")
    add(page, slow(origin))
    expect_status(page, "downloading")
    moving = "e => [getComputedStyle(e).transitionDuration, getComputedStyle(e).animationName]"
    assert row(page).locator(".fill").evaluate(moving) == ["0s", "none"]


def test_pasting_looks_at_once_and_what_is_there_can_be_chosen(page: Page, server: Any, media_site: Any) -> None:
    field(page).fill(media_site.ladder())
    expect(page.locator(".offer")).to_contain_text("ladder", timeout=60_000)
    quality = page.get_by_label("Quality")
    expect(quality.get_by_role("option")).to_contain_text(["Best quality", "1080p · mp4", "720p · mp4", "480p · mp4"])
    quality.select_option(label=quality.get_by_role("option").nth(3).inner_text())
    page.get_by_text("Folder, category, start").click()
    page.get_by_label("Folder").fill("films/short")
    page.get_by_role("combobox", name="Start", exact=True).select_option("Later, by hand")
    page.get_by_role("button", name="Download", exact=True).click()
    expect_status(page, "paused")
    assert server.client.post("/api/downloads/1/resume").is_success
    expect_status(page, "completed")
    assert (server.download_dir / "films/short/ladder.mp4").is_file()


def test_what_is_typed_before_the_server_is_there_stands_once(page: Page, server: Any, origin: Any) -> None:
    held: list[Route] = []
    page = page.context.new_page()  # the console may say that there is no WebSocket
    page.add_init_script("delete window.WebSocket")  # so that all of NiceGUI's socket can be held
    page.route("**/_nicegui_ws/**", lambda route: held.append(route))
    page.goto(server.url)
    url = origin.url("/early.zip", size=5000)
    field(page).fill(url)
    page.wait_for_function("sessionStorage.getItem('draft')")
    page.unroute("**/_nicegui_ws/**")
    for route in held:
        route.continue_()
    expect(page.locator(".offer")).to_contain_text("early.zip", timeout=60_000)
    expect(field(page)).to_have_value(url)


def test_what_goes_into_the_file_is_chosen(page: Page, server: Any, media_site: Any) -> None:
    field(page).fill(media_site.talk_page())
    page.get_by_text("Put into the file").click()
    page.get_by_label("Thumbnail").check()
    sponsors = page.get_by_label("Chapters, with sponsors marked")
    expect(sponsors).not_to_be_checked()
    sponsors.check()
    expect(page.get_by_text("sponsor.ajay.app")).to_be_visible()
    page.get_by_role("button", name="Download", exact=True).click()
    expect_status(page, "completed")
    events = [event["code"] for event in server.client.get("/api/downloads/1").json()["events"]]
    assert events == ["no-sponsors.other-site"]


def test_the_entries_of_a_playlist_are_picked(page: Page, server: Any, media_site: Any) -> None:
    field(page).fill(media_site.feed(6))
    entries = page.get_by_role("group", name="Entries of the playlist")
    expect(entries.get_by_role("checkbox")).to_have_count(6, timeout=30_000)
    entries.get_by_role("button", name="None").click()
    expect(page.get_by_role("button", name="Download", exact=True)).to_be_disabled()
    entries.get_by_role("searchbox").fill("episode 2")
    entries.get_by_role("button", name="All").click()
    entries.get_by_role("searchbox").fill("")
    entries.get_by_label("Episode 3").check()
    entries.get_by_label("Episode 6").check()
    page.get_by_role("button", name="Download", exact=True).click()
    for download_id in (2, 3, 4):
        expect_status(page, "completed", download_id)
    titles = {d["title"] for d in server.client.get("/api/downloads").json()["downloads"] if d["kind"] != "playlist"}
    assert titles == {"Episode 2", "Episode 3", "Episode 6"}


def test_a_playlist_takes_its_unfinished_entries_along_and_says_so(page: Page, server: Any, media_site: Any) -> None:
    server.client.patch("/api/settings", json={"max_active": 1}).raise_for_status()
    server.client.post("/api/downloads", json={"url": media_site.feed(3, rate=1_000)}).raise_for_status()
    expect(page.locator(".download")).to_have_count(4, timeout=60_000)
    press(page, "Remove")
    expect(page.get_by_role("dialog")).to_contain_text("Its 3 unfinished entries go, too")
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.locator(".download")).to_have_count(0)


def test_a_batch_is_previewed_and_what_is_known_is_said(page: Page, server: Any) -> None:
    add_paused(server, 3)
    expect(row(page)).to_be_visible()
    page.keyboard.press("n")
    field(page).fill("https://example.org/[0-9].zip")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("10 addresses: https://example.org/0.zip … https://example.org/9.zip")
    expect(dialog).to_contain_text("3 of these are on your list already.")
    field(page).fill("https://example.org/1.zip")
    expect(dialog).to_contain_text(re.compile("You already have this: 1.zip, from .*[A-Z]"))
    dialog.get_by_role("button", name="Open it").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("[data-download-id]")).to_have_count(1)


def test_many_more_addresses_than_fit_into_a_message_are_taken(page: Page, server: Any) -> None:
    addresses = "\n".join(f"https://example.org/{'long-' * 15}{number}.zip" for number in range(11_000))
    assert len(addresses) > 1_000_000
    put = "(field, text) => { field.value = text; field.dispatchEvent(new Event('input')); }"
    field(page).evaluate(put, addresses)
    page.get_by_text("Folder, category, start").click()
    page.get_by_label("Start").select_option("Later, by hand")
    expect(page.get_by_text("11,000 addresses:")).to_be_visible()
    page.get_by_role("button", name="Download", exact=True).click()
    expect(page.get_by_text("11,000 downloads started")).to_be_visible()
    assert server.client.get("/api/downloads?limit=1").json()["total"] == 11_000


def test_a_dropped_text_file_opens_the_dialog_filled(page: Page, server: Any) -> None:
    add_paused(server, 1)
    expect(row(page)).to_be_visible()
    page.evaluate(
        """() => {
            const dropped = new DataTransfer();
            dropped.items.add(new File(["https://example.org/a.zip\\nhttps://example.org/b.zip"], "list.txt"));
            document.body.dispatchEvent(new DragEvent("drop", {dataTransfer: dropped, bubbles: true}));
        }"""
    )
    expect(field(page)).to_have_value("https://example.org/a.zip\nhttps://example.org/b.zip")
    field(page).evaluate(
        """field => {
            const dropped = new DataTransfer();
            dropped.items.add(new File(["https://example.org/c.zip"], "more.txt"));
            const options = {dataTransfer: dropped, bubbles: true, cancelable: true};
            const isRefused = field.dispatchEvent(new DragEvent("dragover", options));
            if (!isRefused) field.dispatchEvent(new DragEvent("drop", options));
        }"""
    )
    expect(field(page)).to_have_value(re.compile("c.zip$"))


def test_a_start_at_a_time_needs_the_time(page: Page, server: Any) -> None:
    field(page).fill("https://example.org/a.zip")
    more = page.get_by_text("Folder, category, start")
    more.click()
    page.get_by_label("Start").select_option("At a time")
    more.click()
    field(page).press("Enter")
    time = page.get_by_label("Time", exact=True)
    expect(time).to_be_focused()
    expect(row(page)).to_have_count(0)
    time.fill("2099-12-24T18:00")
    page.get_by_role("button", name="Download", exact=True).click()
    expect(row(page)).to_contain_text("Not before Dec 24")


DROP = """data => {
    const dropped = new DataTransfer();
    for (const [type, text] of Object.entries(data)) dropped.setData(type, text);
    for (const type of ["dragover", "drop"]) {
        const event = new DragEvent(type, {dataTransfer: dropped, bubbles: true, cancelable: true});
        if (document.body.dispatchEvent(event) && type === "dragover") return; // a browser would not drop it here
    }
}"""


def test_of_dropped_text_the_addresses_are_taken(page: Page, server: Any) -> None:
    add_paused(server, 1)
    expect(row(page)).to_be_visible()
    page.evaluate(DROP, {"text/plain": "This (https://example.org/a.zip), and\nalso: https://example.org/b_(2).zip."})
    expect(field(page)).to_have_value("https://example.org/a.zip\nhttps://example.org/b_(2).zip")


def test_what_is_typed_survives_a_restart_of_the_server(browser: Browser, server: Any) -> None:
    page = browser.new_page()
    open_dashboard(page, server)
    field(page).fill("https://example.org/half-typed.zip")
    server.stop()
    expect(page.locator("[data-connection=offline]")).to_be_visible()
    page.get_by_role("button", name="Download", exact=True).click()
    server.start()
    expect(page.locator("[data-connection=connected]")).to_be_visible()
    expect(field(page)).to_have_value("https://example.org/half-typed.zip")
    add_paused(server, 1)  # from elsewhere: the empty page goes
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(field(page)).to_have_value("https://example.org/half-typed.zip")
    page.get_by_text("Folder, category, start").click()
    page.get_by_label("Start").select_option("Later, by hand")
    page.get_by_role("button", name="Download", exact=True).click()
    expect(row(page, 2)).to_contain_text("half-typed.zip")
    page.reload()
    expect(row(page, 2)).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.close()


@pytest.mark.parametrize(("locale", "direction"), [("de-DE", "ltr"), ("ar-EG", "rtl")])
def test_it_speaks_the_browsers_language(browser: Browser, server: Any, locale: str, direction: str) -> None:
    context = browser.new_context(locale=locale, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    open_dashboard(page, server)
    add_paused(server, 1)
    expect(row(page)).to_contain_text({"de-DE": "Angehalten", "ar-EG": "متوقف مؤقتًا"}[locale])
    expect(page.locator("html")).to_have_attribute("dir", direction)
    expect(page.locator("html")).to_have_attribute("lang", locale[:2])
    filters, listed = page.locator(".filters").bounding_box(), row(page).bounding_box()
    assert filters is not None
    assert listed is not None
    assert (filters["x"] < listed["x"]) == (direction == "ltr")
    assert page.evaluate("document.documentElement.scrollWidth") == 1280
    context.close()
