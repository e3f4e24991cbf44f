// JSON as a tree that a reader can fold, with the path of every node, so that evidence can be pointed at.

const FOLD_ABOVE = 400;

/** A tree of `value`; every node carries `data-path`, keys and indices joined by dots. */
function jsonTree(value, path = "") {
  return h("div", { class: "json" }, node(value, path, null, 0, { left: FOLD_ABOVE }));
}

function node(value, path, key, depth, budget) {
  const name = key === null ? [] : [h("span", { class: "json-key" }, plain(String(key))), h("span", { class: "json-colon" }, ": ")];
  if (value === null || typeof value !== "object") return h("div", { class: "json-line", data: { path } }, name, leaf(value));
  const entries = Array.isArray(value) ? value.map((item, i) => [i, item]) : Object.entries(value);
  if (!entries.length) return h("div", { class: "json-line", data: { path } }, name, h("span", { class: "json-mark" }, Array.isArray(value) ? "none" : "empty"));
  const size = Array.isArray(value) ? plural(entries.length, "item") : plural(entries.length, "field");
  const inside = h("div", { class: "json-inside" });
  let filled = false;
  const fill = () => {
    if (filled) return;
    filled = true;
    inside.append(...entries.map(([child, item]) => node(item, path ? `${path}.${child}` : String(child), child, depth + 1, budget)));
  };
  const details = h("details", { class: "json-node", data: { path } }, h("summary", {}, name, h("span", { class: "json-mark" }, hint(value) || size)), inside);
  details.fill = fill;
  details.addEventListener("toggle", () => details.open && fill());
  budget.left -= entries.length;
  if (depth < 2 && budget.left > 0) { details.open = true; fill(); }
  return details;
}

/** Short things are told in the folded line itself. */
function hint(value) {
  const text = JSON.stringify(value);
  return text.length <= 56 ? plain(text) : null;
}

function leaf(value) {
  if (typeof value === "string") return h("span", { class: "json-text" }, longText(value, 2000));
  return h("span", { class: value === null ? "json-mark" : "json-number" }, String(value));
}

/** The node at a path, with all that is folded above it opened; null where there is none. */
function reveal(tree, path) {
  let at = tree.firstElementChild;
  const parts = path === "" ? [] : path.split(".");
  let walked = "";
  for (let i = 0; at && i <= parts.length; i++) {
    if (at.dataset.path === path) return at;
    if (!at.fill) return null;
    at.fill();
    at.open = true;
    const inside = at.querySelector(":scope > .json-inside");
    let next = null, reach = walked;
    for (let j = i; j < parts.length && !next; j++) {  // a key may itself hold dots
      reach = reach ? `${reach}.${parts[j]}` : parts[j];
      next = [...inside.children].find((child) => child.dataset.path === reach) || null;
    }
    walked = reach;
    at = next;
  }
  return null;
}

function parsedJson(text) {
  const start = text.trimStart()[0];
  if (start !== "{" && start !== "[") return undefined;
  try { return JSON.parse(text); } catch { return undefined; }
}

/** Leaves of a value as `[path, leaf]`, in order; empty objects and lists are leaves. */
function leaves(value, path = "") {
  if (value === null || typeof value !== "object" || !Object.keys(value).length) return [[path, value]];
  return Object.entries(value).flatMap(([key, item]) => leaves(item, path ? `${path}.${key}` : key));
}

/** One spelling of a value, so that equal ones compare equal. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value && typeof value === "object") return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
  return JSON.stringify(value);
}

const callKey = (name, args) => name + canonical(args || {});

/** `Name: key value, …` on one line. */
function callLine(name, args) {
  return h("span", { class: "call-line" }, h("b", { title: name }, plain(humanize(name))), Object.keys(args || {}).length > 0 && ": ", Object.entries(args || {}).map(([key, value], i) => [i ? ", " : "", h("span", { class: "json-key", title: key }, plain(small(wholeName(key)))), " ", h("code", {}, longText(argumentText(key, value), 500))]));
}
