// Which view is shown: the address after `#` says it. Empty: overview; `find?…`: the browser; anything else: a conversation's id, perhaps with
// `@` and the number of a message, and with `?` and the filters of the list.

const VIEW = { shown: "", talk: null, wanted: 0, hits: null };

function drawBar() {
  const theme = h("button", { type: "button", class: "quiet", title: "Light or dark (t)", "aria-label": "Switch between light and dark", onclick: switchTheme }, icon("sun"));
  const tabs = DATA.mode === "run" && h("nav", { "aria-label": "Views" }, h("a", { href: "#overview", id: "tab-overview" }, "Overview"), h("a", { href: "#find?", id: "tab-find", onclick: (event) => { event.preventDefault(); toList(); } }, "Conversations ", h("span", { class: "badge" }, count(DATA.size))));
  const help = DATA.mode === "run" && h("button", { type: "button", class: "quiet", title: "Keys (?)", "aria-label": "Keyboard keys", onclick: showHelp }, "?");
  document.querySelector(".skip").addEventListener("click", (event) => { event.preventDefault(); document.getElementById("main").focus(); });
  document.getElementById("bar").replaceChildren(h("a", { class: "brand", href: "#overview" }, h("span", { class: "brand-mark", "aria-hidden": "true" }), "writ ", h("span", {}, "report")), tabs || "", h("span", { class: "grow" }), theme, help || "");
}

/** Back to the list as it was left: its filters, its search, its place; from the list itself, to all of it. */
function toList() { location.hash = document.body.dataset.view === "list" ? "#find?" : findLink(filtersNow()); }

function switchTheme() {
  const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  setTheme(dark ? "light" : "dark");
  try { localStorage.setItem("writ-theme", document.documentElement.dataset.theme); } catch { /* a page from a file may have no storage */ }
}

function setTheme(name) { if (name === "dark" || name === "light") document.documentElement.dataset.theme = name; }

function showHelp() {
  const keys = [["/", "search"], ["j", "next conversation"], ["k", "previous conversation"], ["w", "next change in the conversation"], ["n", "next place of what was searched"], ["o", "overview"], ["c", "conversations"], ["t", "light or dark"], ["Esc", "close what is lit, or back to the list"], ["?", "this list"]];
  const dialog = h("dialog", { "aria-labelledby": "help-title", onclose: () => dialog.remove() }, h("h2", { id: "help-title" }, "Keys"), h("dl", { class: "keys" }, keys.map(([key, does]) => h("div", {}, h("dt", {}, h("kbd", {}, key)), h("dd", {}, does)))), h("form", { method: "dialog" }, h("button", { class: "button" }, "Close")));
  document.body.append(dialog);
  dialog.showModal();
}

/** The filters stand in the address, so that a view can be sent to somebody. */
function rememberFilters() {
  if (VIEW.shown === "browser") history.replaceState(null, "", VIEW.talk === null ? findLink(filtersNow()) : talkLink(VIEW.talk));
}

function drawBrowser(main) {
  if (VIEW.shown === "browser") return;
  VIEW.shown = "browser";
  main.replaceChildren(h("div", { class: "browser" }, h("div", { class: "list", role: "search" }), h("div", { class: "reader", id: "reader", tabindex: "-1" })));
  drawList(main.querySelector(".list"));
  syncControls();
}

function route() {
  const main = document.getElementById("main"), [place, query] = location.hash.slice(1).split("?"), hash = decodeURIComponent(place), [id, turn] = hash.split("@");
  if (turn && VIEW.talk === id && document.querySelector(".chat")) { goToTurn(document.querySelector(".chat"), Number(turn)); return; }
  clearEvidence();
  for (const name of ["overview", "find"]) document.getElementById(`tab-${name}`).removeAttribute("aria-current");
  const overview = !hash || hash === "overview";
  document.getElementById(overview ? "tab-overview" : "tab-find").setAttribute("aria-current", "page");
  document.body.dataset.view = overview ? "overview" : hash === "find" ? "list" : "talk";
  VIEW.talk = null;
  VIEW.wanted += 1;
  if (overview) { VIEW.shown = "overview"; drawOverview(main); scrollTo(0, 0); return; }
  drawBrowser(main);
  if (hash === "find") openFind(query || ""); else { if (query !== undefined && !LIST.matches.length) filterBy(query); openTalk(id, turn); }
}

/** Sets the filters and the search to those of an address. */
function filterBy(text) {
  const query = new URLSearchParams(text);
  LIST.chosen = Object.fromEntries(FILTERS.map((name) => [name, query.get(name)]).filter(([, value]) => value));
  LIST.query = query.get("q") || "";
  syncControls();
}

function openFind(query) {
  const before = JSON.stringify(filtersNow()), { top } = LIST;
  filterBy(query);
  LIST.current = -1;
  refilter();
  document.getElementById("scroller").scrollTop = before === JSON.stringify(filtersNow()) ? top : 0;
  document.title = "Conversations · writ report";
  drawSelection();
}

async function openTalk(id, turn) {
  const reader = document.getElementById("reader"), mine = VIEW.wanted, index = DATA.byId.get(id);
  VIEW.talk = id;
  if (!LIST.matches.length) refilter();
  if (index === undefined) { reader.replaceChildren(h("div", { class: "blank" }, h("p", {}, "No conversation of this run has the id ", h("code", {}, plain(id)), "."), h("a", { class: "button", href: "#find?" }, "All conversations"))); return; }
  markCurrent(index);
  const talk = await conversation(index);
  if (mine !== VIEW.wanted) return;
  const chat = drawChat(talk), title = DATA.columns.title[index];
  reader.replaceChildren(chat, drawTask(talk));
  reader.scrollTop = 0;
  scrollTo(0, 0);
  const bar = hitBar(chat);
  if (bar) chat.querySelector(".chat-head").append(bar);
  if (turn) goToTurn(chat, Number(turn));
  document.title = `${title} · writ report`;
  announce(`${talk.verdict.kept ? "Kept" : "Lost"}: ${title}`);
}

/** To the change after `from` (a card), or after the one that was last shown; around and around. */
function nextWrite(from) {
  const cards = [...document.querySelectorAll(".call.write")], last = cards.findIndex((card) => card.classList.contains("here")), at = from ? cards.indexOf(from) : last;
  cards[last]?.classList.remove("here");
  const card = cards[(at + 1) % cards.length], about = card?.querySelector("[data-about]")?.dataset.about, task = document.querySelector(".task");
  clearEvidence();
  if (about && task && getComputedStyle(task).position === "sticky") showDecision(about);
  card?.classList.add("here");
  intoView(card);
  card?.querySelector("button.argument")?.focus({ preventScroll: true });
}

function escape() {
  if (EVIDENCE.button) { const last = EVIDENCE.button; clearEvidence(); last.focus({ preventScroll: true }); }
  else if (document.activeElement?.id === "search") document.activeElement.blur();
  else if (VIEW.talk !== null) toList();
}

const KEYS = {
  "/": () => { if (VIEW.shown !== "browser") location.hash = "#find?"; setTimeout(() => document.getElementById("search")?.focus(), 0); },
  j: () => (VIEW.shown === "browser" ? step(1) : toList()), k: () => VIEW.shown === "browser" && step(-1),
  w: () => nextWrite(), n: nextHit, o: () => (location.hash = "#overview"), c: toList, t: switchTheme, "?": showHelp, Escape: escape,
};

function onKey(event) {
  const writing = event.target.matches?.("input, textarea"), choosing = event.target.matches?.("select") && !["j", "k"].includes(event.key);
  const typing = (writing || choosing) && event.key !== "Escape";
  if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]") || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
}

async function start() {
  try { setTheme(localStorage.getItem("writ-theme")); } catch { /* no storage */ }
  await openIndex();
  drawBar();
  if (DATA.mode === "compare") { document.body.dataset.view = "overview"; drawCompare(document.getElementById("main")); }
  else { addEventListener("hashchange", route); addEventListener("keydown", onKey); route(); }
  document.body.dataset.ready = "yes";
}

start().catch((error) => { document.getElementById("main").textContent = `This page could not be opened (${error.message}). It needs a browser of 2023 or later.`; });
