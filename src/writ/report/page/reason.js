// In words: why a change is the right one, and what exactly went wrong.

/** Names of rules and tools inside a sentence, as people call them. */
function readable(text, domainName) {
  const domain = DATA.head.domains.find((each) => each.name === domainName) || { rules: {}, tools: [] };
  return String(text).replace(/'?\b([a-z]+(?:_[a-z0-9]+)+)\b'?/g, (whole, name) => (domain.rules[name] ? `the rule “${domain.rules[name].replace(/\.$/, "")}”` : domain.tools.includes(name) ? `“${humanize(name)}”` : whole));
}

/** The clause of a rule, or its name where the domain does not say it. */
function ruleText(rule, domainName) {
  const domain = DATA.head.domains.find((each) => each.name === domainName);
  return domain?.rules?.[rule] || humanize(rule);
}

/** What a filter calls a tool, or the rule that stands against a wish. */
function toolName(name) {
  const domain = DATA.head.domains.find((each) => each.rules[name]);
  return domain ? `Refused: ${domain.rules[name]}` : humanize(name);
}

const spokenValue = (value) => (typeof value === "string" ? value : JSON.stringify(value));

/** Parts of a label that name a record: `A48TV4`, `#W31631957`, `WRF711`. */
const idsIn = (label) => label.split(/[\s:,()+]+/).filter((part) => (/\d/.test(part) && part.length >= 4) || /^[A-Z]{6,}$/.test(part));

/** The winners of a decision that a call is about: all of them where none is named in it. */
function winnersOf(decision, call) {
  const winners = decision.certificate.candidates.filter((candidate) => candidate.status === "winner"), values = leaves(call.arguments).map(([, value]) => String(value));
  const named = winners.filter((candidate) => idsIn(candidate.label).some((id) => values.includes(id)));
  return named.length ? named : winners;
}

/** A superlative holds among what is not out. */
const ofThose = ({ candidates, margin }) => (margin !== null && candidates.some((candidate) => candidate.status === "excluded") ? " of those that are not out" : "");

/** Why a change of the right answer is right, as lines; empty where it is not one. */
function reasonsFor(task, call) {
  const key = callKey(call.name, call.args || {});
  for (const [i, decision] of task.decisions.entries()) {
    const gold = decision.calls.find((each) => callKey(each.name, each.arguments) === key);
    if (!gold) continue;
    const { candidates } = decision.certificate, runner = candidates.find((candidate) => candidate.status === "runner_up");
    const lines = winnersOf(decision, gold).slice(0, 3).map((winner) => [h("b", {}, plain(winner.label)), winner.why && [": ", plain(winner.why), ofThose(decision.certificate)], factsText(winner)]);
    const behind = decision.certificate.margin === null ? "" : `, behind by ${exact(decision.certificate.margin)}${unitOf(decision.certificate)}`;
    if (runner && lines.length === 1) lines.push([h("span", { class: "soft" }, "Next best: "), plain(runner.label), runner.why ? [": ", plain(runner.why)] : behind, factsText(runner)]);
    if (!lines.length) lines.push([decision.certificate.rivals.length ? "No record had to be picked; what had to be looked up first stands under The right answer. Each value below shows where it came from." : "Asked for as it stands: nothing had to be compared. Each value below shows where it came from."]);
    return { lines, decision: i, compared: candidates.length };
  }
  return null;
}

/** Why a change is not one of the right answer: what it is about was looked at, and is out or comes after the winner. */
function reasonsAgainst(task, call) {
  const values = leaves(call.args || {}).map(([, value]) => String(value)), about = (candidate) => idsIn(candidate.label).some((id) => values.includes(id));
  const all = task.decisions.flatMap((decision, i) => decision.certificate.candidates.map((candidate) => ({ candidate, i })));
  const found = all.filter(({ candidate }) => candidate.status !== "winner" && candidate.why && about(candidate) && !all.some((other) => other.candidate.status === "winner" && other.candidate.label === candidate.label));
  if (!found.length) return null;
  return { lines: found.slice(0, 2).map(({ candidate }) => [h("b", {}, plain(candidate.label)), ": ", plain(candidate.why), factsText(candidate)]), decision: found[0].i, compared: task.decisions[found[0].i].certificate.candidates.length };
}

function factsText(candidate) {
  const values = Object.entries(candidate.values).slice(0, 3);
  return values.length > 0 && h("span", { class: "soft" }, " (", values.map(([name, value], i) => [i ? ", " : "", name.replaceAll("_", " "), " ", cellText(value)]), ")");
}

/** Leaves in which a call differs from the right one: `[path, got, wanted]`. */
function differences(call, right) {
  const wanted = new Map(leaves(right.arguments)), got = new Map(leaves(call.args || {}));
  const changed = [...got].filter(([path, value]) => path !== "" && (!wanted.has(path) || canonical(wanted.get(path)) !== canonical(value))).map(([path, value]) => [path, value, wanted.get(path)]);
  return [...changed, ...[...wanted].filter(([path]) => path !== "" && !got.has(path)).map(([path, value]) => [path, undefined, value])];
}

/** What went wrong, in one line, as nodes; the words of the check where the data say no more. */
function mistake(talk, check) {
  const { task } = talk, gold = task.decisions.flatMap((decision) => decision.calls), said = [longText(sentence(readable(check.detail, task.domain)), 1000)];
  const calls = check.turn === null ? [] : talk.messages[check.turn]?.calls || [];
  if (check.cause === "wrong_argument") {
    const due = gold.filter((call) => !made(talk, call));
    const wrong = calls.map((call) => [call, nearest(call, due)]).find(([call, right]) => right && differences(call, right).length);
    if (wrong) return differences(wrong[0], wrong[1]).slice(0, 4).map(([path, got, wanted], i) => [i ? "; " : "", h("b", {}, plain(path)), " is ", got === undefined ? "left out" : h("code", {}, longText(spokenValue(got), 120)), ", should be ", wanted === undefined ? "left out" : h("code", {}, longText(spokenValue(wanted), 120))]);
  }
  if (check.cause === "missing_write") {
    const missing = gold.filter((call) => !made(talk, call));
    if (missing.length) return ["Never made: ", missing.slice(0, 3).map((call, i) => [i ? "; " : "", callLine(call.name, call.arguments)]), missing.length > 3 && `, and ${missing.length - 3} more`];
  }
  if (["extra_write", "forbidden_write"].includes(check.cause)) {
    const extra = calls.find((call) => !call.broken && !gold.some((right) => callKey(right.name, right.arguments) === callKey(call.name, call.args)) && check.detail.includes(call.name));
    if (extra) return [callLine(extra.name, extra.args), ". ", said];
  }
  return check.detail ? said : [];
}
