// A conversation as a chat: bubbles, look-ups folded, changes open and marked, what went wrong said in place.

function drawChat(talk) {
  const writes = new Set((DATA.head.domains.find((domain) => domain.name === talk.task.domain) || { writes: [] }).writes);
  const gold = talk.task.decisions.flatMap((decision) => decision.calls);
  const chat = h("div", { class: "chat" });
  const context = { talk, chat, writes, gold, due: gold.filter((call) => !made(talk, call)), results: resultsOf(talk), notes: notesOf(talk) };
  const turns = talk.messages.filter((message) => !context.results.taken.has(message.turn)).map((message) => drawMessage(message, context));
  chat.append(chatHead(talk), verdictBanner(talk, chat), h("div", { class: "turns" }, turns, ending(talk)));
  return chat;
}

/** How it ended; and what went wrong without a place of its own, such as a change that was never made. */
function ending(talk) {
  const { trajectory, verdict } = talk, off = verdict.checks.filter((check) => check.turn === null && ["fail", "unclear"].includes(check.result));
  return h("div", { class: "ending" }, h("p", {}, `Ended: ${word("terminations", trajectory.termination)[0]}${trajectory.detail ? ` (${trajectory.detail})` : ""}`), off.length > 0 && noteOf(talk, off, []));
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

/** One note for each message at which something went wrong, by message: the cause of the loss, what follows from it, and what was made on purpose. */
function notesOf(talk) {
  const checks = new Map(), faults = new Map(), notes = new Map();
  for (const check of talk.verdict.checks) if (check.turn !== null && ["fail", "unclear"].includes(check.result)) checks.set(check.turn, [...(checks.get(check.turn) || []), check]);
  for (const fault of talk.trajectory.faults) faults.set(fault.turn, [...(faults.get(fault.turn) || []), fault]);
  for (const turn of new Set([...checks.keys(), ...faults.keys()])) notes.set(turn, noteOf(talk, checks.get(turn) || [], faults.get(turn) || []));
  return notes;
}

function noteOf(talk, checks, faults) {
  const cause = checks.find((check) => check.cause === talk.verdict.cause), first = cause || checks[0], rest = checks.filter((check) => check !== first && check.cause !== first.cause);
  const purpose = faults.map((fault) => h("p", { class: "staged" }, `Made on purpose: the scripted model was told to make this fault (${humanize(fault.name).toLowerCase()})${fault.lethal ? "" : ", which is harmless"}.`));
  if (!first) return h("div", { class: "note-inline staged" }, purpose);
  const also = rest.length > 0 && h("details", {}, h("summary", {}, `Failed with it: ${[...new Set(rest.map((check) => word("causes", check.cause)[0].toLowerCase()))].join(", ")}`),
    h("ul", {}, rest.map((check) => h("li", {}, h("b", {}, word("causes", check.cause)[0]), ": ", longText(readable(check.detail || word("causes", check.cause)[1], talk.task.domain), 600)))));
  return h("div", { class: `note-inline ${cause ? "bad" : "warn"}`, data: { cause: first.cause } }, h("p", {}, h("b", {}, `${cause ? "Why it was lost: " : "Also: "}${word("causes", first.cause)[0]}. `), mistake(talk, first)), also, purpose);
}

/** With a capital, unless it begins with a name of the records, and a full stop. */
const sentence = (text) => (text ? `${/^[a-z]\w*_/.test(text) ? text.charAt(0) : text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}` : "");

function chatHead(talk) {
  const { task, trajectory, verdict } = talk, usage = [trajectory.agent_usage, trajectory.user_usage];
  const tokens = usage.reduce((sum, each) => sum + each.prompt_tokens + each.completion_tokens, 0);
  const copy = h("button", { type: "button", class: "quiet", title: "Copy a link to this conversation", onclick: () => copyLink(trajectory.id, copy) }, icon("link"), " Link");
  const results = h("button", { type: "button", class: "quiet", title: "Open or fold every tool result", "aria-pressed": "false", onclick: () => unfold(results) }, "Open all results");
  return h("header", { class: "chat-head" },
    h("div", { class: "chat-tools" }, h("a", { class: "quiet only-phone", href: "#find?" }, icon("left"), " List"), h("span", { class: "grow" }),
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

function verdictBanner(talk, chat) {
  const { verdict } = talk;
  if (verdict.kept) {
    const calls = [...new Set(verdict.origins.map((origin) => origin.call))];
    const jump = calls.length > 0 && h("button", { type: "button", class: "quiet", title: "Next change (w)", onclick: () => nextWrite() }, calls.length === 1 ? `Show the change and why it is right (message ${calls[0]})` : `Walk through the ${calls.length} changes and why they are right`);
    return h("div", { class: "banner good" }, h("p", {}, h("b", {}, "Every check passed. "), calls.length ? "A click on a value of a change shows where it came from." : "The right thing was to change nothing.", refusals(talk)), jump);
  }
  const [name, meaning] = word("causes", verdict.cause);
  const check = verdict.checks.find((each) => each.cause === verdict.cause && ["fail", "unclear"].includes(each.result));
  const what = check ? mistake(talk, check) : [], turn = check?.turn ?? null, go = () => goToTurn(chat, turn);
  const jump = h("button", { type: "button", class: "quiet", onclick: (event) => { event.stopPropagation(); go(); } }, turn === null ? "Show the end" : `Show me (message ${turn})`);
  return h("div", { class: "banner bad", data: { cause: verdict.cause }, onclick: () => String(getSelection()) || go() }, h("p", {}, h("b", {}, `Lost: ${name}. `), what.length ? what : sentence(meaning)),
    h("p", { class: "soft" }, `${what.length ? `${sentence(meaning)} ` : ""}Owner: ${word("owners", verdict.owner)[0].toLowerCase()}.`), jump);
}

/** The rules that stand against a wish of the task, in words. */
function refusals({ task }) {
  const rules = [...new Set(task.decisions.map((decision) => decision.rule).filter(Boolean))];
  return rules.map((rule) => [" ", h("b", {}, "Rightly refused: "), plain(ruleText(rule, task.domain))]);
}

/** To a message; to the end where there is none. */
function goToTurn(chat, turn) {
  const place = turn === null ? chat.querySelector(".ending") : chat.querySelector(`[data-turn="${turn}"]`) || chat.querySelector(`[data-message="${turn}"]`);
  place?.scrollIntoView({ block: "center" });
  place?.classList.add("visited");
}

function drawMessage(message, context) {
  const parts = [];
  if (message.text || !message.calls.length) parts.push(bubble(message));
  const deal = dealer(context.talk.verdict.origins, message.turn);
  for (const call of message.calls) parts.push(callCard(call, message, deal(call), context));
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

function callCard(call, message, origins, context) {
  const isWrite = context.writes.has(call.name);
  const result = context.results.found.get(call);
  const head = h("div", { class: "call-head" }, h("span", { class: "call-icon" }, icon(isWrite ? "write" : "read")), h("span", { class: "call-kind" }, isWrite ? "Change" : "Look-up"),
    h("code", { class: "call-name" }, plain(call.name)), isWrite && comparison(call, context), turnLink(message.turn));
  const body = call.broken ? h("pre", { class: "broken" }, longText(call.written)) : isWrite ? argumentTable(call, origins, context) : Object.keys(call.args).length > 0 && h("div", { class: "call-arguments" }, Object.entries(call.args).map(([key, value]) => h("span", {}, h("span", { class: "json-key" }, plain(key)), " ", h("code", {}, longText(typeof value === "string" ? value : JSON.stringify(value), 300)))));
  return h("div", { class: `call ${isWrite ? "write" : "look"}` }, head, isWrite && reasonPart(call, context), body, result ? resultPart(result) : h("p", { class: "call-missing" }, "No result."));
}

/** A message's number, which is a link to it. */
const turnLink = (turn) => h("a", { class: "turn-number", href: `#${VIEW.talk}@${turn}`, title: `Link to message ${turn}`, "aria-label": `Link to message ${turn}` }, String(turn));

/** Why a change of the right answer is right, in its card. */
function reasonPart(call, context) {
  const right = reasonsFor(context.talk.task, call), found = right || reasonsAgainst(context.talk.task, call);
  if (!found) return null;
  const more = found.compared > 1 && h("button", { type: "button", class: "quiet", onclick: () => showDecision(found.decision) }, `Compare all ${found.compared}`);
  const next = context.gold.length > 1 && h("button", { type: "button", class: "quiet next-change", title: "w", onclick: (event) => nextWrite(event.target.closest(".call")) }, "Next change");
  return h("div", { class: right ? "reason" : "reason against", data: { about: String(found.decision) } }, h("b", {}, right ? "Why this is right" : "Why this is not right"), h("ul", {}, found.lines.map((line) => h("li", {}, line))), h("div", { class: "reason-next" }, more, next));
}

/** Whether a write is one that the task wants, said in its header. */
function comparison(call, context) {
  if (call.broken) return h("span", { class: "tag bad" }, "cannot be read");
  if (context.gold.some((gold) => callKey(gold.name, gold.arguments) === callKey(call.name, call.args))) return h("span", { class: "tag good" }, icon("check"), " as the right answer");
  return h("span", { class: "tag bad" }, nearest(call, context.due) ? "differs from the right answer" : "not in the right answer");
}

/** The gold call of the same tool that shares most values, or undefined. */
function nearest(call, gold) {
  const mine = new Map(leaves(call.args || {}).map(([path, value]) => [path, canonical(value)]));
  const score = (other) => leaves(other.arguments).filter(([path, value]) => mine.get(path) === canonical(value)).length;
  return gold.filter((other) => other.name === call.name).sort((a, b) => score(b) - score(a))[0];
}

function argumentTable(call, origins, context) {
  const right = nearest(call, context.due), wanted = new Map(right ? leaves(right.arguments) : []);
  const refused = context.results.found.get(call)?.refused;
  const rows = leaves(call.args).filter(([path]) => path !== "").map(([path, value]) => {
    const origin = origins.get(path), differs = wanted.has(path) && canonical(wanted.get(path)) !== canonical(value);
    const written = typeof value === "string" ? value : JSON.stringify(value), text = longText(written, 400), long = written.length > 36 ? " long" : "";
    const button = origin ? h("button", { type: "button", class: `argument ${origin.kind}${long}`, "aria-pressed": "false", title: "Where did this come from?", data: { argument: path }, onclick: () => showOrigin(button, origin, context.talk, context.chat) }, text) : h("code", { class: `argument${refused ? "" : " none"}${long}` }, text);
    const from = origin ? originShort(origin, context.talk) : refused ? "the call was refused" : "";
    return h("tr", { class: differs ? "differs" : "" }, h("th", { scope: "row" }, path.split(".").map((part, i) => [i > 0 && [".", h("wbr")], plain(part)])), h("td", {}, button, differs && h("span", { class: "expected" }, " right would be ", h("code", {}, plain(String(wanted.get(path)))))), h("td", { class: `from ${origin ? origin.kind : ""}` }, from));
  });
  return rows.length > 0 && h("table", { class: "arguments" }, h("caption", { class: "hidden" }, "Values of this change, and where each came from"), h("tbody", {}, rows));
}

function originShort(origin, talk) {
  const shown = pointedTo(origin, talk);
  if (shown) return `described, message ${origin.turn}; shown, message ${shown.turn}`;
  return { said: `said, message ${origin.turn}`, shown: `${toolAt(talk, origin.turn)}, message ${origin.turn}`, formula: `worked out: ${humanize(origin.path).toLowerCase()}`, none: "from nowhere" }[origin.kind];
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
