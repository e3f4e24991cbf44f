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
  if (shown) return `the customer described it in message ${origin.turn}, and ${toolAt(talk, shown.turn)} showed it in message ${shown.turn}`;
  if (origin.kind === "said") return `the customer said it in message ${origin.turn}`;
  if (origin.kind === "shown") return `${toolAt(talk, origin.turn)} showed it in message ${origin.turn}`;
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
  const again = EVIDENCE.button === button;
  clearEvidence();
  if (again) return;
  EVIDENCE.button = button;
  button.setAttribute("aria-pressed", "true");
  const shown = pointedTo(origin, talk);
  const described = origin.turn === null ? null : lightUp(origin, chat);
  const source = shown ? lightUp({ ...origin, ...shown, kind: "shown" }, chat) : described;
  const text = [h("code", {}, plain(origin.argument)), " = ", h("code", {}, plain(String(origin.value))), " – ", originLabel(origin, talk), ".", alsoShown(origin, talk, chat)];
  const back = h("button", { type: "button", class: "quiet", onclick: () => { button.scrollIntoView({ block: "center", behavior: smooth() }); button.focus({ preventScroll: true }); } }, "Back to the change");
  const words = shown && h("button", { type: "button", class: "quiet", onclick: () => described?.scrollIntoView({ block: "center", behavior: smooth() }) }, "The customer's words");
  const close = h("button", { type: "button", class: "quiet", "aria-label": "Close", onclick: () => { const last = EVIDENCE.button; clearEvidence(); last?.focus({ preventScroll: true }); } }, icon("cross"));
  chat.append(h("div", { id: "evidence-bar", class: origin.kind === "none" ? "bad" : "" }, h("p", {}, text), words, source && back, close));
  announce(`${origin.argument} is ${origin.value}: ${originLabel(origin, talk)}`);
  source?.scrollIntoView({ block: "center", behavior: smooth() });
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

const smooth = () => (reducedMotion() ? "instant" : "smooth");

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
