// The input that stands in a cell of the grid while it is changed.

/** Put an input for `cell` into it and focus it. `typed` is the key that opened it, if one did. */
export function openEditor(cell, head, typed) {
  const choices = head.querySelector("template");
  const input = document.createElement(choices ? "select" : "input");
  input.className = choices ? "form-select cell-input" : "form-control cell-input";
  input.setAttribute("aria-label", head.textContent.trim());
  if (choices) input.append(choices.content.cloneNode(true));
  if (head.dataset.max) input.maxLength = Number(head.dataset.max);
  input.value = typed !== undefined && !choices ? typed : cell.dataset.value;
  if (choices && typed) {
    const match = [...input.options].find((option) => option.text.toLowerCase().startsWith(typed.toLowerCase()));
    if (match) input.value = match.value;
  }
  cell.replaceChildren(input);
  input.focus();
  if (typed === undefined && !choices) input.select();
  return input;
}
