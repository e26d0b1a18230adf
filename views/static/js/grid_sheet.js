// The sheet itself: its rows and headings, what stands in a cell, and what was typed into it and refused.

export const box = document.querySelector("[data-grid]");
export const table = box?.querySelector("table");
export const words = box?.dataset;

/** What can be taken back, the last change at the end: lists of {cell, value}. */
export const undo = [];
/** What stood in a cell before something was typed that was refused. */
const shown = new WeakMap();

export const rowOf = (cell) => cell.closest("tr");
export const headOf = (cell) => table.tHead.querySelector(`[data-column="${CSS.escape(cell.dataset.column)}"]`);
export const isOpen = (cell) => cell.dataset.value !== undefined;
export const isHeld = (cell) => cell.dataset.typed !== undefined;
export const held = (row) => [...row.cells].filter(isHeld);
const sign = (name) => Object.assign(document.createElement("i"), { className: `bi bi-${name}`, ariaHidden: "true" });

/** Say something in the bar above the sheet. */
export function tell(text, bad = false) {
  const status = box.querySelector("[data-grid-status]");
  status.replaceChildren(...(bad ? [sign("exclamation-circle-fill"), " ", text] : [text]));
  status.classList.toggle("no", bad);
}

/** Return what people read in a cell, whatever is typed into it meanwhile. */
export function storedText(cell) {
  const nodes = shown.get(cell) ?? [...cell.childNodes];
  return nodes.filter((node) => !node.matches?.(".cell-msg")).map((node) => node.textContent).join("").trim();
}

/** Show in a cell what is stored. */
export function show(cell, stored) {
  release(cell);
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
  rowOf(cell).dataset.version = stored.version;
}

/** Mark a cell as saved. */
export function showSaved(cell, stored) {
  show(cell, stored);
  cell.classList.add("is-changed");
}

/** Keep in a cell what was typed and not saved, with the reason, until it is corrected or dropped.
 *
 * `isCause` is false where it only waits for another cell of its row. */
export function hold(cell, typed, problem, isCause = true) {
  const before = shown.get(cell) ?? [...cell.childNodes];
  release(cell);
  shown.set(cell, before);
  Object.assign(cell.dataset, { typed, problem });
  cell.replaceChildren(typed);
  cell.classList.add(isCause ? "is-wrong" : "is-waiting");
  if (isCause) cell.setAttribute("aria-invalid", "true");
}

/** Forget what was typed into a cell; return what stood there before. */
export function release(cell) {
  const before = shown.get(cell) ?? [...cell.childNodes];
  shown.delete(cell);
  delete cell.dataset.typed;
  delete cell.dataset.problem;
  cell.classList.remove("is-wrong", "is-waiting");
  cell.removeAttribute("aria-invalid");
  cell.removeAttribute("aria-describedby");
  return before;
}

/** Drop what was typed into a cell. */
export function drop(cell) {
  cell.replaceChildren(...release(cell));
}

/** Say under a cell why it is refused; there is one such message at a time. */
export function explain(cell, text, role) {
  document.getElementById("cell-msg")?.remove();
  if (!text) return;
  const message = Object.assign(document.createElement("span"), { className: "cell-msg", id: "cell-msg" });
  if (role) message.setAttribute("role", role);
  message.append(sign("exclamation-circle-fill"), " ", text);
  cell.append(message);
  message.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** Return why a row that somebody else has changed was not saved, and what `theirs` says of one of its cells. */
export function conflictWords(cell, theirs) {
  if ((theirs.value ?? "") === cell.dataset.value) return words.wordMoved;
  return words.wordConflict.replace("{value}", theirs.text || words.wordEmpty);
}

/** Remember a change and count the cells that have changed. */
export function noteChange(change) {
  if (change?.length) undo.push(change);
  const changed = table.querySelectorAll(".is-changed").length;
  box.querySelector("[data-grid-count]").textContent = changed ? words.wordChanged + changed : "";
  box.querySelector("[data-grid-undo]").hidden = !undo.length;
}

/** Send something to be saved; return the answer, or throw what people may read. */
export async function post(url, body, headers = {}) {
  let answer;
  try {
    answer = await fetch(url, { method: "POST", body, headers: { Accept: "application/json", "X-CSRFToken": words.csrf, ...headers }, credentials: "same-origin" });
  } catch {
    throw new Error(words.wordFailed);
  }
  const content = await answer.json().catch(() => ({}));
  if (answer.ok) return content;
  throw Object.assign(new Error(content.detail || content.title || words.wordFailed), { current: content.current });
}
