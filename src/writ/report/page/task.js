// Beside the chat: what the customer wanted, what the right answer is, and why there is no other.

function drawTask(talk) {
  const { task } = talk;
  return h("aside", { class: "task", "aria-label": "The task" },
    wishPart(talk), ...task.decisions.map((decision, i) => decisionPart(decision, i, talk)), checksPart(talk), mistakesPart(task),
    h("p", { class: "ids" }, h("code", {}, plain(task.id))));
}

function wishPart({ instruction, task }) {
  const behavior = Object.entries(instruction.behavior).filter(([axis, value]) => String(value) !== "false" && !["neutral", "as_given", "primary", "plain"].includes(value) && DATA.words.axes[axis]);
  const chips = behavior.map(([axis, value]) => h("a", { class: "chip", href: findLink({ behavior: `${axis}:${value === true ? "True" : value}` }), title: DATA.words.axes[axis][0] }, axisWord(axis, value === true ? "True" : value)));
  return h("section", {}, h("h2", {}, "What the customer wants"), h("p", { class: "wish" }, longText(spoken(instruction.reason_for_call), 1000)),
    facts(["Knows", longText(instruction.known_info, 1000)], ["Does not know", instruction.unknown_info ? plain(instruction.unknown_info) : ""], ["Customer", h("code", {}, plain(task.user_id))]),
    chips.length > 0 && h("p", { class: "chips" }, chips),
    h("details", {}, h("summary", {}, "The script of the simulated customer"), h("p", {}, plain(instruction.persona)), h("p", {}, longText(instruction.task_instructions)), instruction.hidden.length > 0 && h("p", {}, "Must not say first: ", h("code", {}, plain(instruction.hidden.join(", "))))));
}

function decisionPart(decision, i, talk) {
  const { certificate } = decision, many = talk.task.decisions.length > 1;
  const title = `${many ? `${i + 1}. ` : ""}${word("outcomes", decision.outcome)[0]}${decision.subject ? `: ${decision.subject}` : ""}`;
  return h("section", { class: "decision" }, i === 0 && h("h2", {}, "The right answer"), h("h3", {}, longText(title, 400)),
    decision.rule && h("p", {}, "Because of the rule ", h("code", {}, plain(decision.rule))),
    decision.calls.length > 0 && h("ul", { class: "calls" }, decision.calls.map((call) => h("li", {}, tick(made(talk, call), "made", "not made"), callBlock(call)))),
    decision.told.length > 0 && facts(...decision.told.map((told) => [`Must tell: ${humanize(told.name).toLowerCase()}`, told.value])),
    candidatesPart(certificate), proofPart(certificate, talk));
}

/** A call with its values below each other, where one line would be hard to read. */
function callBlock(call) {
  const values = leaves(call.arguments);
  if (values.length < 4) return callLine(call.name, call.arguments);
  return h("div", { class: "call-block" }, h("code", {}, h("b", {}, plain(call.name))), h("dl", {}, values.map(([path, value]) => h("div", {}, h("dt", {}, plain(path)), h("dd", {}, h("code", {}, longText(String(value), 200)))))));
}

const tick = (done, yes, no) => h("span", { class: `tick ${done ? "good" : "bad"}`, title: done ? yes : no }, icon(done ? "check" : "cross"), h("span", { class: "hidden" }, done ? yes : no));

function made(talk, call) {
  const key = callKey(call.name, call.arguments);
  return talk.messages.some((message) => message.calls.some((each) => !each.broken && callKey(each.name, each.args) === key));
}

const CANDIDATES_SHOWN = 6;

function candidatesPart({ criterion, candidates, margin }) {
  if (!candidates.length) return null;
  const names = [...new Set(candidates.flatMap((candidate) => Object.keys(candidate.values)))];
  const order = ["winner", "runner_up", "eligible", "excluded"];
  const sorted = [...candidates].sort((a, b) => order.indexOf(a.status) - order.indexOf(b.status));
  const by = criterion || (sorted[0].status === "winner" && sorted[0].why);
  const row = (candidate) => h("tr", { class: candidate.status }, h("th", { scope: "row" }, longText(candidate.label, 300), h("small", {}, h("span", { class: "status" }, word("statuses", candidate.status)[0]), candidate.status === "excluded" && candidate.why && [": ", longText(candidate.why, 300)])), names.map((name) => h("td", {}, cellText(candidate.values[name]))));
  const body = h("tbody", {}, sorted.slice(0, CANDIDATES_SHOWN).map(row));
  const rest = sorted.length > CANDIDATES_SHOWN + 2 && h("button", { type: "button", class: "more", onclick: () => { body.append(...sorted.slice(CANDIDATES_SHOWN).map(row)); rest.remove(); } }, `Show all ${sorted.length}`);
  if (!rest) body.append(...sorted.slice(CANDIDATES_SHOWN).map(row));
  const head = h("tr", {}, h("td", {}), names.map((name) => h("th", { scope: "col" }, plain(humanize(name)))));
  return h("div", {}, h("h4", {}, by ? `What it was compared with: ${by}` : "What it could have been"),
    h("div", { class: "scroll-x", tabindex: "0", role: "region", "aria-label": "Candidates" }, h("table", { class: "candidates" }, h("thead", {}, head), body)), rest,
    margin !== null && h("p", { class: "note" }, `The winner is ahead of the runner-up by `, h("b", {}, short(margin)), "."));
}

/** A compared fact in words; years and other small numbers stand without a comma. */
function cellText(value) {
  if (value === undefined) return "";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return value < 10000 ? String(value) : NUMBER.format(value);
  return longText(typeof value === "string" ? value.replaceAll("_", " ") : JSON.stringify(value), 300);
}

function proofPart(certificate, talk) {
  const rivals = certificate.rivals.map((rival) => {
    const done = rival.refuters.find((call) => made(talk, call));
    return h("li", {}, tick(done, "looked up", "not looked up"), h("div", {}, plain(rival.claim), h("div", { class: "refuter" }, "ruled out by ", callLine((done || rival.refuters[0]).name, (done || rival.refuters[0]).arguments), rival.refuters.length > 1 && ` or ${plural(rival.refuters.length - 1, "other look-up")}`)));
  });
  const plan = certificate.plan.map((call) => h("li", {}, tick(made(talk, call), "looked up", "not looked up"), callLine(call.name, call.arguments)));
  return h("div", {},
    h("details", { class: "proof", open: certificate.plan.length <= 8 }, h("summary", {}, `Smallest sufficient set of look-ups: ${certificate.burden}`), h("p", { class: "note" }, `A careful agent may well make ${count(certificate.relevant)}. Ticked: made in this conversation.`), h("ol", { class: "calls" }, plan)),
    h("details", { class: "proof" }, h("summary", {}, `What could have made another answer right: ${rivals.length}`), h("p", { class: "note" }, "Until each of these is ruled out, the answer could be another one."), h("ul", { class: "calls" }, rivals)));
}

function checksPart(talk) {
  const { checks } = talk.verdict, off = checks.filter((check) => ["fail", "unclear"].includes(check.result)), applied = checks.filter((check) => check.result !== "not_applicable").length;
  const rows = checks.map((check) => h("li", { class: check.result }, h("span", { class: "check-mark", "aria-hidden": "true" }, { pass: "✓", fail: "✕", unclear: "?", not_applicable: "–" }[check.result]), h("div", {}, word("checks", check.name)[0], h("span", { class: "hidden" }, `: ${word("results", check.result)[0]}`), check.detail && check.result !== "pass" && h("small", {}, plain(check.detail)))));
  return h("section", {}, h("h2", {}, "The checks"), h("details", { open: off.length > 0 }, h("summary", {}, off.length ? `${off.length} of ${applied} not passed` : `All ${applied} passed`), h("ul", { class: "checks" }, rows)));
}

function mistakesPart(task) {
  if (!task.distractors.length) return null;
  return h("section", {}, h("h2", {}, "Tempting mistakes"), h("p", { class: "note" }, "Near misses in the data invite these; each was replayed and must not count as right."), h("ul", { class: "plain-list" }, task.distractors.map((mistake) => h("li", {}, plain(humanize(mistake.mistake)), h("div", {}, mistake.calls.map((call) => callLine(call.name, call.arguments)))))));
}
