// A conversation as a chat: bubbles, look-ups folded, changes open and marked, what went wrong said in place.

function drawChat(talk) {
  const writes = new Set((DATA.head.domains.find((domain) => domain.name === talk.task.domain) || { writes: [] }).writes);
  const chat = h("div", { class: "chat" });
  const context = { talk, chat, writes, results: resultsOf(talk), notes: notesOf(talk) };
  const turns = talk.messages.filter((message) => !context.results.taken.has(message.turn)).map((message) => drawMessage(message, context));
  chat.append(chatHead(talk), verdictBanner(talk, chat), h("div", { class: "turns" }, turns, ending(talk, context.notes)));
  markWrongWords(talk, chat);
  return chat;
}

/** What the customer was not to say, where they said it. */
function markWrongWords({ verdict, told }, chat) {
  const check = verdict.checks.find(({ name, result }) => name === "user_words" && result === "fail"), words = told.losses.user_words?.find(Array.isArray)?.[0];
  const place = check && words && chat.querySelector(`[data-message="${check.turn}"] .said`);
  if (place) for (const mark of markTerms(place, [words.toLowerCase()])) mark.className = "wrong";
}

/** How it ended; and what went wrong without a place of its own, such as a change that was never made. */
function ending({ trajectory }, notes) {
  return h("div", { class: "ending" }, h("p", {}, `Ended: ${word("terminations", trajectory.termination)[0]}${trajectory.detail ? ` (${trajectory.detail})` : ""}`), notes.get(null));
}

/** Tool results by the call that asked for them; `taken` are those that are drawn inside a call. */
function resultsOf(talk) {
  const found = new Map(), taken = new Set();
  let open = new Map();
  for (const message of talk.messages) {
    if (message.calls.length) open = new Map(message.calls.map((call) => [call.id, call]));
    if (message.role !== "tool" || !open.has(message.of)) continue;
    found.set(open.get(message.of), message);
    open.delete(message.of);
    taken.add(message.turn);
  }
  return { found, taken };
}

/** One note for each message at which something went wrong, by message; under null what has no message. */
function notesOf(talk) {
  const at = new Map(), add = (turn, kind, what) => { if (!at.has(turn)) at.set(turn, { checks: [], faults: [] }); at.get(turn)[kind].push(what); };
  const off = talk.verdict.checks.filter((check) => ["fail", "unclear"].includes(check.result));
  for (const check of off) add(check.turn, "checks", check);
  for (const fault of talk.trajectory.faults) add((off.find((check) => check.cause === talk.verdict.cause && check.cause === fault.cause) || fault).turn, "faults", fault);
  return new Map([...at].map(([turn, { checks, faults }]) => [turn, noteOf(talk, checks, faults)]));
}

/** The cause of the loss, what follows from it, and whether it was made on purpose. */
function noteOf(talk, checks, faults) {
  const cause = checks.find((check) => check.cause === talk.verdict.cause), first = cause || checks[0], shown = first && wrongValueAt(talk, first);
  const rest = checks.filter((check) => check !== first && check.cause !== first.cause && !(shown && check.cause === "extra_write"));
  const purpose = faults.map((fault) => h("p", { class: "staged" }, `On purpose: the scripted model was told to make this mistake (${humanize(fault.name).toLowerCase()})${fault.lethal ? "" : ", which is harmless"}.`));
  if (!first) return h("div", { class: "note-inline staged" }, purpose);
  const also = rest.length > 0 && h("details", {}, h("summary", {}, `Failed with it: ${[...new Set(rest.map((check) => word("causes", check.cause)[0].toLowerCase()))].join(", ")}`),
    h("ul", {}, rest.map((check) => h("li", {}, h("b", {}, word("causes", check.cause)[0]), ". ", said(talk.told.losses[check.name])))));
  return h("div", { class: `note-inline ${cause ? "bad" : "warn"}`, data: { cause: first.cause } }, h("p", {}, h("b", {}, `${cause ? "Why it was lost: " : "Also: "}${word("causes", first.cause)[0]}. `), shown ? "" : said(talk.told.losses[first.name])), purpose, also);
}

/** Whether the card of the change already says which value is wrong, and why. */
const wrongValueAt = (talk, { cause, turn }) => cause === "wrong_argument" && talk.told.changes.some((change) => change.turn === turn && Object.keys(change.wanted).length > 0);

function chatHead(talk) {
  const { task, trajectory, verdict } = talk, usage = [trajectory.agent_usage, trajectory.user_usage];
  const tokens = usage.reduce((sum, each) => sum + each.prompt_tokens + each.completion_tokens, 0);
  const copy = h("button", { type: "button", class: "quiet", title: "Copy a link to this conversation", onclick: () => copyLink(trajectory.id, copy) }, icon("link"), " Link");
  const results = h("button", { type: "button", class: "quiet", title: "Open or fold every tool result", "aria-pressed": "false", onclick: () => unfold(results) }, "Open all results");
  return h("header", { class: "chat-head" },
    h("div", { class: "chat-tools" }, h("a", { class: "quiet only-phone", href: findLink(filtersNow()) }, icon("left"), " List"), h("span", { class: "grow" }),
      h("button", { type: "button", class: "quiet", title: "Previous (k)", onclick: () => step(-1) }, icon("left"), " Previous"), h("button", { type: "button", class: "quiet", title: "Next (j)", onclick: () => step(1) }, "Next ", icon("right"))),
    h("h1", {}, longText(DATA.columns.title[talk.index], 160)), h("p", { class: "ask only-narrow" }, longText(wishText(talk.instruction), 400)),
    h("p", { class: "chips" }, h("span", { class: verdict.kept ? "chip kept" : "chip lost" }, icon(verdict.kept ? "check" : "cross"), verdict.kept ? " Kept" : " Lost"),
      h("span", { class: "chip" }, humanize(task.domain)), h("span", { class: "chip", title: word("kinds", task.kind)[1] }, word("kinds", task.kind)[0]),
      h("a", { class: "chip", href: findLink({ domain: task.domain, writes: String(DATA.columns.writes[talk.index]), burden: DATA.columns.bin[talk.index] }), title: "All conversations of this cell" }, `${plural(DATA.columns.writes[talk.index], "change")}, ${plural(task.burden, "look-up")} needed`),
      task.pair && h("span", { class: "chip", title: "The same change is also told with more or fewer look-ups" }, `Pair: ${task.pair.member} burden`)),
    h("p", { class: "ids" }, [plural(talk.messages.length, "message"), `${short(tokens)} tokens`, `agent ${trajectory.agent}`, `customer ${trajectory.user}`, trajectory.rollout ? `attempt ${trajectory.rollout + 1}` : "", trajectory.id].filter(Boolean).map((part) => h("span", {}, plain(part)))),
    h("div", { class: "chat-tools under" }, copy, results, h("button", { type: "button", class: "quiet", title: "Save this conversation as JSON", onclick: () => save(talk) }, icon("save"), " JSON")));
}

/** Opens every tool result, or folds them. */
function unfold(button) {
  const open = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(open));
  button.textContent = open ? "Fold all results" : "Open all results";
  document.querySelectorAll(".chat .result").forEach((result) => { if (open) result.fillResult(); result.open = open; });
}

function save({ messages, task, instruction, verdict, trajectory }) {
  const plainMessages = messages.map(({ role, text, of, calls }) => ({ role, content: text || null, ...(of && { tool_call_id: of }), ...(calls.length && { tool_calls: calls.map(({ id, name, written }) => ({ id, type: "function", function: { name, arguments: written } })) }) }));
  const file = new Blob([JSON.stringify({ messages: plainMessages, task, instruction, verdict, trajectory }, null, 1)], { type: "application/json" });
  const link = h("a", { href: URL.createObjectURL(file), download: `${trajectory.id}.json` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

async function copyLink(id, button) {
  const link = `${location.href.split("#")[0]}#${id}`;
  try { await navigator.clipboard.writeText(link); button.lastChild.data = " Copied"; } catch { button.lastChild.data = " It is in the address bar"; }
  announce("The link to this conversation is in the address bar");
}

/** First of all: kept, with a sentence for each change why it is right; or lost, with one that says what went wrong. */
function verdictBanner(talk, chat) {
  const { verdict, told } = talk;
  if (verdict.kept) {
    const each = told.changes.map((change) => h("li", {}, h("a", { href: talkLink(talk.trajectory.id, change.turn), onclick: () => showChange(chat, change) }, humanize(talk.messages[change.turn].calls[change.place].name)), ": ", change.why.slice(0, 1).map(said)));
    return h("div", { class: "banner good" }, h("p", {}, h("b", {}, "Kept: every check passed. "), each.length ? "" : "The right thing was to change nothing.", refusals(talk)),
      each.length > 0 && [h("p", { class: "why-title" }, each.length === 1 ? "Why the change is right:" : `Why the ${each.length} changes are right:`), h(each.length === 1 ? "ul" : "ol", { class: "whys" }, each)]);
  }
  const [name, meaning] = word("causes", verdict.cause), check = verdict.checks.find((each) => each.cause === verdict.cause && ["fail", "unclear"].includes(each.result));
  const turn = check?.turn ?? null, go = () => goToTurn(chat, turn), sentence = check && told.losses[check.name];
  const jump = h("button", { type: "button", class: "quiet", onclick: (event) => { event.stopPropagation(); go(); } }, turn === null ? "Show the end" : `Show me (message ${turn})`);
  return h("div", { class: "banner bad", data: { cause: verdict.cause }, onclick: (event) => event.target.closest("a") || String(getSelection()) || go() },
    h("p", {}, h("b", {}, `Lost: ${name}. `), sentence?.length ? said(sentence) : `${meaning.charAt(0).toUpperCase()}${meaning.slice(1)}.`),
    h("p", { class: "soft" }, `Whose fault: the ${word("owners", verdict.owner)[0].toLowerCase()}${verdict.owner === "agent" ? "" : ", not the agent"}.`), jump);
}

/** The wishes that the rules stand against, in words. */
function refusals({ task }) {
  const refused = task.decisions.filter(({ rule }) => rule).map(({ rule, subject }) => `${subject ? `${subject}: ` : ""}${ruleText(rule, task.domain)}`);
  return [...new Set(refused)].map((text) => [" ", h("b", {}, "Rightly refused: "), longText(spoken(text), 300)]);
}

/** In the middle of the chat; what is too tall for that from its beginning. */
function intoView(card) {
  card?.scrollIntoView({ block: card.clientHeight > innerHeight / 2 ? "start" : "center" });
}

/** To a change, with its decision beside it. */
function showChange(chat, change) {
  document.querySelector(".call.here")?.classList.remove("here");
  const card = [...chat.querySelectorAll(`[data-message="${change.turn}"] .call`)][change.place], task = document.querySelector(".task");
  card?.classList.add("here");
  intoView(card);
  if (change.decision !== null && task && getComputedStyle(task).position === "sticky") showDecision(change.decision);
}

/** To a message; to the end where there is none. */
function goToTurn(chat, turn) {
  const place = turn === null ? chat.querySelector(".ending") : chat.querySelector(`[data-turn="${turn}"]`) || chat.querySelector(`[data-message="${turn}"]`);
  if (place) intoView(place);
  place?.classList.add("visited");
}

function drawMessage(message, context) {
  const parts = [];
  if (message.text || !message.calls.length) parts.push(bubble(message));
  const deal = dealer(context.talk.verdict.origins, message.turn);
  message.calls.forEach((call, place) => parts.push(callCard(call, message, place, deal(call), context)));
  for (const turn of [message.turn, ...message.calls.map((call) => context.results.found.get(call)?.turn)]) if (context.notes.has(turn)) parts.push(context.notes.get(turn));
  return h("div", { class: `turn ${message.role}`, data: { message: String(message.turn) } }, parts);
}

function bubble(message) {
  const who = { user: "Customer", assistant: "Agent", tool: "Tool result without its call", system: "System" }[message.role];
  const stops = message.text.trim() === "###STOP###" ? "ends the conversation" : message.text.trim() === "###TRANSFER###" ? "accepts to be handed over" : "";
  return h("div", { class: "bubble", data: { turn: String(message.turn) } },
    h("div", { class: "who" }, h("b", {}, who), turnLink(message.turn)),
    h("div", { class: stops ? "said stop" : "said", dir: "auto" }, stops ? `The customer ${stops}.` : message.text ? longText(message.text) : h("i", {}, "(nothing)")));
}

function callCard(call, message, place, origins, context) {
  const isWrite = context.writes.has(call.name), change = changeAt(context.talk, message.turn, place);
  const result = context.results.found.get(call);
  const head = h("div", { class: "call-head" }, h("span", { class: "call-icon" }, icon(isWrite ? "write" : "read")), h("span", { class: "call-kind" }, isWrite ? "Change" : "Look-up"),
    h("span", { class: "call-name", title: call.name }, plain(humanize(call.name))), change && h("span", { class: `tag ${change.right ? "good" : "bad"}` }, change.right && icon("check"), ` ${change.word}`), turnLink(message.turn));
  const body = call.broken ? h("pre", { class: "broken" }, longText(call.written)) : isWrite ? argumentTable(call, change, origins, context) : Object.keys(call.args).length > 0 && h("div", { class: "call-arguments" }, Object.entries(call.args).map(([key, value]) => h("span", {}, h("span", { class: "json-key", title: key }, plain(argumentName(key))), " ", h("code", {}, longText(spokenValue(value), 300)))));
  return h("div", { class: `call ${isWrite ? "write" : "look"}` }, head, change && reasonPart(change, context), body, result ? resultPart(result) : h("p", { class: "call-missing" }, "No result."));
}

/** A message's number, which is a link to it. */
const turnLink = (turn) => h("a", { class: "turn-number", href: talkLink(VIEW.talk, turn), title: `Link to message ${turn}`, "aria-label": `Link to message ${turn}` }, String(turn));

/** Why a change is right, or not, in its card: what was asked for, the one sentence, and the way to what it was compared with. */
function reasonPart(change, context) {
  const { task } = context.talk, ask = task.asks[change.decision], choices = change.decision === null ? [] : choicesOf(task.decisions[change.decision]).filter((choice) => choice.length > 1);
  const compared = choices.flat().length, out = choices.flat().filter(({ status }) => status === "excluded").length;
  const [first, ...rest] = change.why;
  const more = compared > 1 && h("button", { type: "button", class: "quiet", onclick: () => showDecision(change.decision, true) }, `Compare all ${compared}${out ? ` (${out} out)` : ""}`);
  const next = context.talk.told.changes.length > 1 && h("button", { type: "button", class: "quiet next-change", title: "w", onclick: (event) => nextWrite(event.target.closest(".call")) }, "Next change");
  return h("div", { class: change.right ? "reason" : "reason against", data: change.decision === null ? {} : { about: String(change.decision) } },
    ask && h("p", { class: "asked" }, h("b", {}, "Asked for: "), longText(spoken(ask), 300)),
    first && h("p", { class: "because" }, h("b", { class: "verdict" }, change.right ? "Right: " : "Not right: "), said(first)),
    rest.map((sentence) => h("p", {}, said(sentence))), h("div", { class: "reason-next" }, more, next));
}

function argumentTable(call, change, origins, context) {
  const wanted = new Map(Object.entries(change?.wanted || {})), refused = context.results.found.get(call)?.refused;
  const rows = leaves(call.args).filter(([path]) => path !== "").map(([path, value]) => {
    const origin = origins.get(path), differs = wanted.has(path);
    const written = argumentText(path, value), text = longText(written, 400), long = written.length > 36 ? " long" : "";
    const button = origin ? h("button", { type: "button", class: `argument ${origin.kind}${long}`, "aria-pressed": "false", title: "Where did this come from?", data: { argument: path }, onclick: () => showOrigin(button, origin, context.talk, context.chat) }, text) : h("code", { class: `argument${refused ? "" : " none"}${long}` }, text);
    const from = origin ? originShort(origin, context.talk) : refused ? "the call was refused" : "";
    return h("tr", { class: differs ? "differs" : "" }, h("th", { scope: "row", title: path }, plain(argumentName(path))), h("td", {}, button, differs && h("span", { class: "expected" }, " right would be ", h("code", {}, wanted.get(path) === null ? "left out" : plain(argumentText(path, wanted.get(path)))))), h("td", { class: `from ${origin ? origin.kind : ""}` }, from));
  });
  return rows.length > 0 && h("table", { class: "arguments" }, h("caption", { class: "hidden" }, "Values of this change, and where each came from"), h("tbody", {}, rows));
}

function originShort(origin, talk) {
  const shown = pointedTo(origin, talk);
  if (shown) return `described, message ${origin.turn}; shown, message ${shown.turn}`;
  return { said: `said, message ${origin.turn}`, shown: `${humanize(toolAt(talk, origin.turn))}, message ${origin.turn}`, formula: `worked out: ${humanize(origin.path).toLowerCase()}`, none: "from nowhere" }[origin.kind];
}

function resultPart(result) {
  const value = parsedJson(result.text);
  const preview = result.text.length > 110 ? `${result.text.slice(0, 110)}…` : result.text;
  const inside = h("div", { class: "result-inside" });
  const details = h("details", { class: `result ${result.refused ? "refused" : ""}`, data: { turn: String(result.turn) } },
    h("summary", {}, h("span", { class: "result-label" }, result.refused ? "Refused" : "Result"), h("span", { class: "preview" }, plain(preview)), turnLink(result.turn)), inside);
  const fill = () => {
    if (!inside.firstChild) inside.append(value === undefined ? h("div", { class: "json" }, h("div", { class: "json-line", data: { path: "" } }, h("span", { class: "json-text" }, longText(result.text)))) : jsonTree(value));
    return inside.firstChild;
  };
  details.fillResult = fill;
  details.addEventListener("toggle", () => details.open && fill());
  return details;
}
