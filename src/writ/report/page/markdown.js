// The simple Markdown of a policy: headings, lists, bold, code. Text nodes only.

function markdown(written) {
  const text = written.replace(/ ?\{#[\w-]+\}/g, "");  // names of rules, for programs
  const root = h("div", { class: "policy" });
  let list = null, paragraph = null;
  for (const line of text.split("\n")) {
    const heading = /^(#{1,6})\s+(.*)$/.exec(line), item = /^(\s*)(?:[-*+]|\d+[.)])\s+(.*)$/.exec(line);
    if (!line.trim()) { list = paragraph = null; continue; }
    if (heading) { root.append(h(`h${Math.min(6, heading[1].length + 2)}`, {}, inline(heading[2]))); list = paragraph = null; continue; }
    if (item) {
      if (!list) { list = h("ul", {}); root.append(list); }
      paragraph = h("li", item[1].length > 1 ? { class: "deeper" } : {}, inline(item[2]));
      list.append(paragraph);
      continue;
    }
    if (paragraph) paragraph.append(" ", ...inline(line.trim()));
    else { paragraph = h("p", {}, inline(line)); root.append(paragraph); }
  }
  return root;
}

/** `**bold**`, `*leaning*` and `code` inside a line. */
function inline(text) {
  return text.split(/(\*\*[^*]+\*\*|\*[^*\s][^*]*\*|`[^`]+`)/).flatMap((part, i) => {
    if (i % 2 === 0) return plain(part);
    const mark = part.startsWith("**") ? 2 : 1;
    return [h(part.startsWith("`") ? "code" : mark === 2 ? "b" : "em", {}, plain(part.slice(mark, -mark)))];
  });
}
