// What stands in a cell of the grid while it is changed: an input, a list of choices, or a search for a record.
import { combobox } from "./combobox.js";

/** Put an editor for `cell` into it and focus it. `typed` is what it begins with, where that is not what is stored.
 *
 * Returns its element, the input in it, and `read`, which returns what is to be sent. */
export function openEditor(cell, head, typed, text) {
  const template = head.querySelector("template");
  if (template?.content.querySelector("[data-combo]")) return openSearch(cell, template, typed, text);
  return template ? openChoices(cell, head, template, typed) : openInput(cell, head, typed);
}

function openInput(cell, head, typed) {
  const input = document.createElement("input");
  input.className = "form-control cell-input";
  input.setAttribute("aria-label", head.textContent.trim());
  if (head.dataset.max) input.maxLength = Number(head.dataset.max);
  input.value = typed ?? cell.dataset.value;
  cell.replaceChildren(input);
  input.focus();
  if (typed === undefined) input.select();
  return { root: input, input, read: () => input.value };
}

function openChoices(cell, head, template, typed) {
  const input = document.createElement("select");
  input.className = "form-select cell-input";
  input.setAttribute("aria-label", head.textContent.trim());
  input.append(template.content.cloneNode(true));
  input.value = cell.dataset.value;
  const begins = (option) => (typed ? option.text.toLowerCase().startsWith(typed.toLowerCase()) : option.value === "");
  const match = typed !== undefined && [...input.options].find(begins);
  if (match) input.value = match.value;
  cell.replaceChildren(input);
  input.focus();
  return { root: input, input, read: () => input.value };
}

function openSearch(cell, template, typed, text) {
  const root = template.content.querySelector("[data-combo]").cloneNode(true);
  const input = root.querySelector("[data-combo-text]");
  const key = root.querySelector("[data-combo-value]");
  input.classList.add("cell-input");
  key.value = cell.dataset.value.replace("#", "");
  input.value = key.value ? text : "";
  cell.replaceChildren(root);
  combobox(root);
  input.focus();
  if (typed === undefined) input.select();
  else {
    input.value = typed;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }
  const read = () => {
    // The combobox gives the input a name while it holds words that were chosen from no list.
    if (!input.value.trim() || input.hasAttribute("name")) return input.value.trim();
    return key.value ? `#${key.value}` : "";
  };
  return { root, input, read };
}

/** Take the option that is marked in an open list, as Tab does. */
export function takeMarked(root) {
  if (root.querySelector("[data-combo-pop]:not([hidden])")) root.querySelector("[role=option][aria-selected=true]")?.click();
}
