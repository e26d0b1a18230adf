// Lines of children: added from the template, removed with undo; the server sees <name>-<i>-delete.
import { prepareComboboxes } from "./combobox.js";
import { prepareDays } from "./days.js";

function nextIndex(body, name) {
  const taken = [...body.querySelectorAll("[data-line]")].map((line) => Number(line.id.slice(name.length + 1)));
  return Math.max(-1, ...taken.filter(Number.isInteger)) + 1;
}

function showRemoved(line, isRemoved) {
  line.classList.toggle("is-removed", isRemoved);
  line.querySelector("[data-line-delete]").checked = isRemoved;
  line.querySelector("[data-line-remove]").hidden = isRemoved;
  line.querySelector("[data-line-undo]").hidden = !isRemoved;
}

function prepare(box) {
  const body = box.querySelector("[data-lines-body]");
  const blank = box.querySelector("template[data-line-blank]");
  const state = box.querySelector("[data-lines-state]");

  function tell() {
    const removed = body.querySelectorAll(".is-removed").length;
    if (state) state.textContent = removed ? `${box.dataset.wordRemoved}: ${removed}` : "";
    box.dispatchEvent(new Event("lines", { bubbles: true }));
  }

  function add() {
    const holder = document.createElement("template");
    holder.innerHTML = blank.innerHTML
      .replaceAll("__INDEX__", String(nextIndex(body, box.dataset.lines)))
      .replaceAll("__NUMBER__", String(body.querySelectorAll("[data-line]").length + 1));
    const line = holder.content.querySelector("[data-line]");
    body.append(line);
    prepareComboboxes(line);
    prepareDays(line);
    line.querySelector("input:not([type=hidden]), select, textarea")?.focus();
    tell();
  }

  box.querySelector("[data-line-add]")?.addEventListener("click", add);
  body.addEventListener("click", (event) => {
    const line = event.target.closest("[data-line]");
    if (event.target.closest("[data-line-remove]")) { showRemoved(line, true); line.querySelector("[data-line-undo]").focus(); tell(); }
    if (event.target.closest("[data-line-undo]")) { showRemoved(line, false); line.querySelector("[data-line-remove]").focus(); tell(); }
  });
  for (const line of body.querySelectorAll(".is-removed")) showRemoved(line, true);
}

/** Prepare every set of lines inside `root`. */
export function prepareLines(root) {
  for (const box of root.querySelectorAll("[data-lines]")) prepare(box);
}
