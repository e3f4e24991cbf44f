// Beside the chat: what the customer wanted, what the right answer is, and why there is no other.

function drawTask(talk) {
  const { task } = talk;
  return h("aside", { class: "task", "aria-label": "The task" },
    wishPart(talk), ...voicedOrder(talk).map((i, place) => decisionPart(task.decisions[i], i, place, talk)), checksPart(talk), mistakesPart(task),
    h("p", { class: "ids" }, h("code", {}, plain(task.id))));
}

/** The wish as told of the customer; numbered wishes stand on lines of their own. */
function wishText({ reason_for_call: text }) {
  const told = spoken(text);
  return told.startsWith("1. ") ? told.replace(/ (?=\d\. )/g, "\n") : told;
}

function wishPart({ instruction, task }) {
  const behavior = Object.entries(instruction.behavior).filter(([axis, value]) => String(value) !== "false" && !["neutral", "as_given", "primary", "plain"].includes(value) && DATA.words.axes[axis]);
  const chips = behavior.map(([axis, value]) => h("a", { class: "chip", href: findLink({ behavior: `${axis}:${value === true ? "True" : value}` }), title: "All conversations of this behavior" }, `${DATA.words.axes[axis][0]}: ${axisWord(axis, value === true ? "True" : value)}`));
  return h("section", {}, h("h2", {}, "What the customer wants"), h("p", { class: "wish" }, longText(wishText(instruction), 1000)),
    facts(["Knows", longText(spoken(instruction.known_info), 1000)], ["Does not know", instruction.unknown_info ? plain(spoken(instruction.unknown_info)) : ""], ["Customer", h("code", {}, plain(task.user_id))]),
    chips.length > 0 && h("p", { class: "chips" }, chips),
    h("details", {}, h("summary", {}, "The script of the simulated customer"), h("p", {}, plain(instruction.persona)), h("p", {}, longText(instruction.task_instructions)), instruction.hidden.length > 0 && h("p", {}, "Must not say first: ", h("code", {}, plain(instruction.hidden.join(", "))))));
}

/** Places of the task's decisions in the order in which the customer asks. */
function voicedOrder({ instruction: { voiced }, task: { decisions } }) {
  return new Set(voiced).size === decisions.length ? voiced : decisions.map((_, i) => i);
}

function decisionPart(decision, i, place, talk) {
  const { certificate } = decision, many = talk.task.decisions.length > 1, order = voicedOrder(talk);
  const aside = place === 0 && order.some((each, at) => each !== at) && h("p", { class: "note" }, "Numbered as the customer asks. What was compared is told as it stands after the wishes in the opposite order: a record may be called cancelled or changed before the chat comes to that.");
  const title = `${many ? `${place + 1}. ` : ""}${word("outcomes", decision.outcome)[0]}${decision.subject ? `: ${decision.subject}` : ""}`;
  return h("section", { class: "decision", data: { decision: String(i) } }, place === 0 && h("h2", {}, "The right answer"), aside, h("h3", {}, longText(spoken(title), 400)),
    decision.rule && h("p", { title: decision.rule }, "Because of the rule: ", h("b", {}, plain(ruleText(decision.rule, talk.task.domain)))),
    decision.calls.length > 0 && h("ul", { class: "calls" }, decision.calls.map((call) => h("li", {}, tick(made(talk, call), "made", "not made"), callBlock(call)))),
    decision.told.length > 0 && facts(...decision.told.map((told) => [`Must tell: ${humanize(told.name).toLowerCase()}`, told.value])),
    candidatesPart(decision, talk), proofPart(decision, talk));
}

/** Brings a decision of the task into view. */
function showDecision(i) {
  const place = document.querySelector(`.task [data-decision="${i}"] .compared`) || document.querySelector(`.task [data-decision="${i}"]`);
  place?.scrollIntoView({ block: "start" });
  place?.classList.remove("visited");
  requestAnimationFrame(() => place?.classList.add("visited"));
}

/** A call with its values below each other, where one line would be hard to read. */
function callBlock(call) {
  const values = leaves(call.arguments);
  if (values.length < 4) return callLine(call.name, call.arguments);
  return h("div", { class: "call-block" }, h("code", {}, h("b", {}, plain(call.name))), h("dl", {}, values.map(([path, value]) => h("div", {}, h("dt", {}, plain(path)), h("dd", {}, h("code", {}, longText(String(value), 200)))))));
}

const tick = (done, yes, no) => h("span", { class: `tick ${done ? "good" : "bad"}`, title: done ? yes : no }, icon(done ? "check" : "cross"), h("span", { class: "hidden" }, done ? yes : no));

const made = (talk, call) => turnOf(talk, call) !== undefined;

const CANDIDATES_SHOWN = 6;

const COLUMNS_SHOWN = 2;

/** Every candidate with the facts that were compared and why it wins or is out; a click shows its record in the chat. */
function candidatesPart({ certificate, outcome }, talk) {
  const { candidates, margin } = certificate;
  if (!candidates.length) return null;
  const names = [...new Set(candidates.flatMap((candidate) => Object.keys(candidate.values)))], wide = names.length > COLUMNS_SHOWN;
  const order = ["winner", "runner_up", "eligible", "excluded"];
  const sorted = [...candidates].sort((a, b) => order.indexOf(a.status) - order.indexOf(b.status));
  const row = (candidate) => {
    const button = h("button", { type: "button", class: "record", "aria-pressed": "false", title: "Show its record in the conversation", onclick: () => showRecord(button, candidate, talk, document.querySelector(".chat")) }, longText(candidate.label, 300));
    const facts = wide && h("small", {}, Object.entries(candidate.values).map(([name, value], i) => [i ? " · " : "", name.replaceAll("_", " "), " ", cellText(value)]));
    const why = h("small", {}, h("span", { class: "status" }, candidate.status === "winner" && margin === null ? "Fits" : word("statuses", candidate.status)[0]), candidate.why && [": ", longText(candidate.why, 300), candidate.status === "winner" && ofThose({ candidates, margin })]);
    return h("tr", { class: candidate.status }, h("th", { scope: "row" }, button, why, facts), !wide && names.map((name) => h("td", {}, cellText(candidate.values[name]))));
  };
  const body = h("tbody", {}, sorted.slice(0, CANDIDATES_SHOWN).map(row));
  const rest = sorted.length > CANDIDATES_SHOWN + 2 && h("button", { type: "button", class: "more", onclick: () => { body.append(...sorted.slice(CANDIDATES_SHOWN).map(row)); rest.remove(); } }, `Show all ${sorted.length}`);
  if (!rest) body.append(...sorted.slice(CANDIDATES_SHOWN).map(row));
  const head = h("tr", {}, h("td", {}), !wide && names.map((name) => h("th", { scope: "col" }, plain(humanize(name)))));
  return h("div", { class: "compared" }, h("h4", {}, comparedTitle(certificate, outcome)), h("p", { class: "note" }, "Click one to see its record in the conversation."),
    h("div", { class: "scroll-x", tabindex: "0", role: "region", "aria-label": "Candidates" }, h("table", { class: "candidates" }, !wide && h("thead", {}, head), body)), rest,
    margin !== null && h("p", { class: "note" }, "The winner is ahead of the runner-up by ", h("b", {}, `${exact(margin)}${unitOf(certificate)}`), "."));
}

const unitOf = ({ criterion }) => (criterion.includes(", in ") ? ` ${criterion.split(", in ").at(-1)}` : "");

/** What the table of candidates shows, in words that hold for all of its rows. */
function comparedTitle({ criterion, candidates, margin }, outcome) {
  const winners = candidates.filter((candidate) => candidate.status === "winner").length, all = candidates.length;
  if (all === 1) return outcome === "act" ? "Why it may be done" : "Why it may not be done";
  if (margin !== null) return `${all} compared by ${criterion.split(", in ")[0]}`;
  if (!winners) return `${all} looked at: none fits`;
  return winners === 1 ? `${all} looked at: one fits` : `${all} looked at: ${winners} fit`;
}

/** A compared fact in words; years and other small numbers stand without a comma. */
function cellText(value) {
  if (value === undefined) return "";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(value)) return value.slice(0, 16).replace("T", " ");
  if (typeof value === "string" && /^\d\d:\d\d:00/.test(value)) return value.slice(0, 5) + value.slice(8);
  if (typeof value === "number") return value < 10000 ? String(value) : NUMBER.format(value);
  return longText(typeof value === "string" ? value.replaceAll("_", " ") : JSON.stringify(value), 300);
}

/** The message in which a call was made first; undefined where it never was. */
function turnOf(talk, call) {
  const key = callKey(call.name, call.arguments);
  return talk.messages.find((message) => message.calls.some((each) => !each.broken && callKey(each.name, each.args) === key))?.turn;
}

/** Whether a look-up was made before the first change that rests on it, as a mark; late ones say so. */
function inTime(talk, call, { calls }) {
  const looked = turnOf(talk, call), decided = Math.min(...calls.map((each) => turnOf(talk, each) ?? Infinity));
  const late = looked !== undefined && looked > decided;
  return [tick(looked !== undefined && !late, "looked up", late ? "too late" : "not looked up"), late && h("small", { class: "bad" }, `too late: message ${looked}, after the change in ${decided}`)];
}

function proofPart(decision, talk) {
  const { certificate } = decision;
  const rivals = certificate.rivals.map((rival) => {
    const done = rival.refuters.find((call) => made(talk, call));
    return h("li", {}, tick(done, "looked up", "not looked up"), h("div", {}, plain(rival.claim), h("div", { class: "refuter" }, "ruled out by ", callLine((done || rival.refuters[0]).name, (done || rival.refuters[0]).arguments), rival.refuters.length > 1 && ` or ${plural(rival.refuters.length - 1, "other look-up")}`)));
  });
  const plan = certificate.plan.map((call) => {
    const [mark, late] = inTime(talk, call, decision);
    return h("li", {}, mark, h("div", {}, callLine(call.name, call.arguments), late && " ", late));
  });
  return h("div", {},
    h("details", { class: "proof", open: certificate.plan.length <= 8 }, h("summary", {}, `The fewest look-ups that prove it: ${certificate.burden}`), h("p", { class: "note" }, `With any fewer, another answer could still be right. ${certificate.relevant > certificate.burden ? `${plural(certificate.relevant, "look-up")} bear on the question in all, so a careful agent may make ${count(certificate.relevant)}. ` : ""}Ticked: made in this conversation before the change. One that is not ticked may have been answered by another look-up.`), h("ol", { class: "calls" }, plan)),
    h("details", { class: "proof" }, h("summary", {}, `What could have made another answer right: ${rivals.length}`), h("p", { class: "note" }, "Until each of these is ruled out, the answer could be another one."), h("ul", { class: "calls" }, rivals)));
}

function checksPart(talk) {
  const { checks } = talk.verdict, isOff = (check) => ["fail", "unclear"].includes(check.result), off = checks.filter(isOff), applied = checks.filter((check) => check.result !== "not_applicable").length;
  const mark = { pass: "✓", fail: "✕", unclear: "?", not_applicable: "–" };
  const rows = [...off, ...checks.filter((check) => !isOff(check))].map((check) => h("li", { class: check.result }, h("span", { class: "check-mark", "aria-hidden": "true" }, mark[check.result]),
    h("div", {}, word("checks", check.name)[0], h("span", { class: "hidden" }, `: ${word("results", check.result)[0]}`), check.detail && isOff(check) && h("small", {}, plain(readable(check.detail, talk.task.domain))))));
  return h("section", {}, h("h2", {}, "The checks"), h("details", { open: off.length > 0 }, h("summary", {}, off.length ? `${off.length} of ${applied} not passed` : `All ${applied} passed`), h("ul", { class: "checks" }, rows)));
}

function mistakesPart(task) {
  if (!task.distractors.length) return null;
  const gold = task.decisions.flatMap((decision) => decision.calls);
  return h("section", {}, h("h2", {}, "Tempting mistakes"), h("p", { class: "note" }, "Near misses in the data invite these; each was replayed and must not count as right."),
    h("ul", { class: "mistakes" }, task.distractors.map((mistake) => h("li", {}, h("b", {}, plain(humanize(mistake.mistake))), temptations(mistake.calls, gold)))));
}

/** What of the calls of a mistake is not right, a line each. */
function temptations(calls, gold) {
  const keys = new Set(gold.map((call) => callKey(call.name, call.arguments))), made = new Set(calls.map((call) => callKey(call.name, call.arguments)));
  const left = gold.filter((call) => !made.has(callKey(call.name, call.arguments)));
  const lines = calls.filter((call) => !keys.has(callKey(call.name, call.arguments))).map((call) => {
    const right = nearest({ name: call.name, args: call.arguments }, left), differs = right ? differences({ args: call.arguments }, right) : [];
    if (!right || !differs.length || differs.length > 3) return ["also makes ", callLine(call.name, call.arguments)];
    left.splice(left.indexOf(right), 1);
    return [h("code", {}, plain(call.name)), ": ", differs.map(([path, got, wanted], i) => [i ? "; " : "", plain(path), " ", h("code", {}, longText(spokenValue(got ?? "left out"), 120)), " instead of ", h("code", {}, longText(spokenValue(wanted ?? "nothing"), 120))])];
  });
  return h("ul", {}, [...lines, ...left.map((call) => ["leaves out ", callLine(call.name, call.arguments)])].map((line) => h("li", {}, line)));
}
