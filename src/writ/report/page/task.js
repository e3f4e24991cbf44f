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
    h("details", {}, h("summary", {}, "The script of the simulated customer"), h("p", {}, plain(instruction.persona)), h("p", {}, longText(instruction.task_instructions)), instruction.hidden.length > 0 && h("p", {}, "Not given to them, so they must not say it before the agent does: ", h("code", {}, plain(instruction.hidden.join(", "))))));
}

/** Places of the task's decisions in the order in which the customer asks. */
function voicedOrder({ instruction: { voiced }, task: { decisions } }) {
  return new Set(voiced).size === decisions.length ? voiced : decisions.map((_, i) => i);
}

function decisionPart(decision, i, place, talk) {
  const { certificate } = decision, many = talk.task.decisions.length > 1, order = voicedOrder(talk);
  const later = order.slice(place + 1).filter((each) => each < i), numbers = later.map((each) => order.indexOf(each) + 1).sort((a, b) => a - b);
  const aside = later.length > 0 && certificate.candidates.length > 1 && h("p", { class: "note" }, `The records below are shown as they are once ${numbers.length > 1 ? `wishes ${numbers.join(" and ")} are` : `wish ${numbers[0]} is`} done, although the customer asks for that later.`);
  const done = [...new Set(decision.calls.map(({ name }) => humanize(name)))].join(" and "), what = decision.outcome === "act" ? done || "Tell, and change nothing" : word("outcomes", decision.outcome)[0];
  const title = `${many ? `${place + 1}. ` : ""}${what}${decision.subject ? `: ${decision.subject}` : ""}`;
  return h("section", { class: "decision", data: { decision: String(i) } }, place === 0 && h("h2", {}, "The right answer"), aside, h("h3", {}, longText(spoken(title), 400)),
    decision.rule && h("p", { title: decision.rule }, "Because of the rule: ", h("b", {}, plain(ruleText(decision.rule, talk.task.domain)))),
    decision.calls.length > 0 && h("ul", { class: "calls" }, decision.calls.map((call) => h("li", {}, tick(made(talk, call), "made", "not made"), callBlock(call)))),
    decision.told.length > 0 && facts(...decision.told.map((told) => [`Must tell: ${humanize(told.name).toLowerCase()}`, told.value])),
    choicesOf(decision).map((choice) => choicePart(choice, talk)), proofPart(decision, talk));
}

/** Brings a decision of the task into view, with all that was compared where `whole`. */
function showDecision(i, whole = false) {
  const decision = document.querySelector(`.task [data-decision="${i}"]`), place = decision?.querySelector(".compared.several") || decision?.querySelector(".compared") || decision;
  if (whole) decision?.querySelectorAll(".compared .more").forEach((button) => button.click());
  place?.scrollIntoView({ block: "start" });
  place?.classList.remove("visited");
  requestAnimationFrame(() => place?.classList.add("visited"));
}

/** The candidates by what is chosen among, each from the best to those that are out. */
function choicesOf({ certificate: { candidates } }) {
  const order = ["winner", "runner_up", "eligible", "excluded"], groups = new Map();
  for (const candidate of candidates) groups.set(candidate.choice, [...(groups.get(candidate.choice) || []), candidate]);
  return [...groups.values()].map((group) => group.sort((a, b) => order.indexOf(a.status) - order.indexOf(b.status)));
}

/** A call with its values below each other, where one line would be hard to read. */
function callBlock(call) {
  const values = leaves(call.arguments);
  if (values.length < 4) return callLine(call.name, call.arguments);
  return h("div", { class: "call-block" }, h("b", { title: call.name }, plain(humanize(call.name))), h("dl", {}, values.map(([path, value]) => h("div", {}, h("dt", { title: path }, plain(argumentName(path))), h("dd", {}, h("code", {}, longText(argumentText(path, value), 200)))))));
}

const tick = (done, yes, no) => h("span", { class: `tick ${done ? "good" : "bad"}`, title: done ? yes : no }, icon(done ? "check" : "cross"), h("span", { class: "hidden" }, done ? yes : no));

const made = (talk, call) => turnOf(talk, call) !== undefined;

const CANDIDATES_SHOWN = 6;

const COLUMNS_SHOWN = 2;

/** Every candidate of a choice with the facts that were compared and why it wins or is out; a click shows its record in the chat. */
function choicePart(choice, talk) {
  const names = [...new Set(choice.flatMap((candidate) => Object.keys(candidate.values)))], wide = names.length > COLUMNS_SHOWN, ranked = choice.some(({ status }) => status === "runner_up");
  const row = (candidate) => {
    const button = h("button", { type: "button", class: "record", "aria-pressed": "false", title: "Show its record in the conversation", onclick: () => showRecord(button, candidate, talk, document.querySelector(".chat")) }, longText(candidate.label, 300));
    const values = wide && h("small", {}, Object.keys(candidate.values).map((name, i) => [i ? " · " : "", `${small(valueName(name))} `, valueText(name, comparedValue(candidate, name))]));
    const why = h("small", {}, h("span", { class: "status" }, candidate.status === "winner" && !ranked ? "Fits" : word("statuses", candidate.status)[0]), candidate.why && [": ", longText(candidate.why, 300)]);
    return h("tr", { class: candidate.status }, h("th", { scope: "row" }, button, why, values), !wide && names.map((name) => h("td", {}, valueText(name, comparedValue(candidate, name)))));
  };
  const body = h("tbody", {}, choice.slice(0, CANDIDATES_SHOWN).map(row));
  const rest = choice.length > CANDIDATES_SHOWN + 2 && h("button", { type: "button", class: "more", onclick: () => { body.append(...choice.slice(CANDIDATES_SHOWN).map(row)); rest.remove(); } }, `Show all ${choice.length}`);
  if (!rest) body.append(...choice.slice(CANDIDATES_SHOWN).map(row));
  const head = h("tr", {}, h("td", {}), !wide && names.map((name) => h("th", { scope: "col" }, plain(valueName(name)))));
  return h("div", { class: choice.length > 1 ? "compared several" : "compared" }, h("h4", {}, plain(choiceTitle(choice, ranked))), choice.length > 1 && h("p", { class: "note" }, "Click one to see its record in the conversation."),
    h("div", { class: "scroll-x", tabindex: "0", role: "region", "aria-label": "Candidates" }, h("table", { class: "candidates" }, !wide && h("thead", {}, head), body)), rest);
}

/** A compared fact; an arrival after midnight says so, also where the record gives the time alone. */
function comparedValue({ values }, name) {
  const value = values[name], start = /^(\d\d):(\d\d)/.exec(values.departure || "");
  const late = name === "arrival" && start && /^[\d:]+$/.test(value) && Number(start[1]) * 60 + Number(start[2]) + values.minutes >= 1440;
  return late ? `${value}+1` : value;
}

/** What the table of candidates shows, in words that hold for all of its rows. */
function choiceTitle(choice, ranked) {
  const winners = choice.filter(({ status }) => status === "winner").length, out = choice.filter(({ status }) => status === "excluded").length, what = `${choice.length} ${choice[0].choice || "looked at"}`;
  if (choice.length === 1) return winners ? "What it is about, and what allows it" : "What it is about, and why not";
  if (ranked) return `${what}, best first${out ? `; ${out} out` : ""}`;
  return `${what}: ${winners ? (winners === 1 ? "one fits" : `${winners} fit`) : "none fits"}`;
}

/** The message in which a call was made first; undefined where it never was. */
function turnOf(talk, call) {
  const key = callKey(call.name, call.arguments);
  return talk.messages.find((message) => message.calls.some((each) => !each.broken && callKey(each.name, each.args) === key))?.turn;
}

/** Whether a look-up was made before the first change that rests on it, as a mark; late ones say so, and those that another look-up answered. */
function inTime(talk, call, { calls, certificate }) {
  const looked = turnOf(talk, call), decided = Math.min(...calls.map((each) => turnOf(talk, each) ?? Infinity));
  const late = looked !== undefined && looked > decided, missed = talk.verdict.checks.some(({ name, result }) => name === "coverage" && result !== "pass");
  if (looked === undefined && !missed) {
    const key = callKey(call.name, call.arguments), others = certificate.rivals.filter(({ refuters }) => refuters.some((each) => callKey(each.name, each.arguments) === key));
    const turns = others.flatMap(({ refuters }) => refuters.map((each) => turnOf(talk, each))).filter((turn) => turn < decided);
    return [h("span", { class: "tick other", title: "not needed here" }, "–"), h("small", {}, "answered by ", turns.length ? messageLink(Math.min(...turns)) : "another look-up")];
  }
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
    h("details", { class: "proof", open: certificate.plan.length <= 8 }, h("summary", {}, `The fewest look-ups that prove it: ${certificate.burden}`), h("p", { class: "note" }, `With any fewer, another answer could still be right. ${certificate.relevant > certificate.burden ? `${plural(certificate.relevant, "look-up")} bear on the question in all, so a careful agent may make ${count(certificate.relevant)}. ` : ""}Ticked: made in this conversation before the change.`), h("ol", { class: "calls" }, plan)),
    h("details", { class: "proof" }, h("summary", {}, `What could have made another answer right: ${rivals.length}`), h("p", { class: "note" }, "Until each of these is ruled out, the answer could be another one."), h("ul", { class: "calls" }, rivals)));
}

function checksPart(talk) {
  const { checks } = talk.verdict, isOff = (check) => ["fail", "unclear"].includes(check.result), off = checks.filter(isOff), applied = checks.filter((check) => check.result !== "not_applicable").length;
  const mark = { pass: "✓", fail: "✕", unclear: "?", not_applicable: "–" };
  const rows = [...off, ...checks.filter((check) => !isOff(check))].map((check) => h("li", { class: check.result }, h("span", { class: "check-mark", "aria-hidden": "true" }, mark[check.result]),
    h("div", {}, word("checks", check.name)[0], h("span", { class: "hidden" }, `: ${word("results", check.result)[0]}`), isOff(check) && check.cause !== talk.verdict.cause && talk.told.losses[check.name] && h("small", {}, said(talk.told.losses[check.name])))));
  return h("section", {}, h("h2", {}, "The checks"), h("details", { open: off.length > 0 }, h("summary", {}, off.length ? `${off.length} of ${applied} not passed${applied < checks.length ? `, ${checks.length - applied} do not apply` : ""}` : `All ${applied} passed`), h("ul", { class: "checks" }, rows)));
}

function mistakesPart(task) {
  if (!task.distractors.length) return null;
  const gold = task.decisions.flatMap((decision) => decision.calls);
  return h("section", {}, h("h2", {}, "Tempting mistakes"), h("p", { class: "note" }, "Near misses in the data invite these; each was replayed and must not count as right."),
    h("ul", { class: "mistakes" }, task.distractors.map((mistake) => h("li", {}, h("b", {}, plain(humanize(mistake.mistake))), temptations(mistake.calls, gold)))));
}

/** One wrong value of a mistake, in words. */
function wrongValue(path, got, wanted) {
  const name = plain(small(argumentName(path))), code = (value) => h("code", {}, longText(spokenValue(value), 120));
  if (wanted === undefined) return ["also has ", name, " ", code(got)];
  return got === undefined ? ["leaves out ", name, " ", code(wanted)] : [name, " is ", code(got), ", should be ", code(wanted)];
}

/** What of the calls of a mistake is not right, a line each. */
function temptations(calls, gold) {
  const keys = new Set(gold.map((call) => callKey(call.name, call.arguments))), made = new Set(calls.map((call) => callKey(call.name, call.arguments)));
  const left = gold.filter((call) => !made.has(callKey(call.name, call.arguments)));
  const lines = calls.filter((call) => !keys.has(callKey(call.name, call.arguments))).map((call) => {
    const right = nearest({ name: call.name, args: call.arguments }, left), differs = right ? differences({ args: call.arguments }, right) : [];
    if (!right || !differs.length || differs.length > 3) return ["also makes ", callLine(call.name, call.arguments)];
    left.splice(left.indexOf(right), 1);
    return [plain(humanize(call.name)), ": ", differs.map((each, i) => [i ? "; " : "", wrongValue(...each)])];
  });
  return h("ul", {}, [...lines, ...left.map((call) => ["leaves out ", callLine(call.name, call.arguments)])].map((line) => h("li", {}, line)));
}
