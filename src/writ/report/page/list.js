// The conversation browser's left side: search, filters, and a list that draws only what is in view.

const ROW_PX = 84;
/** Characters of a title that stand in one line. */
const TITLE_LINE = 42;
const LIST = { chosen: {}, query: "", matches: [], found: new Map(), search: 0, current: -1, top: 0, opening: false };

function chosenOptions() {
  const c = DATA.columns, distinct = (column) => [...new Set(c[column])];
  const domains = distinct("domain").sort().map((name) => [name, humanize(name)]);
  const kinds = [...distinct("kind").sort().map((name) => [name, word("kinds", name)[0]]), ...(c.pair.some(Boolean) ? [["pair", "Matched pairs"]] : [])];
  const writes = [...distinct("writes").sort((a, b) => a - b).map((number) => [String(number), plural(number, "change")]), ...["2+", "3+"].map((several) => [several, `${Number.parseInt(several, 10)} or more changes`])];
  const burdens = DATA.head.bins.filter((bin) => c.bin.includes(bin)).map((bin) => [bin, `${bin} look-ups`]);
  const causes = distinct("cause").filter(Boolean).map((cause) => [cause, word("causes", cause)[0]]).sort((a, b) => a[1].localeCompare(b[1]));
  const verdicts = [["kept", "Kept"], ["lost", "Lost"], ["row", "In the dataset"], ...(c.id.some((_, i) => verdictOf(c, i) === "duplicate") ? [["duplicate", "Kept, not in the dataset"]] : [])];
  const tools = distinct("tool").map((name) => [name, toolName(name)]).sort((a, b) => a[1].localeCompare(b[1]));
  const behavior = Object.entries(DATA.head.axes).map(([axis, values]) => [(DATA.words.axes[axis] || [humanize(axis)])[0], values.filter((value) => value !== "False").map((value) => [`${axis}:${value}`, axisWord(axis, value)])]);
  return { verdict: ["Verdict", verdicts], domain: ["Domain", domains], cause: ["Cause of loss", causes], kind: ["Kind", kinds], behavior: ["Behavior", behavior], writes: ["Changes", writes], burden: ["Look-ups", burdens], compared: ["Compared", [["1", "Compared"], ["0", "Nothing compared"]]], tool: ["Change or rule", tools] };
}

function drawList(place) {
  const search = h("input", { type: "search", id: "search", placeholder: "Words, names or ids", autocomplete: "off", spellcheck: "false", value: LIST.query, oninput: () => { LIST.query = search.value; LIST.opening = false; later(refilter); }, onkeydown: (event) => { if (event.key === "Enter") { LIST.opening = true; if (waiting) atOnce(refilter); else openWanted(); } } });
  const controls = Object.entries(chosenOptions()).map(([name, [label, options]]) => {
    const select = h("select", { id: `filter-${name}`, onchange: () => { LIST.chosen[name] = select.value; refilter(); } }, h("option", { value: "" }, "Any"), options.map(choice));
    return h("div", { class: "filter", data: { filter: name } }, h("label", { for: `filter-${name}` }, label), select);
  });
  const [first, more] = [controls.slice(0, 3), controls.slice(3)];
  const clear = h("button", { type: "button", class: "quiet", id: "clear", onclick: () => { LIST.chosen = {}; LIST.query = ""; clearEvidence(); syncControls(); refilter(); search.focus(); } }, "Clear all");
  const filters = h("details", { class: "filters" }, h("summary", {}, "More filters", h("span", { id: "filter-count" })), h("div", { class: "filter-grid" }, more));
  filters.open = innerHeight > 1000;
  place.replaceChildren(
    h("div", { class: "search-row" }, h("label", { class: "hidden", for: "search" }, "Search conversations"), search), h("div", { class: "filters" }, h("div", { class: "filter-grid" }, first)), filters,
    h("div", { class: "list-head" }, h("span", { id: "list-count", role: "status" }), clear, h("div", { id: "chosen" })),
    h("div", { id: "scroller", tabindex: "-1", onscroll: ({ target }) => { if (target.clientHeight) LIST.top = target.scrollTop; drawRows(); } }, h("ol", { id: "rows", "aria-label": "Conversations" })));
  new ResizeObserver(drawRows).observe(document.getElementById("scroller"));
}

const choice = ([value, label]) => (Array.isArray(label) ? h("optgroup", { label: value }, label.map(choice)) : h("option", { value }, label));

let waiting = 0;
function later(work) { clearTimeout(waiting); waiting = setTimeout(() => atOnce(work), 120); }

function atOnce(work) { clearTimeout(waiting); waiting = 0; work(); }

function syncControls() {
  document.getElementById("search").value = LIST.query;
  for (const name of FILTERS) {
    const select = document.getElementById(`filter-${name}`);
    select.value = LIST.chosen[name] || "";
    if (!select.value) delete LIST.chosen[name];
  }
}

/** Applies filters and search. Ids, titles and people are found at once; words inside conversations as blocks are opened. */
async function refilter() {
  const alive = ((mine) => () => mine === LIST.search)(++LIST.search);
  rememberFilters();
  const terms = searchTerms(LIST.query), bar = document.querySelector(".hit-bar");
  if (bar && bar.dataset.query !== LIST.query) { bar.remove(); document.querySelectorAll(".chat mark.hit").forEach((mark) => mark.replaceWith(...mark.childNodes)); }
  const passing = [];
  for (let i = 0; i < DATA.size; i++) if (passes(i, LIST.chosen)) passing.push(i);
  LIST.found = new Map();
  if (!terms.length) return showMatches(passing, "");
  for (const i of passing) if (!notInTitle(i, terms).length) LIST.found.set(i, { rank: IN_TITLE });
  if (LIST.found.size === 1 && DATA.byId.has(LIST.query.trim())) return showMatches(ranked(), "");
  showMatches(ranked(), "searching …");
  let drawn = performance.now();
  await searchText(terms, passing.filter((i) => !LIST.found.has(i)), (hits, part) => {
    hits.forEach((hit, i) => LIST.found.set(i, hit));
    if (part < 1 && performance.now() - drawn < 200) return;
    drawn = performance.now();
    showMatches(ranked(), part < 1 ? `searching, ${Math.round(100 * part)}%` : "best first");
  }, alive);
  if (alive()) showMatches(ranked(), LIST.found.size > 1 ? "best first" : "");
  return undefined;
}

/** Hits in titles and ids first, then those in what was said, in calls, in results. */
const ranked = () => [...LIST.found].sort(([i, a], [j, b]) => a.rank - b.rank || i - j).map(([i]) => i);

function showMatches(matches, state) {
  LIST.matches = matches;
  const active = FILTERS.filter((name) => LIST.chosen[name]).length, hidden = FILTERS.filter((name) => LIST.chosen[name] && document.querySelector(`details.filters #filter-${name}`)).length;
  document.getElementById("list-count").textContent = `${matches.length === DATA.size ? plural(DATA.size, "conversation") : `${count(matches.length)} of ${plural(DATA.size, "conversation")}`}${state ? ` · ${state}` : ""}`;
  document.getElementById("filter-count").textContent = hidden ? ` · ${hidden} set` : "";
  drawChosen();
  document.getElementById("clear").hidden = !active && !LIST.query;
  const rows = document.getElementById("rows");
  rows.style.height = `${Math.max(1, matches.length) * ROW_PX}px`;
  rows.replaceChildren();
  if (!state.startsWith("searching")) leaveExcluded(matches);
  openWanted();
  LIST.opening &&= state.startsWith("searching");
  if (!matches.length && !state) rows.append(h("li", { class: "nothing" }, active && LIST.query ? "None of those that fit the filters holds this. Take a filter away above to search all, or search for other words." : "No conversation fits. Clear a filter, or search for other words."));
  drawRows();
}

/** Opens the best hit once there is one, where the reader has pressed Enter. */
function openWanted() {
  if (!LIST.opening || !LIST.matches.length) return;
  LIST.opening = false;
  location.hash = talkLink(DATA.columns.id[LIST.matches[0]]);
}

/** A conversation that is open, and no longer among what fits, gives way to what the list holds. */
function leaveExcluded(matches) {
  const open = DATA.byId.get(VIEW.talk);
  if (VIEW.talk !== null && open !== undefined && !matches.includes(open)) location.hash = findLink(filtersNow());
  else drawSelection();
}

/** What is filtered by, each with a button that takes it back. */
function drawChosen() {
  const name = (filter) => { const select = document.getElementById(`filter-${filter}`); return select.selectedOptions[0]?.textContent || LIST.chosen[filter]; };
  document.getElementById("chosen").replaceChildren(...FILTERS.filter((filter) => LIST.chosen[filter]).map((filter) => h("button", { type: "button", class: "chip", title: "Take this filter back", onclick: () => { delete LIST.chosen[filter]; syncControls(); refilter(); } }, plain(name(filter)), " ", icon("cross"))));
}

/** While no conversation is open: what the list holds, why the lost ones were lost, and how to read one. */
function drawSelection() {
  const reader = document.getElementById("reader"), c = DATA.columns, first = LIST.matches[0];
  if (VIEW.talk !== null || !reader) return;
  const kept = LIST.matches.filter((i) => c.kept[i]).length, lost = LIST.matches.length - kept, causes = new Map();
  for (const i of LIST.matches) if (!c.kept[i]) bump(causes, c.cause[i]);
  const bars = [...causes].sort((a, b) => b[1] - a[1]).map(([cause, number]) => barRow(word("causes", cause)[0], `${share(number, lost)} of the lost`, number, lost, count(number), { tone: "lost", href: findLink({ ...filtersNow(), cause }), title: word("causes", cause)[1] }));
  reader.replaceChildren(h("div", { class: "selection" }, h("header", {},
    h("h1", {}, LIST.matches.length ? `${plural(LIST.matches.length, "conversation")}: ${count(kept)} kept, ${count(lost)} lost` : "No conversation fits"),
    first !== undefined && h("p", { class: "actions" }, h("a", { class: "button primary", href: talkLink(c.id[first]) }, "Open the first"), h("span", { class: "note" }, "or pick one on the left; ", h("kbd", {}, "j"), " and ", h("kbd", {}, "k"), " walk through the list."))),
    bars.length > 0 && h("section", {}, h("h2", {}, "Why they were lost"), h("p", { class: "note" }, "The commonest cause first; click one to read its conversations."), h("div", { class: "bars" }, bars), causes.size === 1 && h("p", {}, causeText([...causes.keys()][0]))),
    h("section", {}, h("h2", {}, "How to read one"), h("ul", { class: "legend" },
      h("li", {}, h("span", { class: "swatch look" }), h("span", {}, h("b", {}, "Look-up"), ": the agent reads the database; the result is folded below it.")),
      h("li", {}, h("span", { class: "swatch write" }), h("span", {}, h("b", {}, "Change"), ": the agent writes to the database. Click a value of it: the words or the result where it came from light up.")),
      h("li", {}, h("span", { class: "swatch good" }), h("span", {}, h("b", {}, "Why each change is right"), " stands on top of the chat, in a sentence; beside the chat, what it was compared with.")),
      h("li", {}, h("span", { class: "swatch bad" }), h("span", {}, h("b", {}, "What went wrong"), " stands on top of the chat too, and in the place where it happened."))))));
}

/** What a cause means, and whose fault it is. */
function causeText(cause) {
  const [name, meaning] = word("causes", cause), owner = DATA.columns.owner[DATA.columns.cause.indexOf(cause)];
  return [h("b", {}, `${name}: `), `${meaning}. Whose fault: the ${word("owners", owner)[0].toLowerCase()}${owner === "agent" ? "" : ", not the agent"}.`];
}

/** Draws the rows in view and a few beyond; keeps those that stay. */
function drawRows() {
  const scroller = document.getElementById("scroller"), rows = document.getElementById("rows");
  if (!scroller || !LIST.matches.length) return;
  const first = Math.max(0, Math.floor(scroller.scrollTop / ROW_PX) - 5);
  const last = Math.min(LIST.matches.length, Math.ceil((scroller.scrollTop + scroller.clientHeight) / ROW_PX) + 5);
  const standing = new Map([...rows.children].map((row) => [Number(row.dataset.at), row]));
  for (const [at, row] of standing) if (!(at >= first && at < last)) row.remove();
  for (let at = first; at < last; at++) if (!standing.has(at)) rows.append(listRow(at));
}

function listRow(at) {
  const i = LIST.matches[at], c = DATA.columns, terms = searchTerms(LIST.query), hit = LIST.found.get(i);
  const under = hit?.text ? [h("b", {}, `${hit.who}, message ${hit.turn}: `), marked(hit.text, terms)] : plain(spoken(c.ask[i]));
  const verdict = c.kept[i] ? (c.row[i] ? "Kept" : "Kept, not in the dataset") : word("causes", c.cause[i])[0];
  const link = h("a", { href: talkLink(c.id[i]), class: i === LIST.current ? "current" : "", "aria-current": i === LIST.current ? "true" : null },
    h("span", { class: `row-title${c.title[i].length > TITLE_LINE ? " two" : ""}`, title: c.title[i] }, h("span", { class: "row-number" }, count(at + 1)), terms.length ? marked(c.title[i], terms) : plain(c.title[i])), h("span", { class: "row-ask" }, under),
    h("span", { class: "row-meta" }, h("span", {}, h("span", { class: c.kept[i] ? "dot kept" : "dot lost" }), h("b", {}, verdict), ` · ${plural(c.writes[i], "change")} · ${plural(c.burden[i], "look-up")}`), h("code", { title: c.id[i] }, c.id[i].split("-").at(-1).slice(0, 6))));
  return h("li", { css: { top: `${at * ROW_PX}px`, height: `${ROW_PX}px` }, data: { at: String(at) }, "aria-setsize": String(LIST.matches.length), "aria-posinset": String(at + 1) }, link);
}

/** Marks the open conversation in the list and brings it into view. */
function markCurrent(index) {
  LIST.current = index;
  const scroller = document.getElementById("scroller"), at = LIST.matches.indexOf(index);
  if (at >= 0 && (at * ROW_PX < scroller.scrollTop || (at + 1) * ROW_PX > scroller.scrollTop + scroller.clientHeight)) scroller.scrollTop = Math.max(0, at * ROW_PX - scroller.clientHeight / 3);
  document.getElementById("rows").replaceChildren();
  drawRows();
}

/** Opens the next or previous conversation of the list; where it stands counts at once, so that quick presses add up. */
function step(by) {
  const at = LIST.matches.indexOf(LIST.current);
  const next = LIST.matches[at < 0 ? 0 : Math.min(LIST.matches.length - 1, Math.max(0, at + by))];
  if (next === undefined) return;
  LIST.current = next;
  location.hash = talkLink(DATA.columns.id[next]);
}

/** What the list is filtered by, for an address. */
const filtersNow = () => ({ ...LIST.chosen, q: LIST.query });

const DOES = "want|have|had|paid|pay|are|were|need|can|could|do|did|will|would|should|bought|ordered|got|hold|own|complain|wish|ask|know|think|like|prefer|flew|fly|booked|book|live|use|used|get|give|return|made|chose|already|also|never|only|still|then|really|said|say|expect|hope|plan|travel|must|may|might|cannot|don't|received|placed|\\w+ly";
const SUBJECT = new RegExp(`\\b[Yy]ou (?=(?:${DOES})\\b)`, "g");

const CLAUSE = /((?:[,;:(] |\b(?:if|that|when|because|what|which|as|before|until|where|whether|while|but) ))([Yy])ou\b/g;

/** The script speaks to the one who plays the customer; a reader is told of the customer. */
function spoken(text) {
  return text.replace(/\b(you )?yourself\b/g, "themselves").replace(CLAUSE, (_, before, you) => `${before}${you === "Y" ? "They" : "they"}`).replace(/(^|[.!?:] |\d\. )You want\b/g, "$1Wants").replace(SUBJECT, (you) => (you[0] === "Y" ? "They " : "they ")).replace(/\bYou\b/g, "They")
    .replace(/\byou\b/g, "them").replace(/\byours\b/g, "theirs").replace(/\byour\b/g, "their").replace(/\bYour\b/g, "Their");
}
