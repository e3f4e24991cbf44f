"""The page in a real browser: what a reader does, in both themes, on a phone, and with hostile text."""

import time

import pytest
from report_worlds import CERTIFICATE, conversation, library_run, write_page

from writ.schema import Call, Check, Rival

LOST = "conversation-000000000000"
KEPT = "conversation-000000000001"
TALL = {"width": 1440, "height": 4200}
"""Shows the whole list."""
NOWHERE = "conversation-00000000000c"


def shown_ids(page):
    return page.eval_on_selector_all("#rows a", "links => links.map((link) => link.hash.slice(1).split('?')[0])")


def expect_count(page, text):
    page.wait_for_function("text => document.getElementById('list-count')?.textContent === text", arg=text)


def test_overview_names_kept_share_models_seed_certificate_and_the_commonest_cause_first(view):
    page = view()
    text = page.inner_text("main")
    for fact in ("agent-4b", "user-30b", "run 7", "generated database, seed 3", "40,780", "1 removed", "3 benchmark tasks", "Same changes once ids"):
        assert fact in text
    assert page.inner_text("h1") == "30 of 40 conversations kept"
    losses = page.eval_on_selector_all(".bar-row .fill.lost", "bars => bars.map((bar) => bar.closest('.bar-row').innerText.split('\\n')[0])")
    assert losses[0] == "Wrong value in a change"
    tile = page.locator("a.tile:last-child")
    assert "Wrong value in a change" in tile.inner_text()
    tile.click()
    expect_count(page, "5 of 40 conversations")


def test_grid_cell_click_leaves_the_conversations_of_that_cell(view):
    page = view(viewport=TALL)
    page.click('a.cell[aria-label^="1 change, 9-11 look-ups"]')
    expected = {made.trajectory.id for made in library_run() if made.task.burden == 9}
    expect_count(page, f"{len(expected)} of 40 conversations")
    assert set(shown_ids(page)) == expected


FILTERS = {
    ("domain", "library"): lambda made: True,
    ("kind", "read_heavy"): lambda made: made.task.kind == "read_heavy",
    ("burden", "2-3"): lambda made: made.task.burden == 3,
    ("writes", "1"): lambda made: True,
    ("writes", "2+"): lambda made: False,
    ("writes", "3+"): lambda made: False,
    ("compared", "1"): lambda made: True,
    ("verdict", "lost"): lambda made: not made.verdict.kept,
    ("verdict", "duplicate"): lambda made: made.trajectory.id.endswith("001"),
    ("cause", "user_invented"): lambda made: made.verdict.cause == "user_invented",
    ("behavior", "tone:formal"): lambda made: made.instruction.behavior.tone == "formal",
}


@pytest.mark.long
def test_each_filter_leaves_exactly_what_fits(view):
    page = view("find?", viewport=TALL)
    for (name, value), fits in FILTERS.items():
        page.select_option(f"#filter-{name}", value)
        expected = {made.trajectory.id for made in library_run() if fits(made)}
        expect_count(page, f"{len(expected)} of 40 conversations" if len(expected) < 40 else "40 conversations")
        assert set(shown_ids(page)) == expected
        assert f"{name}={value.replace(':', '%3A').replace('+', '%2B')}" in page.url
        page.click("#clear")


@pytest.mark.long
def test_filters_in_the_address_are_set_when_it_is_opened(view):
    page = view("find?verdict=lost&behavior=tone%3Aformal")
    expect_count(page, "2 of 40 conversations")
    assert page.input_value("#filter-verdict") == "lost"
    page.click("#clear")
    expect_count(page, "40 conversations")


def test_search_for_words_or_ids_finds_the_conversation(view):
    page = view("find?")
    for query, found in (("pomegranate", "03"), ("000000000011", "11"), ("salt POMEGRANATE", "03")):
        page.fill("#search", query)
        page.wait_for_selector(f'#rows li:only-child a[href^="#conversation-0000000000{found}?q="]')
        expect_count(page, "1 of 40 conversations")
    page.fill("#search", "pomegranate salt")
    page.wait_for_selector("#rows li:only-child")
    assert "Customer, message 1: …" in page.inner_text("#rows")
    assert page.locator("#rows mark").all_inner_texts() == ["Salt", "pomegranate"]  # one in the title, the other where it was said
    page.keyboard.press("Enter")
    page.click("text=Show the next")
    assert page.inner_text("mark.hit.current") in ("Salt", "pomegranate")
    page.fill("#search", "island")
    expect_count(page, "40 conversations · best first")
    assert page.locator(".chat").count() == 1, "what is open is still among them"
    page.fill("#search", "oranges")
    expect_count(page, "0 of 40 conversations")
    page.wait_for_selector(".chat", state="detached")
    page.fill("#search", "zeppelin")
    expect_count(page, "0 of 40 conversations")
    assert "No conversation fits" in page.inner_text("#rows")


def test_permanent_link_opens_its_conversation_and_the_list_marks_it(view, screenshots):
    page = view(KEPT)
    page.wait_for_selector(".chat")
    page.screenshot(path=screenshots / "conversation-light.png")
    assert KEPT in page.inner_text(".chat-head")
    assert page.get_attribute("#rows a[aria-current]", "href") == f"#{KEPT}"
    page.click('.call.write a.turn-number[href$="@7"]')
    page.wait_for_selector('[data-message="7"].visited')
    assert "No conversation of this run" in view("conversation-nowhere").inner_text("#reader")


def test_click_on_a_shown_argument_opens_the_tool_output_at_its_leaf(view, screenshots):
    page = view(KEPT)
    page.click('button.argument[data-argument="edition_id"]')
    page.wait_for_selector(".lit-leaf")
    page.screenshot(path=screenshots / "evidence-light.png")
    assert page.inner_text(".lit-leaf") == "edition_id: e572"
    assert page.get_attribute(".lit", "data-turn") == "4"
    assert "Get edition showed it in message 4. Also shown in message 3" in page.inner_text("#evidence-bar")
    page.keyboard.press("Escape")
    assert page.locator(".lit, .lit-leaf, #evidence-bar").count() == 0


@pytest.mark.long
def test_click_on_an_argument_from_deep_inside_an_output_opens_all_that_is_folded_above_it(view):
    page = view("conversation-000000000004")
    page.click('button.argument[data-argument="member_id"]')
    page.wait_for_selector(".lit-leaf")
    assert page.inner_text(".lit-leaf") == "holder.id: m1"
    assert page.get_attribute(".lit-leaf", "data-path") == "loans.0.holder.id"


def test_click_on_a_said_argument_marks_the_customers_words(view):
    page = view(KEPT)
    page.click('button.argument[data-argument="branch"]')
    assert page.inner_text("mark") == "South"
    assert page.get_attribute(".lit", "data-turn") == "1"
    page.click('button.argument[data-argument="member_id"]')
    assert page.locator("mark, .lit").count() == 0
    assert "worked out: the member of the card" in page.inner_text("#evidence-bar")


@pytest.mark.long
def test_value_that_the_customer_only_described_lights_up_where_a_tool_showed_it(view, tmp_path):
    page = view(KEPT, file=write_page(tmp_path / "described.html", [_described(made) for made in library_run(3)]))
    page.click('button.argument[data-argument="edition_id"]')
    page.wait_for_selector(".lit-leaf")
    assert "the customer described it in message 1, and Get edition showed it in message 4" in page.inner_text("#evidence-bar")
    assert "described, message 1; shown, message 4" in page.inner_text(".call.write")
    assert {turn.get_attribute("data-turn") for turn in page.locator(".lit").all()} == {"1", "4"}


def _described(made):
    """As a domain's own spelling grounds an id: said, in words that are not the id."""
    said = {"kind": "said", "turn": 1, "path": ""}
    origins = tuple(origin.model_copy(update=said) if origin.argument == "edition_id" else origin for origin in made.verdict.origins)
    return made._replace(verdict=made.verdict.model_copy(update={"origins": origins}))


def test_stranger_finds_what_is_asked_for_by_what_is_visible(view, screenshots):
    """A given conversation, why its change was right, the commonest cause of loss: each in a few clicks on words that stand on the page."""
    page = view()
    assert page.get_by_text("Commonest loss").is_visible()
    page.get_by_text("Commonest loss").click()
    page.wait_for_selector(".selection")
    page.screenshot(path=screenshots / "selection-light.png")
    page.get_by_role("link", name="Conversations").click()
    page.get_by_placeholder("Words, names or ids").fill(KEPT)
    expect_count(page, "1 of 40 conversations")
    page.get_by_role("link", name="Open the first").click()
    banner = page.inner_text(".banner.good")
    assert "Why the change is right" in banner
    assert "Of 2 editions of The Salt Island that fit, The Salt Island, audiobook (e572) has the newest edition: year 2002. Next best" in banner
    page.get_by_role("link", name="Place hold", exact=True).click()
    page.wait_for_selector(".call.write.here")
    page.get_by_role("button", name="e572", exact=True).click()
    page.wait_for_selector("#evidence-bar")


@pytest.mark.long
def test_selection_tells_causes_of_what_is_filtered_commonest_first(view):
    page = view("find?verdict=lost")
    page.wait_for_selector(".selection")
    numbers = [int(text) for text in page.locator(".selection .bar-number").all_inner_texts()]
    assert numbers == sorted(numbers, reverse=True)
    assert f"0 kept, {sum(numbers)} lost" in page.inner_text(".selection h1")


def test_wrong_argument_shows_cause_in_place_and_the_right_value(view, screenshots):
    page = view(LOST, color_scheme="dark")
    why = "In message 7, in “Place hold”, the agent set edition to e571, where e572 was due. Right is: Of 2 editions"
    assert why in page.inner_text(".banner.bad")
    page.click(".banner.bad p >> nth=0")
    page.wait_for_selector('[data-message="7"].visited')
    page.screenshot(path=screenshots / "lost-dark.png")
    note = page.locator('[data-message="7"] .note-inline')
    assert note.count() == 1
    assert note.inner_text().startswith("Why it was lost: Wrong value in a change.")
    assert "change nobody asked for" not in page.inner_text(".chat"), "what follows from the wrong value is no cause of its own"
    assert "On purpose: the scripted model" in note.inner_text()
    assert page.inner_text(".differs").split() == ["Edition", "e571", "right", "would", "be", "e572", "Get", "edition,", "message", "4"]
    assert page.inner_text(".call.write .tag") == "differs from the right answer"
    assert "Not right: Edition e571 should be e572." in page.inner_text(".call.write .reason")


@pytest.mark.long
def test_argument_from_nowhere_is_called_that(view):
    page = view(NOWHERE)
    assert page.inner_text(".from.none") == "from nowhere"
    page.click('button.argument[data-argument="edition_id"]')
    assert "it comes from nowhere" in page.inner_text("#evidence-bar.bad")


def test_change_says_why_it_is_right_and_its_task_what_it_was_chosen_among(view):
    page = view(KEPT)
    text = "[...cell.childNodes].map((part) => part.textContent).join(' ')"
    rows = page.eval_on_selector_all(
        ".candidates tbody tr", f"rows => rows.map((row) => [row.className, [...row.cells].map((cell) => {text}).join(' ')])"
    )
    assert rows == [
        ["winner", "The Salt Island, audiobook (e572) Winner: has the newest edition 2002"],
        ["runner_up", "The Salt Island, large print (e571) Runner-up 1971"],
        ["excluded", "The Salt Island, lost copy (e570) Out: cannot be lent 2010"],
    ]
    assert "3 editions of The Salt Island, best first; 1 out" in page.inner_text(".task")
    why = page.inner_text(".call.write .because")
    assert why.startswith("Right: Of 2 editions of The Salt Island that fit, The Salt Island, audiobook (e572) has the newest edition: year 2002.")
    assert why.endswith("Next best: The Salt Island, large print (e571), year 1971.")
    page.click(".candidates .winner .record")
    assert "Get edition showed it in message 4" in page.inner_text("#evidence-bar")
    assert page.get_attribute(".lit", "data-turn") == "4"
    page.click(".candidates .excluded .record")
    assert "no look-up of this conversation showed it. Out: cannot be lent" in page.inner_text("#evidence-bar.bad")


@pytest.mark.long
def test_filters_outlive_a_reload_while_a_conversation_is_open(view):
    page = view("find?verdict=lost")
    expect_count(page, "10 of 40 conversations")
    page.click("#rows a >> nth=1")
    page.wait_for_selector(".chat")
    page.reload()
    page.wait_for_selector(".chat")
    expect_count(page, "10 of 40 conversations")
    assert page.input_value("#filter-verdict") == "lost"


def test_conversations_tab_goes_back_to_the_list_as_it_was_and_keys_work_from_a_filter(view):
    page = view("find?verdict=lost")
    expect_count(page, "10 of 40 conversations")
    page.focus("#filter-verdict")
    page.keyboard.press("j")
    page.wait_for_selector(".chat")
    first = page.url
    page.keyboard.press("j")
    page.wait_for_function("url => location.href !== url", arg=first)
    page.click("#tab-find")
    page.wait_for_selector(".selection")
    expect_count(page, "10 of 40 conversations")
    page.click("#tab-overview")
    page.click("#tab-find")
    expect_count(page, "10 of 40 conversations")


@pytest.mark.long
def test_look_up_that_another_one_answered_is_no_cross(view, tmp_path):
    made = conversation(1)
    decision = made.task.decisions[0]
    listing, read = Call(name="list_editions", arguments={"title": "The Salt Island"}), decision.certificate.rivals[0].refuters[0]
    rivals = (Rival(claim="e572 cannot be lent", refuters=(listing, read)),)
    certificate = decision.certificate.model_copy(update={"rivals": rivals, "plan": (*decision.certificate.plan, listing)})
    task = made.task.model_copy(update={"decisions": (decision.model_copy(update={"certificate": certificate}),)})
    page = view(made.trajectory.id, file=write_page(tmp_path / "page.html", [made._replace(task=task)]))
    assert page.locator(".proof .tick.bad").count() == 0
    assert "answered by message 2" in page.inner_text(".proof >> nth=0")
    assert page.get_by_role("button", name="Compare all 3 (1 out)").is_visible()


@pytest.mark.long
def test_id_that_the_customer_was_not_to_say_is_marked_in_their_words(view, tmp_path):
    made = conversation(1)
    check = Check(name="user_words", result="fail", cause="user_leaked", owner="user", detail="the user said South", turn=1)
    lost = made.verdict.model_copy(update={"checks": (check,), "kept": False, "cause": "user_leaked", "owner": "user"})
    page = view(made.trajectory.id, file=write_page(tmp_path / "page.html", [made._replace(verdict=lost)]))
    assert page.inner_text("[data-message='1'] mark.wrong") == "South"
    assert "The script does not give it to them" in page.inner_text(".banner.bad")


@pytest.mark.long
def test_policy_is_read_as_headings_lists_and_bold_words_and_never_as_markup(view, tmp_path):
    policy = "# The desk\n\nBe **kind**\nand `quick`.\n\n## Loans\n- one\n  - deeper\n1. two <img src=x>\n"
    page = view("overview", file=write_page(tmp_path / "page.html", library_run(3), policy=policy))
    page.click("summary:has-text('The policy')")
    shown = page.locator(".policy")
    assert shown.locator("h3, h4").all_inner_texts() == ["The desk", "Loans"]
    assert shown.locator("li").all_inner_texts() == ["one", "deeper", "two <img src=x>"]
    assert shown.locator("p").all_inner_texts() == ["Be kind and quick."]
    assert (shown.locator("b").inner_text(), shown.locator("code").inner_text()) == ("kind", "quick")


@pytest.mark.long
def test_exam_is_called_unchecked_where_no_benchmark_was_given(view, tmp_path):
    page = view(file=write_page(tmp_path / "page.html", library_run(3), certificate=CERTIFICATE | {"benchmarks": {"library": {"tasks": 0}}}))
    card = page.locator(".card", has_text="The exam: not checked")
    assert "No benchmark was given" in card.inner_text()
    assert card.locator(".good, .icon").count() == 0


@pytest.mark.long
def test_hostile_text_stays_text(view, screenshots):
    page = view("conversation-000000000027")
    page.wait_for_selector(".chat")
    page.click(".task summary >> nth=0")
    page.click(".result summary >> nth=1")
    page.screenshot(path=screenshots / "hostile.png")
    assert page.evaluate("window.pwned") is None
    assert page.locator("main img, main iframe, main script, main style").count() == 0
    said = page.locator('[data-turn="1"] .said')
    assert "<script>window.pwned=1</script>" in said.inner_text()
    assert "U+202E" in said.inner_text()
    assert "\u202e" not in page.inner_text("body")
    assert len(said.inner_text()) < 10_000
    said.locator("button.more").click()
    assert len(said.inner_text()) > 1_000_000


def test_keys_walk_the_list_and_the_views(view):
    page = view("find?verdict=lost")
    expect_count(page, "10 of 40 conversations")
    page.keyboard.press("j")
    page.wait_for_function("() => location.hash === '#conversation-000000000000?verdict=lost'")
    page.keyboard.press("j")
    page.wait_for_function("() => location.hash === '#conversation-000000000004?verdict=lost'")
    page.keyboard.press("k")
    page.wait_for_function("() => location.hash === '#conversation-000000000000?verdict=lost'")
    page.wait_for_selector(".chat")
    for _ in range(100):  # until this conversation's chat stands where the last one's was
        page.keyboard.press("w")
        if page.evaluate("document.activeElement.dataset.argument") == "member_id":
            break
        page.wait_for_timeout(50)
    assert page.evaluate("document.activeElement.dataset.argument") == "member_id"
    page.keyboard.press("/")
    page.wait_for_function("() => document.activeElement.id === 'search'")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.wait_for_function("() => location.hash === '#find?verdict=lost'")
    page.keyboard.press("o")
    page.wait_for_selector(".hero")
    page.keyboard.press("?")
    assert page.is_visible("dialog")


CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const linear = (part) => (part / 255 <= .04045 ? part / 255 / 12.92 : ((part / 255 + .055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => .2126 * linear(r) + .7152 * linear(g) + .0722 * linear(b);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = rgba(getComputedStyle(at).backgroundColor);
      if (color[3] > 250) return color;
    }
    return [255, 255, 255];
  };
  const poor = new Set();
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    if (!own || !element.checkVisibility() || element.closest('.hidden, svg, .empty, option, noscript, script')) continue;
    const both = [light(rgba(getComputedStyle(element).color)), light(ground(element))];
    const ratio = (Math.max(...both) + .05) / (Math.min(...both) + .05);
    if (ratio < 4.5) poor.add(`${element.className || element.tagName} ${ratio.toFixed(2)} ${element.textContent.slice(0, 30)}`);
  }
  return [...poor];
}"""
"""Texts whose contrast with what is behind them is below 4.5, as WCAG 2 counts it."""


@pytest.mark.long
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_in_both_themes(view, screenshots, scheme):
    page = view("overview", color_scheme=scheme)
    page.screenshot(path=screenshots / f"overview-{scheme}.png", full_page=True)
    assert page.evaluate(CONTRAST) == []
    page.evaluate(f"location.hash = '{LOST}'")
    page.wait_for_selector(".banner.bad")
    assert page.evaluate(CONTRAST) == []
    page.evaluate("location.hash = 'find?q=pomegranate'")
    page.wait_for_selector("#rows mark")
    page.click("#rows a")
    page.wait_for_selector(".reason")
    page.click("text=Show the next")
    page.click(".candidates .winner .record")
    assert page.evaluate(CONTRAST) == []


@pytest.mark.long
def test_theme_button_switches_against_the_system_and_is_remembered(view):
    page = view(color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(ground)
    page.keyboard.press("t")
    assert page.evaluate(ground) != before
    page.reload()
    page.wait_for_selector("body[data-ready]")
    assert page.evaluate(ground) != before


VIEWS = {"overview": ".hero", "find?": "#rows li", LOST: ".chat"}


NAMELESS = (
    "[...document.querySelectorAll('button, a[href], input, select')].filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim()"
    " || e.labels?.length)).map((e) => e.outerHTML.slice(0, 80))"
)


def test_phone_shows_every_view_without_sideways_scrolling_and_every_control_has_a_name(view, screenshots):
    page = view(viewport={"width": 390, "height": 844})
    for at, sign in VIEWS.items():
        page.evaluate(f"location.hash = '{at}'")
        page.wait_for_selector(sign)
        page.screenshot(path=screenshots / f"phone-{at.strip('?')[:12]}.png")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, at
        assert page.evaluate(NAMELESS) == []


@pytest.mark.long
def test_print_shows_the_conversation_and_not_the_list(view):
    page = view(KEPT)
    page.wait_for_selector(".chat")
    page.emulate_media(media="print")
    assert not page.is_visible(".list")
    assert not page.is_visible("#bar")
    assert page.is_visible("text=A hold on e572 at South?")


@pytest.mark.long
def test_two_runs_side_by_side_show_what_changed(view, tmp_path, screenshots):
    from writ.report.head import Head
    from writ.report.page import compare_page
    from writ.report.stage import index_of
    from writ.settings import RunConfig

    def counted(made, seed):
        head = Head(RunConfig(seed=seed), f"run{seed}")
        streams = ([each[part] for each in made] for part in range(4))
        return head, index_of(head, *streams, [])

    sides = [counted(library_run(21), 7), counted([conversation(number) for number in range(8)], 8)]
    file = tmp_path / "compare.html"
    file.write_bytes(compare_page([(head.facts(), index) for head, index in sides]))
    page = view(file=file)
    page.screenshot(path=screenshots / "compare.png", full_page=True)
    text = " ".join(page.inner_text("main").split())
    assert "B keeps 23.8 points more of what it tries" in text
    assert "Tried 21 8 −13" in text
    assert "Wrong value in a change Agent 3 0 −3" in text
    assert "seed 7 8" in text


@pytest.mark.slow
def test_page_of_ten_thousand_conversations_opens_in_two_seconds_and_draws_only_what_is_in_view(view, tmp_path):
    made = [conversation(number, cause="wrong_argument" if number % 7 == 0 else "") for number in range(10_000)]
    file = write_page(tmp_path / "large.html", made)
    began = time.monotonic()
    page = view("find?", file=file)
    expect_count(page, "10,000 conversations")
    opened_s = time.monotonic() - began
    assert page.locator("#rows li").count() < 40
    page.evaluate("document.getElementById('scroller').scrollTop = 1e9")
    page.wait_for_selector('#rows a[href="#conversation-00000000270f"]')
    assert page.locator("#rows li").count() < 40
    page.fill("#search", "pomegranate")
    expect_count(page, "1 of 10,000 conversations")
    assert opened_s < 2, f"{file.stat().st_size / 2**20:.1f} MiB opened in {opened_s:.2f} s"
