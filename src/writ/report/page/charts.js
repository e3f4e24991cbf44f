// Pictures of numbers: a histogram, bars, the grid.

/** Bins of equal width over the values, at most `most` of them, with round edges. */
function binned(values, most = 24) {
  const top = values.reduce((a, b) => Math.max(a, b), 1);
  const raw = top / most, power = 10 ** Math.floor(Math.log10(Math.max(raw, 1)));
  const width = [1, 2, 5, 10].map((step) => step * power).find((step) => step >= raw) || 1;
  const bins = Array.from({ length: Math.floor(top / width) + 1 }, (_, i) => ({ from: i * width, to: (i + 1) * width, kept: 0, lost: 0 }));
  return { bins, width };
}

function percentile(values, p) {
  const sorted = Float64Array.from(values).sort();
  return sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] : 0;
}

/** Kept and lost stacked; the median is marked. */
function histogram(title, unit, values, kept) {
  const { bins, width } = binned(values);
  values.forEach((value, i) => { bins[Math.floor(value / width)][kept[i] ? "kept" : "lost"] += 1; });
  const first = Math.max(0, bins.findIndex((bin) => bin.kept + bin.lost) - 1);
  const shown = bins.slice(first);
  const tallest = Math.max(1, ...shown.map((bin) => bin.kept + bin.lost));
  const median = percentile(values, 0.5), high = percentile(values, 0.95);
  const W = 320, H = 96, step = W / shown.length;
  const bars = shown.flatMap((bin, i) => {
    const tall = (n) => (n / tallest) * H, kept_h = tall(bin.kept), lost_h = tall(bin.lost), x = i * step + 0.75, w = Math.max(1, step - 1.5);
    const tip = svg("title", {});
    tip.textContent = `${short(bin.from)} to ${short(bin.to)} ${unit}: ${count(bin.kept)} kept, ${count(bin.lost)} lost`;
    return [svg("g", {}, tip, svg("rect", { x, y: H - kept_h, width: w, height: kept_h, class: "bar-kept", rx: 1 }), svg("rect", { x, y: H - kept_h - lost_h, width: w, height: lost_h, class: "bar-lost", rx: 1 }))];
  });
  const at = ((median - shown[0].from) / (shown.at(-1).to - shown[0].from)) * W;
  const line = svg("line", { x1: at, x2: at, y1: 0, y2: H, class: "median" });
  const label = `${title}: half of the conversations have at most ${short(median)} ${unit}, 95 in 100 at most ${short(high)}`;
  const picture = svg("svg", { viewBox: `0 0 ${W} ${H + 1}`, class: "histogram", role: "img", "aria-label": label }, ...bars, line, svg("line", { x1: 0, x2: W, y1: H + 0.5, y2: H + 0.5, class: "axis" }));
  const ends = h("div", { class: "ends", "aria-hidden": "true" }, h("span", {}, short(shown[0].from)), h("span", {}, short(shown.at(-1).to)));
  return h("figure", {}, h("figcaption", {}, h("b", {}, title), h("span", {}, `median ${short(median)} · 95 in 100 below ${short(high)}`)), picture, ends);
}

/** A row of a bar list: label, bar, number. With `href` all of it is a link. */
function barRow(label, note, number, most, text, options = {}) {
  const bar = h("span", { class: `fill ${options.tone || ""}`, css: { width: `${Math.max(number ? 0.6 : 0, (100 * number) / (most || 1))}%` } });
  const inside = [h("span", { class: "bar-label" }, label, note && h("small", {}, note)), h("span", { class: "bar-track" }, bar), h("span", { class: "bar-number" }, text)];
  return options.href ? h("a", { class: "bar-row", href: options.href, title: options.title }, inside) : h("div", { class: "bar-row", title: options.title }, inside);
}

/** The grid as a table: `paint(writes, bin)` gives a cell's content, `strength` from 0 to 1 and `href`, or null where it is empty. */
function grid(bins, writes, paint, caption) {
  const head = h("tr", {}, h("td", { class: "corner" }), bins.map((bin) => h("th", { scope: "col" }, bin)));
  const rows = writes.map((number) => h("tr", {}, h("th", { scope: "row" }, String(number)), bins.map((bin) => {
    const cell = paint(number, bin);
    if (!cell) return h("td", { class: "empty" }, h("span", { "aria-label": "none" }, "·"));
    const css = { "--strength": `${Math.round(10 + 90 * cell.strength)}%` };
    const inside = h(cell.href ? "a" : "span", { class: `cell ${cell.tone || ""}`, href: cell.href, title: cell.title, "aria-label": cell.title, css }, cell.content);
    return h("td", {}, inside);
  })));
  return h("div", { class: "grid-frame" },
    h("span", { class: "axis-x" }, "Look-ups needed before the answer is certain (evidence burden) →"),
    h("span", { class: "axis-y" }, "Changes to make (writes) ↓"),
    h("div", { class: "scroll-x", tabindex: "0", role: "region", "aria-label": caption }, h("table", { class: "grid" }, h("caption", { class: "hidden" }, caption), h("thead", {}, head), h("tbody", {}, rows))));
}
