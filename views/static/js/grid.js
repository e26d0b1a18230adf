// The grid: move with the arrows, change with Enter or by typing, copy and paste; each save has the version of its row.
import { writeBlock } from "./grid_block.js";
import { parseCells, writeCells } from "./grid_clipboard.js";
import { openEditor, takeMarked } from "./grid_editor.js";
import { box, conflictWords, drop, explain, headOf, held, hold, isHeld, isOpen, noteChange, post, release, rowOf, show, showSaved, storedText, table, tell, undo, words } from "./grid_sheet.js";

/** Where one is, and the other corner of what is selected. */
let current = null;
let corner = null;
let editor = null;
/** Whether cells are being saved: what is on its way must not be changed meanwhile. */
let busy = false;
/** Saves one after the other: each needs the version that the one before has made. */
let queue = Promise.resolve();

function choose(cell, { focus = true, extend = false } = {}) {
  if (!cell) return;
  current?.classList.remove("is-active");
  if (current) current.tabIndex = -1;
  current = cell;
  if (!extend) corner = cell;
  cell.tabIndex = 0;
  cell.classList.add("is-active");
  paintRange();
  box.querySelector("[data-grid-where]").textContent = `${rowOf(cell).rowIndex} · ${headOf(cell).textContent.trim()}`;
  box.querySelector("[data-grid-value]").textContent = storedText(cell);
  if (focus) { cell.focus({ preventScroll: true }); cell.scrollIntoView({ block: "nearest", inline: "nearest" }); }
  if (editor?.cell === cell) return;
  explain(cell, isHeld(cell) && cell.dataset.problem);
  if (isHeld(cell)) cell.setAttribute("aria-describedby", "cell-msg");
}

/** Return the selected cells, row by row. */
function range() {
  if (!current) return [];
  const [top, bottom] = [rowOf(corner).sectionRowIndex, rowOf(current).sectionRowIndex].sort((a, b) => a - b);
  const [left, right] = [corner.cellIndex, current.cellIndex].sort((a, b) => a - b);
  return [...table.tBodies[0].rows].slice(top, bottom + 1).map((row) => [...row.cells].slice(left, right + 1));
}

function paintRange() {
  for (const cell of table.querySelectorAll(".is-range")) { cell.classList.remove("is-range"); cell.removeAttribute("aria-selected"); }
  if (corner === current) return;
  for (const cell of range().flat()) { cell.classList.add("is-range"); cell.setAttribute("aria-selected", "true"); }
}

function move(cell, rows, columns, extend = false) {
  const all = table.tBodies[0].rows;
  const within = (place, last) => Math.min(Math.max(place, 0), last);
  const row = all[within(rowOf(cell).sectionRowIndex + rows, all.length - 1)];
  const next = row.cells[within(cell.cellIndex + columns, row.cells.length - 1)];
  if (next.matches("td")) choose(next, { extend });
  else if (Number.isFinite(columns) && !extend) next.querySelector("a").focus(); // the record of the row
  else choose(row.cells[1], { extend });
}

/** Save what was typed into an editor; true when it is stored. */
async function save(own, value) {
  const { cell } = own;
  const before = cell.dataset.value;
  const sent = { pk: rowOf(cell).dataset.pk, column: cell.dataset.column, value, version: rowOf(cell).dataset.version, csrf_token: words.csrf };
  const body = new FormData();
  for (const [name, content] of Object.entries(sent)) body.set(name, content);
  cell.setAttribute("aria-busy", "true");
  tell(words.wordSaving);
  try {
    const stored = await post(words.updateUrl, body);
    if (editor === own) editor = null;
    showSaved(cell, stored);
    noteChange([{ cell, value: before }]);
    tell(words.wordSaved);
    return true;
  } catch (error) {
    const theirs = error.current;
    own.problem = theirs ? conflictWords(cell, theirs) : error.message;
    if (theirs) {
      // The row's version is the stored one from here on: a second Enter is a decision, not an accident.
      rowOf(cell).dataset.version = theirs.version;
      cell.dataset.value = theirs.value ?? "";
      own.theirs = theirs;
    }
    if (current === cell && editor === own) refuse(own);
    else setAside(own);
    return false;
  } finally {
    own.busy = false;
    cell.removeAttribute("aria-busy");
  }
}

function refuse({ cell, root, input, problem }) {
  for (const list of root.querySelectorAll("[data-combo-pop]")) list.hidden = true; // the reason stands in its place
  cell.classList.add("is-wrong");
  explain(cell, problem, "alert");
  input.setAttribute("aria-invalid", "true");
  input.setAttribute("aria-describedby", "cell-msg");
  input.focus();
  tell(words.wordRefused, true);
}

/** Take an editor out of its cell and put back what is stored. */
function close(own) {
  const { cell, html, theirs } = own;
  if (editor === own) editor = null;
  cell.classList.remove("is-wrong");
  if (theirs) show(cell, theirs);
  else cell.replaceChildren(...html);
  return cell;
}

/** Leave a refused cell for another: what was typed stays in it. */
function setAside(own) {
  const typed = own.read();
  const text = typed.startsWith("#") ? own.input.value : typed;
  hold(close(own), text, own.problem);
  tell(words.wordRefused, true);
}

async function finish(rows, columns) {
  const own = editor;
  if (!own || own.busy) return;
  const { cell } = own;
  const value = own.read();
  if (value === cell.dataset.value && !own.theirs) { choose(close(own)); tell(""); move(cell, rows, columns); return; }
  let stored;
  if (held(rowOf(cell)).length) {
    // What was refused in the row before goes along: the row is saved whole.
    stored = await write([{ cell: close(own), value }]);
  } else {
    own.busy = true;
    queue = queue.then(() => save(own, value));
    stored = await queue;
  }
  // Whoever has gone to another cell meanwhile stays there.
  if (stored && current === cell) { choose(cell); move(cell, rows, columns); }
}

function edit(cell, typed) {
  if (busy) { tell(words.wordSaving); return; }
  if (!isOpen(cell)) { tell(words.wordLocked); return; }
  if (editor && !editor.busy) return;
  const begun = typed ?? cell.dataset.typed;
  explain(cell, "");
  const html = release(cell);
  cell.replaceChildren(...html);
  const own = { cell, html, busy: false, problem: "", ...openEditor(cell, headOf(cell), begun, storedText(cell)) };
  editor = own;
  const { root } = own;
  root.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") { choose(close(own)); tell(""); }
    else if (event.key === "Enter") finish(event.shiftKey ? -1 : 1, 0);
    else if (event.key === "Tab") { takeMarked(root); finish(0, event.shiftKey ? -1 : 1); }
    else return;
    event.preventDefault();
  });
  root.addEventListener("click", (event) => {
    if (event.detail && event.target.closest("[role=option]")) finish(0, 0);
  });
  root.addEventListener("focusout", () => setTimeout(() => {
    if (editor !== own || own.busy || cell.contains(document.activeElement) || !document.hasFocus()) return;
    if (own.problem) setAside(own);
    else finish(0, 0);
  }));
}

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageUp: [-10, 0], PageDown: [10, 0], Home: [0, -Infinity], End: [0, Infinity] };
const CORNERS = { Home: [-Infinity, -Infinity], End: [Infinity, Infinity], ArrowUp: [-Infinity, 0], ArrowDown: [Infinity, 0], ArrowLeft: [0, -Infinity], ArrowRight: [0, Infinity] };

function onKey(event) {
  const cell = event.target.closest("td, tbody th");
  if (!cell || editor?.cell === cell) return;
  const control = event.ctrlKey || event.metaKey;
  const step = (control ? CORNERS : STEPS)[event.key];
  if (cell.matches("th")) { if (step) move(cell, ...step); else return; }
  else if (step) move(cell, ...step, event.shiftKey);
  else if (event.key === "Tab" && !control && rowOf(cell).cells[cell.cellIndex + (event.shiftKey ? -1 : 1)]?.matches("td")) move(cell, 0, event.shiftKey ? -1 : 1);
  else if (event.key === "Enter" && control) cell.querySelector("a")?.click();
  else if (event.key === "Enter" || event.key === "F2") edit(cell);
  else if (event.key === "Escape") { range().flat().filter(isHeld).forEach(drop); choose(cell); tell(""); }
  else if (event.key === "Delete" && corner !== current) write(range().flat().filter(isOpen).map((one) => ({ cell: one, value: "" })));
  else if (event.key === "Delete" && isOpen(cell)) edit(cell, "");
  else if (control && event.key.toLowerCase() === "a") chooseAll();
  else if (control && event.key.toLowerCase() === "z") takeBack();
  else if (event.key.length === 1 && !control && !event.altKey && isOpen(cell)) edit(cell, event.key);
  else return;
  event.preventDefault();
}

function chooseAll() {
  const all = table.tBodies[0].rows;
  choose(all[0].cells[1], { focus: false });
  choose([...all[all.length - 1].cells].at(-1), { extend: true });
}

/** Write several cells; then show the first that was refused, if any. */
async function write(entries, options) {
  if (busy) return false;
  busy = true;
  try {
    await queue;
    const saved = await writeBlock(entries, options);
    if (!saved) choose(entries.map(({ cell }) => cell).find((cell) => cell.matches(".is-wrong")));
    return saved;
  } finally {
    busy = false;
  }
}

async function takeBack() {
  if (busy || !undo.length) return;
  const last = undo.pop();
  choose(last[0].cell);
  await write(last, { remember: false });
  noteChange();
}

/** Whether the keys of the clipboard mean cells: one is in a cell that is not being changed. */
const isInCells = () => current && !editor && document.activeElement === current;

function onCopy(event) {
  if (!isInCells()) return;
  const isPlain = (cell) => !["integer", "decimal", "money", "minutes"].includes(headOf(cell).dataset.kind);
  const isNamed = (cell) => !isOpen(cell) || headOf(cell).querySelector("template");
  const copied = range().map((row) => row.map((cell) => ({ text: isNamed(cell) ? storedText(cell) : cell.dataset.value, plain: isPlain(cell) })));
  event.clipboardData.setData("text/plain", writeCells(copied));
  tell(words.wordCopied + copied.flat().length);
  event.preventDefault();
}

async function onPaste(event) {
  if (!isInCells()) return;
  event.preventDefault();
  const rows = parseCells(event.clipboardData.getData("text/plain"));
  const selected = range();
  const isOne = rows.length === 1 && rows[0].length === 1;
  if (isOne) { await write(selected.flat().map((cell) => ({ cell, value: rows[0][0] }))); return; }
  const first = selected[0][0];
  const all = table.tBodies[0].rows;
  const placed = rows.flatMap((row, down) => row.map((value, right) => ({ value, cell: all[rowOf(first).sectionRowIndex + down]?.cells[first.cellIndex + right] })));
  const entries = placed.filter(({ cell }) => cell);
  await write(entries, { beyond: placed.length - entries.length });
}

// What stands in a cell, an input or a longer word, must not move the others.
function holdWidths() {
  const heads = [...table.tHead.rows[0].cells];
  const widths = heads.map((head) => Math.ceil(head.getBoundingClientRect().width));
  heads.forEach((head, place) => { head.style.width = `${widths[place]}px`; });
  table.style.width = `${widths.reduce((sum, width) => sum + width, 0)}px`;
  table.style.tableLayout = "fixed";
}

// The first click chooses a cell, the next one changes it; the focus has come to it before the click is over.
let wasCurrent = false;

function onMouseDown(event) {
  const cell = event.target.closest("td");
  wasCurrent = cell === current && corner === current;
  if (cell && event.shiftKey) event.preventDefault(); // no text is selected
}

function onClick(event) {
  const cell = event.target.closest("td");
  const link = event.target.closest("a");
  if (!cell || editor?.cell === cell || event.ctrlKey || event.metaKey) return;
  // In a cell that can be changed a link is followed with Ctrl, as in spreadsheets.
  if (link && !isOpen(cell)) return;
  if (link) event.preventDefault();
  if (event.shiftKey && current) choose(cell, { extend: true });
  else if (wasCurrent) edit(cell);
  else choose(cell);
}

if (table) {
  document.fonts.ready.then(holdWidths);
  // One stop for Tab: the arrows reach every cell, and the records of the rows; Ctrl+Enter follows the link in a cell.
  for (const link of table.tBodies[0].querySelectorAll("a")) link.tabIndex = -1;
  box.querySelector("[data-grid-undo]").addEventListener("click", takeBack);
  table.addEventListener("keydown", onKey);
  table.addEventListener("mousedown", onMouseDown);
  table.addEventListener("click", onClick);
  table.addEventListener("focusin", (event) => { if (event.target.matches("td") && event.target !== current) choose(event.target, { focus: false }); });
  document.addEventListener("copy", onCopy);
  document.addEventListener("paste", onPaste);
  window.addEventListener("beforeunload", (event) => { if (table.querySelector("[data-typed]")) event.preventDefault(); });
  const first = table.querySelector("tbody td");
  if (first) first.tabIndex = 0;
}
