// Search: in titles, ids and people at once, then in what was said, in tool names and their values, as blocks are opened. Each hit knows its place.

const IN_TITLE = 0, SAID = 1, IN_CALL = 2, SHOWN = 3;
const SNIPPET = 64;

const searchTerms = (query) => query.toLowerCase().split(/\s+/).filter(Boolean);

/** Where a term stands at the beginning of a word; -1 where it does not. */
function wordAt(text, term) {
  const wordy = /[\p{L}\p{N}]/u;
  for (let at = text.indexOf(term); at >= 0; at = text.indexOf(term, at + 1)) if (!at || !wordy.test(text[at - 1]) || !wordy.test(term[0])) return at;
  return -1;
}

/** Which terms do not stand in what can be searched without opening a block. An id may be searched by any part of it. */
function notInTitle(i, terms) {
  const c = DATA.columns, ids = `${c.id[i]} ${c.task[i]} ${c.person[i]}`.toLowerCase(), words = `${c.title[i]} ${c.tool[i].replaceAll("_", " ")}`.toLowerCase();
  return terms.filter((term) => !ids.includes(term) && wordAt(words, term) < 0);
}

/** The best place of one term among messages as a block holds them: `{rank, turn, who, text, at}` or null. */
function termHit(messages, term) {
  let best = null;
  const offer = (rank, turn, who, text) => {
    const at = best && best.rank <= rank ? -1 : wordAt(text.toLowerCase(), term);
    if (at >= 0) best = { rank, turn, who, text, at, term };
  };
  messages.forEach(([role, text = "", calls = []], turn) => {
    if (role === "u" || role === "a") offer(SAID, turn, role === "u" ? "Customer" : "Agent", text);
    for (const [, name, written] of calls) offer(IN_CALL, turn, name, `${name.replaceAll("_", " ")} ${written}`);
    if (role === "t" && /\d/.test(term)) offer(SHOWN, turn, "Tool result", text);
  });
  return best;
}

/** The hit of a conversation: as good as the worst of its terms, and shown by the best. */
function placeOf(messages, terms) {
  const hits = terms.map((term) => termHit(messages, term));
  if (hits.includes(null)) return null;
  const shown = hits.reduce((a, b) => (b.rank < a.rank ? b : a));
  return { ...shown, rank: Math.max(...hits.map((hit) => hit.rank)), text: around(shown) };
}

/** A word or two before the hit, so that a narrow row still shows it. */
function around({ text, at, term }) {
  const from = at > 8 ? text.lastIndexOf(" ", at - 8) + 1 : 0, to = Math.max(at + term.length, from + SNIPPET + 24);
  return `${from ? "… " : ""}${text.slice(Math.max(from, at - 24), to)}${to < text.length ? "…" : ""}`;
}

/** Finds the terms that are in no title: in what was said and called, and where a term has a digit, as ids do, in what tools gave. `found(map of hits, share)` hears of each block. Stops when `alive()` is false. */
async function searchText(terms, candidates, found, alive) {
  const deep = terms.some((term) => /\d/.test(term)), written = new Map(terms.map((term) => [term, JSON.stringify(term).slice(1, -1)])), wanted = new Map();
  for (const index of candidates) {
    const number = blockOf(index);
    if (!wanted.has(number)) wanted.set(number, []);
    wanted.get(number).push(index);
  }
  let done = 0;
  for (const [number, indices] of wanted) {
    const spoken = await block(number, SPOKEN), given = deep && (await block(number, GIVEN)), hits = new Map();
    if (!alive()) return;
    for (const index of indices) {
      const at = index - DATA.starts[number], sought = notInTitle(index, terms), low = `${spoken[at]}${given ? given[at] : ""}`.toLowerCase();
      if (!sought.every((term) => low.includes(written.get(term)))) continue;
      const messages = JSON.parse(spoken[at]), place = placeOf(given ? withResults(messages, JSON.parse(given[at])) : messages, sought);
      if (place) hits.set(index, place);
    }
    found(hits, ++done / wanted.size);
  }
}

/** Text nodes with every term marked. */
function marked(text, terms) {
  const nodes = [], low = text.toLowerCase();
  for (let last = 0; ;) {
    const next = terms.map((term) => ({ term, at: wordAt(low.slice(last), term) })).filter(({ at }) => at >= 0).sort((a, b) => a.at - b.at)[0];
    if (!next) return [...nodes, ...plain(text.slice(last))];
    const at = last + next.at;
    nodes.push(...plain(text.slice(last, at)), h("mark", {}, plain(text.slice(at, at + next.term.length))));
    last = at + next.term.length;
  }
}

/** Marks the terms in an open conversation: in what was said, and in calls. Opens the tool result of the hit where they stand nowhere else. */
function markHits(chat, terms, hit) {
  const places = [...chat.querySelectorAll(".said, .call-name, .call-arguments, .arguments td, .broken")];
  let marks = places.flatMap((place) => markTerms(place, terms));
  const result = !marks.length && hit?.rank === SHOWN && chat.querySelector(`.result[data-turn="${hit.turn}"]`);
  if (result) { result.open = true; result.fillResult(); result.querySelectorAll("details").forEach((node) => { node.fill?.(); node.open = true; }); marks = markTerms(result.querySelector(".result-inside"), terms); }
  return marks;
}

function markTerms(place, terms) {
  const texts = [], walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) if (terms.some((term) => wordAt(walker.currentNode.data.toLowerCase(), term) >= 0)) texts.push(walker.currentNode);
  return texts.flatMap((text) => {
    const nodes = marked(text.data, terms);
    text.replaceWith(...nodes);
    return nodes.filter((node) => node.nodeName === "MARK").map((mark) => { mark.classList.add("hit"); return mark; });
  });
}

/** Says how often the search stands here, and walks from place to place. */
function hitBar(chat) {
  const terms = searchTerms(LIST.query), hit = LIST.found.get(LIST.current);
  if (!terms.length) return null;
  const marks = markHits(chat, terms, hit);
  VIEW.hits = { marks, at: -1 };
  const places = marks.length ? `“${LIST.query.trim()}” stands in ${plural(marks.length, "place")} here` : `“${LIST.query.trim()}” is in the title or an id`;
  return h("p", { class: "hit-bar", data: { query: LIST.query } }, h("span", {}, plain(places)), marks.length > 0 && h("button", { type: "button", class: "quiet", title: "Next place (n)", onclick: nextHit }, "Show the next"));
}

function nextHit() {
  const { marks = [], at = -1 } = VIEW.hits || {};
  if (!marks.length) return;
  marks[at]?.classList.remove("current");
  VIEW.hits.at = (at + 1) % marks.length;
  const mark = marks[VIEW.hits.at];
  mark.classList.add("current");
  mark.scrollIntoView({ block: "center" });
}
