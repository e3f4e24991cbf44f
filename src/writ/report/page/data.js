// The index, and the conversations behind it in compressed blocks.

const DATA = { mode: "run", words: {}, columns: {}, head: {}, size: 0, starts: [] };
const KEPT_BLOCKS = 24;
const opened = new Map();

async function inflate(text) {
  const stream = new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).text();
}

function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text), bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

async function openIndex() {
  Object.assign(DATA, JSON.parse(await inflate(document.getElementById("index").textContent)));
  DATA.size = (DATA.columns.id || []).length;
  const byId = new Map();
  for (let i = 0; i < DATA.size; i++) byId.set(DATA.columns.id[i], i);
  DATA.byId = byId;
  const axes = Object.keys(DATA.head.axes || {});
  DATA.behavior = (DATA.columns.behavior || []).map((text) => { const values = text.split("|"); return Object.fromEntries(axes.map((axis, i) => [axis, values[i]])); });
}

/** Blocks follow the script in the document, so they are there once it is parsed. */
const parsed = new Promise((done) => (document.readyState === "loading" ? addEventListener("DOMContentLoaded", done) : done()));

const SPOKEN = 0, GIVEN = 1, REST = 2;

/** Lines of one part of a block: what was spoken, what tools gave, or the rest. The few last used stay in memory. */
async function block(number, half) {
  await parsed;
  const key = `${number}.${half}`;
  if (!opened.has(key)) opened.set(key, inflate(document.getElementById(`block-${number}`).textContent.split(" ")[half]).then((text) => text.split("\n")));
  const lines = opened.get(key);
  opened.delete(key);
  opened.set(key, lines);
  if (opened.size > KEPT_BLOCKS) opened.delete(opened.keys().next().value);
  return lines;
}

function blockOf(index) {
  let low = 0, high = DATA.starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (DATA.starts[middle] <= index) low = middle; else high = middle - 1;
  }
  return low;
}

const MARKS = { s: "system", u: "user", a: "assistant", t: "tool" };

/** A conversation whole: messages, task, instruction, verdict, trajectory. */
async function conversation(index) {
  const number = blockOf(index), at = index - DATA.starts[number];
  const [spoken, given, rest] = await Promise.all([block(number, SPOKEN), block(number, GIVEN), block(number, REST)]);
  const messages = withResults(JSON.parse(spoken[at]), JSON.parse(given[at])).map(([role, text = "", calls = [], of = "", refused = 0], turn) => ({
    role: MARKS[role], text, of, refused: Boolean(refused), turn, calls: calls.map(([id, name, written]) => ({ id, name, written, ...decoded(written) })),
  }));
  return { index, messages, ...JSON.parse(rest[at]) };
}

/** Messages as a block holds them, with what tools gave put back. */
function withResults(messages, given) {
  let next = 0;
  return messages.map(([role, text, ...rest]) => [role, role === "t" ? given[next++] : text, ...rest]);
}

/** Arguments of a call as a model wrote them; `broken` where they are not a JSON object. */
function decoded(written) {
  try {
    const value = JSON.parse(written || "{}");
    if (value && typeof value === "object" && !Array.isArray(value)) return { args: value, broken: false };
  } catch { /* shown as it was written */ }
  return { args: null, broken: true };
}

const FILTERS = ["domain", "kind", "writes", "burden", "compared", "behavior", "verdict", "cause", "tool"];

/** Whether conversation `i` passes the chosen filters. */
function passes(i, chosen) {
  const c = DATA.columns;
  if (chosen.domain && c.domain[i] !== chosen.domain) return false;
  if (chosen.kind && (chosen.kind === "pair" ? !c.pair[i] : c.kind[i] !== chosen.kind)) return false;
  if (chosen.writes && (chosen.writes.endsWith("+") ? c.writes[i] < Number.parseInt(chosen.writes, 10) : String(c.writes[i]) !== chosen.writes)) return false;
  if (chosen.compared && String(c.compared[i]) !== chosen.compared) return false;
  if (chosen.burden && c.bin[i] !== chosen.burden) return false;
  if (chosen.tool && c.tool[i] !== chosen.tool) return false;
  if (chosen.cause && c.cause[i] !== chosen.cause) return false;
  if (chosen.verdict && verdictOf(c, i) !== chosen.verdict && !(chosen.verdict === "kept" && c.kept[i])) return false;
  if (!chosen.behavior) return true;
  const [axis, value] = chosen.behavior.split(":");
  return DATA.behavior[i][axis] === value;
}

const verdictOf = (c, i) => (!c.kept[i] ? "lost" : c.row[i] ? "row" : "duplicate");

/** Sums over the conversations of a run: counts, losses, cells, tokens. */
function tally(columns, wanted = () => true) {
  const sum = { attempted: 0, kept: 0, rows: 0, requests: 0, tokens: { agent_in: 0, agent_out: 0, user_in: 0, user_out: 0 }, losses: new Map(), cells: new Map() };
  const size = (columns.id || []).length;
  for (let i = 0; i < size; i++) {
    if (!wanted(i)) continue;
    sum.attempted += 1;
    sum.kept += columns.kept[i];
    sum.rows += columns.row[i] ? 1 : 0;
    sum.requests += columns.requests[i];
    for (const name of Object.keys(sum.tokens)) sum.tokens[name] += columns[name][i];
    if (!columns.kept[i]) bump(sum.losses, `${columns.owner[i]}|${columns.cause[i]}`);
    const key = `${columns.writes[i]}|${columns.bin[i]}`;
    if (!sum.cells.has(key)) sum.cells.set(key, { attempted: 0, kept: 0 });
    const cell = sum.cells.get(key);
    cell.attempted += 1;
    cell.kept += columns.kept[i];
  }
  sum.all = Object.values(sum.tokens).reduce((a, b) => a + b, 0);
  return sum;
}

function bump(map, key, by = 1) { map.set(key, (map.get(key) || 0) + by); }

/** Dollars, or null where no price is configured. */
function cost(sum, prices) {
  if (!prices) return null;
  const { tokens } = sum;
  return (tokens.agent_in * prices.agent[0] + tokens.agent_out * prices.agent[1] + tokens.user_in * prices.user[0] + tokens.user_out * prices.user[1]) / 1e6;
}
