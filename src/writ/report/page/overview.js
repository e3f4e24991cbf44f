// The first view: what was run, what was kept, why the rest was lost.

/** A conversation's address; with the filters of the list, so that a page that is loaded again still has them. */
function talkLink(id, turn) {
  const query = new URLSearchParams(Object.entries(filtersNow()).filter(([, value]) => value)).toString();
  return `#${id}${turn === undefined ? "" : `@${turn}`}${query ? `?${query}` : ""}`;
}

function findLink(chosen) {
  const query = new URLSearchParams(Object.entries(chosen).filter(([, value]) => value));
  return `#find?${query}`;
}

function drawOverview(main) {
  const all = tally(DATA.columns);
  main.replaceChildren(h("div", { class: "overview" },
    hero(all), h("div", { class: "columns" }, gridCard(), funnelCard(all)), h("div", { class: "columns even" }, madeCard(), costCard(all)),
    lengthCard(), behaviorCard(), certificateCard(), settingsCard()));
  document.title = `${count(all.kept)} of ${count(all.attempted)} kept · writ report`;
}

function hero(all) {
  const names = DATA.head.domains.map((domain) => humanize(domain.name)).join(", ");
  const scripted = DATA.columns.source.some((source) => source === "scripted");
  const worst = [...all.losses].sort((a, b) => b[1] - a[1])[0];
  const dollars = cost(all, DATA.head.prices), only = (column) => [...new Set(DATA.columns[column])].join(", ");
  const tiles = [
    tile("Kept", count(all.kept), `${share(all.kept, all.attempted)} of ${count(all.attempted)} conversations`, findLink({ verdict: "kept" })),
    tile("Training examples", count(all.rows), all.kept === all.rows ? "all that were kept" : `${count(all.kept - all.rows)} removed as near-duplicates or unfit`, findLink({ verdict: "row" })),
    dollars === null
      ? tile("Tokens for one kept", short(all.all / (all.kept || 1)), `${short(all.all)} in all, ${count(all.requests)} requests`)
      : tile("Cost of one kept", money(dollars / (all.kept || 1)), `${money(dollars)} in all, ${short(all.all)} tokens`),
    worst ? tile("Commonest loss", word("causes", worst[0].split("|")[1])[0], `${plural(worst[1], "conversation")}, ${share(worst[1], all.attempted)} of all`, findLink({ cause: worst[0].split("|")[1] })) : tile("Commonest loss", "None", "every conversation was kept"),
  ];
  return h("div", { class: "hero" },
    h("dl", { class: "eyebrow" }, [["Domains", names], ["Agent", only("agent")], ["Simulated user", only("user")], ["Seed", DATA.head.settings?.seed], ["Run", DATA.head.run]].filter(([, value]) => value !== undefined && value !== "").map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))),
    h("h1", {}, all.kept === all.attempted ? `All ${count(all.kept)} conversations kept` : `${count(all.kept)} of ${count(all.attempted)} conversations kept`),
    h("p", { class: "lead" }, "Each conversation is a customer, played by one model, who asks an agent, played by another, for something in a small executable world. It is kept only if a program could prove that the agent did the right thing for the right reasons."),
    scripted && h("p", { class: "banner" }, "A scripted model spoke here. These conversations prove the machinery; they are not meant to teach a real model."),
    h("div", { class: "tiles" }, tiles),
    h("p", { class: "actions" }, h("a", { class: "button primary", href: "#find?" }, "Read the conversations"), all.losses.size > 0 && h("a", { class: "button", href: findLink({ verdict: "lost" }) }, "See what was lost")));
}

function tile(label, value, note, href) {
  const inside = [h("span", { class: "tile-label" }, label), h("strong", { class: /\d/.test(value) ? "" : "words" }, value), h("span", { class: "tile-note" }, note)];
  return href ? h("a", { class: "tile", href }, inside) : h("div", { class: "tile" }, inside);
}

function gridCard() {
  const domains = DATA.head.domains.map((domain) => domain.name);
  const place = h("div", {});
  const buttons = ["", ...domains].map((name) => h("button", { type: "button", "aria-pressed": "false", onclick: () => show(name) }, name ? humanize(name) : "All"));
  const show = (name) => {
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(["", ...domains][i] === name)));
    place.replaceChildren(gridOf(name));
  };
  show("");
  return section("The grid", "A conversation is hard along two axes. Each cell: how many were kept, and of how many tried. Click one to read its conversations.",
    domains.length > 1 && h("div", { class: "switch", role: "group", "aria-label": "Domain" }, buttons), place);
}

function gridOf(domain) {
  const sum = tally(DATA.columns, (i) => !domain || DATA.columns.domain[i] === domain);
  const asked = new Map();
  for (const [name, writes, bin, wanted] of DATA.head.asked) if (!domain || name === domain) bump(asked, `${writes}|${bin}`, wanted);
  const keys = [...new Set([...sum.cells.keys(), ...asked.keys()])];
  const writes = [...new Set(keys.map((key) => Number(key.split("|")[0])))].sort((a, b) => a - b);
  const most = Math.max(1, ...[...sum.cells.values()].map((cell) => cell.kept));
  return grid(DATA.head.bins, writes, (number, bin) => {
    const key = `${number}|${bin}`, cell = sum.cells.get(key) || { attempted: 0, kept: 0 }, wanted = asked.get(key) || 0;
    if (!cell.attempted && !wanted) return null;
    const title = `${plural(number, "change")}, ${bin} look-ups: ${count(cell.kept)} kept of ${count(cell.attempted)} tried${wanted ? `, ${count(wanted)} wanted` : ""}`;
    const content = [h("b", {}, count(cell.kept)), h("small", {}, cell.kept === cell.attempted ? "all" : `of ${count(cell.attempted)}`)];
    return { content, title, strength: cell.kept / most, href: findLink({ domain, writes: String(number), burden: bin }) };
  }, "Kept conversations by changes and look-ups");
}

function funnelCard(all) {
  const rows = [barRow("Tried", "", all.attempted, all.attempted, count(all.attempted), { href: "#find?" })];
  const losses = [...all.losses].map(([key, number]) => ({ owner: key.split("|")[0], cause: key.split("|")[1], number })).sort((a, b) => b.number - a.number);
  for (const { owner, cause, number } of losses) {
    const [name, meaning] = word("causes", cause);
    rows.push(barRow(name, word("owners", owner)[0], number, all.attempted, `−${count(number)}`, { tone: "lost", href: findLink({ cause }), title: meaning }));
  }
  rows.push(barRow("Kept", share(all.kept, all.attempted), all.kept, all.attempted, count(all.kept), { tone: "kept", href: findLink({ verdict: "kept" }) }));
  if (all.kept !== all.rows) rows.push(barRow("Left out of the dataset", "near-duplicates, or unfit", all.kept - all.rows, all.attempted, `−${count(all.kept - all.rows)}`, { tone: "lost", href: findLink({ verdict: "duplicate" }) }));
  rows.push(barRow("Training examples", "", all.rows, all.attempted, count(all.rows), { tone: "kept", href: findLink({ verdict: "row" }) }));
  const owners = new Map();
  losses.forEach(({ owner, number }) => bump(owners, owner, number));
  const blame = [...owners].sort((a, b) => b[1] - a[1]).map(([owner, number]) => `${word("owners", owner)[0].toLowerCase()} ${count(number)}`).join(", ");
  return section("From tried to kept", losses.length ? `Every lost conversation has exactly one cause, and one owner of it: ${blame}.` : "Nothing was lost.", h("div", { class: "bars" }, rows));
}

function facts(...pairs) {
  return h("dl", { class: "facts" }, pairs.filter(([, value]) => value !== "" && value !== undefined && value !== null).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

function madeCard() {
  const { head, columns } = DATA, settings = head.settings || {};
  const names = (column) => [...new Set(columns[column])].map((name) => (name === "scripted" ? "scripted (built in)" : name)).join(", ");
  const seeds = [["run", settings.seed], ["simulation", (settings.simulation || {}).seed]].filter(([, seed]) => seed !== undefined).map(([name, seed]) => `${name} ${seed}`).join(", ");
  const required = ((settings.verification || {}).required || []);
  const worlds = head.domains.map((domain) => {
    const records = Object.entries(domain.records).map(([table, number]) => `${count(number)} ${table}`).join(", ");
    return h("li", {}, h("b", {}, humanize(domain.name)), ` · ${records} · ${plural(domain.tools.length, "tool")}, ${domain.writes.length} of which change something · `, origin(domain.origin));
  });
  return section("What was run", "", facts(
    ["Agent", names("agent")], ["Simulated user", names("user")], ["Seeds", seeds], ["Tasks made", `${count(head.tasks)}, spare ones included`],
    ["Must pass", required.length ? required.map((name) => word("checks", name)[0]).join("; ") : "every check"], ["Software", `writ ${head.version}`], ["Run", head.run]), h("ul", { class: "plain-list" }, worlds));
}

function origin(text) {
  const [kind, seed, users] = text.split(":");
  return kind === "generated" ? `generated database, seed ${seed}, ${plural(Number(users), "user")}` : `database from files, sha256 ${String(seed).slice(0, 12)}`;
}

function costCard(all) {
  const { tokens } = all, prices = DATA.head.prices, dollars = cost(all, prices);
  const line = (name, input, output, price) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, count(input)), h("td", {}, count(output)), dollars !== null && h("td", {}, money((input * price[0] + output * price[1]) / 1e6)));
  const table = h("table", { class: "numbers" }, h("thead", {}, h("tr", {}, h("td", {}), h("th", { scope: "col" }, "Tokens read"), h("th", { scope: "col" }, "Tokens written"), dollars !== null && h("th", { scope: "col" }, "Cost"))),
    h("tbody", {}, line("Agent", tokens.agent_in, tokens.agent_out, (prices || {}).agent), line("Simulated user", tokens.user_in, tokens.user_out, (prices || {}).user),
      h("tr", { class: "total" }, h("th", { scope: "row" }, "For one kept"), h("td", {}, count((tokens.agent_in + tokens.user_in) / (all.kept || 1))), h("td", {}, count((tokens.agent_out + tokens.user_out) / (all.kept || 1))), dollars !== null && h("td", {}, money(dollars / (all.kept || 1))))));
  return section("What it cost", dollars === null ? "No prices are configured, so this is in tokens. Set usd_per_million_prompt_tokens of the endpoints to see money." : `${money(dollars)} in all, lost conversations included.`, table);
}

function lengthCard() {
  const c = DATA.columns;
  const tokens = c.id.map((_, i) => c.agent_in[i] + c.agent_out[i] + c.user_in[i] + c.user_out[i]);
  return section("How long they are", "Per conversation; what was lost stands lighter on top, the dotted line is the median.",
    h("div", { class: "figures" }, histogram("Messages", "messages", c.messages, c.kept), histogram("Tool calls", "calls", c.calls, c.kept), histogram("Tokens written by the agent", "tokens", c.agent_out, c.kept), histogram("Tokens read and written in all", "tokens", tokens, c.kept)));
}

function behaviorCard() {
  const groups = Object.entries(DATA.head.axes).map(([axis, values]) => {
    const counts = new Map(), kept = new Map();
    DATA.behavior.forEach((behavior, i) => { bump(counts, behavior[axis]); bump(kept, behavior[axis], DATA.columns.kept[i]); });
    const shown = values.length === 2 && values[0] === "False" ? ["True"] : values;
    const rows = shown.map((value) => {
      const number = counts.get(value) || 0;
      return barRow(axisWord(axis, value), "", number, DATA.size, share(number, DATA.size), { href: findLink({ behavior: `${axis}:${value}` }), title: `${plural(number, "conversation")}, ${share(kept.get(value) || 0, number)} of them kept` });
    });
    return h("div", { class: "axis-group" }, h("h3", {}, (DATA.words.axes[axis] || [humanize(axis)])[0]), rows);
  });
  const { met, possible } = pairsMet();
  return section("How the customers behave", `The same wish is told in many ways. ${met === possible ? `All ${possible}` : `${met} of ${possible}`} pairs of values occur together at least once.`, h("div", { class: "axes" }, groups));
}

/** Pairs of values of two axes that occur in some conversation, of all that there are. */
function pairsMet() {
  const axes = Object.entries(DATA.head.axes), met = new Set();
  let possible = 0;
  axes.forEach(([, one], a) => axes.slice(a + 1).forEach(([, other]) => { possible += one.length * other.length; }));
  for (const text of new Set(DATA.columns.behavior)) {
    const values = text.split("|");
    for (let a = 0; a < values.length; a++) for (let b = a + 1; b < values.length; b++) met.add(`${a}${values[a]}|${b}${values[b]}`);
  }
  return { met: met.size, possible };
}

function certificateCard() {
  const found = DATA.head.certificate;
  const title = "Nothing from the exam";
  if (!found) return section(title, "The decontamination certificate stands beside the dataset, in decontamination.json; `writ report RUN` shows it here.");
  const tasks = Object.values(found.benchmarks).reduce((sum, each) => sum + each.tasks, 0);
  if (!tasks) return section("The exam: not checked", "No benchmark was given, so nothing was compared with one. With --domain-data FOLDER the training examples are compared with the benchmark's tasks, and what is found is removed.");
  const note = `Training examples were compared with ${plural(tasks, "benchmark task")}. What was found was removed; what is published holds none of it.`;
  const rows = Object.entries(found.removed).map(([name, number]) => h("tr", {}, h("th", { scope: "row" }, word("tests", name)[0], h("small", {}, word("tests", name)[1])), h("td", {}, number ? `${count(number)} removed` : h("span", { class: "good" }, icon("check"), " none found"))));
  const overlap = Object.entries(found.environment_overlap).map(([name, text]) => h("li", {}, h("b", {}, humanize(name)), ` · ${text}`));
  const more = facts(["Examples tested", count(found.rows_examined)], ["Run of words that counts", plural(found.ngram_words, "word")], ["Same changes once ids are masked", count(found.rows_with_a_benchmark_gold_after_masking_ids)]);
  return section(title, note, h("div", { class: "split" }, h("table", { class: "numbers wide" }, h("tbody", {}, rows)), h("div", {}, more, h("p", { class: "note" }, "Shared on purpose:"), h("ul", { class: "plain-list" }, overlap))));
}

function settingsCard() {
  const policies = DATA.head.domains.map((domain) => h("details", { class: "card settings" }, h("summary", {}, `The policy that the agent is given: ${humanize(domain.name)}`), markdown(domain.policy)));
  return [h("details", { class: "card settings" }, h("summary", {}, "All settings of the run"), jsonTree(DATA.head.settings || {})), policies];
}
