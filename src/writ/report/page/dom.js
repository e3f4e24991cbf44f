"use strict";
// Elements, words and numbers. Data becomes text nodes only: nothing here, or anywhere on the page, parses data as markup.

const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g;
const LONG_TEXT = 6000;

function h(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "css") for (const [key, setting] of Object.entries(value)) element.style.setProperty(key, setting);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function svg(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const ICONS = {
  read: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9Zm3.4 7.9 3.1 3.1",
  write: "M3 13l.7-3L10.6 3.1l2.3 2.3L6 12.3 3 13Zm6.4-8.7 2.3 2.3",
  sun: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6Zm0-4v1.500M8 13.500V15M1 8h1.500M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
  link: "M6.5 9.5l3-3M7 4.5l1.2-1.2a2.9 2.9 0 0 1 4.5 4.5L11.5 9M9 11.5l-1.2 1.2a2.9 2.9 0 0 1-4.5-4.5L4.5 7",
  check: "M3 8.5l3.200 3.200L13 5",
  cross: "M4 4l8 8M12 4l-8 8",
  save: "M8 2v8m-3-3 3 3 3-3M3 13h10",
  left: "M10 3L5 8l5 5",
  right: "M6 3l5 5-5 5",
};

function icon(name) {
  const path = svg("path", { d: ICONS[name], fill: "none", stroke: "currentColor", "stroke-width": "1.5", "stroke-linecap": "round", "stroke-linejoin": "round" });
  return svg("svg", { viewBox: "0 0 16 16", class: "icon", "aria-hidden": "true" }, path);
}

/** Text as a reader should see it: characters that hide or reorder others are shown by their code. */
function plain(text) {
  const nodes = [];
  let last = 0;
  for (const match of text.matchAll(HIDDEN)) {
    const code = match[0].codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
    nodes.push(text.slice(last, match.index), h("span", { class: "code-point", title: "a character that cannot be seen" }, `U+${code}`));
    last = match.index + match[0].length;
  }
  nodes.push(text.slice(last));
  return nodes;
}

/** Long text is cut, with a button for the rest. */
function longText(text, limit = LONG_TEXT) {
  if (text.length <= limit) return plain(text);
  const rest = h("button", { class: "more", type: "button" }, `Show all ${count(text.length)} characters`);
  const shown = h("span", { class: "long" }, plain(text.slice(0, limit)), " … ");
  rest.addEventListener("click", () => { shown.replaceChildren(...plain(text)); rest.remove(); });
  return [shown, rest];
}

const NUMBER = new Intl.NumberFormat("en-US");
const count = (value) => NUMBER.format(Math.round(value));
const share = (part, whole) => (whole ? `${((100 * part) / whole).toFixed(part === whole || part === 0 ? 0 : 1)}%` : "–");
const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

function short(value) {
  for (const [size, unit] of [[1e9, "B"], [1e6, "M"], [1e3, "k"]]) {
    if (value >= size) return `${(value / size).toFixed(value >= 100 * size ? 0 : 1).replace(/\.0$/, "")}${unit}`;
  }
  return NUMBER.format(Math.round(value * 10) / 10);
}

const money = (dollars) => (dollars >= 100 || dollars === 0 ? `$${count(dollars)}` : `$${dollars.toFixed(dollars >= 0.1 ? 2 : 4)}`);
const humanize = (name) => { const text = String(name).replaceAll("_", " "); return text.charAt(0).toUpperCase() + text.slice(1); };

/** What a term of the records is called: `[name, meaning]`. */
function word(group, key) {
  const found = (DATA.words[group] || {})[key];
  if (found === undefined) return [humanize(key), ""];
  return typeof found === "string" ? [found, ""] : found;
}

const axisWord = (axis, value) => ((DATA.words.axes[axis] || ["", {}])[1] || {})[value] || humanize(value);
const announce = (text) => { document.getElementById("live").textContent = text; };
const signed = (value, form) => (value > 0 ? `+${form(value)}` : value < 0 ? `−${form(-value)}` : "±0");

function section(title, note, ...children) {
  const id = `s-${title.toLowerCase().replace(/[^a-z]+/g, "-")}`;
  return h("section", { class: "card", "aria-labelledby": id }, h("h2", { id }, title), note && h("p", { class: "note" }, note), ...children);
}
