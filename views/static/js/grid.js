// The grid: move with the arrows, change with Enter or by typing; each cell is saved by itself, with the version of its row.
import { openEditor } from "./grid_editor.js";

const box = document.querySelector("[data-grid]");
const table = box?.querySelector("table");
const undoButton = box?.querySelector("[data-grid-undo]");
const undo = [];
let current = null;
let editor = null;

const rowOf = (cell) => cell.closest("tr");
const headOf = (cell) => table.tHead.querySelector(`[data-column="${CSS.escape(cell.dataset.column)}"]`);
const isOpen = (cell) => cell.dataset.value !== undefined;
const sign = (name) => Object.assign(document.createElement("i"), { className: `bi bi-${name}`, ariaHidden: "true" });
const tell = (text, bad = false) => {
  const status = box.querySelector("[data-grid-status]");
  status.replaceChildren(...(bad ? [sign("exclamation-circle-fill"), " ", text] : [text]));
  status.classList.toggle("no", bad);
};

function choose(cell, focus = true) {
  if (!cell) return;
  current?.classList.remove("is-active");
  if (current) current.tabIndex = -1;
  current = cell;
  cell.tabIndex = 0;
  cell.classList.add("is-active");
  const number = rowOf(cell).rowIndex;
  box.querySelector("[data-grid-where]").textContent = `${number} · ${headOf(cell).textContent.trim()}`;
  box.querySelector("[data-grid-value]").textContent = cell.textContent.trim();
  if (focus) { cell.focus({ preventScroll: true }); cell.scrollIntoView({ block: "nearest", inline: "nearest" }); }
}

function move(cell, rows, columns) {
  const row = table.tBodies[0].rows[rowOf(cell).sectionRowIndex + rows];
  const next = row?.cells[cell.cellIndex + columns];
  if (next?.matches("td")) choose(next);
}

function show(cell, stored) {
  cell.replaceChildren();
  if (stored.badge) {
    const badge = document.createElement("span");
    badge.className = `state state-${stored.tone}`;
    badge.append(sign(stored.icon || "circle"), Object.assign(document.createElement("span"), { textContent: stored.text }));
    cell.append(badge);
  } else {
    cell.append(stored.text ?? "");
  }
  cell.title = stored.title ?? "";
  cell.dataset.value = stored.value ?? "";
  if (stored.version !== undefined) rowOf(cell).dataset.version = stored.version;
}

function refuse(cell, text) {
  cell.classList.add("is-wrong");
  const message = Object.assign(document.createElement("span"), { className: "cell-msg", id: "cell-msg", role: "alert" });
  message.append(sign("exclamation-circle-fill"), " ", text);
  document.getElementById("cell-msg")?.remove();
  cell.append(message);
  const input = cell.querySelector(".cell-input");
  input?.setAttribute("aria-invalid", "true");
  input?.setAttribute("aria-describedby", "cell-msg");
  message.scrollIntoView({ block: "nearest", inline: "nearest" });
  tell(box.dataset.wordRefused, true);
}

async function send(cell, value) {
  const row = rowOf(cell);
  const body = new FormData();
  const sent = { pk: row.dataset.pk, column: cell.dataset.column, value, version: row.dataset.version, csrf_token: box.dataset.csrf };
  for (const [name, content] of Object.entries(sent)) body.set(name, content);
  const headers = { Accept: "application/json", "X-CSRFToken": box.dataset.csrf };
  const answer = await fetch(box.dataset.updateUrl, { method: "POST", body, headers, credentials: "same-origin" });
  const content = await answer.json().catch(() => ({}));
  if (answer.ok) return content;
  throw Object.assign(new Error(content.detail || content.title || box.dataset.wordFailed), { current: content.current });
}

/** Save `value` into `cell`; true when it is stored. */
async function save(cell, value, { remember = true } = {}) {
  const before = cell.dataset.value;
  if (value === before) return true;
  cell.setAttribute("aria-busy", "true");
  tell(box.dataset.wordSaving);
  try {
    const stored = await send(cell, value);
    closeEditor(cell);
    show(cell, stored);
    cell.classList.remove("is-wrong");
    cell.classList.add("is-changed");
    if (remember) undo.push({ cell, value: before });
    tell(box.dataset.wordSaved);
    count();
    undoButton.hidden = !undo.length;
    return true;
  } catch (error) {
    const theirs = error.current;
    if (theirs) {
      // The row's version is the stored one from here on: a second Enter is a decision, not an accident.
      rowOf(cell).dataset.version = theirs.version;
      cell.dataset.value = theirs.value ?? "";
      if (editor) editor.theirs = theirs;
    }
    const words = theirs ? box.dataset.wordConflict.replace("{value}", theirs.text || box.dataset.wordEmpty) : error instanceof TypeError ? box.dataset.wordFailed : error.message;
    refuse(cell, words);
    return false;
  } finally {
    cell.removeAttribute("aria-busy");
  }
}

function count() {
  const changed = table.querySelectorAll(".is-changed").length;
  box.querySelector("[data-grid-count]").textContent = changed ? box.dataset.wordChanged + changed : "";
}

function closeEditor(cell) {
  if (editor?.cell !== cell) return;
  editor = null;
}

function leave(cell) {
  const { html, theirs } = editor;
  editor = null;
  cell.classList.remove("is-wrong");
  if (theirs) show(cell, theirs);
  else cell.replaceChildren(...html);
  tell("");
  choose(cell);
}

function edit(cell, typed) {
  if (!isOpen(cell)) { tell(box.dataset.wordLocked); return; }
  const html = [...cell.childNodes];
  const head = headOf(cell);
  const input = openEditor(cell, head, typed);
  editor = { cell, html, input, busy: false };
  const finish = async (rows, columns) => {
    if (!editor || editor.cell !== cell || editor.busy) return;
    if (input.value === cell.dataset.value && !editor.theirs) { leave(cell); move(cell, rows, columns); return; }
    editor.busy = true;
    const stored = await save(cell, input.value);
    if (editor) editor.busy = false;
    if (stored) { choose(cell); move(cell, rows, columns); } else input.focus();
  };
  input.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") leave(cell);
    else if (event.key === "Enter") finish(event.shiftKey ? -1 : 1, 0);
    else if (event.key === "Tab") finish(0, event.shiftKey ? -1 : 1);
    else return;
    event.preventDefault();
  });
  input.addEventListener("blur", () => setTimeout(() => {
    if (editor?.cell === cell && !editor.theirs && !cell.classList.contains("is-wrong") && !cell.contains(document.activeElement)) finish(0, 0);
  }));
}

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

function onKey(event) {
  const cell = event.target.closest("td");
  if (!cell || editor?.cell === cell) return;
  const control = event.ctrlKey || event.metaKey;
  if (STEPS[event.key] && !control) move(cell, ...STEPS[event.key]);
  else if (event.key === "Home") choose(rowOf(cell).cells[1]);
  else if (event.key === "End") choose([...rowOf(cell).cells].at(-1));
  else if (event.key === "Enter" || event.key === "F2") edit(cell);
  else if (event.key === "Delete" && isOpen(cell)) edit(cell, "");
  else if (control && event.key.toLowerCase() === "z") takeBack();
  else if (event.key.length === 1 && !control && !event.altKey && isOpen(cell)) edit(cell, event.key);
  else return;
  event.preventDefault();
}

async function takeBack() {
  const last = undo.pop();
  if (!last) return;
  choose(last.cell);
  await save(last.cell, last.value, { remember: false });
}

// What stands in a cell, an input or a longer word, must not move the others.
function holdWidths() {
  const heads = [...table.tHead.rows[0].cells];
  const widths = heads.map((head) => Math.ceil(head.getBoundingClientRect().width));
  heads.forEach((head, place) => { head.style.width = `${widths[place]}px`; });
  table.style.width = `${widths.reduce((sum, width) => sum + width, 0)}px`;
  table.style.tableLayout = "fixed";
}

if (table) {
  document.fonts.ready.then(holdWidths);
  undoButton.addEventListener("click", takeBack);
  table.addEventListener("keydown", onKey);
  table.addEventListener("click", (event) => {
    const cell = event.target.closest("td");
    if (!cell || event.target.closest("a, input, select, option")) return;
    if (cell === current && editor?.cell !== cell) edit(cell);
    else if (editor?.cell !== cell) choose(cell);
  });
  table.addEventListener("dblclick", (event) => {
    const cell = event.target.closest("td");
    if (cell && editor?.cell !== cell) edit(cell);
  });
  table.addEventListener("focusin", (event) => { if (event.target.matches("td") && event.target !== current) choose(event.target, false); });
  const first = table.querySelector("tbody td");
  if (first) first.tabIndex = 0;
}
