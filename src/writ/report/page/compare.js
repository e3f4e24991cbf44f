// Two runs side by side: what changed in yield, cost and grid. A is the first, B the second.

function drawCompare(main) {
  const [a, b] = DATA.runs.map((run) => ({ ...run, sum: tally(run.columns), money: null }));
  for (const run of [a, b]) run.money = cost(run.sum, run.head.prices);
  const gain = b.sum.kept / (b.sum.attempted || 1) - a.sum.kept / (a.sum.attempted || 1);
  document.title = "Two runs side by side · writ report";
  main.replaceChildren(h("div", { class: "overview" },
    h("div", { class: "hero" }, h("p", { class: "eyebrow" }, "Two runs side by side"),
      h("h1", {}, Math.abs(gain) < 0.0005 ? "Both keep the same share" : `B keeps ${Math.abs(100 * gain).toFixed(1)} points ${gain > 0 ? "more" : "less"} of what it tries`),
      h("p", { class: "lead" }, h("b", { class: "run-a" }, "A"), ` run ${a.head.run}  `, h("b", { class: "run-b" }, "B"), ` run ${b.head.run}`)),
    h("div", { class: "columns" }, numbersCard(a, b), lossesCard(a, b)), gridsCard(a, b), changesCard(a, b)));
}

function difference(a, b, form, better = 0) {
  const change = b - a;
  const tone = Math.abs(change) < 1e-9 || !better ? "" : change * better > 0 ? "good" : "bad";
  return h("td", { class: tone }, signed(change, form));
}

function numbersCard(a, b) {
  const line = (name, of, form, better) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, form(of(a))), h("td", {}, form(of(b))), difference(of(a), of(b), form, better));
  const percent = (value) => `${(100 * value).toFixed(1)}%`;
  const rows = [
    line("Tried", (run) => run.sum.attempted, count), line("Kept", (run) => run.sum.kept, count, 1),
    line("Share kept", (run) => run.sum.kept / (run.sum.attempted || 1), percent, 1), line("Training examples", (run) => run.sum.rows, count, 1),
    line("Requests", (run) => run.sum.requests, count), line("Tokens in all", (run) => run.sum.all, short, -1),
    line("Tokens for one kept", (run) => run.sum.all / (run.sum.kept || 1), short, -1),
  ];
  if (a.money !== null && b.money !== null) rows.push(line("Cost", (run) => run.money, money, -1), line("Cost of one kept", (run) => run.money / (run.sum.kept || 1), money, -1));
  return section("Yield and cost", "", h("table", { class: "numbers wide" }, sideHead(), h("tbody", {}, rows)));
}

const sideHead = () => h("thead", {}, h("tr", {}, h("td", {}), ...["A", "B", "B − A"].map((name) => h("th", { scope: "col" }, name))));

function lossesCard(a, b) {
  const keys = [...new Set([...a.sum.losses.keys(), ...b.sum.losses.keys()])];
  const rows = keys.map((key) => ({ key, one: a.sum.losses.get(key) || 0, other: b.sum.losses.get(key) || 0 })).sort((x, y) => y.one + y.other - x.one - x.other).map(({ key, one, other }) => {
    const [owner, cause] = key.split("|");
    return h("tr", {}, h("th", { scope: "row" }, word("causes", cause)[0], h("small", {}, word("owners", owner)[0])), h("td", {}, count(one)), h("td", {}, count(other)), difference(one, other, count, -1));
  });
  return section("Causes of loss", rows.length ? "" : "Neither run lost anything.", rows.length > 0 && h("table", { class: "numbers wide" }, sideHead(), h("tbody", {}, rows)));
}

function gridsCard(a, b) {
  const keys = [...new Set([...a.sum.cells.keys(), ...b.sum.cells.keys()])];
  const writes = [...new Set(keys.map((key) => Number(key.split("|")[0])))].sort((x, y) => x - y);
  const at = (run, key) => run.sum.cells.get(key) || { attempted: 0, kept: 0 };
  const most = Math.max(1, ...keys.map((key) => Math.abs(at(b, key).kept - at(a, key).kept)));
  return section("The grid", "Kept conversations, A → B. Blue cells gained, red cells lost.", grid(b.head.bins, writes, (number, bin) => {
    const key = `${number}|${bin}`;
    if (!keys.includes(key)) return null;
    const one = at(a, key), other = at(b, key), change = other.kept - one.kept;
    const title = `${plural(number, "change")}, ${bin} look-ups: A kept ${count(one.kept)} of ${count(one.attempted)}, B kept ${count(other.kept)} of ${count(other.attempted)}`;
    return { content: [h("b", {}, signed(change, count)), h("small", {}, `${count(one.kept)} → ${count(other.kept)}`)], title, strength: Math.abs(change) / most, tone: change < 0 ? "less" : change > 0 ? "" : "same" };
  }, "Difference of kept conversations"));
}

function changesCard(a, b) {
  const one = flattened(a.head.settings), other = flattened(b.head.settings);
  const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])].filter((key) => one[key] !== other[key]).sort();
  const rows = keys.map((key) => h("tr", {}, h("th", { scope: "row" }, h("code", {}, key)), h("td", {}, one[key] ?? "–"), h("td", {}, other[key] ?? "–")));
  const head = h("thead", {}, h("tr", {}, h("td", {}), h("th", { scope: "col" }, "A"), h("th", { scope: "col" }, "B")));
  return section("Settings that differ", keys.length ? "" : "None: the settings are equal.", keys.length > 0 && h("table", { class: "numbers wide" }, head, h("tbody", {}, rows)));
}

function flattened(value, path = "", into = {}) {
  if (value && typeof value === "object" && !Array.isArray(value) && Object.keys(value).length) {
    for (const [key, item] of Object.entries(value)) flattened(item, path ? `${path}.${key}` : key, into);
  } else into[path] = JSON.stringify(value);
  return into;
}
