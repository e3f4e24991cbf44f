// In words: why a change is the right one and what went wrong, as the page's maker worked it out; and what names and values are called.

/** A sentence of the page's maker: text, `[text]` for what to look at first, a number for a message. */
const said = (sentence) => sentence.map((part) => (Array.isArray(part) ? h("b", {}, longText(part[0], 400)) : typeof part === "number" ? messageLink(part) : plain(part)));

const messageLink = (turn) => h("a", { href: talkLink(VIEW.talk, turn), onclick: () => goToTurn(document.querySelector(".chat"), turn) }, `message ${turn}`);

/** What is said of a write: `{right, word, decision, why, wanted}`. */
const changeAt = (talk, turn, place) => talk.told.changes.find((change) => change.turn === turn && change.place === place);

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

/** `passengers.0.dob` as `Traveler 1: date of birth`. */
function argumentName(path) {
  const [head, at, ...rest] = path.split("."), { arguments: names, lists } = DATA.words;
  if (at === undefined || !/^\d+$/.test(at)) return names[path] || names[path.split(".").at(-1)] || humanize(path.replaceAll(".", " ").replace(/_id$/, ""));
  const thing = `${(lists[head] || [humanize(head)])[0]} ${Number(at) + 1}`;
  return rest.length ? `${thing}: ${small(argumentName(rest.join(".")))}` : thing;
}

/** What an argument that may be a list is called: `item_ids` as `items`. */
const wholeName = (key) => (DATA.words.lists[key] || ["", argumentName(key)])[1];

/** Inside a sentence; `ZIP code` stays as it is. */
const small = (text) => (/^.[A-Z]/.test(text) ? text : text.charAt(0).toLowerCase() + text.slice(1));

/** A value of a call as it was written; an amount with its unit. */
const argumentText = (path, value) => (/(^|\.)amount$/.test(path) && typeof value === "number" ? `$${NUMBER.format(value)}` : spokenValue(value));

/** A value as a sentence says it; of records in a list, what they hold. */
function spokenValue(value) {
  if (value === "") return "nothing";
  if (Array.isArray(value) && value.length) return value.map((item) => (item && typeof item === "object" ? Object.values(item).map(spokenValue).join(" ") : spokenValue(item))).join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

const valueName = (name) => (DATA.words.values[name] || [humanize(name)])[0];

/** A compared fact with its unit; years and other small numbers stand without a comma. */
function valueText(name, value) {
  const unit = (DATA.words.values[name] || [])[1] || "";
  if (value === undefined) return "";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number" && unit === "money") return `$${NUMBER.format(value)}`;
  if (typeof value === "number" && unit === "minutes") return [Math.floor(value / 60) ? `${Math.floor(value / 60)} h` : "", value % 60 || !value ? `${value % 60} min` : ""].filter(Boolean).join(" ");
  if (typeof value === "number") return value < 10000 ? String(value) : NUMBER.format(value);
  return longText(typeof value === "string" ? momentText(value) || value.replaceAll("_", " ") : JSON.stringify(value), 300);
}

const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

/** A date, a time or both as people write them; empty for anything else. */
function momentText(text) {
  const found = /^(?:\d{4}-(\d\d)-(\d\d))?T?(?:(\d\d):(\d\d)(?::\d\d)?)?(\+1)?$/.exec(text);
  if (!text || !found) return "";
  const [, month, day, hour, minute, later] = found;
  const date = MONTHS[month - 1] ? `${MONTHS[month - 1]} ${Number(day)}` : "", clock = hour ? `${((Number(hour) + 11) % 12) + 1}:${minute} ${Number(hour) < 12 ? "AM" : "PM"}` : "";
  return [date, clock].filter(Boolean).join(", ") + (later ? " of the next day" : "");
}

/** Parts of a label that name a record: `A48TV4`, `#W31631957`, `WRF711`. */
const idsIn = (label) => label.split(/[\s:,()+]+/).filter((part) => (/\d/.test(part) && part.length >= 4) || /^[A-Z]{6,}$/.test(part));

/** The gold call of the same tool that shares most values, or undefined. */
function nearest(call, gold) {
  const mine = new Map(leaves(call.args || {}).map(([path, value]) => [path, canonical(value)]));
  const score = (other) => leaves(other.arguments).filter(([path, value]) => mine.get(path) === canonical(value)).length;
  return gold.filter((other) => other.name === call.name).sort((a, b) => score(b) - score(a))[0];
}

/** Leaves in which a call differs from the right one: `[path, got, wanted]`. */
function differences(call, right) {
  const wanted = new Map(leaves(right.arguments)), got = new Map(leaves(call.args || {}));
  const changed = [...got].filter(([path, value]) => path !== "" && (!wanted.has(path) || canonical(wanted.get(path)) !== canonical(value))).map(([path, value]) => [path, value, wanted.get(path)]);
  return [...changed, ...[...wanted].filter(([path]) => path !== "" && !got.has(path)).map(([path, value]) => [path, undefined, value])];
}
