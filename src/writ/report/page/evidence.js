// Where an argument of a write came from: a click lights up the turn or the tool output.

const EVIDENCE = { lit: [], button: null };

/** Origins of the calls of one message, dealt to its calls in order: `deal(call)` gives path -> origin. */
function dealer(origins, turn) {
  const left = origins.filter((origin) => origin.call === turn);
  return (call) => {
    const mine = new Map();
    for (const [path, value] of leaves(call.args || {})) {
      const at = left.findIndex((origin) => origin.argument === path && canonical(origin.value) === canonical(value));
      if (at >= 0) mine.set(path, left.splice(at, 1)[0]);
    }
    return mine;
  };
}

/** Where a tool showed a value that the customer only pointed to (a card "ending in 0199"): `{turn, path}`; null where the value itself was said. */
function pointedTo(origin, talk) {
  const said = origin.kind === "said" && origin.turn !== null && talk.messages[origin.turn];
  if (!said || typeof origin.value !== "string" || origin.value.length < 4) return null;
  const text = said.text.replaceAll("_", " ").toLowerCase();
  if (spellings(origin.value).some((form) => standsAt(text, form.replaceAll("_", " ").toLowerCase()) >= 0)) return null;
  const wanted = canonical(origin.value);
  for (const message of talk.messages.slice(0, origin.call).reverse()) {
    const leaf = message.role === "tool" && !message.refused && leaves(parsedJson(message.text) ?? null).find(([, value]) => canonical(value) === wanted);
    if (leaf) return { turn: message.turn, path: leaf[0] };
  }
  return null;
}

/** A few words on an origin. */
function originLabel(origin, talk) {
  const shown = pointedTo(origin, talk);
  if (shown) return `the customer described it in message ${origin.turn}, and ${humanize(toolAt(talk, shown.turn))} showed it in message ${shown.turn}`;
  if (origin.kind === "said") return `the customer said it in message ${origin.turn}`;
  if (origin.kind === "shown") return `${humanize(toolAt(talk, origin.turn))} showed it in message ${origin.turn}`;
  if (origin.kind === "formula") return `worked out: ${humanize(origin.path).toLowerCase()}`;
  return "it comes from nowhere: nobody said it and no tool showed it";
}

function toolAt(talk, turn) {
  const message = talk.messages[turn];
  for (let i = turn; message && i >= 0; i--) {
    const call = talk.messages[i].calls.find((each) => each.id === message.of);
    if (call) return call.name;
  }
  return "a tool";
}

function clearEvidence() {
  for (const undo of EVIDENCE.lit) undo();
  EVIDENCE.lit = [];
  if (EVIDENCE.button) EVIDENCE.button.setAttribute("aria-pressed", "false");
  EVIDENCE.button = null;
  document.getElementById("evidence-bar")?.remove();
}

/** Lights up the source of an argument and says in words what it is. */
function showOrigin(button, origin, talk, chat) {
  if (!begin(button)) return;
  const shown = pointedTo(origin, talk);
  const described = origin.turn === null ? null : lightUp(origin, chat);
  const source = shown ? lightUp({ ...origin, ...shown, kind: "shown" }, chat) : described;
  const words = shown && h("button", { type: "button", class: "quiet", onclick: () => described?.scrollIntoView({ block: "center" }) }, "The customer's words");
  tell(chat, [h("b", {}, plain(argumentName(origin.argument))), ": ", h("code", {}, plain(String(origin.value))), " – ", originLabel(origin, talk), ".", alsoShown(origin, talk, chat)], source, words, origin.kind === "none");
  announce(`${origin.argument} is ${origin.value}: ${originLabel(origin, talk)}`);
}

/** Lights up the record of a candidate where a tool showed it, with the facts that were compared. */
function showRecord(button, candidate, talk, chat) {
  if (!begin(button)) return;
  const found = recordOf(candidate, talk);
  const source = found && lightUp({ kind: "shown", turn: found.turn, path: found.path }, chat);
  for (const path of found?.facts || []) {
    const leaf = reveal(chat.querySelector(`[data-turn="${found.turn}"] .json`), path);
    leaf?.classList.add("lit-leaf");
    if (leaf) EVIDENCE.lit.push(() => leaf.classList.remove("lit-leaf"));
  }
  if (found) chat.querySelectorAll(".lit-leaf.json-node").forEach((node) => node.classList.replace("lit-leaf", "lit-record"));
  const place = found ? `${humanize(toolAt(talk, found.turn))} showed it in message ${found.turn}` : "no look-up of this conversation showed it";
  tell(chat, [h("b", {}, plain(candidate.label)), " – ", place, ".", candidate.why && [` ${humanize(word("statuses", candidate.status)[0])}: `, plain(candidate.why), "."]], source, null, !found);
  announce(`${candidate.label}: ${place}`);
}

/** The object in some tool's result that holds a candidate's ids and most of its values, as `{turn, path, facts}`; null where none does. */
function recordOf(candidate, talk) {
  const ids = new Set(idsIn(candidate.label)), bare = (value) => String(value).replace(/^\$|,(?=\d{3})/g, ""), values = new Set(Object.values(candidate.values).map(bare));
  let best = null;
  const visit = (value, path, key, turn) => {
    const mine = { ids: new Set(ids.has(key) ? [key] : []), values: new Set(), facts: [], size: 1 };
    if (value === null || typeof value !== "object") {
      if (ids.has(String(value))) mine.ids.add(String(value));
      if (values.has(bare(value))) { mine.values.add(bare(value)); mine.facts.push(path); }
      return mine;
    }
    for (const [name, item] of Object.entries(value)) {
      const below = visit(item, path ? `${path}.${name}` : name, name, turn);
      below.ids.forEach((id) => mine.ids.add(id));
      below.values.forEach((each) => mine.values.add(each));
      mine.facts.push(...below.facts);
      mine.size += below.size;
    }
    const score = 100 * mine.ids.size + mine.values.size;
    if (mine.ids.size && mine.size > 2 && (!best || score > best.score || (score === best.score && mine.size <= best.size))) best = { score, size: mine.size, turn, path, facts: mine.facts };
    return mine;
  };
  for (const message of talk.messages) if (message.role === "tool" && !message.refused) visit(parsedJson(message.text) ?? null, "", "", message.turn);
  return best && { ...best, facts: best.facts.slice(0, 12) };
}

/** Presses a button of evidence; false where it was pressed and is let go. */
function begin(button) {
  const again = EVIDENCE.button === button;
  clearEvidence();
  if (again) return false;
  EVIDENCE.button = button;
  button.setAttribute("aria-pressed", "true");
  return true;
}

/** Says below the chat what is lit, and goes there. */
function tell(chat, text, source, extra, bad) {
  const pressed = EVIDENCE.button;
  const back = source && h("button", { type: "button", class: "quiet", onclick: () => { pressed.scrollIntoView({ block: "center" }); pressed.focus({ preventScroll: true }); } }, "Back");
  const close = h("button", { type: "button", class: "quiet", "aria-label": "Close", onclick: () => { clearEvidence(); pressed.focus({ preventScroll: true }); } }, icon("cross"));
  chat.append(h("div", { id: "evidence-bar", class: bad ? "bad" : "" }, h("p", {}, text), extra, back, close));
  source?.scrollIntoView({ block: "center" });
}

/** Earlier outputs that show the same value under the same name: an origin names one of them. */
function alsoShown(origin, talk, chat) {
  if (origin.kind !== "shown" || !origin.path) return null;
  const name = origin.path.split(".").at(-1), wanted = canonical(origin.value);
  const shows = (message) => leaves(parsedJson(message.text) ?? null).some(([path, value]) => path.split(".").at(-1) === name && canonical(value) === wanted);
  const others = talk.messages.slice(0, origin.call).filter((message) => message.role === "tool" && message.turn !== origin.turn && shows(message));
  if (!others.length) return null;
  return h("span", { class: "also" }, " Also shown in ", others.slice(-6).map((message) => h("button", { type: "button", class: "quiet", onclick: () => goToTurn(chat, message.turn) }, `message ${message.turn}`)));
}

/** Marks the source inside message `origin.turn`; returns the marked element. */
function lightUp(origin, chat) {
  const place = chat.querySelector(`[data-turn="${origin.turn}"]`);
  if (!place) return null;
  if (place.open === false) place.open = true;
  place.classList.add("lit");
  EVIDENCE.lit.push(() => place.classList.remove("lit"));
  if (origin.kind === "shown") {
    const tree = place.querySelector(".json") || (place.fillResult && place.fillResult());
    const found = tree && reveal(tree, origin.path);
    if (found) {
      found.classList.add("lit-leaf");
      EVIDENCE.lit.push(() => found.classList.remove("lit-leaf"));
      return found;
    }
    return place;
  }
  const said = place.querySelector(".said") || place;
  for (const form of spellings(origin.value)) {
    const mark = markWords(said, form);
    if (mark) return mark;
  }
  return place;
}

/** How a customer may say a value: as it is, or a date as its month and day. */
function spellings(value) {
  const date = /^(\d{4})-(\d\d)-(\d\d)$/.exec(String(value));
  if (!date) return [String(value)];
  const month = new Date(Date.UTC(2000, Number(date[2]) - 1, 1)).toLocaleString("en-US", { month: "long", timeZone: "UTC" }), day = Number(date[3]);
  return [String(value), `${month} ${day}`, `${month.slice(0, 3)} ${day}`, `${day} ${month}`];
}

/** Wraps the first place where the words stand, spaces and underscores alike, in <mark>; null where they are said in another form. */
function markWords(place, words) {
  const wanted = words.replaceAll("_", " ").toLowerCase();
  if (!wanted) return null;
  const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const at = standsAt(text.data.replaceAll("_", " ").toLowerCase(), wanted);
    if (at < 0) continue;
    const range = document.createRange();
    range.setStart(text, at);
    range.setEnd(text, at + wanted.length);
    const mark = h("mark", {});
    range.surroundContents(mark);
    EVIDENCE.lit.push(() => { mark.replaceWith(...mark.childNodes); place.normalize(); });
    return mark;
  }
  return null;
}

/** Where the words stand by themselves: `1` does not stand in `21`. */
function standsAt(text, wanted) {
  const wordy = /[\p{L}\p{N}]/u;
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
    const before = text[at - 1], after = text[at + wanted.length];
    if (!(before && wordy.test(before) && wordy.test(wanted[0])) && !(after && wordy.test(after) && wordy.test(wanted.at(-1)))) return at;
  }
  return -1;
}
