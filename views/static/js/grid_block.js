// Several cells at once: asked about where they are many, sent some rows at a time, of each row all or none.
import { box, conflictWords, drop, held, hold, isHeld, isOpen, noteChange, post, rowOf, show, showSaved, storedText, tell, words } from "./grid_sheet.js";

const ASK_FROM = 10;
const AT_ONCE = 100;

/** Write `entries`, {cell, value}, once more than a few are agreed to; true where all were saved.
 *
 * `beyond` cells have no place on the page. What is refused stays in its cell with the reason. */
export async function writeBlock(entries, { beyond = 0, remember = true } = {}) {
  for (const { cell } of entries.filter((entry) => isSame(entry) && isHeld(entry.cell))) drop(cell);
  const changes = entries.filter((entry) => !isSame(entry));
  if (!changes.length && !beyond) { tell(words.wordSame); return true; }
  const rows = byRow(changes);
  if ((changes.length > ASK_FROM || beyond) && !(await agreed(changes, rows, beyond))) return false;
  return sendRows([...rows.values()], remember);
}

/** Say whether a cell has a value already, be it written as it is edited or as it is read. */
function isSame({ cell, value }) {
  const [written, read] = [value.trim(), storedText(cell)];
  return value === cell.dataset.value || written === read || (!isOpen(cell) && written.toLowerCase() === read.toLowerCase());
}

/** Group by row; what was refused in a row before goes along, since a row is saved whole. */
function byRow(changes) {
  const rows = new Map();
  for (const change of changes) {
    const row = rowOf(change.cell);
    if (!rows.has(row)) rows.set(row, { row, cells: new Map(held(row).map((cell) => [cell, cell.dataset.typed])) });
    rows.get(row).cells.set(change.cell, change.value);
  }
  return rows;
}

function agreed(changes, rows, beyond) {
  const dialog = box.querySelector("[data-grid-ask]");
  const locked = changes.filter(({ cell }) => !isOpen(cell)).length;
  const fill = (text) => text.replace("{cells}", changes.length).replace("{rows}", rows.size);
  dialog.querySelector("[data-grid-ask-title]").textContent = fill(rows.size === 1 ? words.wordAskRow : words.wordAsk);
  dialog.querySelector("[data-grid-ask-locked]").textContent = locked ? words.wordAskLocked.replace("{cells}", locked) : "";
  dialog.querySelector("[data-grid-ask-beyond]").textContent = beyond ? words.wordAskBeyond.replace("{cells}", beyond) : "";
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

async function sendRows(rows, remember) {
  const taken = [];
  let saved = 0;
  let at = 0;
  while (at < rows.length) {
    const some = portion(rows, at);
    if (rows.length > 1) tell(words.wordSoFar.replace("{done}", at).replace("{all}", rows.length));
    try {
      const answer = await post(words.pasteUrl, JSON.stringify({ rows: some.map(asSent) }), { "Content-Type": "application/json" });
      const told = new Map(answer.rows.map((one) => [one.pk, one]));
      for (const one of some) saved += settle(one, told.get(one.row.dataset.pk), taken);
    } catch (error) {
      for (const one of rows.slice(at)) for (const [cell, value] of one.cells) hold(cell, value, error.message);
      break;
    }
    at += some.length;
  }
  noteChange(remember ? taken : undefined);
  const refused = rows.length - saved;
  tell((refused ? words.wordRowsRefused : words.wordRows).replace("{saved}", saved).replace("{refused}", refused), refused > 0);
  return !refused;
}

/** Return the next rows that fit into one request, at least one. */
function portion(rows, at) {
  let end = at;
  for (let cells = 0; end < rows.length && (end === at || cells + rows[end].cells.size <= AT_ONCE); end += 1) cells += rows[end].cells.size;
  return rows.slice(at, end);
}

function asSent({ row, cells }) {
  return { pk: row.dataset.pk, version: row.dataset.version, cells: Object.fromEntries([...cells].map(([cell, value]) => [cell.dataset.column, value])) };
}

/** Show what became of a row; 1 where it was saved. */
function settle({ row, cells }, told, taken) {
  const isSaved = !told.problem && !Object.keys(told.problems).length;
  for (const [cell, value] of cells) {
    const { column } = cell.dataset;
    const stored = told.cells?.[column];
    if (isSaved) {
      taken.push({ cell, value: cell.dataset.value });
      showSaved(cell, stored);
      continue;
    }
    const conflict = stored && conflictWords(cell, stored);
    // A conflict is decided on by saving once more: against what is stored now.
    if (stored) show(cell, stored);
    const reason = conflict ?? told.problems[column] ?? told.problem;
    hold(cell, value, reason || words.wordHeld, Boolean(reason));
  }
  return isSaved ? 1 : 0;
}
